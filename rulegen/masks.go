package rulegen

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// masks makes the rules that an agreement's levels share: service hours and
// exclusions as series that are 1 or 0 at the time of recording, and how much
// agreed time each period has.
type masks struct {
	agreement *sla.Agreement
	levels    []*sla.ServiceLevel // of the agreement, the broken ones too
	opts      Options
	from, to  time.Time // the years of the tables
	shares    map[string]sla.Decimal
}

func newMasks(a *sla.Agreement, opts Options) *masks {
	m := &masks{agreement: a, levels: slices.Concat(a.Levels, a.Broken), opts: opts, shares: map[string]sla.Decimal{}}
	m.from, m.to = tableOf(opts.Now)
	m.to = m.to.AddDate(1, 0, 0) // periods that begin in the tables' last year end in the next
	return m
}

// interval is how often masks are recorded.
func (m *masks) interval() time.Duration { return min(m.opts.Interval, DefaultInterval) }

// share is the share of all time that is agreed service time of a level.
func (m *masks) share(l *sla.ServiceLevel) sla.Decimal {
	if !l.Masked() {
		return one
	}
	name := agreedName(l)
	if _, known := m.shares[name]; !known {
		m.shares[name] = l.AgreedShare(m.opts.Now)
	}
	return m.shares[name]
}

// agreedName names the agreed service time of a level, as far as it is known in
// advance: "prime less maintenance".
func agreedName(l *sla.ServiceLevel) string { return timeName(l, (*sla.Exclusion).Removes) }

// timeName names the service hours of a level less the windows of the chosen
// exclusions.
func timeName(l *sla.ServiceLevel, less func(*sla.Exclusion) bool) string {
	name := allTime
	if l.ServiceHours != nil {
		name = l.ServiceHours.Name
	}
	for i, e := range byWindows(l, less) {
		name += []string{" less ", ", "}[min(i, 1)] + e.Name
	}
	return name
}

// allTime is the name of the time of a level without hours.
const allTime = "always"

// byWindows are the chosen exclusions of a level that have windows.
func byWindows(l *sla.ServiceLevel, choose func(*sla.Exclusion) bool) []*sla.Exclusion {
	var all []*sla.Exclusion
	for _, e := range l.Exclusions {
		if choose(e) && len(e.Windows) > 0 {
			all = append(all, e)
		}
	}
	return all
}

// zonesOfTime are the zones whose clocks decide when hours and windows begin and end.
func zonesOfTime(l *sla.ServiceLevel, less func(*sla.Exclusion) bool) []string {
	zones := []string{"UTC"}
	if l.ServiceHours != nil {
		zones = append(zones, zoneName(l.ServiceHours.Zone))
	}
	for _, e := range byWindows(l, less) {
		zones = append(zones, zonesOf(e)...)
	}
	slices.Sort(zones)
	return slices.Compact(zones)
}

func (m *masks) labels(more ...string) map[string]string {
	own := map[string]string{metricnames.SLA: m.agreement.Name}
	maps.Copy(own, m.opts.Labels)
	for i := 0; i < len(more); i += 2 {
		own[more[i]] = more[i+1]
	}
	return own
}

func (m *masks) record(name string, e promql.Expr, labels ...string) Rule {
	return Rule{Record: name, Expr: e, Labels: m.labels(labels...)}
}

func (m *masks) series(name string, labels ...string) promql.Selector {
	var own []promql.Matcher
	for i := 0; i < len(labels); i += 2 {
		own = append(own, promql.Eq(labels[i], labels[i+1]))
	}
	return m.selected(name, own...)
}

// selected are series of the agreement.
func (m *masks) selected(name string, matchers ...promql.Matcher) promql.Selector {
	own := append([]promql.Matcher{promql.Eq(metricnames.SLA, m.agreement.Name)}, matchers...)
	return promql.Series(name, append(own, extraMatchers(m.opts.Labels)...)...)
}

func zoneName(zone string) string { return cmp.Or(zone, "UTC") }

// maskGroup makes the group of all masks that levels of the agreement need.
type maskGroup struct {
	*masks
	clocks   []Rule
	seen     map[string]bool // clocks and instants that are recorded
	rules    []Rule
	findings sla.Findings
	tabled   bool // something is known only until the tables end
}

