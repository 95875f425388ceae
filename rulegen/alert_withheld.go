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

// What keeps an alert from beginning, because another one reports the same
// outage. An alert that has begun goes on, whatever else fires: people were
// notified, and must be notified of its end. An inhibition in Alertmanager would
// keep that from them.

// withholding are the composites that hold back the level's alerts.
func (al alerts) withholding() []sla.PartOf {
	return slices.DeleteFunc(slices.Clone(al.PartOf), func(p sla.PartOf) bool { return p.Alerts != sla.AlertsInhibited })
}

// ComponentWait is how long a page of such a component waits at the usual interval
// of rules.
const ComponentWait = 2 * DefaultInterval

// componentWait is how long an alert of such a component waits for that of the
// composite, which is evaluated at a time of its own.
func (al alerts) componentWait(every time.Duration) time.Duration {
	if len(al.withholding()) == 0 {
		return 0
	}
	return max(2*every, time.Minute)
}

// unlessComposite holds an alert back while a composite of the level pages, and a
// ticket while it has any alert. A ticket is held back for as long after that as
// the window which it looks over remembers the outage.
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

// withheld is what an alert about recorded figures waits for, where composites hold
// it back only what has begun.
func (al alerts) withheld(a sla.Alert, e promql.Expr, labels ...string) promql.Expr {
	if len(al.withholding()) == 0 {
		return e
	}
	return al.begun(al.unlessComposite(e, a.Urgency, 0), e, secondTier*al.interval, a.Kind.Name, a.Severity, labels...)
}

// begun is e, and where it is held back only what has begun: the alert of the
// name, severity and labels fires already. every is how often it is evaluated.
func (al alerts) begun(begins, e promql.Expr, every time.Duration, alert, severity string, labels ...string) promql.Expr {
	var more []promql.Matcher
	for i := 0; i < len(labels); i += 2 {
		more = append(more, promql.Eq(labels[i], labels[i+1]))
	}
	goesOn := promql.AndOn(e, al.firing(recently(every), alert, severity, "", more...), al.joinLabels()...)
	return promql.OrOn(begins, goesOn, al.joinLabels()...)
}

// among matches a label by its values, of which there is at least one.
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
