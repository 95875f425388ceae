package rulegen

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// alerts makes the alerts of a level, of what other parts of it record.
type alerts struct {
	level
	windows
	agreedTime
	promises
}

func newAlerts(l level) alerts {
	return alerts{level: l, windows: newWindows(l), agreedTime: agreedTime{l}, promises: promises{l}}
}

// notices are the alerts of the level beside its tiers: those of the first tier
// of rules, and those of the second, which records the budget.
func (al alerts) notices() (first, second []Rule) {
	l := al.level
	if n := l.Notice(sla.AlertMeasurementLost); n != nil {
		first = append(first, al.measurementLost(*n))
	}
	if n := l.Notice(sla.AlertGroupLimit); n != nil {
		first = append(first, al.groupLimit(*n))
	}
	first = append(first, al.diverges()...)
	for _, p := range l.Periods() {
		if n := l.Notice(sla.AlertBudgetExhausted); n != nil && n.Watches(p) {
			second = append(second, al.exhausted(*n, p))
		}
		if n := l.Notice(sla.AlertBudgetForecast); n != nil && n.Watches(p) {
			second = append(second, al.forecast(*n, p))
		}
	}
	return first, slices.Concat(second, al.creditAlerts(), al.capAlerts())
}

// measurementLost fires when nobody knows how the level is doing, which is told
// apart from its being down. How long nobody has known is counted from the last
// sample, which rates go on telling of for a while.
func (al alerts) measurementLost(n sla.Notice) Rule {
	words := n.For
	n.For = max(n.For-al.trail(), 2*al.interval)
	return al.notice(sla.AlertMeasurementLost.Name, n, al.unlessClosed(al.withGroupsLost(promql.Absent(al.recorded(al.measuredBy())))), map[string]string{
		"summary": al.name() + al.lostGroupWords() + " is not being measured",
		"description": fmt.Sprintf("There has been no %s for %s. The service may be well or not: nobody knows. "+
			"Look for a stopped exporter, a failing scrape or a renamed series.", sourceWords(al.Indicator), sla.FormatDuration(max(words, n.For+al.trail()))),
	})
}

// trail is how long after its last sample a level still counts as measured.
func (al alerts) trail() time.Duration {
	switch {
	case al.kind.trail > 0:
		return al.kind.trail
	case al.isCut() && al.fills() && !sla.LookedAt(al.Indicator):
		return 0
	}
	return sla.BaseWindow
}

// remaining selects the budget that is left of a period. At the edge of a
// calendar period there can be two of them for some minutes.
func (l level) remaining(p sla.Period) promql.Expr {
	return l.recorded(metricnames.BudgetRemaining, promql.Eq(metricnames.Period, p.String())).Now()
}

// exhausted fires while nothing of the whole period's budget is left.
func (al alerts) exhausted(n sla.Notice, p sla.Period) Rule {
	l := al.level
	target, _ := al.promiseWords(metricnames.TargetRatio, l.Target)
	back := "It ends with the period."
	if p.Calendar == "" {
		back = "It ends when enough of what was bad is longer ago than that."
	}
	return al.notice(sla.AlertBudgetExhausted.Name, n, promql.Le(al.remaining(p), promql.Num(zero)), map[string]string{
		"summary": fmt.Sprintf("%s has spent its error budget of %s", al.nameOfGroup(), p.Words()),
		"description": fmt.Sprintf("{{ $value | humanizePercentage }} of the budget of %s is left: the target of %s is missed, or will be. %s",
			p.Words(), target, back),
	}, al.ofSeveral(p)...)
}

// ofSeveral is the label by which alerts about the budgets of a level with
// several periods are told apart in the rules; of one, the series has it.
func (al alerts) ofSeveral(p sla.Period) []string {
	if len(al.MorePeriods) == 0 {
		return nil
	}
	return []string{metricnames.Period, p.String()}
}

