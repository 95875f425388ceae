package emit_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla/spec"
)

// What a page is called changes nothing of its pace.
func TestAlertmanagerKnowsSeveritiesByOtherNames(t *testing.T) {
	for name, alerting := range map[string]string{
		"named in one place": "{severities: {page: critical, ticket: warning}}",
		"named tier by tier": "{tiers: {page-fast: {severity: critical}, page-slow: {severity: critical}, ticket-fast: {severity: warning}, ticket-slow: {severity: warning}}," +
			" budgetExhausted: {severity: warning}, budgetForecast: {severity: warning}, measurementLost: {severity: warning}}",
	} {
		t.Run(name, func(t *testing.T) {
			agreements, findings := spec.LoadText("shop.yaml", fmt.Sprintf(`apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  alerting: %s
  serviceLevels:
    - {name: up, target: "99.9", indicator: {probe: {http: "https://shop.example/"}}}
`, alerting))
			if err := findings.Err(); err != nil {
				t.Fatal(err)
			}
			got, empty, err := emit.Alertmanager(agreements)
			file := parseAlertmanager(t, must(t, got, err))
			if want := []string{"upheld-critical", "upheld-warning"}; !slices.Equal(empty, want) || file.Route.Receiver != "upheld-warning" {
				t.Errorf("receivers %v, the first %s; want %v, and the last of them", empty, file.Route.Receiver, want)
			}
			var paces []string
			for _, r := range file.Route.Routes[0].Routes {
				paces = append(paces, fmt.Sprint(r.Matchers, " ", r.GroupWait, " ", r.GroupInterval, " ", r.RepeatInterval))
			}
			if want := []string{`[severity="critical"] 30s 5m 4h`, `[severity="warning"] 5m 15m 1d`}; !slices.Equal(paces, want) {
				t.Errorf("paces %q, want %q", paces, want)
			}
		})
	}
}

// ownSeverities has a page and a ticket with severities of their own.
const ownSeverities = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  contacts: {a: {}, b: {}}
  alerting:
    severities: {page: critical, ticket: warning}
    tiers:
      page-fast: {severity: urgent}
      drip: {severity: odd, long: 2d, short: 2h, factor: "2"}
  escalation:
    - {notify: [a]}
    - {after: 15m, notify: [b]}
  serviceLevels:
    - {name: up, target: "99.9", indicator: {probe: {http: "https://shop.example/"}}}
`

// A step is about pages, also about one with a severity of its own.
func TestEscalationTellsOfPagesOfAnySeverity(t *testing.T) {
	agreements, findings := spec.LoadText("shop.yaml", ownSeverities)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	got, _, err := emit.Alertmanager(agreements)
	file := parseAlertmanager(t, must(t, got, err))
	if file.Route.Receiver != "upheld-warning" || file.Route.Routes[0].Receiver != "upheld-warning" {
		t.Errorf("other alerts go to %s and %s, want that of tickets", file.Route.Receiver, file.Route.Routes[0].Receiver)
	}
	for severity, want := range map[string]string{"critical": "[upheld-shop/a upheld-shop/b]", "urgent": "[upheld-shop/a upheld-shop/b]", "odd": "[upheld-odd]", "warning": "[upheld-warning]"} {
		var told []string
		for _, r := range file.Route.Routes[0].Routes[0].Routes { // of the agreement
			if slices.Contains(r.Matchers, fmt.Sprintf("severity=%q", severity)) {
				told = append(told, r.Receiver)
			}
		}
		if fmt.Sprint(told) != want {
			t.Errorf("%s is told to %v, want %s", severity, told, want)
		}
	}
	if !agreements[0].Levels[0].Escalates(15*time.Minute, "urgent", "") {
		t.Error("no later step of the page of its own severity")
	}
}
