package rulegen

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Reminders are alerts of an agreement with a date: they fire from that day on, until
// the specification says that it was done and rules are generated again.

// reminderGroup is the group of the agreement's reminders; none if it has no reminders,
// or if an earlier level has added the group.
func reminderGroup(a *sla.Agreement, opts Options, shared map[string]bool) []Group {
	name := GroupPrefix + a.Name + ":reminders"
	if shared[name] {
		return nil
	}
	shared[name] = true
	g := Group{Name: name, Interval: secondLayer * opts.Interval, shared: true}
	for _, d := range Reminders(a, opts) {
		alert, _ := a.Alert(d.Kind)
		g.Rules = append(g.Rules, reminder{a, alert, d, opts}.rule())
	}
	if len(g.Rules) == 0 {
		return nil
	}
	return []Group{g}
}

// Reminders are the agreement's reminders that have a rule, in the order of the rules.
func Reminders(a *sla.Agreement, opts Options) []sla.DatedReminder {
	return slices.DeleteFunc(a.DatedReminders(tableOf(opts.Now)), func(d sla.DatedReminder) bool {
		_, on := a.Alert(d.Kind)
		return !on
	})
}

// reminder is one of them.
type reminder struct {
	agreement *sla.Agreement
	sla.Alert
	sla.DatedReminder
	opts Options
}

// rule fires from a moment on. Its value is how long the reminder has been due, in
// seconds, negative before; or the time if nobody has said when it was last done.
func (r reminder) rule() Rule {
	due, from := int64(0), "It always fires: nobody has said when it was done."
	threshold := int64(0)
	if !r.From.IsZero() {
		due, threshold = r.Due.Unix(), r.From.Unix()-r.Due.Unix()
		from = fmt.Sprintf("%d = %s, the end of the day on which it is due", due, instant(r.Due))
	}
	since := promql.VectorOf(promql.Time())
	if due != 0 {
		since = promql.Sub(since, number(due))
	}
	summary, description := r.words()
	a := r.agreement
	rule := Rule{
		Alert: r.Alert.Kind.Name, Expr: promql.Gt(since, number(threshold)), For: r.For, KeepFiringFor: r.KeepFiringFor,
		Labels: map[string]string{}, Annotations: map[string]string{"summary": summary, "description": description},
	}
	rule.Annotations["runbook_url"] = r.opts.Links.runbookOf(a, r.Alert.Kind)
	maps.Copy(rule.Annotations, a.Alerting.Annotations)
	for _, labels := range []map[string]string{a.Labels, a.Alerting.Labels, r.Labels, r.opts.Labels, r.labels()} {
		maps.Copy(rule.Labels, labels)
	}
	rule = rule.says("Fires %s, until the specification says that it was done.", r.fromWords()).says("%s", from)
	if threshold < 0 {
		rule = rule.says("%d = %d days before it, in seconds", threshold, -threshold/86400)
	}
	return rule
}

func (r reminder) fromWords() string {
	if r.From.IsZero() {
		return "at once"
	}
	return "from " + instant(r.From) + " on"
}

// labels are those that identify the reminder.
func (r reminder) labels() map[string]string {
	own := map[string]string{metricnames.SLA: r.agreement.Name, metricnames.Severity: r.Severity}
	if r.Level != nil {
		own[metricnames.Service], own[metricnames.SLO] = r.Level.ID.Service, r.Level.ID.SLO
	}
	switch {
	case r.Method != nil:
		own[metricnames.Scenario], own[metricnames.Method] = text(r.Method.Scenario), text(r.Method.Method)
	case r.Obligation != nil:
		own[metricnames.Obligation], own[metricnames.Party] = text(r.Obligation.ID), string(r.Obligation.Party)
	}
	return own
}

// words are the summary and the description.
func (r reminder) words() (summary, description string) {
	of := r.agreement.Name
	on := r.On.String()
	switch {
	case r.Method != nil && r.From.IsZero():
		return fmt.Sprintf("%s: the recovery method %s for %s was never exercised", of, text(r.Method.Method), text(r.Method.Scenario)),
			"Try it out, write the day as lastExercised, and generate the rules again."
	case r.Method != nil:
		return fmt.Sprintf("%s: the recovery method %s for %s was to be exercised by %s", of, text(r.Method.Method), text(r.Method.Scenario), on),
			"It is overdue for {{ $value | humanizeDuration }}. Try it out, write the day as lastExercised, and generate the rules again."
	case r.Obligation != nil:
		return fmt.Sprintf("%s: the %s owes %s since %s", of, r.Obligation.Party, text(r.Obligation.ID), on),
			fmt.Sprintf("%s. It is late by {{ $value | humanizeDuration }}. Once it is fulfilled, write an Adjustment with obligation: {id: %s, …}, and generate the rules again.", text(r.Obligation.Deliver), text(r.Obligation.ID))
	}
	return fmt.Sprintf("The agreement %s is to be reviewed on %s", of, on),
		"{{ if gt $value 0.0 }}The review is overdue for {{ $value | humanizeDuration }}. {{ end }}Hold the service level meeting, write its outcome as the next revision, and generate the rules again."
}

// text is a text of the user in a template of Prometheus.
func text(s string) string {
	if strings.Contains(s, "{{") {
		return "{{ " + templateText(s) + " }}"
	}
	return s
}