// group is the group of the agreement's masks, unless an earlier level has added it.
func (m *masks) group(shared map[string]bool) ([]Group, sla.Findings) {
	g := &maskGroup{masks: m, seen: map[string]bool{}}
	name := GroupPrefix + m.agreement.Name + ":masks"
	if shared[name] {
		return nil, nil
	}
	shared[name] = true
	done := map[string]bool{}
	once := func(key string) bool {
		defer func() { done[key] = true }()
		return !done[key]
	}
	for _, l := range m.levels {
		if c := l.ServiceHours; c != nil && once("calendar "+c.Name) {
			t := g.timetable(c.Service(m.from, m.to), c.Pos, "calendar "+c.Name, zoneName(c.Zone))
			g.add(m.record(metricnames.ServiceHoursMask, g.mask(t), metricnames.Calendar, c.Name).
				says("1 within the service hours %s, else 0.", c.Name).saysAll(t.words()), &t)
		}
		for _, e := range l.Exclusions {
			if once("exclusion " + e.Name) {
				g.exclusion(e)
			}
		}
		for _, p := range l.Periods() {
			if l.Masked() && once("agreed "+agreedName(l)+" "+periodName(p)) {
				g.agreed(l, p)
			}
		}
		for _, t := range (agreedTime{newLevel(l, m.opts, m)}).countedTimes() {
			if once("passed " + t.name()) {
				g.passed(t)
			}
			if once("passed") {
				g.allPassed()
			}
		}
	}
	group := Group{Name: name, Interval: m.interval(), Rules: append(g.clocks, g.rules...), shared: true}
	if g.tabled {
		_, ends := tableOf(m.opts.Now)
		group.Rules = append(group.Rules, endsAlert(m.agreement, m.opts, m.labels(metricnames.Calendar, "service hours"), ends))
	}
	return []Group{group}, g.findings
}

// maxComparisons bounds the size of a mask: a thousand are 30 KB of rule and
// less than a millisecond of every minute.
const maxComparisons = 1000

// timetable makes the timetable of spans, with a finding if it is too long.
func (g *maskGroup) timetable(spans sla.Spans, pos sla.Position, what string, zones ...string) timetable {
	t := newTimetable(spans, g.from, g.to, zones...)
	if n := t.comparisons(); n > maxComparisons {
		g.findings = append(g.findings, sla.Finding{
			Severity: sla.Error, Rule: "large-timetable", Pos: pos,
			Message: fmt.Sprintf("the %s needs %d comparisons until the end of %d, more than the %d that a rule may have: its times follow no pattern of the day or week", what, n, g.to.Year()-1, maxComparisons),
			Remedy:  "write what repeats as weekly hours, join windows that touch, or end the rule with UNTIL",
		})
		return timetable{}
	}
	last := g.to.AddDate(-1, 0, 0)
	g.tabled = g.tabled || len(t.pattern) > 0 && len(t.switches) > 0 ||
		slices.ContainsFunc(append(slices.Clone(t.adds), t.removes...), func(s sla.Span) bool { return s.To.After(last) })
	return t
}

// mask is the mask of a timetable, and records the clock that the timetable needs.
func (g *maskGroup) mask(t timetable) promql.Expr {
	if len(t.pattern) == 0 {
		return t.mask(promql.Expr{})
	}
	name := metricnames.ClockWeek
	if t.cycle.length == daySeconds {
		name = metricnames.ClockDay
	}
	local := g.local(t)
	if key := name + t.zone; !g.seen[key] {
		g.seen[key] = true
		g.clocks = append(g.clocks, g.record(name, promql.Mod(promql.Add(local, number(t.cycle.phase)), number(t.cycle.length)), metricnames.Zone, t.zone).says("Seconds %s on %s.", t.cycle.since(), clockOf(t.zone)).saysAll(t.cycle.words()))
	}
	return t.mask(g.series(name, metricnames.Zone, t.zone).Now())
}

// local is the time on the clock of a timetable.
func (g *maskGroup) local(t timetable) promql.Expr {
	if !g.seen[t.zone] {
		g.seen[t.zone] = true
		clock := calendar{offset: t.offset, switches: t.switches}
		now := clock.offsetAt(promql.Time(), func(s sla.Switch) int64 { return s.At.Unix() })
		g.clocks = append(g.clocks, g.record(metricnames.ClockLocal, promql.VectorOf(promql.Add(promql.Time(), now)), metricnames.Zone, t.zone).
			says("The time on %s, as Unix seconds of a clock that would show it as UTC.", clockOf(t.zone)).saysAll(switchWords(t.offset, t.switches)))
	}
	return g.series(metricnames.ClockLocal, metricnames.Zone, t.zone).Now()
}

// exclusion records when an exclusion excuses.
func (g *maskGroup) exclusion(e *sla.Exclusion) {
	var expr promql.Expr
	var byClock *timetable
	var words []string
	if e.OnCondition() {
		condition, holds, findings := truth(e.Condition)
		g.findings = append(g.findings, findings...)
		if findings.HasErrors() {
			return
		}
		g.findings = append(g.findings, unexcused(e.Condition, condition)...)
		g.findings = append(g.findings, quotedNames(g.opts, e.Condition)...)
		expr = promql.OrOn(holds, promql.Vector(zero))
		words = []string{"By its condition: without an answer it excuses nothing."}
	} else {
		t := g.timetable(e.Spans(g.from, g.to), e.Pos, "exclusion "+e.Name, zonesOf(e)...)
		expr, byClock, words = g.mask(t), &t, t.words()
	}
	g.add(g.record(metricnames.ExclusionMask, expr, metricnames.Exclusion, e.Name).
		says("1 while the exclusion %s holds, else 0.", e.Name).saysAll(words), byClock)
}