// forecast fires while the rest of the budget, burnt at the rate of a window,
// ends within a time; its value is that time in seconds. It begins while the
// budget does burn, and not because of an outage that a page has told already.
//
// What is left is a share of the whole period's budget, and a window whose bad
// share is the budget burns one budget a period: so it lasts left × period ×
// budget / bad share. Of a rolling period something comes back all the while,
// so a burn rate under 1 does not end it. A shorter window says that it goes on:
// what burnt hours ago, before a repair or before traffic ended, foretells nothing.
func (al alerts) forecast(f sla.Notice, p sla.Period) Rule {
	l := al.level
	target, _ := al.promiseWords(metricnames.TargetRatio, l.Target)
	burning := promql.Num(zero)
	if p.Calendar == "" {
		burning = al.targetBudget()
	}
	left := al.badTimeLeft(promql.Gt(al.remaining(p), promql.Num(zero)), p)
	ends := promql.DivManyOn(left, promql.Gt(al.byHours(al.recorded(ratioName(f.Over)).Now(), f.Over), burning), al.joinLabels()...)
	ends = promql.AndOn(ends, promql.Gt(al.goesOn(f), burning), al.joinLabels()...)
	soon := al.duringService(al.withLeast(promql.Lt(ends, promql.Num(sla.Seconds(f.WithinOf(l.ServiceLevel, p)))), f.Over))
	n := f
	begins := promql.AndOn(soon, promql.Gt(al.byHours(al.recorded(ratioName(sla.BaseWindow)).Now(), f.Over), burning), al.joinLabels()...)
	for _, a := range l.BurnAlerts() {
		if a.Pages() {
			n.For = max(n.For, secondTier*al.interval) // for the page to be there first
			begins = promql.UnlessOn(begins, al.firing(al.remembers(f.Over), sla.AlertBudgetBurn.Name, a.Severity, a.Tier), al.joinLabels()...)
		}
	}
	e := al.begun(al.unlessComposite(begins, sla.Ticket, f.Over), soon, secondTier*al.interval, sla.AlertBudgetForecast.Name, f.Severity, al.ofSeveral(p)...)
	return al.notice(sla.AlertBudgetForecast.Name, n, e, map[string]string{
		"summary": fmt.Sprintf("%s is about to spend its error budget of %s", al.nameOfGroup(), p.Words()),
		"description": fmt.Sprintf("If it goes on as over the last %s, the rest of the budget of %s ends in {{ $value | humanizeDuration }}; then the target of %s is missed.",
			sla.FormatDuration(f.Over), p.Words(), target),
	}, al.ofSeveral(p)...)
}

// badTimeLeft is a share of the target's budget in seconds of the whole period.
func (al alerts) badTimeLeft(share promql.Expr, p sla.Period) promql.Expr {
	period := sla.Seconds(p.Nominal())
	if !al.ownTargets() {
		return promql.Mul(share, promql.Num(period.Mul(al.TargetBudget())))
	}
	return promql.MulLeft(share, promql.Mul(al.targetBudget(), promql.Num(period)), al.joinLabels(), nil)
}

// ofTheFigures are the alerts that look at recorded figures of the level and not
// at how it is now.
var ofTheFigures = []string{sla.AlertBudgetExhausted.Name, sla.AlertCreditTier.Name, sla.AlertExclusionCap.Name}

// notice is an alert of which the level has one.
func (al alerts) notice(name string, n sla.Notice, e promql.Expr, annotations map[string]string, labels ...string) Rule {
	if len(al.withholding()) > 0 && slices.Contains(ofTheFigures, name) {
		e = al.begun(al.unlessComposite(e, n.Urgency, 0), e, secondTier*al.interval, name, n.Severity, labels...)
	}
	r := al.alert(name, e, annotations, append([]string{metricnames.Severity, n.Severity}, labels...)...)
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
func (l level) name() string { return l.ID.Service + "/" + l.ID.SLO }

// nameOfGroup is how alerts of single groups call it.
func (al alerts) nameOfGroup() string { return al.name() + al.groupWords() }

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
func (al alerts) alert(name string, e promql.Expr, annotations map[string]string, labels ...string) Rule {
	l := al.level
	r := Rule{Alert: name, Expr: e, Labels: map[string]string{}, Annotations: annotations}
	if al.dashboard != "" {
		r.Annotations["dashboard_url"] = al.dashboard
	}
	if l.Alerting.Runbook != "" {
		r.Annotations["runbook_url"] = l.Alerting.Runbook
	}
	if words := al.approximation(); words != "" && name != sla.AlertMeasurementLost.Name && name != sla.AlertGroupLimit.Name {
		r.Annotations[annotationApproximation] = words
	}
	if al.kind.tell != nil {
		al.kind.tell(al.level, r)
	}
	al.tellGroups(r)
	if name != sla.AlertMeasurementLost.Name && name != sla.AlertGroupLimit.Name {
		al.tellExcess(r)
	}
	maps.Copy(r.Annotations, l.Alerting.Annotations)
	maps.Copy(r.Labels, l.Labels)
	maps.Copy(r.Labels, l.Alerting.Labels)
	maps.Copy(r.Labels, al.labels(labels...))
	al.linkComposites(r)
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
