package ruletest

import (
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

const alerts, isFiring = "ALERTS", "firing"

// selectAlerts selects the firing alerts with a name, without escalations.
func (l *levelUnderTest) selectAlerts(name string, more ...string) promql.Metric {
	m := l.named(alerts, append([]string{"alertname", name, "alertstate", isFiring}, more...)...)
	if l.escalated {
		m[metricnames.Escalation] = ""
	}
	if l.ofWholeLevel(name) {
		for label := range l.group {
			m[label] = ""
		}
	}
	return m
}

// alerts expects these alerts with a name to fire, each with all its labels, and no
// others.
func (l *levelUnderTest) alerts(name string, steps int, firing ...map[string]string) Expectation {
	a := none(l.selectAlerts(name), steps)
	for _, labels := range firing {
		m := promql.Metric(labels).With(promql.Metric{nameLabel: alerts, "alertname": name, "alertstate": isFiring})
		a.Samples = append(a.Samples, Sample{m.String(), 1})
	}
	return a
}

// alertNames are the names of the level's alerts.
func (l *levelUnderTest) alertNames() []string {
	var names []string
	for _, k := range sla.AlertKinds {
		if k.OfLevels() && len(l.labelsOf(k.Name)) > 0 {
			names = append(names, k.Name)
		}
	}
	return names
}

// labelsOf are the labels of the level's alerts with a name. Alerts about a period also
// have the period's label, from the series; only those about the first period are
// listed, since tests only have input for that one.
func (l *levelUnderTest) labelsOf(name string) []map[string]string {
	var all []map[string]string
	for _, r := range l.alert {
		if r.Alert != name {
			continue
		}
		labels, of := promql.Metric(r.Labels), testOf(name)
		if !of.kind.WholeLevel {
			labels = labels.With(l.group)
		}
		if of.labels != nil {
			labels = labels.With(of.labels(l))
		}
		if of.kind.PerPeriod {
			if p := labels[metricnames.Period]; p != "" && p != l.Period.String() {
				continue
			}
			labels = labels.With(promql.Metric{metricnames.Period: l.Period.String()})
		}
		all = append(all, labels)
	}
	return all
}

// labelsOfBurn are the labels of a burn alert.
func (l *levelUnderTest) labelsOfBurn(a sla.BurnAlert) map[string]string {
	for _, labels := range l.labelsOf(sla.AlertBudgetBurn.Name) {
		if labels[metricnames.Severity] == a.Severity && labels[metricnames.Tier] == a.Tier {
			return labels
		}
	}
	return nil
}
