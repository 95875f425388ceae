package rulegen

import (
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Rules of a level with service hours or exclusions. It records what was
// measured as raw; what is agreed and not excluded becomes the base series, from
// which everything else follows as it does for a level without.

// sample takes masks of the agreement as they were when what is counted happened.
type sample struct {
	recorded func(promql.Selector) promql.Expr
	// condition is what it makes of one that excuses; nil where what was recorded of
	// it will do.
	condition func(promql.Expr) promql.Expr
}

// now takes them as they are.
var now = sample{recorded: promql.Selector.Now}

// inMinute takes them in the minute that is read: what was recorded of the clock
// before its end was recorded in it, or is now's, if none was recorded then; and a
// condition is looked at as states are.
func (c compiler) inMinute() sample {
	return sample{
		recorded:  func(s promql.Selector) promql.Expr { return promql.Or(c.atCut(s.Offset(tick)), s.Now()) },
		condition: c.atCut,
	}
}

// ago is a mask as it was lag ago: the recorded one that is from half an interval
// of the masks' before until half of one after, or now's, if none was recorded
// then.
func (c compiler) ago(lag time.Duration) sample {
	return sample{recorded: func(s promql.Selector) promql.Expr {
		back := lag - c.masks.interval()/2
		if back <= 0 {
			return s.Now()
		}
		return promql.Or(s.Offset(back), s.Now())
	}}
}

// inSlot takes masks as they were in the middle of the slot that is read.
func (c compiler) inSlot() sample {
	return sample{
		recorded: func(s promql.Selector) promql.Expr {
			return c.atCut(s.Offset(c.into.window/2 - c.masks.interval()/2))
		},
		condition: func(e promql.Expr) promql.Expr { return c.atCut(promql.AtStep(e, time.Minute, c.into.window/2)) },
	}
}

// inService are the factors that are 1 within service hours: none or one.
func (c compiler) inService(at sample) []promql.Expr {
	if c.level.ServiceHours == nil {
		return nil
	}
	return []promql.Expr{at.recorded(c.masks.series(metricnames.ServiceHoursMask, metricnames.Calendar, c.level.ServiceHours.Name))}
}

// outside are the factors that are 1 where none of the level's exclusions holds
// that are chosen.
func (c compiler) outside(at sample, choose func(*sla.Exclusion) bool) []promql.Expr {
	var factors []promql.Expr
	for _, e := range c.level.Exclusions {
		if choose(e) {
			factors = append(factors, promql.Sub(promql.Num(one), c.excuse(at, e)))
		}
	}
	return factors
}

// excuse is 1 while an exclusion holds, else 0.
func (c compiler) excuse(at sample, e *sla.Exclusion) promql.Expr {
	if e.Condition.Text != "" && at.condition != nil {
		if _, holds, findings := truth(e.Condition); !findings.HasErrors() { // which the masks report
			return at.condition(promql.OrOn(holds, promql.Vector(zero)))
		}
	}
	return at.recorded(c.masks.series(metricnames.ExclusionMask, metricnames.Exclusion, e.Name))
}

func removes(e *sla.Exclusion) bool { return e.Effect == sla.RemoveFromAgreedTime }

func treatsAsUp(e *sla.Exclusion) bool { return e.Effect == sla.TreatAsUp }

// onCondition are removals that nobody knows before.
func onCondition(e *sla.Exclusion) bool { return removes(e) && e.Condition.Text != "" }

// times multiplies e by factors, each of one series.
func times(e promql.Expr, factors ...promql.Expr) promql.Expr {
	for _, f := range factors {
		e = promql.MulLeft(e, f, nil, nil)
	}
	return e
}

// agreedAt are the factors that are 1 in agreed service time.
func (c compiler) agreedAt(at sample) []promql.Expr {
	return append(c.inService(at), c.outside(at, removes)...)
}

// measured names the base series before anything is left out.
func (c compiler) measured() (total, bad string) {
	if c.level.Masked() {
		return metricnames.RawTotalRate, metricnames.RawBadRate
	}
	return metricnames.TotalRate, metricnames.BadRate
}

// masked makes the base series of a level from the raw ones; nothing for a level
// of which all time counts.
func (c compiler) masked(at sample) []Rule {
	if !c.level.Masked() {
		return nil
	}
	raw := func(name string) promql.Expr { return c.recorded(name).Now() }
	agreed := raw(metricnames.AgreedMask)
	rules := []Rule{
		c.record(metricnames.AgreedMask, times(c.everKnown(), c.agreedAt(at)...)),
		c.record(metricnames.TotalRate, promql.Mul(raw(metricnames.RawTotalRate), agreed)),
		c.record(metricnames.BadRate, times(promql.Mul(raw(metricnames.RawBadRate), agreed), c.outside(at, treatsAsUp)...)),
	}
	served := func(name string) promql.Expr { return times(raw(name), c.inService(at)...) }
	return append(rules, c.leftOut(at, []leaving{
		{metricnames.ExcludedTotalRate, served(metricnames.RawTotalRate), metricnames.TotalRate},
		{metricnames.ExcludedBadRate, served(metricnames.RawBadRate), metricnames.BadRate},
	})...)
}

// leaving is what exclusions take out: of what is in service what is not counted.
type leaving struct {
	name    string
	served  promql.Expr
	counted string
}

// everKnown is 1 while there is a measurement.
func (c compiler) everKnown() promql.Expr {
	return promql.Add(promql.Mul(promql.Num(zero), c.recorded(metricnames.RawTotalRate).Now()), promql.Num(one))
}

// leftOut records what exclusions take out within service hours, and the agreed
// time that conditions take out.
func (c compiler) leftOut(at sample, all []leaving) []Rule {
	var rules []Rule
	if len(c.level.Exclusions) > 0 {
		for _, l := range all {
			rules = append(rules, c.record(l.name, promql.Sub(l.served, c.recorded(l.counted).Now())))
		}
	}
	rules = append(rules, c.capped(at, all[len(all)-1].served)...)
	if slices.ContainsFunc(c.level.Exclusions, onCondition) {
		before := append(c.inService(at), c.outside(at, func(e *sla.Exclusion) bool { return removes(e) && !onCondition(e) })...)
		holds := promql.Sub(promql.Num(one), times(promql.Vector(one), c.outside(at, onCondition)...))
		rules = append(rules, c.record(metricnames.RemovedMask, times(c.everKnown(), append(before, holds)...)))
	}
	return rules
}

// alertingMask records whether burn alerts may fire: in service, and nothing is
// excluded.
func (c compiler) alertingMask() []Rule {
	if !c.level.Masked() || c.level.Alerting.Disabled {
		return nil
	}
	all := append(c.inService(now), c.outside(now, func(*sla.Exclusion) bool { return true })...)
	return []Rule{c.record(metricnames.AlertingMask, times(promql.Vector(one), all...))}
}

// duringService lets e through only while burn alerts may fire.
func (c compiler) duringService(e promql.Expr) promql.Expr {
	if !c.level.Masked() {
		return e
	}
	return promql.AndOn(e, promql.Gt(c.recorded(metricnames.AlertingMask).Now(), promql.Num(zero)), c.maskLabels()...)
}

// unlessClosed holds e back while no burn alert may fire. Where nobody knows
// whether it may, it goes through.
func (c compiler) unlessClosed(e promql.Expr) promql.Expr {
	if !c.level.Masked() {
		return e
	}
	return promql.UnlessOn(e, promql.Lt(c.recorded(metricnames.AlertingMask).Now(), promql.Num(one)), c.maskLabels()...)
}

// weighedWords say how an alert compares bad shares with its threshold.
func (c compiler) weighedWords() string {
	switch {
	case c.level.Alerting.WeighByTraffic:
		return " The alert weighs a window by its traffic."
	case !c.level.Masked():
		return ""
	}
	return " The alert weighs a window by its hours in service."
}

// maskLabels are those of a level's masks, which have no groups.
func (c compiler) maskLabels() []string {
	return []string{metricnames.SLA, metricnames.Service, metricnames.SLO}
}

// share is which share of all time is agreed service time.
func (c compiler) share() sla.Decimal { return c.masks.share(c.level) }

// byHours is the bad share of a window with the weight that its agreed time has
// in the budget: a window of which all is agreed time spends more of the budget
// of a service that is promised for a third of all time than of one that is
// promised always, by the threefold, and one that is a tenth agreed time spends
// less. So what is compared with a threshold is the share of the period's budget
// that the window has spent, over the window's share of the period. over is the
// window whose agreed time counts.
func (c compiler) byHours(ratio promql.Expr, over time.Duration) promql.Expr {
	if c.level.Alerting.WeighByTraffic {
		return c.byTraffic(ratio, over)
	}
	if !c.level.Masked() {
		return ratio
	}
	agreed := c.recorded(metricnames.AgreedRatio + sla.FormatDuration(over)).Now()
	return promql.Div(promql.Mul(ratio, agreed), promql.Num(c.share()))
}

// ofAllTime is a weighed bad share of a window as one of all its time.
func (c compiler) ofAllTime(weighed promql.Expr) promql.Expr {
	if !c.level.Masked() {
		return weighed
	}
	return promql.Mul(weighed, promql.Num(c.share()))
}

// agreedRatio records which share of a window that alerts look over is agreed
// time that is known.
func (c compiler) agreedRatio(w time.Duration) []Rule {
	if !c.level.Masked() || !c.gates(w) || c.level.Alerting.WeighByTraffic {
		return nil
	}
	name := metricnames.AgreedRatio + sla.FormatDuration(w)
	if c.level.Aggregation.ByTime() {
		return []Rule{c.record(name, promql.Div(c.countOf(w, totalSeries), promql.Num(sla.Seconds(w))))}
	}
	agreed := counted{rate: metricnames.AgreedMask, increase: agreedTally.Increase}
	return []Rule{c.record(name, promql.Div(c.countOf(w, agreed), promql.Num(sla.Seconds(w))))}
}

var (
	agreedTally  = metricnames.TallyOf("agreed", metricnames.AgreedMask)
	removedTally = metricnames.TallyOf("removed", metricnames.RemovedMask)
)

// tallies are what is summed beside total and bad.
func (c compiler) tallies() []metricnames.Tally {
	var all []metricnames.Tally
	if _, composite := c.level.Indicator.(*sla.Composite); composite {
		all = append(all, metricnames.BlameTally)
	}
	if c.fills() {
		all = append(all, metricnames.TallyOf("missing", metricnames.MissingRate))
	}
	if !c.level.Masked() {
		return all
	}
	all = append(all, metricnames.TallyOf("raw_total", metricnames.RawTotalRate), metricnames.TallyOf("raw_bad", metricnames.RawBadRate))
	if len(c.level.Exclusions) > 0 {
		all = append(all, metricnames.TallyOf("excluded_total", metricnames.ExcludedTotalRate), metricnames.TallyOf("excluded_bad", metricnames.ExcludedBadRate))
	}
	if len(c.caps()) > 0 {
		all = append(all, metricnames.CappedTally)
	}
	if !c.level.Aggregation.ByTime() {
		all = append(all, agreedTally)
	}
	if slices.ContainsFunc(c.level.Exclusions, onCondition) {
		all = append(all, removedTally)
	}
	return all
}

// knownSum is the series of the known agreed seconds of a period.
func (c compiler) knownSum() string {
	if c.level.Aggregation.ByTime() {
		return metricnames.TotalPeriod
	}
	return agreedTally.Sum
}

// agreedSeries is what the agreement records of the level's agreed time.
func (c compiler) agreedSeries(name string, p sla.Period) promql.Expr {
	return c.masks.series(name, metricnames.Agreed, agreedName(c.level), metricnames.Period, periodName(p)).Now()
}

// agreedPeriod is how much agreed time a period has: what is known before, less
// what conditions have removed.
func (c compiler) agreedPeriod(p sla.Period, own func(string) promql.Selector) promql.Expr {
	none := promql.Mul(promql.Num(zero), own(metricnames.TotalPeriod).Now())
	if slices.ContainsFunc(c.level.Exclusions, onCondition) {
		none = promql.Sub(promql.Num(zero), own(removedTally.Sum).Now())
	}
	return promql.AddLeft(none, c.agreedSeries(metricnames.AgreedSeconds, p))
}
