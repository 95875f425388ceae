package rulegen

import (
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

// calendar records the figures of the calendar period that is running, and the
// final ones of the one before it.
func (p period) calendar() []Rule {
	c := calendarPeriod{p, calendar{agreement: p.ID.SLA, period: p.of, interval: p.interval, extra: p.extra}}
	var rules []Rule
	for _, t := range c.allTallies() {
		rules = append(rules, c.sums(t)...)
	}
	more, covered, rest := c.coverage()
	rules = append(rules, more...)
	if c.Masked() {
		rules = append(rules, c.record(metricnames.AgreedPeriod, c.agreed()))
	}
	coverage, ratio := c.figure(metricnames.CoveragePeriod).Now(), c.figure(metricnames.ErrorPeriod).Now()
	rules = append(rules, c.untilLastEvent(covered, c.tag, c.ofRunning)...)
	rules = append(rules, c.notSeen(rest)...)
	rules = append(rules,
		c.record(metricnames.ErrorPeriod, share(c.figure(metricnames.BadPeriod).Now(), c.figure(metricnames.TotalPeriod).Now())),
		c.record(metricnames.BurnRate, promises{c.level}.perBudget(ratio)),
		c.record(metricnames.BudgetRemaining, promql.Sub(promql.Num(one), promql.Mul(c.figure(metricnames.BurnRate).Now(), coverage))),
		c.record(metricnames.BestPossible, promql.Sub(promql.Num(one),
			promql.Mul(ratio, promql.Div(coverage, promql.AddLeft(coverage, rest))))),
		c.record(metricnames.ErrorPrevious, share(c.figure(metricnames.BadPrevious).Now(), c.figure(metricnames.TotalPrevious).Now())),
	)
	rules = append(rules, c.credits(standing{
		lost: promql.Sub(promql.Num(one), c.figure(metricnames.BestPossible).Now()), of: promql.AddLeft(coverage, rest),
		span: func(share promql.Expr) promql.Expr { return promql.MulLeft(share, c.whole(), nil, nil) },
	})...)
	rules = append(rules, c.capsUsed()...)
	return append(rules, c.owedPrevious(c.figure(metricnames.ErrorPrevious).Now())...)
}

// start is the start of a period, as a label.
func (c calendarPeriod) start(name string) promql.Expr {
	return promql.CountValues(metricnames.Start, c.clock.series(name))
}

// running is the start of the running period, as a label.
func (c calendarPeriod) running() promql.Expr { return c.start(metricnames.CalendarStartDate) }

// tag puts the start of the running period on what belongs to it.
func (c calendarPeriod) tag(e promql.Expr) promql.Expr {
	return promql.MulLeft(e, c.running(), nil, []string{metricnames.Start})
}

// ofRunning is what has the start of the running period, without that label.
func (c calendarPeriod) ofRunning(e promql.Expr) promql.Expr {
	return promql.SumWithout(promql.AndOn(e, c.running(), metricnames.Start), metricnames.Start)
}

// sums record a tally of the running period, and of the one before it.
func (c calendarPeriod) sums(t metricnames.Tally) []Rule {
	running := func(e promql.Expr) promql.Expr { return promql.AndOn(e, c.running(), metricnames.Start) }
	rules := append([]Rule{c.record(t.Tagged, c.tag(c.recorded(t.Increase).Now()))}, c.sum(t.ByStart, t, running)...)
	return append(rules,
		c.record(t.Sum, c.ofRunning(c.figure(t.ByStart).Now())),
		c.record(t.SumOfPrevious, promql.AndOn(promql.Or(c.figure(t.ByStart).LastOverTime(periodKept), c.figure(t.SumOfPrevious).LastOverTime(periodKept)),
			c.start(metricnames.CalendarPreviousDate), metricnames.Start)),
	)
}

// coverage is the share of the running period, or of its agreed time, that is
// known, and that is still to come.
func (c calendarPeriod) coverage() (rules []Rule, known, rest promql.Expr) {
	if c.Masked() {
		return nil, c.knownOfAgreed(), promql.Div(c.agreedSeries(metricnames.AgreedLeft), promql.Gt(c.whole(), promql.Num(zero)))
	}
	known = c.figure(metricnames.TotalPeriod).Now()
	if !c.Aggregation.ByTime() {
		var evaluations promql.Expr
		rules, evaluations = c.evaluations()
		slots := c.ofRunning(evaluations)
		known = promql.Mul(slots, promql.Num(sla.Seconds(secondTier*c.interval)))
	}
	// What is left begins where counting has come to.
	left := promql.ClampMin(promql.Sub(c.clock.series(metricnames.CalendarEnd),
		promql.Sub(promql.Time(), promql.Num(sla.Seconds(c.clock.lag())))), zero)
	return rules, promql.DivLeft(known, c.whole()), promql.Div(left, c.whole())
}

// whole is how long the running period is, or how much agreed time it has.
func (c calendarPeriod) whole() promql.Expr {
	if c.Masked() {
		return c.agreedSeries(metricnames.AgreedSeconds)
	}
	return promql.Sub(c.clock.series(metricnames.CalendarEnd), c.clock.series(metricnames.CalendarStart))
}
