package rulegen

import (
	"fmt"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Alerts about limits of recovery: for each objective one before its limit and one beyond
// it.

// objectiveAlert is the alert about one objective.
type objectiveAlert struct {
	sla.Alert
	of    sla.NamedObjective
	value promql.Expr // seconds
	after *sla.AlertKind
}

// restoreNear fires while an outage has lasted for most of its limit.
func (al alerts) restoreNear(a sla.Alert, _ sla.Period) []Rule {
	var rules []Rule
	for _, o := range al.Recovery.EachOutage() {
		x := objectiveAlert{a, o, al.recorded(metricnames.OutageAge).Now(), sla.AlertRestoreTimeExceeded}
		rules = append(rules, al.nearLimit(x, map[string]string{
			"summary":     fmt.Sprintf("%s is down, and %s %% of the time to restore it are gone", al.nameOfGroup(), a.Share),
			"description": fmt.Sprintf("The outage has lasted for {{ $value | humanizeDuration }} of %s. The promise: %s.", o.LimitWords(), o.Words()),
		}))
	}
	return rules
}

// restoreExceeded fires while an outage lasts longer than its limit.
func (al alerts) restoreExceeded(a sla.Alert, _ sla.Period) []Rule {
	var rules []Rule
	for _, o := range al.Recovery.EachOutage() {
		x := objectiveAlert{a, o, al.recorded(metricnames.OutageAge).Now(), nil}
		rules = append(rules, al.beyondLimit(x, map[string]string{
			"summary":     fmt.Sprintf("%s has been down for longer than %s", al.nameOfGroup(), o.LimitWords()),
			"description": fmt.Sprintf("The outage has lasted for {{ $value | humanizeDuration }}. The promise: %s.", o.Words()),
		}))
	}
	return rules
}

// ageNear fires while an age is close to its limit.
func (al alerts) ageNear(a sla.Alert, _ sla.Period) []Rule {
	var rules []Rule
	for _, o := range al.Recovery.Ages() {
		x := objectiveAlert{a, o, al.ageOf(o), sla.AlertRecoveryAgeExceeded}
		rules = append(rules, al.nearLimit(x, map[string]string{
			"summary":     fmt.Sprintf("%s: %s is above %s %% of %s", al.name(), o.Metric.Facets().Words, a.Share, o.LimitWords()),
			"description": fmt.Sprintf("It is {{ $value | humanizeDuration }} by now. The promise: %s.", o.Words()),
		}))
	}
	return rules
}

// ageExceeded fires while an age is above its limit.
func (al alerts) ageExceeded(a sla.Alert, _ sla.Period) []Rule {
	var rules []Rule
	for _, o := range al.Recovery.Ages() {
		rules = append(rules, al.beyondLimit(objectiveAlert{a, o, al.ageOf(o), nil}, map[string]string{
			"summary":     fmt.Sprintf("%s: %s is above %s", al.name(), o.Metric.Facets().Words, o.LimitWords()),
			"description": fmt.Sprintf("It is {{ $value | humanizeDuration }} by now. The promise: %s.", o.Words()),
		}))
	}
	return rules
}

// ageUnknown fires while an age is unknown, when neither of the two above can fire.
func (al alerts) ageUnknown(a sla.Alert, _ sla.Period) []Rule {
	var rules []Rule
	for _, o := range al.Recovery.Ages() {
		absent := promql.Absent(al.recorded(metricnames.RecoveryAge, promql.Eq(metricnames.Recovery, o.Name)))
		rules = append(rules, al.notice(a, absent, map[string]string{
			"summary": fmt.Sprintf("%s: nobody knows the %s", al.name(), o.Metric.Facets().Words),
			"description": fmt.Sprintf("Its query has had no result for %s, so nobody knows whether this is kept: %s. Look for a job that stopped, a failing scrape or a renamed series.",
				sla.FormatDuration(max(a.For, al.interval)), o.Words()),
		}, metricnames.Recovery, o.Name).
			says("Fires when the query of the age has had no result for %s: an age that nobody knows is not within its limit.", sla.FormatDuration(max(a.For, al.interval))))
	}
	return rules
}

// ageOf is the recorded result of an objective's query.
func (al alerts) ageOf(o sla.NamedObjective) promql.Expr {
	return al.recorded(metricnames.RecoveryAge, promql.Eq(metricnames.Recovery, o.Name)).Now()
}

// nearLimit fires from a share of a limit on, until the alert about the limit itself
// fires; if that is turned off, it goes on.
func (al alerts) nearLimit(x objectiveAlert, annotations map[string]string) Rule {
	limit := sla.Seconds(x.of.Limit)
	from := limit.Mul(x.Share).Quo(hundred)
	near := promql.Ge(x.value, promql.Num(from))
	if al.Notice(x.after) != nil {
		near = promql.Le(near, promql.Num(limit))
	}
	return al.notice(x.Alert, near, annotations, metricnames.Recovery, x.of.Name).
		says("Fires from %s %% of %s on.", x.Share, x.of.LimitWords()).
		says("%s = %s %% of %s s", inRules(from), x.Share, inRules(limit)).says("%s", secondsOf(x.of.Limit))
}

// beyondLimit fires above a limit. Exactly at the limit the promise is kept.
func (al alerts) beyondLimit(x objectiveAlert, annotations map[string]string) Rule {
	return al.notice(x.Alert, promql.Gt(x.value, promql.Num(sla.Seconds(x.of.Limit))), annotations, metricnames.Recovery, x.of.Name).
		says("Fires above %s.", x.of.LimitWords()).says("%s", secondsOf(x.of.Limit))
}
