package rulegen

import (
	"fmt"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// periodKept is how long Prometheus may be away around the end of a calendar
// period without losing its final figures.
const periodKept = 3 * 24 * time.Hour

// calendarPeriod is a period of the calendar, with the series that say which one
// is running.
type calendarPeriod struct {
	period
	clock calendar
}

// inCalendar is the period with its calendar.
func (p period) inCalendar() calendarPeriod {
	return calendarPeriod{p, calendar{agreement: p.ID.SLA, period: p.of, interval: p.interval, extra: p.extra}}
}

// calendar records the figures of the calendar period that is running, and the
// final ones of the one before it.
func (p period) calendar() []Rule {
	c := p.inCalendar()
	var rules []Rule
	for _, t := range c.allTallies() {
		rules = append(rules, c.sums(t)...)
	}
	more, covered, rest := c.coverage()
	rules = append(rules, more...)
	if c.Masked() {
		rules = append(rules, c.agreedRule())
	}
	coverage, ratio := c.figure(metricnames.CoveragePeriod).Now(), c.figure(metricnames.ErrorPeriod).Now()
	rules = append(rules, c.untilLastEvent(covered, c.tag, c.ofRunning)...)
	rules = append(rules, c.notSeen(rest, c.restWords())...)
	rules = append(append(rules, c.spent()...),
		c.record(metricnames.BestPossible, promql.Sub(promql.Num(one),
			promql.Mul(ratio, promql.Div(coverage, promql.AddLeft(coverage, rest))))).
			says("The good share of the %s if all the rest of it is good.", c.of.Calendar).saysAll(c.restWords()),
		c.record(metricnames.ErrorPrevious, share(c.figure(metricnames.BadPrevious).Now(), c.figure(metricnames.TotalPrevious).Now())).
			says("Bad share of the %s before.", c.of.Calendar),
	)
	rules = append(rules, c.credits(standing{
		lost: promql.Sub(promql.Num(one), c.figure(metricnames.BestPossible).Now()), good: c.figure(metricnames.BestPossible).Now(), of: promql.AddLeft(coverage, rest),
		span: func(share promql.Expr) promql.Expr { return promql.MulLeft(share, c.whole(), nil, nil) }, words: c.restWords(),
	})...)
	rules = append(rules, c.capsUsed()...)
	return append(rules, c.owedPrevious(standing{lost: c.figure(metricnames.ErrorPrevious).Now()})...)
}

// start is the start of a period, as a label.
func (c calendarPeriod) start(name string) promql.Expr {
	return promql.CountValues(metricnames.Start, c.clock.series(name))
}

// running is the start of the running period, as a label.
func (c calendarPeriod) running() promql.Expr { return c.start(metricnames.CalendarStartDate) }

// tag adds the start of the running period as a label.
func (c calendarPeriod) tag(e promql.Expr) promql.Expr {
	return promql.MulLeft(e, c.running(), nil, []string{metricnames.Start})
}

// tagIncrease adds to an increase the start of the period that it belongs to. For a
// counted step this is the period at the step, whenever the level's group is evaluated: by
// a clock that is a minute old a whole step would go to the period before.
func (c calendarPeriod) tagIncrease(t metricnames.Tally) promql.Expr {
	e := c.recorded(t.Increase).Now()
	if !countsTally(c.level, t) {
		return c.tag(e)
	}
	of := promql.Or(increasesOf(c.level).atStep(c.clock.series(metricnames.CalendarStepDate)), promql.Mul(promql.Num(one), c.clock.series(metricnames.CalendarStartDate)))
	return promql.MulLeft(e, promql.CountValues(metricnames.Start, of), nil, []string{metricnames.Start})
}

// ofRunning keeps what has the start of the running period, without that label.
func (c calendarPeriod) ofRunning(e promql.Expr) promql.Expr {
	return promql.SumWithout(promql.AndOn(e, c.running(), metricnames.Start), metricnames.Start)
}

// sums record a tally of the running period, and of the one before it.
func (c calendarPeriod) sums(t metricnames.Tally) []Rule {
	what := strings.TrimSuffix(tallyWords(c.level, t), ",")
	running := func(e promql.Expr) promql.Expr { return promql.AndOn(e, c.running(), metricnames.Start) }
	tagged := c.record(t.Tagged, c.tagIncrease(t)).
		says("%s since the last evaluation, by the start of the %s that they belong to.", titled(what), c.of.Calendar)
	rules := append([]Rule{tagged}, c.sum(t.ByStart, t, running)...)
	return append(rules,
		c.record(t.Sum, c.ofRunning(c.figure(t.ByStart).Now())).says("%s of the running %s.", titled(what), c.of.Calendar),
		c.record(t.SumOfPrevious, promql.AndOn(promql.Or(c.figure(t.ByStart).LastOverTime(periodKept), c.figure(t.SumOfPrevious).LastOverTime(periodKept)),
			c.start(metricnames.CalendarPreviousDate), metricnames.Start)).
			says("%s of the %s before: its last sum, kept over %s without the server.", titled(what), c.of.Calendar, sla.FormatDuration(periodKept)),
	)
}

// coverage is the share of the running period, or of its agreed time, that is
// known, and the share that is still to come.
func (c calendarPeriod) coverage() (rules []Rule, known covered, rest promql.Expr) {
	if c.Masked() {
		return nil, covered{share: c.knownOfAgreed()}, promql.Div(c.agreedSeries(metricnames.AgreedLeft), promql.Gt(c.whole(), promql.Num(zero)))
	}
	seconds := c.figure(metricnames.TotalPeriod).Now()
	if !c.Aggregation.ByTime() {
		var evaluations promql.Expr
		rules, evaluations = c.evaluations()
		slots := c.ofRunning(evaluations)
		seconds = promql.Mul(slots, promql.Num(sla.Seconds(secondLayer*c.interval)))
		known.words = append(c.evaluationWords(), fmt.Sprintf("%s = %s in seconds, for which an evaluation stands", inRules(sla.Seconds(secondLayer*c.interval)), sla.FormatDuration(secondLayer*c.interval)))
	}
	// The rest begins at the time up to which is counted.
	left := promql.ClampMin(promql.Sub(c.clock.series(metricnames.CalendarEnd),
		promql.Sub(promql.Time(), promql.Num(sla.Seconds(c.clock.lag())))), zero)
	known.share = promql.DivLeft(seconds, c.whole())
	return rules, known, promql.Div(left, c.whole())
}

// restWords explain the constants of the rest of the period.
func (c calendarPeriod) restWords() []string {
	if c.Masked() {
		return nil
	}
	return []string{fmt.Sprintf("%s = %s, the mean age of what is counted", inRules(sla.Seconds(c.clock.lag())), sla.FormatDuration(c.clock.lag()))}
}

// whole is how long the running period is, or how much agreed time it has.
func (c calendarPeriod) whole() promql.Expr {
	if c.Masked() {
		return c.agreedSeries(metricnames.AgreedSeconds)
	}
	return promql.Sub(c.clock.series(metricnames.CalendarEnd), c.clock.series(metricnames.CalendarStart))
}
