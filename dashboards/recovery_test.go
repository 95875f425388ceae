package dashboards_test

import (
	"math"
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/sla/spec"
)

const recoverySeries = recorded + `  sla:outage:age_seconds{sla="shop",service="storefront",slo="availability"} 2700x120
  sla:outage:count_period{sla="shop",service="storefront",slo="availability",period="30d"} 2x120
  sla:outage:longest_seconds_period{sla="shop",service="storefront",slo="availability",period="30d"} 900x120
  sla:outage:mean_seconds_period{sla="shop",service="storefront",slo="availability",period="30d"} 600x120
  sla:recovery:age_seconds{sla="shop",service="storefront",slo="availability",recovery="recovery_point"} 1800x120
  sla:recovery:age_seconds{sla="shop",service="storefront",slo="availability",recovery="recovery_point-2"} 60x120
`

// A level with recovery shows its outages and ages; others show nothing of it.
func TestRecoveryPanels(t *testing.T) {
	const text = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  serviceLevels:
    - name: availability
      service: storefront
      indicator: {condition: {expr: up == 1}}
      target: "99.9"
`
	board := func(text string) []byte {
		t.Helper()
		agreements, findings := spec.LoadText("shop.yaml", text)
		if findings.HasErrors() {
			t.Fatal(findings)
		}
		return boardOf(t, agreements[0], "_level")
	}
	if without := string(board(text)); strings.Contains(without, "sla:outage") || strings.Contains(without, "sla:recovery") {
		t.Error("a level without recovery shows some")
	}
	made := board(text + `      recovery:
        objectives:
          - {metric: time_to_restore, le: 1h}
          - {metric: recovery_point, le: 1h, age: backup_age_seconds}
          - {metric: recovery_point, le: 5m, age: replica_age_seconds}
`)
	e := load(t, recoverySeries)
	for _, test := range []struct {
		panel, ref string
		want       float64
	}{
		{"Outage now", "A", 2700},
		{"Outage now", "B", 3600},
		{"Outages over the period", "A", 2},
		{"Outages over the period", "B", 900},
		{"Outages over the period", "C", 600},
		{"Age of what could be recovered", "B", 3600},
		{"Age of what could be recovered", "C", 300},
	} {
		if got := e.value(t, made, test.panel, test.ref); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("%s %s shows %v, want %v", test.panel, test.ref, got, test.want)
		}
	}
}
