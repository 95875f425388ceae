package rulegen_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
)

const rolledUp = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop, labels: {team: web}}
spec:
  period: 1h
  rollups: [team, customer]
  alerting: {enabled: false}
  serviceLevels:
    - {name: well, target: "50", indicator: {condition: {expr: "vector(1) > 0"}}}
    - {name: bad, target: "50", labels: {customer: acme}, rollupWeight: "3", indicator: {condition: {expr: "vector(0) > 0"}}}
    - {name: other, target: "50", labels: {team: ops}, indicator: {condition: {expr: "vector(1) > 0"}}}
    - {name: unknown, target: "50", indicator: {condition: {expr: "nothing > 0"}}}
`

// TestRollups: of two known levels of a team one has spent twice its budget and
// weighs 3, so the mean is (1 - 3) / 4.
func TestRollups(t *testing.T) {
	t.Parallel()
	_, files := compositeLevels(t, rolledUp)
	w := enginetest.New(t, 15*time.Second, func(time.Time) []enginetest.Sample { return nil })
	w.Load(files...)
	w.Run(100 * time.Minute)
	for _, want := range []struct {
		by, value                      string
		worst, weighted, levels, risky float64
	}{
		{"team", "web", -1, (1.0 - 3.0) / 4, 2, 1},
		{"team", "ops", 1, 1, 1, 0},
		{"customer", "acme", -1, -1, 1, 1},
		{"agreement", "shop", -1, (1.0 - 3.0 + 1) / 5, 3, 1},
	} {
		for name, figure := range map[string]float64{
			"budget_remaining_worst": want.worst, "budget_remaining_weighted": want.weighted, "levels": want.levels, "levels_at_risk": want.risky,
		} {
			if got := w.Value(fmt.Sprintf(`sla:rollup:%s{by=%q,value=%q}`, name, want.by, want.value)); math.Abs(got-figure) > 1e-9 {
				t.Errorf("%s of %s %s is %v, want %v", name, want.by, want.value, got, figure)
			}
		}
	}
}
