package rulegen

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// An alert does not begin while another one reports the same outage. Once it has
// begun it goes on, whatever else fires: people were notified, and must be
// notified of its end, which an inhibition in Alertmanager would prevent.

// withholding are the composites that hold back the level's alerts.
func (al alerts) withholding() []sla.PartOf {
	return slices.DeleteFunc(slices.Clone(al.PartOf), func(p sla.PartOf) bool { return p.Alerts != sla.AlertsInhibited })
}

// ComponentWait is how long the page of a component that a composite holds back
// waits, at the usual interval of rules.
const ComponentWait = 2 * DefaultInterval

// componentWait is how long an alert of such a component waits for the alert of
// the composite, which is evaluated at a time of its own.
func (al alerts) componentWait(every time.Duration) time.Duration {
	if len(al.withholding()) == 0 {
		return 0
	}
	return max(2*every, time.Minute)
}

// unlessComposite holds a page back while a composite of the level pages, and a
// ticket while the composite has any alert. A ticket is held back further, for as
// long as the window it looks over remembers the outage.
func (al alerts) unlessComposite(e promql.Expr, urgency sla.Urgency, window time.Duration) promql.Expr {
	for _, p := range al.withholding() {
		severities, within := p.Pages, recently(al.interval)
		if urgency != sla.Page {
			severities, within = slices.Concat(p.Pages, p.Tickets), al.remembers(window)
		}
		if len(severities) == 0 {
			continue
		}
		ms := append(alertsFiring(sla.AlertBudgetBurn.Name), identity(p.Composite)...)
		ms = append(append(ms, extraMatchers(al.extra)...), among(metricnames.Severity, severities))
		e = promql.UnlessOn(e, promql.Series(FiringAlerts, ms...).LastOverTime(within))
	}
	return e
}

// withheld is the condition e of an alert; where composites hold the alert back,
// only an alert that has already begun goes on.
func (al alerts) withheld(a sla.Alert, e promql.Expr, labels ...string) promql.Expr {
	if len(al.withholding()) == 0 {
		return e
	}
	return al.begun(al.unlessComposite(e, a.Urgency, 0), e, secondLayer*al.interval, a.Kind.Name, a.Severity, labels...)
}

// begun is true where begins is, and goes on while e holds if the alert of that
// name, severity and labels already fires. every is how often it is evaluated.
func (al alerts) begun(begins, e promql.Expr, every time.Duration, alert, severity string, labels ...string) promql.Expr {
	var more []promql.Matcher
	for i := 0; i < len(labels); i += 2 {
		more = append(more, promql.Eq(labels[i], labels[i+1]))
	}
	goesOn := promql.AndOn(e, al.firing(recently(every), alert, severity, "", more...), al.joinLabels()...)
	return promql.OrOn(begins, goesOn, al.joinLabels()...)
}

// among matches a label that has one of the values, of which there is at least one.
func among(label string, values []string) promql.Matcher {
	if len(values) == 1 {
		return promql.Eq(label, values[0])
	}
	quoted := make([]string, 0, len(values))
	for _, v := range values {
		quoted = append(quoted, regexp.QuoteMeta(v))
	}
	return promql.Re(label, strings.Join(quoted, "|"))
}
