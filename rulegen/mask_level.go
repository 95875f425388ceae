package rulegen

import (
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Rules of a level with service hours or exclusions. What was measured is
// recorded as raw. The part of it that is agreed and not excluded becomes the
// base series, and everything else follows from these as in any level.

// moment reads the agreement's masks as they were when the counted events happened.
type moment struct {
	recorded func(promql.Selector) promql.Expr
	// condition reads a condition that excuses; nil if its recorded mask will do.
	condition func(promql.Expr) promql.Expr
}

// now reads masks as they are now.
var now = moment{recorded: promql.Selector.Now}

// ago reads a mask as it was lag ago: the sample recorded between half a mask
// interval before that and half an interval after, or the current one if there
// was none.
func (a agreedTime) ago(lag time.Duration) moment {
	return moment{recorded: func(s promql.Selector) promql.Expr {
		back := lag - a.masks.interval()/2
		if back <= 0 {
			return s.Now()
		}
		return promql.Or(s.Offset(back), s.Now())
	}}
}

// agreedTime is when the time of a level counts: within its service hours, and not
// excluded.
type agreedTime struct{ level }

// inService are the factors that are 1 within service hours: none or one.
func (a agreedTime) inService(at moment) []promql.Expr {
	if a.ServiceHours == nil {
		return nil
	}
	return []promql.Expr{at.recorded(a.masks.series(metricnames.ServiceHoursMask, metricnames.Calendar, a.ServiceHours.Name))}
}

// outside are the factors that are 1 while none of the chosen exclusions holds.
func (a agreedTime) outside(at moment, choose func(*sla.Exclusion) bool) []promql.Expr {
	var factors []promql.Expr
	for _, e := range a.Exclusions {
		if choose(e) {
			factors = append(factors, promql.Sub(promql.Num(one), a.excuse(at, e)))
		}
	}
	return factors
}

// excuse is 1 while an exclusion holds, else 0.
func (a agreedTime) excuse(at moment, e *sla.Exclusion) promql.Expr {
	if e.OnCondition() && at.condition != nil {
		if _, holds, findings := truth(e.Condition); !findings.HasErrors() { // which the masks report
			return at.condition(promql.OrOn(holds, promql.Vector(zero)))
		}
	}
	return at.recorded(a.masks.series(metricnames.ExclusionMask, metricnames.Exclusion, e.Name))
}

func treatsAsUp(e *sla.Exclusion) bool { return !e.Removes() }

// removesUnforeseen reports whether an exclusion removes time that nobody knows in advance.
func removesUnforeseen(e *sla.Exclusion) bool { return e.Removes() && e.OnCondition() }

// times multiplies e by factors, each of one series.
func times(e promql.Expr, factors ...promql.Expr) promql.Expr {
	for _, f := range factors {
		e = promql.MulLeft(e, f, nil, nil)
	}
	return e
}

// agreedAt are the factors that are 1 in agreed service time.
func (a agreedTime) agreedAt(at moment) []promql.Expr {
	return append(a.inService(at), a.outside(at, (*sla.Exclusion).Removes)...)
}

// masked makes the base series of a level from the raw ones; nothing if all time
// counts.
func (a agreedTime) masked(at moment) []Rule {
	if !a.Masked() {
		return nil
	}
	total, bad := sumWords(a.level)
	raw := func(name string) promql.Expr { return a.recorded(name).Now() }
	agreed := raw(metricnames.AgreedMask)
	rules := []Rule{
		a.record(metricnames.AgreedMask, times(a.everKnown(), a.agreedAt(at)...)).
			says("1 in agreed service time, 0 outside, none while nothing is measured."),
		a.record(metricnames.TotalRate, promql.Mul(raw(metricnames.RawTotalRate), agreed)).
			says("%s per second in agreed service time.", titled(total)),
		a.record(metricnames.BadRate, times(promql.Mul(raw(metricnames.RawBadRate), agreed), a.outside(at, treatsAsUp)...)).
			says("%s per second in agreed service time, that no exclusion treats as up.", titled(bad)),
	}
	served := func(name string) promql.Expr { return times(raw(name), a.inService(at)...) }
	return append(rules, a.leftOut(at, []leaving{
		{metricnames.ExcludedTotalRate, served(metricnames.RawTotalRate), metricnames.TotalRate, total},
		{metricnames.ExcludedBadRate, served(metricnames.RawBadRate), metricnames.BadRate, bad},
	})...)
}

// leaving is what exclusions take out: what is in service, less what counts.
type leaving struct {
	name    string
	served  promql.Expr
	counted string
	what    string // "bad events"
}

// everKnown is 1 while there is a measurement.
func (a agreedTime) everKnown() promql.Expr {
	return promql.Add(promql.Mul(promql.Num(zero), a.recorded(metricnames.RawTotalRate).Now()), promql.Num(one))
}

// leftOut records what exclusions take out within service hours, and the agreed
// time that conditions take out.
func (a agreedTime) leftOut(at moment, all []leaving) []Rule {
	var rules []Rule
	if len(a.Exclusions) > 0 {
		for _, l := range all {
			rules = append(rules, a.record(l.name, promql.Sub(l.served, a.recorded(l.counted).Now())).
				says("What exclusions take out of %s: what is within service hours less what counts.", l.what))
		}
	}
	rules = append(rules, a.capped(at, all[len(all)-1].served)...)
	if a.removesOnCondition() {
		before := append(a.inService(at), a.outside(at, func(e *sla.Exclusion) bool { return e.Removes() && !e.OnCondition() })...)
		holds := promql.Sub(promql.Num(one), times(promql.Vector(one), a.outside(at, removesUnforeseen)...))
		rules = append(rules, a.record(metricnames.RemovedMask, times(a.everKnown(), append(before, holds)...)).
			says("1 while a condition removes time that else is agreed."))
	}
	return rules
}

// alertingMask records whether burn alerts may fire: in service, and nothing is
// excluded.
func (a agreedTime) alertingMask() []Rule {
	if !a.Masked() || a.Alerting.Disabled {
		return nil
	}
	all := append(a.inService(now), a.outside(now, func(*sla.Exclusion) bool { return true })...)
	return []Rule{a.record(metricnames.AlertingMask, times(promql.Vector(one), all...)).
		says("1 while burn alerts may fire: within service hours, and nothing is excluded.")}
}

// blurs reports whether rates carry something from before hours begin, or from within a
// window, into the time after. Levels that judge minutes are exact. Conditions are left out:
// one that comes and goes must not hold back alerts all the time.
func (a agreedTime) blurs() bool {
	return a.Masked() && !a.Alerting.Disabled && !a.isCut() &&
		(a.ServiceHours != nil || slices.ContainsFunc(a.Exclusions, func(e *sla.Exclusion) bool { return !e.OnCondition() }))
}

// blurred is how long rates carry it over: a rate looks back five minutes, a mask is
// exact to an evaluation, and what happened before a scrape is counted at the
// scrape.
func (a agreedTime) blurred() time.Duration {
	return sla.BaseWindow + a.masks.interval() + longestScrape
}

// longestScrape is the longest expected time between two scrapes.
const longestScrape = time.Minute

// alertsBeginMask records whether burn alerts may begin: they may fire, and rates contain
// nothing from before any more. Otherwise the end of a maintenance window would page for
// what failed in it.
func (a agreedTime) alertsBeginMask() []Rule {
	if !a.blurs() {
		return nil
	}
	var all []promql.Expr
	if a.ServiceHours != nil {
		all = append(all, a.masks.series(metricnames.ServiceHoursMask, metricnames.Calendar, a.ServiceHours.Name).MinOverTime(a.blurred()))
	}
	for _, e := range a.Exclusions {
		if !e.OnCondition() {
			held := a.masks.series(metricnames.ExclusionMask, metricnames.Exclusion, e.Name).MaxOverTime(a.blurred())
			all = append(all, promql.Sub(promql.Num(one), held))
		}
	}
	return []Rule{a.record(metricnames.AlertsBeginMask, times(a.recorded(metricnames.AlertingMask).Now(), all...)).
		says("1 while burn alerts may begin: they may fire, and hours began, or windows ended, so long ago that rates hold nothing of the time before.").
		says("%s = %s of rates, %s of a mask, and %s for a scrape", sla.FormatDuration(a.blurred()),
			sla.FormatDuration(sla.BaseWindow), sla.FormatDuration(a.masks.interval()), sla.FormatDuration(longestScrape))}
}

// whereAlertsBegin lets e through only while burn alerts may begin.
func (a agreedTime) whereAlertsBegin(e promql.Expr) promql.Expr {
	if !a.blurs() {
		return a.duringService(e)
	}
	return promql.AndOn(e, promql.Gt(a.recorded(metricnames.AlertsBeginMask).Now(), promql.Num(zero)), a.maskLabels()...)
}

// duringService lets e through only while burn alerts may fire.
func (a agreedTime) duringService(e promql.Expr) promql.Expr {
	if !a.Masked() {
		return e
	}
	return promql.AndOn(e, promql.Gt(a.recorded(metricnames.AlertingMask).Now(), promql.Num(zero)), a.maskLabels()...)
}

// unlessClosed drops e while burn alerts may not fire. If nobody knows whether
// they may, it keeps e.
func (a agreedTime) unlessClosed(e promql.Expr) promql.Expr {
	if !a.Masked() {
		return e
	}
	return promql.UnlessOn(e, promql.Lt(a.recorded(metricnames.AlertingMask).Now(), promql.Num(one)), a.maskLabels()...)
}
