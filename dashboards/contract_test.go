package dashboards_test

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// What a server holds of a state that was bad for 3000 seconds, of which 1200 were
// excluded and 800 outside of hours; 10 % are owed, and 25 % after an hour more.
const contractSeries = recorded + `  sla:agreed:seconds_period{sla="shop",service="storefront",slo="availability",period="30d"} 900000x120
  sla:error:ratio_period{sla="shop",service="storefront",slo="availability",period="month"}    0.0009x120
  sla:budget_remaining:ratio_period{sla="shop",service="storefront",slo="availability",period="month"} 0.1x120
  sla:bad:sum_period{sla="shop",service="storefront",slo="availability",period="month"} 1000x120
  sla:coverage:ratio_period{sla="shop",service="storefront",slo="availability",period="month"} 1x120
  sla:raw_bad:sum_period{sla="shop",service="storefront",slo="availability",period="30d"} 3000x120
  sla:excluded_bad:sum_period{sla="shop",service="storefront",slo="availability",period="30d"} 1200x120
  sla:bad:increase{sla="shop",service="storefront",slo="availability"} 2x120
  sla:excluded_bad:increase{sla="shop",service="storefront",slo="availability"} 3x120
  sla:exclusion_cap:used_ratio_period{sla="shop",service="storefront",slo="availability",exclusion="tests",period="month"} 0.5x120
  sla:credit:percent_period{sla="shop",service="storefront",slo="availability",period="month"} 10x120
  sla:credit_tier:minutes_period{sla="shop",service="storefront",slo="availability",period="month",tier="99.9"} 0x120
  sla:credit_tier:minutes_period{sla="shop",service="storefront",slo="availability",period="month",tier="99"} 60x120
`

func contractual(t *testing.T) *sla.Agreement {
	t.Helper()
	agreements, findings := spec.LoadText("shop.yaml", `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  calendars: {prime: {weekly: [{days: [Mon], from: "08:00", to: "20:00"}]}}
  exclusions: [{name: tests, effect: treat_as_up, condition: tests_running == 1, cap: {excludedDowntime: 1h, per: month}}]
  serviceLevels:
    - name: availability
      service: storefront
      serviceHours: prime
      indicator: {condition: {expr: up == 1}}
      target: "99.9"
      period: [30d, month]
      credits: {tiers: [{below: "99.9", percent: "10"}, {below: "99", percent: "25"}]}
`)
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	return agreements[0]
}

// absentOfContract are queries without values: the target is met, nothing is counted by
// events, and no calendar period ended.
var absentOfContract = []string{
	"Achieved over the period B", "Bad so far C",
	"Bad of the period: measured, excluded, counted B", "Bad of the period: measured, excluded, counted D", "Bad of the period: measured, excluded, counted F",
	"Earlier periods A", "Earlier periods B", "Earlier periods C", "Earlier periods D",
}

// What is left out, and what is owed, is shown.
func TestContractPanels(t *testing.T) {
	a := contractual(t)
	e := load(t, contractSeries)
	text := boardOf(t, a, "_level")
	text = bytes.ReplaceAll(text, []byte(`=\"$period\"`), []byte(`=\"30d\"`))
	for _, p := range parse(t, text).everyPanel() {
		for _, q := range p.Targets {
			if q.Instant && !slices.Contains(absentOfContract, p.Title+" "+q.RefID) && len(e.instant(t, q.Expr)) == 0 {
				t.Errorf("%s, %s: no data from %s", p, q.RefID, q.Expr)
			}
		}
	}
	for _, test := range []struct {
		panel, ref string
		want       float64
	}{
		{"Bad of the period: measured, excluded, counted", "A", 3000},
		{"Bad of the period: measured, excluded, counted", "C", 1200},
		{"Bad of the period: measured, excluded, counted", "E", 2333},
		{"Bad over time: counted and excluded", "A", 2}, // of the one evaluation in a step
		{"Bad over time: counted and excluded", "C", 3},
		{"Agreed time", "A", 250}, // hours
		{"Cap used", "A", 0.5},
		{"Credit owed", "A", 10},
	} {
		if got := e.value(t, text, test.panel, test.ref); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("%s %s shows %v, want %v", test.panel, test.ref, got, test.want)
		}
	}
}
