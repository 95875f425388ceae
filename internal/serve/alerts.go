package serve

import (
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/rules"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/web"
	"github.com/upheld-sla/upheld/sla"
)

// alerts returns the alert rules by level, in the order of the rule files: the most
// urgent first.
func (src *source) alerts() map[sla.ID][]*rules.AlertingRule {
	byLevel := map[sla.ID][]*rules.AlertingRule{}
	for _, group := range src.s.rules.RuleGroups() {
		for _, rule := range group.AlertingRules() {
			if rule.Labels().Get(metricnames.Escalation) != "" {
				continue // the same alert, escalated
			}
			id := idOf(rule.Labels())
			byLevel[id] = append(byLevel[id], rule)
		}
	}
	return byLevel
}

// describe returns the rules with the state of those of their alerts that are chosen:
// the most urgent state of any, and since when the first has it.
func describe(all []*rules.AlertingRule, begun firingSince, chosen func(labels.Labels) bool) []web.Alert {
	alerts := make([]web.Alert, 0, len(all))
	for _, rule := range all {
		alert := web.Alert{
			Name:     rule.Name(),
			Tier:     rule.Labels().Get(metricnames.Tier),
			Severity: rule.Labels().Get(metricnames.Severity),
			State:    web.Inactive,
		}
		for _, active := range rule.ActiveAlerts() {
			state, since := web.Pending, active.ActiveAt
			if active.State == rules.StateFiring {
				state, since = web.Firing, begun.of(active)
			}
			switch {
			case active.State == rules.StateInactive || !chosen(active.Labels) || state == web.Pending && alert.State == web.Firing:
			case state != alert.State || since.Before(alert.Since):
				alert.State, alert.Since, alert.Summary = state, since, active.Annotations.Get("summary")
			}
		}
		alerts = append(alerts, alert)
	}
	return alerts
}
