package dashboards_test

import (
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/dashboards"
	"github.com/upheld-sla/upheld/sla/spec"
)

// A level with several periods has figures and a budget line for each.
func TestEveryPeriodHasPanels(t *testing.T) {
	agreements, findings := spec.LoadText("spec.yaml", `
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  serviceLevels:
    - name: errors
      indicator: {events: {bad: errors_total, total: requests_total}}
      target: "99.9"
      period: [30d, month, 6h]
`)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	content, err := dashboards.Agreement(agreements[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, period := range []string{"30d", "month", "6h"} {
		for _, series := range []string{"sla:error:ratio_period", "sla:budget_remaining:ratio_period", "sla:bad:sum_period", "sla:coverage:ratio_period"} {
			selector := series + `{sla=\"shop\", service=\"shop\", slo=\"errors\", period=\"` + period
			if !strings.Contains(string(content), selector) {
				t.Errorf("no panel asks for %s of %s", series, period)
			}
		}
	}
}
