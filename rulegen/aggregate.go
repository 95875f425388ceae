package rulegen

import (
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// method is how an aggregation makes the base series: what the indicator is
// counted into, and the rules from there to sla:total:rate5m and sla:bad:rate5m.
type method struct {
	into  source
	slots func(compiler) []Rule // nil if the counts are the base series
}

var (
	direct    = source{metricnames.TotalRate, metricnames.BadRate, sla.BaseWindow, 0}
	perMinute = source{metricnames.SlotTotal, metricnames.SlotBad, time.Minute, time.Minute}
	perSlot   = source{total: metricnames.SlotTotal, bad: metricnames.SlotBad} // the width is the level's
)

// methods is the table over aggregations.
var methods = map[sla.Aggregation]method{
	sla.RequestRatio:      {direct, nil},
	sla.Time:              {direct, nil},
	sla.MeanSlotErrorRate: {perSlot, compiler.meanOfSlots},
	sla.BadMinute:         {perMinute, compiler.badMinutes},
	sla.QualifiedRun:      {perMinute, compiler.qualifiedRuns},
	sla.AllFailedMinute:   {perMinute, compiler.allFailedMinutes},
	sla.SlotQuantile:      {perSlot, compiler.slotQuantiles},
}

// base makes the two series that everything else is summed from:
// sla:total:rate5m and sla:bad:rate5m.
func (c compiler) base() ([]Rule, sla.Findings) {
	m := methods[c.level.Aggregation]
	if sla.LookedAt(c.level.Indicator) && m.slots == nil {
		m = method{perMinute, compiler.states}
		m.into.cut = c.interval
	}
	if c.into = m.into; c.into.window == 0 {
		c.into.window, c.into.cut = c.level.Slots.Width, c.level.Slots.Width
	}
	if m.slots == nil {
		if c.into.total, c.into.bad = c.measured(); c.fills() {
			c.into.total, c.into.bad = metricnames.KnownTotalRate, metricnames.KnownBadRate
		}
	}
	rules, findings := c.count()
	if c.fills() {
		c.raw = sources(rules)
	}
	_, ofWeight := c.weight()
	findings = append(findings, ofWeight...)
	if findings.HasErrors() {
		return rules, findings
	}
	if m.slots == nil {
		return slices.Concat(rules, c.timeOrMissing(), c.masked(c.ago(sla.BaseWindow/2))), findings
	}
	return append(rules, m.slots(c)...), findings
}

// slotShare is the error rate of a slot that has enough requests.
func (c compiler) slotShare() promql.Expr {
	return promql.Div(c.recorded(c.into.bad).Now(), c.busy())
}

// busy is the slot's total where it has enough requests to be judged.
func (c compiler) busy() promql.Expr {
	total := c.recorded(c.into.total).Now()
	if c.level.Slots.MinRequests == 0 {
		return promql.Gt(total, promql.Num(zero))
	}
	// Sums of fractions may be a little off, and native histograms are extrapolated.
	least := sla.NewDecimal(2*c.level.Slots.MinRequests-1, 2).Quo(sla.Seconds(c.into.window))
	return promql.Ge(total, promql.Num(least))
}

// judged is the judgement of a slot, 0 for an empty one unless that is declared
// unknown. What is bad in a slot is known wherever there is a total, except of a
// histogram without a bucket for the threshold, which must not read as good.
func (c compiler) judged(e promql.Expr) promql.Expr {
	if c.level.Slots.EmptyUnknown {
		return e
	}
	return promql.OrOn(e, promql.Mul(promql.Num(zero), c.recorded(c.into.bad).Now()), c.groupLabels()...)
}

// overThreshold is 1 for a minute whose error rate is above the threshold.
func (c compiler) overThreshold() promql.Expr {
	if c.level.Slots.Quorum > 0 {
		return c.agreed()
	}
	limit := c.level.Slots.ErrorThreshold.Quo(hundred)
	return c.judged(promql.GtBool(c.slotShare(), promql.Num(limit)))
}

// spread makes the base series of judged minutes: the share of the last five
// that is known, and that is bad. n samples of the judgement are read by a
// range of half an interval less than five minutes, which holds n of them
// whether or not a server counts the range's left edge.
//
// Of a level with masks, each minute is agreed time and excused by itself;
// counted is what of the judgement counts, kept being the mask of the minute, or
// nil for the judgement where kept is 1.
func (c compiler) spread(bad promql.Expr, counted func(kept promql.Selector) promql.Expr) []Rule {
	slots := promql.Num(sla.NewDecimal(int64(sla.BaseWindow), int64(c.interval)))
	share := func(name string) promql.Expr {
		return promql.Div(c.recorded(name).SumOverTime(c.samples(sla.BaseWindow)), slots)
	}
	total, worst := c.measured()
	rules := append(c.judgedOrMissing(c.weighed(bad)),
		c.record(total, promql.Div(c.recorded(metricnames.SlotJudged).CountOverTime(c.samples(sla.BaseWindow)), slots)),
		c.record(worst, share(metricnames.SlotJudged)),
	)
	if !c.level.Masked() {
		return rules
	}
	at, judged, agreed := c.inMinute(), c.recorded(metricnames.SlotJudged).Now(), c.recorded(metricnames.SlotAgreed)
	known := promql.Add(promql.Mul(promql.Num(zero), judged), promql.Num(one))
	rules = append(rules, c.record(metricnames.SlotAgreed, times(known, c.agreedAt(at)...)))
	if excused := c.outside(at, treatsAsUp); len(excused) > 0 {
		rules = append(rules, c.record(metricnames.SlotKept, times(agreed.Now(), excused...)))
	}
	counts := func(kept promql.Selector) promql.Expr {
		if counted == nil {
			return promql.Mul(judged, kept.Now())
		}
		return c.weighed(counted(kept))
	}
	served, failed := known, judged
	if c.level.ServiceHours != nil && len(c.level.Exclusions) > 0 {
		rules = append(rules, c.record(metricnames.SlotServed, times(known, c.inService(at)...)))
		served, failed = c.recorded(metricnames.SlotServed).Now(), counts(c.recorded(metricnames.SlotServed))
	}
	rules = append(rules,
		c.record(metricnames.SlotCounted, counts(c.recorded(c.keptMask()))),
		c.record(metricnames.TotalRate, share(metricnames.SlotAgreed)),
		c.record(metricnames.BadRate, share(metricnames.SlotCounted)))
	return append(rules, c.leftOut(at, []leaving{
		{metricnames.ExcludedTotalRate, served, metricnames.SlotAgreed},
		{metricnames.ExcludedBadRate, failed, metricnames.SlotCounted},
	})...)
}

// weight is the share of a minute that a bad one counts, and what is wrong with
// it; no expression if the level has none. What is no number is unknown.
func (c compiler) weight() (promql.Expr, sla.Findings) {
	q := c.level.Slots.Weight
	if q.Text == "" {
		return promql.Expr{}, nil
	}
	expr, findings := shareOf(q)
	if findings.HasErrors() {
		return promql.Expr{}, findings
	}
	known := c.atCut(promql.Avg(promql.Ge(expr, promql.Num(zero)), c.groupLabels()...))
	full := promql.Add(promql.Mul(promql.Num(zero), c.total()), promql.Num(one))
	return promql.OrOn(promql.ClampMax(known, one), full, c.groupLabels()...), append(c.groupsOf(q, expr.Loses), filtered(q, "a bad minute counts in full", expr.ValueFilters(c.groupLabels()...))...)
}

// weighed is the judgement of a minute times its weight.
func (c compiler) weighed(bad promql.Expr) promql.Expr {
	weight, findings := c.weight()
	if weight.IsZero() || findings.HasErrors() {
		return bad
	}
	return promql.MulLeft(bad, weight, c.groupLabels(), nil)
}

// keptMask is the mask of the minutes whose failures count.
func (l level) keptMask() string {
	if slices.ContainsFunc(l.Exclusions, treatsAsUp) {
		return metricnames.SlotKept
	}
	return metricnames.SlotAgreed
}

func (c compiler) badMinutes() []Rule { return c.spread(c.overThreshold(), nil) }

// almostAll is a share just under 1, which is all: native histograms are
// interpolated, and what others count need not be counted at the same moment.
var almostAll = sla.NewDecimal(999, 1000)

func (c compiler) allFailedMinutes() []Rule {
	if c.level.Slots.Quorum > 0 {
		return c.spread(c.agreed(), nil)
	}
	return c.spread(c.judged(promql.GeBool(c.slotShare(), promql.Num(almostAll))), nil)
}

// qualifiedRuns counts bad minutes in runs of at least MinRun: when a run has
// become long enough its minutes count at once, later ones one by one. So the
// figures are right from there on, and up to MinRun late before.
func (c compiler) qualifiedRuns() []Rule {
	const badMinute, qualified = metricnames.SlotBadMinute, metricnames.SlotQualified
	n := sla.NewDecimal(int64(c.level.Slots.MinRun), int64(c.interval))
	window := c.samples(c.level.Slots.MinRun)
	now := c.recorded(qualified).Now()
	before := promql.OrOn(c.recorded(qualified).Offset(c.interval), promql.Mul(promql.Num(zero), now), c.groupLabels()...)
	begun := promql.GtBool(now, before)
	return append([]Rule{
		c.record(badMinute, c.overThreshold()),
		c.record(qualified, c.always(badMinute, c.slotsOf(c.level.Slots.MinRun))),
	}, c.spread(promql.Add(now, promql.Mul(begun, promql.Num(n.Sub(one)))), func(kept promql.Selector) promql.Expr {
		earlier := promql.Sub(kept.SumOverTime(window), kept.Now()) // minutes of the run that count, before this one
		return promql.Add(promql.Mul(now, kept.Now()), promql.Mul(begun, earlier))
	})...)
}

// meanOfSlots takes the error rate of each slot.
func (c compiler) meanOfSlots() []Rule { return c.held(c.judged(c.slotShare())) }

// held makes the base series of slots of five minutes or more, which are judged
// at their end and count while the next one lasts: the error rates of windows
// that slide would not have the mean of those that do not.
func (c compiler) held(bad promql.Expr) []Rule {
	judged := c.recorded(metricnames.SlotJudged).Now()
	total, worst := c.measured()
	return slices.Concat(c.judgedOrMissing(bad), []Rule{
		c.record(total, promql.Add(promql.Mul(promql.Num(zero), judged), promql.Num(one))),
		c.record(worst, judged),
	}, c.masked(c.inSlot()))
}

// slotQuantiles judges the quantile of response times in a slot: it is above the
// threshold exactly if more than the rest is slower. The quantile itself is not
// calculated, since of what lies beyond the highest bucket it would be the
// bound of that.
func (c compiler) slotQuantiles() []Rule {
	rest := one.Sub(c.level.Slots.Quantile)
	return c.held(c.judged(promql.GtBool(c.slotShare(), promql.Num(rest))))
}
