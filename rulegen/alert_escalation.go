package rulegen

import (
	"fmt"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// FiringAlerts is the series that Prometheus records of alerts.
const FiringAlerts = "ALERTS"

// escalations repeat the alerts of a group for each time of the level's
// escalation, with that time as the label escalation. Each fires when the alert
// itself has been firing for so long, and stops with it. They read ALERTS and not
// the condition, so that keep_firing_for counts as firing; and they are in the
// alert's group, which has just recorded it.
//
// They keep all labels of the alert, so that a silence or an inhibition of it
// holds for its escalations too.
func (al alerts) escalations(rules []Rule) []Rule {
	var added []Rule
	for _, after := range al.EscalationTimes() {
		seen := map[[3]string]bool{}
		for _, r := range rules {
			severity, tier := r.Labels[metricnames.Severity], r.Labels[metricnames.Tier]
			if key := [3]string{r.Alert, severity, tier}; r.Alert != "" && !seen[key] && al.Escalates(after, severity, tier) {
				seen[key] = true // notices of several periods have the same labels
				added = append(added, al.escalation(r, severity, tier, after))
			}
		}
	}
	return added
}

// escalation is an alert that has been firing for a time.
func (al alerts) escalation(of Rule, severity, tier string, after time.Duration) Rule {
	matchers := slices.Concat(alertsFiring(of.Alert), al.own, []promql.Matcher{promql.Eq(metricnames.Severity, severity)})
	if of.Alert == sla.AlertBudgetBurn.Name || tier != "" {
		matchers = append(matchers, promql.Eq(metricnames.Tier, tier))
	}
	time := sla.FormatDuration(after)
	own := []string{metricnames.Escalation, time, metricnames.Severity, severity}
	if tier != "" {
		own = append(own, metricnames.Tier, tier)
	}
	annotations := map[string]string{
		"summary": fmt.Sprintf("%s has been firing for %s", al.nameOfGroup(), time),
		"description": fmt.Sprintf("%s has been firing for %s and nobody has silenced it. What it says stands in the alert of the same labels without escalation.",
			of.Alert, time),
	}
	for _, name := range []string{"dashboard_url", "runbook_url", "page_url", "silence_url"} {
		if text, ok := of.Annotations[name]; ok {
			annotations[name] = text
		}
	}
	return Rule{
		Alert: of.Alert, For: after, Annotations: annotations,
		Expr:   promql.Gt(promql.SumWithout(promql.Series(FiringAlerts, matchers...).Now(), "alertstate"), promql.Num(zero)),
		Labels: al.labels(own...),
	}.says("The alert %s of severity %s once more, when it has been firing for %s: for the next step of the escalation.", of.Alert, severity, time)
}
