package rulegen

import (
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// longestFirstTier is the longest window summed from the first tier; longer
// ones are summed from the second, which has a fifth of the samples.
const longestFirstTier = 6 * time.Hour

// windows are those to record: the standard ones and those of the alert tiers,
// ascending, split by the tier that they are summed from.
func (c compiler) windows() (short, long []time.Duration) {
	all := slices.Clone(sla.StandardWindows)
	for _, t := range c.level.Alerting.Tiers {
		all = append(all, t.Long, t.Short)
	}
	for _, f := range c.forecasts() {
		all = append(all, f.Over)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	i, _ := slices.BinarySearch(all, longestFirstTier+1)
	return all[:i], all[i:]
}

// forecasts are the alerts that look at a window beside those of the tiers.
func (c compiler) forecasts() []*sla.Forecast {
	a := c.level.Alerting
	return slices.DeleteFunc([]*sla.Forecast{a.BudgetForecast, a.CreditTier}, func(f *sla.Forecast) bool { return f == nil })
}

// ForecastShort is the window that says whether what a forecast saw over a longer
// one goes on: the longest of those that are recorded within a sixth of it, and
// five minutes if none is.
func ForecastShort(over time.Duration, recorded []time.Duration) time.Duration {
	short := sla.BaseWindow
	for _, w := range recorded {
		if w <= over/6 {
			short = max(short, w)
		}
	}
	return short
}

// goesOn is the bad share of a forecast's short window.
func (c compiler) goesOn(f sla.Forecast) promql.Expr {
	short, long := c.windows()
	return c.byHours(c.recorded(ratioName(ForecastShort(f.Over, slices.Concat(short, long)))).Now(), f.Over)
}

// ratios record the bad share of each window: bad events over all events of
// the window. A window without events has no ratio, rather than NaN.
func (c compiler) ratios(windows []time.Duration) []Rule {
	rules := make([]Rule, 0, len(windows))
	for _, w := range windows {
		rules = append(rules, c.counts(w)...)
		rules = append(rules, c.record(ratioName(w), c.ratio(w)))
		rules = append(rules, c.agreedRatio(w)...)
		rules = append(rules, c.trafficRatio(w)...)
	}
	return rules
}

func ratioName(w time.Duration) string { return metricnames.ErrorRatio + sla.FormatDuration(w) }

func (c compiler) ratio(w time.Duration) promql.Expr {
	if w == sla.BaseWindow {
		return share(c.recorded(metricnames.BadRate).Now(), c.recorded(metricnames.TotalRate).Now())
	}
	return share(c.sumOver(w, badSeries), c.sumOver(w, totalSeries))
}

func share(bad, total promql.Expr) promql.Expr {
	return promql.Div(bad, promql.Gt(total, promql.Num(zero)))
}

// increases are the second tier: how many events there were since its last
// evaluation, as the sum of the rates recorded since, each standing for one
// interval. Every first-tier sample falls into exactly one of them. Minutes and
// slots that were judged are summed as they were judged, each once.
func (c compiler) increases() []Rule {
	increase := func(rate string) promql.Expr {
		if c.isCut() {
			return promql.Mul(c.sumOfMinutes(rate), promql.Num(sla.Seconds(c.interval)))
		}
		return promql.Mul(c.recorded(rate).SumOverTime(secondTier*c.interval), promql.Num(sla.Seconds(c.interval)))
	}
	rules := []Rule{
		c.record(metricnames.TotalIncrease, increase(metricnames.TotalRate)),
		c.record(metricnames.BadIncrease, increase(metricnames.BadRate)),
	}
	for _, t := range c.tallies() {
		rules = append(rules, c.record(t.Increase, increase(t.Rate)))
	}
	return rules
}

// periods record the figures of each of the level's periods.
func (c compiler) periods() []Rule {
	var rules []Rule
	for _, p := range c.level.Periods() {
		rules = append(append(rules, c.period(p)...), c.blameOfBudget(p)...)
	}
	return rules
}

// period records the sums, the bad share and the budget of a period.
//
// The budget is that of the whole period, so what is spent of it is the bad
// share to date times coverage, over the allowed share: after one bad hour in a
// service's first day the month's budget is not gone.
func (c compiler) period(p sla.Period) []Rule {
	if p.Calendar != "" {
		return c.calendarPeriod(p)
	}
	label := []string{metricnames.Period, p.String()}
	rec := func(name string, e promql.Expr) Rule { return c.record(name, e, label...) }
	own := func(name string) promql.Selector { return c.recorded(name, promql.Eq(metricnames.Period, p.String())) }
	ofPeriod := func(name string) promql.Expr { return own(name).Now() }
	ratio := ofPeriod(metricnames.ErrorPeriod)
	whole := standing{
		lost: promql.Mul(ratio, ofPeriod(metricnames.CoveragePeriod)),
		span: func(share promql.Expr) promql.Expr { return promql.Mul(share, promql.Num(sla.Seconds(p.Rolling))) },
	}
	if c.level.Masked() {
		whole.span = func(share promql.Expr) promql.Expr {
			return promql.MulLeft(share, c.agreedSeries(metricnames.AgreedSeconds, p), nil, nil)
		}
	}
	rules := []Rule{
		rec(metricnames.TotalPeriod, c.recorded(metricnames.TotalIncrease).SumOverTime(p.Rolling)),
		rec(metricnames.BadPeriod, c.recorded(metricnames.BadIncrease).SumOverTime(p.Rolling)),
	}
	for _, t := range c.tallies() {
		rules = append(rules, rec(t.Sum, c.recorded(t.Increase).SumOverTime(p.Rolling)))
	}
	if c.level.Masked() {
		rules = append(rules, rec(metricnames.AgreedPeriod, c.agreedPeriod(p, own)))
	}
	rules = append(rules, c.untilLastEvent(p, c.coverage(p.Rolling, own), nil, nil)...)
	rules = append(rules, c.notSeen(p, promql.Expr{})...)
	rules = append(rules,
		rec(metricnames.ErrorPeriod, share(ofPeriod(metricnames.BadPeriod), ofPeriod(metricnames.TotalPeriod))),
		rec(metricnames.BurnRate, c.perBudget(ratio)),
		rec(metricnames.BudgetRemaining, promql.Sub(promql.Num(one),
			promql.Mul(ofPeriod(metricnames.BurnRate), ofPeriod(metricnames.CoveragePeriod)))),
	)
	return append(rules, c.credits(p, whole)...)
}

// coverage is the share of the period for which the state is known: by time,
// the known seconds over all; by event, the evaluations of the second tier that
// have a value over those that the period holds, since no traffic is known too.
// With masks it is the share of the agreed time that is known.
func (c compiler) coverage(p time.Duration, own func(string) promql.Selector) promql.Expr {
	if c.level.Masked() {
		return promql.Div(own(c.knownSum()).Now(), promql.Gt(own(metricnames.AgreedPeriod).Now(), promql.Num(zero)))
	}
	if c.level.Aggregation.ByTime() {
		return promql.Div(own(metricnames.TotalPeriod).Now(), promql.Num(sla.Seconds(p)))
	}
	slots := sla.NewDecimal(int64(p), int64(secondTier*c.interval))
	return promql.Div(c.recorded(metricnames.TotalIncrease).CountOverTime(p), promql.Num(slots))
}