// unexcused finds aggregations of series that a comparison drops. For single
// series dropping is as good as false: without an answer a condition excuses
// nothing.
func unexcused(q sla.Query, condition promql.Expr) sla.Findings {
	filters := slices.DeleteFunc(condition.Filters(), func(f promql.Filter) bool { return f.Each })
	return filtered(q, "nothing is excused", filters)
}

// add adds the rule of a mask, with its timetable if it has one.
func (g *maskGroup) add(r Rule, t *timetable) {
	if t != nil {
		r.Mask = &Mask{t: *t}
	}
	g.rules = append(g.rules, r)
}

// zonesOf are the zones in whose clocks an exclusion's windows recur.
func zonesOf(e *sla.Exclusion) []string {
	var zones []string
	for _, w := range e.Windows {
		if w.Recurs != nil {
			zones = append(zones, zoneName(w.Recurs.Zone))
		}
	}
	slices.Sort(zones)
	return slices.Compact(zones)
}

// periodName tells periods of an agreement apart: "30d", "month Europe/Berlin".
func periodName(p sla.Period) string {
	if p.Calendar == "" {
		return p.String()
	}
	return CalendarName(p)
}

// agreed records how many seconds of agreed time the level's period has, as far
// as that is known in advance, and how many of a calendar period are still to
// come. Both are differences of what has elapsed at two ends, past or future.
func (g *maskGroup) agreed(l *sla.ServiceLevel, p sla.Period) {
	t := newTimetable(l.Agreed(g.from, g.to), g.from, g.to, zonesOfTime(l, (*sla.Exclusion).Removes)...)
	labels := []string{metricnames.Agreed, agreedName(l), metricnames.Period, periodName(p)}
	begin, now := g.elapsed(t, p, "start"), g.elapsed(t, p, "now")
	end := now
	if p.Calendar != "" {
		end = g.elapsed(t, p, "end")
		g.rules = append(g.rules, g.record(metricnames.AgreedLeft, promql.ClampMin(promql.Sub(end, now), zero), labels...).
			says("Seconds of agreed time (%s) that are to come in %s: those until its end less those until now.", agreedName(l), p.Words()).saysAll(t.elapsedWords()))
	}
	g.rules = append(g.rules, g.record(metricnames.AgreedSeconds, promql.Sub(end, begin), labels...).
		says("Seconds of agreed time (%s) in %s: those until its end less those until its start.", agreedName(l), p.Words()).saysAll(t.elapsedWords()))
}

// elapsed is how much of a timetable has passed at the start or end of a period, or now.
func (g *maskGroup) elapsed(t timetable, p sla.Period, at string) promql.Expr {
	labels := []string{metricnames.Period, periodName(p), metricnames.At, at}
	clock := calendar{agreement: g.agreement.Name, period: p, interval: g.opts.Interval, extra: g.opts.Labels}
	instant := g.series(metricnames.PeriodClock, labels...).Now()
	which := map[string]string{"start": "start", "now": "counted part's end", "end": "end"}[at]
	if key := strings.Join(labels, " "); !g.seen[key] {
		g.seen[key] = true
		counted := promql.Sub(promql.Time(), promql.Num(sla.Seconds(clock.lag())))
		e := promql.VectorOf(counted)
		switch {
		case p.Calendar != "" && at == "start":
			e = clock.series(metricnames.CalendarStart)
		case p.Calendar != "" && at == "end":
			e = clock.series(metricnames.CalendarEnd)
		case at == "start":
			e = promql.VectorOf(promql.Sub(counted, promql.Num(sla.Seconds(p.Rolling))))
		}
		rule := g.record(metricnames.PeriodClock, e, labels...).says("The %s of %s in Unix seconds.", which, p.Words())
		if p.Calendar == "" || at == "now" {
			rule = rule.says("%s = %s, the mean age of what is counted", inRules(sla.Seconds(clock.lag())), sla.FormatDuration(clock.lag()))
		}
		if p.Calendar == "" && at == "start" {
			rule = rule.says("%s", secondsOf(p.Rolling))
		}
		g.rules = append(g.rules, rule)
	}
	if len(t.pattern) == 0 {
		return t.elapsed(instant, promql.Expr{})
	}
	local := append(labels, metricnames.Zone, t.zone)
	if key := strings.Join(local, " "); !g.seen[key] {
		g.seen[key] = true
		offset := calendar{offset: t.offset, switches: t.switches}.offsetAt(instant, func(s sla.Switch) int64 { return s.At.Unix() })
		g.rules = append(g.rules, g.record(metricnames.PeriodClockLocal, promql.Add(instant, offset), local...).
			says("The %s of %s on %s.", which, p.Words(), clockOf(t.zone)).saysAll(switchWords(t.offset, t.switches)))
	}
	return t.elapsed(instant, g.series(metricnames.PeriodClockLocal, local...).Now())
}
