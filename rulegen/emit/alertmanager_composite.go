package emit

import (
	"regexp"
	"slices"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// compositesInhibit hold the alerts of components back while a composite that is
// told to do so has an alert of the same urgency, or a page.
func compositesInhibit(agreements []*sla.Agreement, severities []severity) []inhibitRule {
	pages, tickets := namesOf(severities, sla.Page), namesOf(severities, sla.Ticket)
	var rules []inhibitRule
	for _, a := range agreements {
		for _, l := range a.Levels {
			if c, ok := l.Indicator.(*sla.Composite); !ok || c.Alerts != sla.AlertsInhibited {
				continue
			}
			source := []string{
				equals("alertname", rulegen.AlertBudgetBurn), equals(metricnames.SLA, l.ID.SLA),
				equals(metricnames.Service, l.ID.Service), equals(metricnames.SLO, l.ID.SLO),
			}
			target := []string{metricnames.InhibitedBy + `=~"(.*,)?` + matcherEscapes.Replace(regexp.QuoteMeta(l.ID.String())) + `(,.*)?"`}
			if len(pages) > 0 {
				rules = append(rules, inhibitRule{SourceMatchers: append(slices.Clone(source), oneOf(metricnames.Severity, pages)), TargetMatchers: target})
			}
			if len(tickets) > 0 {
				ticket := oneOf(metricnames.Severity, tickets)
				rules = append(rules, inhibitRule{SourceMatchers: append(slices.Clone(source), ticket), TargetMatchers: append(slices.Clone(target), ticket)})
			}
		}
	}
	return rules
}
