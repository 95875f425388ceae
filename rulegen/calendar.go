package rulegen

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Rules of calendar periods, in two parts. The agreement's calendar group says
// which period is running, as numbers, once for each kind of calendar. The
// levels turn the number into the label "start", put it on what they count, and
// sum what has the label of the running period.
//
// Until the very join these are numbers of a single series: so two periods are
// never visible side by side, after a restart or in a pair of servers, where
// that would be an error.

// calendarYears is how many years after the year of generation the rules know
// the changes of clocks. Tables begin and end at new year, so generated rules
// change once a year and not with every run.
const calendarYears = 3

// tableOf is the span in which rules that are generated at now are right: from
// the year before to the end of the last of calendarYears. The tables reach a
// year further, since periods that begin in it end in the next.
func tableOf(now time.Time) (from, to time.Time) {
	y := now.UTC().Year()
	return time.Date(y-1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(y+calendarYears+1, 1, 1, 0, 0, 0, 0, time.UTC)
}

// calendarEndsWithin is how long before the end of its tables an agreement
// raises an alert.
const calendarEndsWithin = 90 * 24 * time.Hour

// CalendarName is the value of the label "calendar" of a calendar period: "month Europe/Berlin".
func CalendarName(p sla.Period) string {
	name := string(p.Calendar)
	switch {
	case p.FiscalOffset != 0:
		name += fmt.Sprintf("+%d", p.FiscalOffset)
	case p.Calendar == sla.Week:
		name += " from " + p.WeekStart.String()[:3]
	}
	if p.Zone == "" {
		return name + " UTC"
	}
	return name + " " + p.Zone
}

// calendar makes the rules of one kind of calendar in an agreement.
type calendar struct {
	agreement string
	period    sla.Period
	offset    time.Duration // of the zone where the tables begin
	switches  []sla.Switch
	interval  time.Duration
	extra     map[string]string // labels of everything that is recorded
}

func newCalendar(agreement string, p sla.Period, opts Options) calendar {
	c := calendar{agreement: agreement, period: p, interval: opts.Interval, extra: opts.Labels}
	from, to := tableOf(opts.Now)
	c.offset, c.switches = sla.Switches(p.Zone, from, to.AddDate(1, 0, 0))
	return c
}

func (c calendar) labels() map[string]string {
	m := map[string]string{metricnames.SLA: c.agreement, metricnames.Calendar: CalendarName(c.period)}
	maps.Copy(m, c.extra)
	return m
}

func (c calendar) series(name string) promql.Expr { return c.selector(name).Now() }

func (c calendar) selector(name string) promql.Selector {
	own := []promql.Matcher{promql.Eq(metricnames.SLA, c.agreement), promql.Eq(metricnames.Calendar, CalendarName(c.period))}
	return promql.Series(name, append(own, extraMatchers(c.extra)...)...)
}

func number(n int64) promql.Expr { return promql.Num(sla.NewDecimal(n, 1)) }

// lag is how old the events that the second layer counts are on average: half a
// base window and half of the layer's interval. The period is that of then, so
// that an event at a period's edge is as likely to fall on either side.
func (c calendar) lag() time.Duration { return (sla.BaseWindow + secondLayer*c.interval) / 2 }

// offsetAt is the zone's offset at an instant; threshold says from which second
// on a switch's new offset holds.
func (c calendar) offsetAt(at promql.Expr, threshold func(sla.Switch) int64) promql.Expr {
	e := number(int64(c.offset / time.Second))
	for _, s := range c.switches {
		step := int64((s.After - s.Before) / time.Second)
		e = promql.Add(e, promql.Mul(number(step), promql.AtLeast(at, number(threshold(s)))))
	}
	return e
}

// absolute is the instant of a local midnight. If a switch skips the midnight
// it is the instant of the switch; if it comes twice it is the first. sla
// defines it so, and the greater of both offsets in the threshold achieves it.
func (c calendar) absolute(local promql.Expr) promql.Expr {
	return promql.Sub(local, c.offsetAt(local, func(s sla.Switch) int64 {
		return s.At.Unix() + int64(max(s.Before, s.After)/time.Second)
	}))
}

// clockOf is what comments call the clock of a zone.
func clockOf(zone string) string { return "the clock of " + zoneName(zone) }

// switchWords explain the constants of a zone's clock.
func switchWords(offset time.Duration, switches []sla.Switch) []string {
	if len(switches) == 0 && offset == 0 {
		return nil
	}
	words := []string{fmt.Sprintf("%d = seconds by which the clock is ahead of UTC at first", offset/time.Second)}
	var changes []string
	for _, s := range switches {
		changes = append(changes, fmt.Sprintf("%d s at %d = %s", (s.After-s.Before)/time.Second, s.At.Unix(), instant(s.At)))
	}
	if len(changes) > 0 {
		words = append(words, fmt.Sprintf("The clock changes by %s.", firstOf(changes)))
	}
	return words
}

// monthWords say how a month is counted.
func (c calendar) monthWords() []string {
	words := []string{"12 = months in a year"}
	if months := c.period.Months(); months > 1 {
		words = append(words, fmt.Sprintf("%d = months in a %s, the first of which begins %d after January", months, c.period.Calendar, c.period.FiscalOffset))
	}
	return words
}

// rules record when the running period began, when it ends, and the dates that
// name it and the previous one. Local times are written as though they were
// UTC.
func (c calendar) rules() []Rule {
	record := func(name string, e promql.Expr) Rule { return Rule{Record: name, Expr: e, Labels: c.labels()} }
	then := promql.Sub(promql.Time(), promql.Num(sla.Seconds(c.lag())))
	local := promql.Add(then, c.offsetAt(then, func(s sla.Switch) int64 { return s.At.Unix() }))
	zone := clockOf(c.period.Zone)
	rules := []Rule{record(metricnames.CalendarNow, promql.VectorOf(local)).
		says("The time on %s, as Unix seconds of a clock that would show it as UTC.", zone).
		says("%s = %s, the mean age of what is counted", inRules(sla.Seconds(c.lag())), sla.FormatDuration(c.lag())).
		saysAll(switchWords(c.offset, c.switches))}
	how := []string{"By months since March of the year 0: 12 in a year, 1461 days in 4 years, 153 in 5 months, 719483 until 1970, 86400 seconds each."}
	var first func(periods int) promql.Expr // the local midnight at which the period so many after this one begins
	if c.period.Calendar == sla.Week {
		// The epoch was a Thursday.
		const week, shortDay = 7 * 86400, 86400
		how = []string{fmt.Sprintf("604800 = 7d in seconds. The first %s of 1970 is %d days after the Thursday on which Unix seconds begin.", c.period.WeekStart, (int(c.period.WeekStart)-int(time.Thursday)+7)%7)}
		shift := int64((int(c.period.WeekStart)-int(time.Thursday)+7)%7) * shortDay
		first = func(periods int) promql.Expr {
			weeks := promql.Floor(promql.Div(promql.Sub(c.series(metricnames.CalendarNow), number(shift)), number(week)))
			return promql.Add(promql.Mul(weeks, number(week)), number(shift+int64(periods)*week))
		}
	} else {
		now := c.series(metricnames.CalendarNow)
		month := promql.Add(promql.Mul(promql.YearOf(now), number(12)), promql.Sub(promql.MonthOf(now), number(1)))
		into := promql.Mod(promql.Sub(month, number(int64(c.period.FiscalOffset))), number(int64(c.period.Months())))
		rules = append(rules, record(metricnames.CalendarMonth, promql.Sub(month, into)).
			says("The first month of the %s that is running, in months since the year 0.", c.period.Calendar).
			saysAll(c.monthWords()))
		first = func(periods int) promql.Expr {
			return midnightOf(promql.Add(c.series(metricnames.CalendarMonth), number(int64(periods*c.period.Months()-2))))
		}
	}
	date := func(local promql.Expr) promql.Expr {
		return promql.Add(promql.Add(promql.Mul(promql.YearOf(local), number(10000)), promql.Mul(promql.MonthOf(local), number(100))), promql.DayOfMonth(local))
	}
	for _, p := range []struct {
		periods                 int
		which                   string
		local, date, unixSecond string
	}{
		{0, "running", metricnames.CalendarStartLocal, metricnames.CalendarStartDate, metricnames.CalendarStart},
		{1, "next", metricnames.CalendarEndLocal, "", metricnames.CalendarEnd},
		{-1, "previous", metricnames.CalendarPreviousLocal, metricnames.CalendarPreviousDate, ""},
	} {
		start := fmt.Sprintf("start of the %s %s", p.which, c.period.Calendar)
		rules = append(rules, record(p.local, first(p.periods)).says("The %s, on %s.", start, zone).saysAll(how))
		if p.date != "" {
			rules = append(rules, record(p.date, date(c.series(p.local))).
				says("The %s as a date: 20261101 = 2026 x 10000 + 11 x 100 + 1.", start))
		}
		if p.unixSecond != "" {
			rules = append(rules, record(p.unixSecond, c.absolute(c.series(p.local))).
				says("The %s in Unix seconds.", start).saysAll(switchWords(c.offset, c.switches)))
		}
	}
	return append(rules, record(metricnames.CalendarStepDate, promql.Or(
		promql.And(date(c.series(metricnames.CalendarEndLocal)), promql.Le(c.series(metricnames.CalendarEnd), promql.Sub(promql.Time(), promql.Num(sla.Seconds(c.middle()))))),
		c.series(metricnames.CalendarStartDate))).
		says("The date by which the %s is called in which the middle of a step lies that ends now.", c.period.Calendar).
		says("%s = %s, half a step", inRules(sla.Seconds(c.middle())), sla.FormatDuration(c.middle())))
}

// middle is how long the middle of a step of the second layer is before its end.
func (c calendar) middle() time.Duration { return secondLayer * c.interval / 2 }

// midnightOf is the first midnight of a month, in seconds, by the usual
// arithmetic of years that begin in March. march counts months since March of
// the year 0. Century years are no leap years, so it holds until February 2100.
func midnightOf(march promql.Expr) promql.Expr {
	years := promql.Floor(promql.Div(march, number(12)))
	days := promql.Floor(promql.Div(promql.Mul(years, number(1461)), number(4)))
	ofYear := promql.Floor(promql.Div(promql.Add(promql.Mul(promql.Mod(march, number(12)), number(153)), number(2)), number(5)))
	return promql.Mul(promql.Sub(promql.Add(days, ofYear), number(719483)), number(86400))
}

// calendarGroups are the groups of the level's calendars, without those that an
// earlier level has added.
func calendarGroups(l level, opts Options, shared map[string]bool) []Group {
	var groups []Group
	for _, p := range l.Periods() {
		if p.Calendar == "" {
			continue
		}
		cal := newCalendar(l.ID.SLA, p, opts)
		g := Group{Name: fmt.Sprintf(GroupPrefix+"%s:calendar:%s", l.ID.SLA, strings.NewReplacer(" ", "-", "/", "-").Replace(CalendarName(p))), Interval: min(opts.Interval, DefaultInterval), Rules: cal.rules(), shared: true, always: true}
		if shared[g.Name] {
			continue
		}
		shared[g.Name] = true
		if len(cal.switches) > 0 {
			_, ends := tableOf(opts.Now)
			g.Rules = append(g.Rules, endsAlert(l.masks.agreement, opts, cal.labels(), ends))
		}
		groups = append(groups, g)
	}
	return groups
}

// endsAlert fires when the tables of an agreement are about to end.
func endsAlert(a *sla.Agreement, opts Options, labels map[string]string, ends time.Time) Rule {
	labels[metricnames.Severity] = a.Severities.Of(sla.Ticket)
	return Rule{
		Alert:  sla.AlertCalendarEnds.Name,
		Expr:   promql.Gt(promql.VectorOf(promql.Time()), number(ends.Add(-calendarEndsWithin).Unix())),
		Labels: labels,
		Annotations: map[string]string{
			"summary": fmt.Sprintf("The rules of %s know no change of clocks after %s", a.Name, ends.Format(time.DateOnly)),
			"description": "They are years old. From then on their calendar periods and service hours may begin and end an hour wrong, and holidays and windows be missing. " +
				"Generate them again with a current upheld.",
			"runbook_url": opts.Links.runbookOf(a, sla.AlertCalendarEnds),
		},
	}.says("Fires when the changes of clocks that the rules know are about to end.").
		says("%d = %s - %d days", ends.Add(-calendarEndsWithin).Unix(), ends.Format(time.DateOnly), calendarEndsWithin/(24*time.Hour))
}
