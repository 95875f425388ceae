package rulegen

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/rulegen/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Names of the alerts.
const (
	AlertBudgetBurn      = "SLABudgetBurn"
	AlertBudgetExhausted = "SLABudgetExhausted"
	AlertBudgetForecast  = "SLABudgetForecast"
	AlertMeasurementLost = "SLAMeasurementLost"
)

// burnAlert fires while the bad share over both windows of a tier exceeds its
// threshold (Google SRE Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate
// Alerts"). The long window says that it matters, the short one that it goes on.
func (c compiler) burnAlert(t sla.Tier) Rule {
	budget := c.level.ObjectiveBudget()
	threshold := c.thresholdOf(t)
	over := func(w time.Duration) promql.Expr {
		return promql.Gt(c.byHours(c.recorded(ratioName(w)).Now(), t.Long), threshold)
	}
	long, short := sla.FormatDuration(t.Long), sla.FormatDuration(t.Short)
	factor := c.leastFactor(t)
	objective, allows := c.promiseWords(metricnames.ObjectiveRatio, c.level.Objective)
	spent := factor.Mul(sla.NewDecimal(int64(t.Long), int64(c.level.Period.Nominal())))
	r := c.alert(AlertBudgetBurn, c.duringService(c.withLeast(promql.AndOn(over(t.Long), over(t.Short), c.joinLabels()...), t.Long)), map[string]string{
		"summary": fmt.Sprintf("%s burns its error budget more than %s times too fast", c.nameOfGroup(), round(factor)),
		"description": fmt.Sprintf("{{ $value | humanizePercentage }} bad%s over %s, and over %s it goes on; the objective of %s allows %s. "+
			"%s like this, or worse, spends at least %s%% of the budget of %s.%s",
			c.weighedWords(), long, short, objective, allows, long, round(spent.Mul(hundred)), c.level.Period.Words(), c.leastWords(long)),
		"time_to_detect": fmt.Sprintf("at constant traffic a total outage is seen after %s, and a scrape and an evaluation", roughly(t.TimeToDetect(budget.Mul(c.alertShare())))),
	}, metricnames.Severity, t.Severity, metricnames.Tier, t.Name, metricnames.LongWindow, long, metricnames.ShortWindow, short)
	r.For, r.KeepFiringFor = t.For, t.KeepFiringFor
	return withLabels(r, t.Labels)
}

// notices are the alerts of the level beside its tiers: those of the first tier
// of rules, and those of the second, which records the budget.
func (c compiler) notices() (first, second []Rule) {
	a := c.level.Alerting
	if n := a.MeasurementLost; n != nil {
		first = append(first, c.measurementLost(*n))
	}
	if n := a.GroupLimit; n != nil && c.grouped() {
		first = append(first, c.groupLimit(*n))
	}
	first = append(first, c.diverges()...)
	for _, p := range c.level.Periods() {
		if n := a.BudgetExhausted; n != nil && n.Watches(p) {
			second = append(second, c.exhausted(*n, p))
		}
		if f := a.BudgetForecast; f != nil && f.Watches(p) {
			second = append(second, c.forecast(*f, p))
		}
	}
	return first, slices.Concat(second, c.creditAlerts(), c.capAlerts())
}

// measurementLost fires when nobody knows how the level is doing, which is told
// apart from its being down.
func (c compiler) measurementLost(n sla.Notice) Rule {
	return c.notice(AlertMeasurementLost, n, c.unlessClosed(c.withGroupsLost(promql.Absent(c.recorded(c.measuredBy())))), map[string]string{
		"summary": c.name() + c.lostGroupWords() + " is not being measured",
		"description": fmt.Sprintf("There has been no %s for %s. The service may be well or not: nobody knows. "+
			"Look for a stopped exporter, a failing scrape or a renamed series.", sourceWords(c.level.Indicator), sla.FormatDuration(n.For)),
	})
}

// remaining selects the budget that is left of a period. At the edge of a
// calendar period there can be two of them for some minutes.
func (c compiler) remaining(p sla.Period) promql.Expr {
	return c.recorded(metricnames.BudgetRemaining, promql.Eq(metricnames.Period, p.String())).Now()
}

// exhausted fires while nothing of the whole period's budget is left.
func (c compiler) exhausted(n sla.Notice, p sla.Period) Rule {
	l := c.level
	target, _ := c.promiseWords(metricnames.TargetRatio, l.Target)
	back := "It ends with the period."
	if p.Calendar == "" {
		back = "It ends when enough of what was bad is longer ago than that."
	}
	return c.notice(AlertBudgetExhausted, n, promql.Le(c.remaining(p), promql.Num(zero)), map[string]string{
		"summary": fmt.Sprintf("%s has spent its error budget of %s", c.nameOfGroup(), p.Words()),
		"description": fmt.Sprintf("{{ $value | humanizePercentage }} of the budget of %s is left: the target of %s is missed, or will be. %s",
			p.Words(), target, back),
	}, c.ofSeveral(p)...)
}

// ofSeveral is the label by which alerts about the budgets of a level with
// several periods are told apart in the rules; of one, the series has it.
func (c compiler) ofSeveral(p sla.Period) []string {
	if len(c.level.MorePeriods) == 0 {
		return nil
	}
	return []string{metricnames.Period, p.String()}
}

