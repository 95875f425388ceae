package rulegen

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// alerts makes the alerts of a level from what its other rules record.
type alerts struct {
	level
	windows
	agreedTime
	promises
}

func newAlerts(l level) alerts {
	return alerts{level: l, windows: newWindows(l), agreedTime: agreedTime{l}, promises: promises{l}}
}

// measurementLost fires when nobody knows how the level is doing, which is not
// the same as being down. The time is counted from the last sample, though
// rates still have a value for a while after it.
func (al alerts) measurementLost(a sla.Alert, _ sla.Period) []Rule {
	hold := max(a.For-al.trail(), 2*al.interval)
	r := al.notice(a, al.unlessClosed(al.withGroupsLost(promql.Absent(al.recorded(al.measuredBy())))), map[string]string{
		"summary": al.name() + al.lostGroupWords() + " is not being measured",
		"description": fmt.Sprintf("There has been no %s for %s. The service may be well or not: nobody knows. "+
			"Look for a stopped exporter, a failing scrape or a renamed series.", sourceWords(al.Indicator), sla.FormatDuration(max(a.For, hold+al.trail()))),
	})
	r.For = hold
	return []Rule{r.says("Fires when nothing was measured for %s, which is not the same as being down.", sla.FormatDuration(max(a.For, hold+al.trail())))}
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
// calendar period there can be two results for some minutes.
func (l level) remaining(p sla.Period) promql.Expr {
	return l.recorded(metricnames.BudgetRemaining, promql.Eq(metricnames.Period, p.String())).Now()
}

// exhausted fires while nothing of the whole period's budget is left.
func (al alerts) exhausted(a sla.Alert, p sla.Period) []Rule {
	target, _ := al.promiseWords(metricnames.TargetRatio, al.Target)
	back := "It ends with the period."
	if p.Calendar == "" {
		back = "It ends when enough of what was bad is longer ago than that."
	}
	spent := al.withheld(a, promql.Le(al.remaining(p), promql.Num(zero)), al.ofSeveral(p)...)
	return []Rule{al.notice(a, spent, map[string]string{
		"summary": fmt.Sprintf("%s has spent its error budget of %s", al.nameOfGroup(), p.Words()),
		"description": fmt.Sprintf("{{ $value | humanizePercentage }} of the budget of %s is left: the target of %s is missed, or will be. %s",
			p.Words(), target, back),
	}, al.ofSeveral(p)...).says("Fires while nothing is left of the budget of %s.", p.Words())}
}

// ofSeveral is the period's label for alerts about budgets, if the level has
// several periods; with one, the series already has the label.
func (al alerts) ofSeveral(p sla.Period) []string {
	if len(al.MorePeriods) == 0 {
		return nil
	}
	return []string{metricnames.Period, p.String()}
}

// forecast fires while the rest of the budget, burnt at the rate of a window, ends
// within a time; its value is that time in seconds. It begins only while the budget
// burns now, and not because of an outage that a page has reported.
//
// What is left is a share of the whole period's budget. A window whose bad share
// equals the budget spends one budget in a period, so the rest lasts left × period
// × budget / bad share. A rolling period keeps getting budget back, so a burn rate
// under 1 does not end it. A shorter window shows that the outage goes on: what
// burnt hours ago, before a repair or before traffic ended, predicts nothing.
func (al alerts) forecast(f sla.Alert, p sla.Period) []Rule {
	target, _ := al.promiseWords(metricnames.TargetRatio, al.Target)
	burning := promql.Num(zero)
	if p.Calendar == "" {
		burning = al.targetBudget()
	}
	left := al.badTimeLeft(promql.Gt(al.remaining(p), promql.Num(zero)), p)
	ends := promql.DivManyOn(left, promql.Gt(al.byHours(al.recorded(ratioName(f.Over)).Now(), f.Over), burning), al.joinLabels()...)
	ends = promql.AndOn(ends, promql.Gt(al.goesOn(f.Over), burning), al.joinLabels()...)
	soon := al.duringService(al.withLeast(promql.Lt(ends, promql.Num(sla.Seconds(f.WithinOf(al.ServiceLevel, p)))), f.Over))
	hold := f.For
	begins := promql.AndOn(al.whereAlertsBegin(soon), promql.Gt(al.byHours(al.recorded(ratioName(sla.BaseWindow)).Now(), f.Over), burning), al.joinLabels()...)
	for _, a := range al.BurnAlerts() {
		if a.Pages() {
			hold = max(hold, secondLayer*al.interval) // for the page to be there first
			begins = promql.UnlessOn(begins, al.firing(al.remembers(f.Over), sla.AlertBudgetBurn.Name, a.Severity, a.Tier), al.joinLabels()...)
		}
	}
	e := al.begun(al.unlessComposite(begins, sla.Ticket, f.Over), soon, secondLayer*al.interval, f.Kind.Name, f.Severity, al.ofSeveral(p)...)
	r := al.notice(f, e, map[string]string{
		"summary": fmt.Sprintf("%s is about to spend its error budget of %s", al.nameOfGroup(), p.Words()),
		"description": fmt.Sprintf("If it goes on as over the last %s, the rest of the budget of %s ends in {{ $value | humanizeDuration }}; then the target of %s is missed.",
			sla.FormatDuration(f.Over), p.Words(), target),
	}, al.ofSeveral(p)...)
	r.For = hold
	within := f.WithinOf(al.ServiceLevel, p)
	r = r.says("Fires when the rest of the budget of %s, burnt as over the last %s, ends within %s, and no page is sent for the same outage.",
		p.Words(), sla.FormatDuration(f.Over), sla.FormatDuration(within)).
		says("%s", al.badTimeWords(p))
	if p.Calendar == "" && !al.ownTargets() {
		r = r.says("%s", budgetWords(al.TargetBudget(), al.Target))
	}
	return []Rule{r.says("%s", secondsOf(within)).saysAll(al.weightWords()).saysAll(al.minimaWords())}
}

// badTimeWords explain the constants of badTimeLeft.
func (al alerts) badTimeWords(p sla.Period) string {
	period := sla.Seconds(p.Nominal())
	if al.ownTargets() {
		return fmt.Sprintf("%s = %s in seconds", inRules(period), p.Words())
	}
	return fmt.Sprintf("%s = %s s in %s x (1 - %s %%): the budget in seconds", inRules(period.Mul(al.TargetBudget())), inRules(period), p.Words(), al.Target)
}

// badTimeLeft turns a share of the target's budget into seconds of the whole period.
func (al alerts) badTimeLeft(share promql.Expr, p sla.Period) promql.Expr {
	period := sla.Seconds(p.Nominal())
	if !al.ownTargets() {
		return promql.Mul(share, promql.Num(period.Mul(al.TargetBudget())))
	}
	return promql.MulLeft(share, promql.Mul(al.targetBudget(), promql.Num(period)), al.joinLabels(), nil)
}

// notice is the rule of an alert that has no tiers.
func (al alerts) notice(a sla.Alert, e promql.Expr, annotations map[string]string, labels ...string) Rule {
	r := al.alert(a.Kind, e, annotations, append([]string{metricnames.Severity, a.Severity}, labels...)...)
	r.For, r.KeepFiringFor = a.For, a.KeepFiringFor
	return withLabels(r, a.Labels)
}

// withLabels adds an alert's own labels to those of its level. The reader makes
// sure that none is a label that the rules set.
func withLabels(r Rule, own map[string]string) Rule {
	maps.Copy(r.Labels, own)
	return r
}

// name is what alerts call the level.
func (l level) name() string { return l.ID.Service + "/" + l.ID.SLO }

// nameOfGroup is what alerts of single groups call it.
func (al alerts) nameOfGroup() string { return al.name() + al.groupWords() }

// roughly is a duration for people: in seconds up to an hour, then in minutes.
func roughly(d time.Duration) string {
	if d > time.Hour {
		return sla.FormatDuration(d.Round(time.Minute))
	}
	return sla.FormatDuration(d.Round(time.Second))
}

// sourceWords name what a level is measured by.
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
func (al alerts) alert(k *sla.AlertKind, e promql.Expr, annotations map[string]string, labels ...string) Rule {
	l := al.level
	r := Rule{Alert: k.Name, Expr: e, Labels: map[string]string{}, Annotations: annotations}
	if al.dashboard != "" {
		r.Annotations["dashboard_url"] = al.dashboard + "?var-service=" + url.QueryEscape(l.ID.Service) + "&var-slo=" + url.QueryEscape(l.ID.SLO)
	}
	r.Annotations["runbook_url"] = cmp.Or(l.Alerting.Runbook, al.links.runbook(k))
	if al.links.Pages != "" {
		r.Annotations["page_url"] = al.links.page(l.ID)
	}
	if al.links.Alertmanager != "" {
		r.Annotations["silence_url"] = al.links.silence(k, l.ID)
	}
	if !k.Upkeep {
		al.noteInexact(r)
	}
	maps.Copy(r.Annotations, l.Alerting.Annotations)
	maps.Copy(r.Labels, l.Labels)
	maps.Copy(r.Labels, l.Alerting.Labels)
	maps.Copy(r.Labels, al.labels(labels...))
	al.linkComposites(k, r)
	return r
}

// noteInexact says in an alert about the service how its figures may be off.
func (al alerts) noteInexact(r Rule) {
	if words := al.approximation(); words != "" {
		r.Annotations[annotationApproximation] = words
	}
	if al.kind.tell != nil {
		al.kind.tell(al.level, r)
	}
	al.noteExcess(r)
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
