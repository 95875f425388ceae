package spec_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// What an alert is decides how it is paced, and the agreement how that is
// called.
func TestSeveritiesOfOtherNames(t *testing.T) {
	l := load(t, "testdata/valid/severities.yaml")["availability"]
	var got []string
	for _, tier := range l.Alerting.Tiers {
		got = append(got, fmt.Sprintf("%s is a %s, %s", tier.Name, tier.Urgency, tier.Severity))
	}
	for name, n := range map[string]*sla.Notice{"exhausted": l.Notice(sla.AlertBudgetExhausted), "forecast": l.Notice(sla.AlertBudgetForecast)} {
		got = append(got, fmt.Sprintf("%s is a %s, %s", name, n.Urgency, n.Severity))
	}
	for _, want := range []string{
		"page-fast is a page, urgent", "own is a page, critical", "page-slow is a ticket, warning", "ticket-fast is a ticket, warning", "ticket-slow is a ticket, warning",
		"exhausted is a page, critical", "forecast is a ticket, warning",
	} {
		if !strings.Contains(strings.Join(got, "; "), want) {
			t.Errorf("want that %s; got %q", want, got)
		}
	}
	if steps := fmt.Sprint(l.Escalation[0].Severities, l.Escalation[1].Severities, l.Escalation[2].Severities); steps != "[critical urgent] [warning] [critical urgent]" {
		t.Errorf("steps are about %s", steps)
	}
	agreements, _ := spec.Load("testdata/valid/severities.yaml")
	pace := func(severity string) string {
		p := agreements[0].Notifications.PacingOf(severity, sla.UrgencyOf(agreements[0].Levels, severity))
		return fmt.Sprint(p.GroupWait, " ", p.GroupInterval, " ", p.RepeatInterval)
	}
	for severity, want := range map[string]string{"critical": "10s 5m0s 4h0m0s", "urgent": "30s 3m0s 4h0m0s", "warning": "5m0s 15m0s 48h0m0s"} {
		if got := pace(severity); got != want {
			t.Errorf("%s is paced %s, want %s", severity, got, want)
		}
	}
}

func TestMistakesInSeverities(t *testing.T) {
	const text = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  alerting: %s
  serviceLevels:
    - name: availability
      indicator: {probe: {http: "https://shop.example/health"}}
      target: "99.9"
      alerting: %s
`
	for _, c := range []struct{ shared, own, want, remedy string }{
		{"{labels: {severity: critical}}", "{}", `5:23: error: the label "severity" is set by the rules themselves`, "severities: {page: critical, ticket: …}"},
		{"{}", "{tiers: {page-fast: {labels: {severity: high}}}}", `10:47: error: the label "severity" is set by the rules themselves`, "tiers: {page-fast: {severity: high}}"},
		{"{severities: {page: x, ticket: x}}", "{}", `would be the severity of a`, "choose another name"},
		{"{severities: {page: ticket}}", "{}", `5:33: error: page "ticket" would be the severity of a page, and means a ticket`, "choose another name"},
		{"{}", "{severities: {page: critical}}", `10:18: error: severities are named for the whole agreement`, "move it to spec.alerting"},
		{"{}", `{tiers: {own: {severity: critical, long: 2h, factor: "10"}}}`, `10:42: warning: the tier "own" has the severity "critical", of which nobody knows`, "severities: {page: critical}"},
	} {
		file := filepath.Join(t.TempDir(), "spec.yaml")
		if err := os.WriteFile(file, fmt.Appendf(nil, text, c.shared, c.own), 0o600); err != nil {
			t.Fatal(err)
		}
		_, findings := spec.Load(file)
		if len(findings) != 1 {
			t.Errorf("%s %s: %v", c.shared, c.own, findings)
			continue
		}
		got := strings.TrimPrefix(fmt.Sprintf("%s: %s: %s", findings[0].Pos, findings[0].Severity, findings[0].Message), file+":")
		if !strings.Contains(got, c.want) || !strings.Contains(findings[0].Remedy, c.remedy) {
			t.Errorf("%s (%s), want %s (%s)", got, findings[0].Remedy, c.want, c.remedy)
		}
	}
}