// forecast fires while the rest of the budget, burnt at the rate of a window,
// ends within a time; its value is that time in seconds.
//
// What is left is a share of the whole period's budget, and a window whose bad
// share is the budget burns one budget a period: so it lasts left × period ×
// budget / bad share. Of a rolling period something comes back all the while,
// so a burn rate under 1 does not end it. A shorter window says that it goes on:
// what burnt hours ago, before a repair or before traffic ended, foretells nothing.
func (c compiler) forecast(f sla.Forecast, p sla.Period) Rule {
	l := c.level
	target, _ := c.promiseWords(metricnames.TargetRatio, l.Target)
	burning := promql.Num(zero)
	if p.Calendar == "" {
		burning = c.targetBudget()
	}
	left := c.badTimeLeft(promql.Gt(c.remaining(p), promql.Num(zero)), p)
	ends := promql.DivManyOn(left, promql.Gt(c.byHours(c.recorded(ratioName(f.Over)).Now(), f.Over), burning), c.joinLabels()...)
	ends = promql.AndOn(ends, promql.Gt(c.goesOn(f), burning), c.joinLabels()...)
	soon := c.duringService(c.withLeast(promql.Lt(ends, promql.Num(sla.Seconds(l.ForecastWithin(p)))), f.Over))
	return c.notice(AlertBudgetForecast, f.Notice, soon, map[string]string{
		"summary": fmt.Sprintf("%s is about to spend its error budget of %s", c.nameOfGroup(), p.Words()),
		"description": fmt.Sprintf("If it goes on as over the last %s, the rest of the budget of %s ends in {{ $value | humanizeDuration }}; then the target of %s is missed.",
			sla.FormatDuration(f.Over), p.Words(), target),
	}, c.ofSeveral(p)...)
}

// badTimeLeft is a share of the target's budget in seconds of the whole period.
func (c compiler) badTimeLeft(share promql.Expr, p sla.Period) promql.Expr {
	period := sla.Seconds(p.Nominal())
	if !c.ownTargets() {
		return promql.Mul(share, promql.Num(period.Mul(c.level.TargetBudget())))
	}
	return promql.MulLeft(share, promql.Mul(c.targetBudget(), promql.Num(period)), c.joinLabels(), nil)
}

// notice is an alert of which the level has one.
func (c compiler) notice(name string, n sla.Notice, e promql.Expr, annotations map[string]string, labels ...string) Rule {
	r := c.alert(name, e, annotations, append([]string{metricnames.Severity, n.Severity}, labels...)...)
	r.For, r.KeepFiringFor = n.For, n.KeepFiringFor
	return withLabels(r, n.Labels)
}

// withLabels lays an alert's own labels on those of its level. None is one that
// the rules set: the reader sees to that.
func withLabels(r Rule, own map[string]string) Rule {
	maps.Copy(r.Labels, own)
	return r
}

// name is how alerts call the level.
func (c compiler) name() string { return c.level.ID.Service + "/" + c.level.ID.SLO }

// nameOfGroup is how alerts of single groups call it.
func (c compiler) nameOfGroup() string { return c.name() + c.groupWords() }

// roughly is a duration for people: in seconds up to an hour, then in minutes.
func roughly(d time.Duration) string {
	if d > time.Hour {
		return sla.FormatDuration(d.Round(time.Minute))
	}
	return sla.FormatDuration(d.Round(time.Second))
}

// sourceWords says in words where a level's data come from.
func sourceWords(i sla.Indicator) string {
	switch {
	case len(i.Queries()) > 0:
		return "sample of its counters"
	case sla.IsProbed(i):
		return "conclusive probe result"
	}
	return "known state of a component"
}

// alert is an alert of the level. The user's annotations win over ours; the
// labels that name the level and the tier win over the user's.
func (c compiler) alert(name string, e promql.Expr, annotations map[string]string, labels ...string) Rule {
	l := c.level
	r := Rule{Alert: name, Expr: e, Labels: map[string]string{}, Annotations: annotations}
	if c.dashboard != "" {
		r.Annotations["dashboard_url"] = c.dashboard
	}
	if l.Alerting.Runbook != "" {
		r.Annotations["runbook_url"] = l.Alerting.Runbook
	}
	if words := c.approximation(); words != "" && name != AlertMeasurementLost && name != AlertGroupLimit {
		r.Annotations[annotationApproximation] = words
	}
	c.tellComponents(r)
	c.tellGroups(r)
	maps.Copy(r.Annotations, l.Alerting.Annotations)
	maps.Copy(r.Labels, l.Labels)
	maps.Copy(r.Labels, l.Alerting.Labels)
	maps.Copy(r.Labels, c.labels(labels...))
	c.linkComposites(r)
	return r
}

var hundred = sla.NewDecimal(100, 1)

// round prints a figure for people: three significant digits, whole numbers whole.
func round(d sla.Decimal) string {
	f := d.Float64()
	if f >= 100 {
		return fmt.Sprintf("%.0f", f)
	}
	return fmt.Sprintf("%.3g", f)
}
