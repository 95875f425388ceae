package dashboards_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/sla/spec"
)

// A level's board shows one of its periods at a time: a variable chooses it, and links
// show each with its range.
func TestEveryPeriodCanBeChosen(t *testing.T) {
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
	board := parse(t, boardOf(t, agreements[0], "_level"))
	for period, from := range map[string]string{"30d": "now-30d", "month": "now/M", "6h": "now-6h"} {
		want := "/d/upheld_level-shop?${datasource:queryparam}&${service:queryparam}&${slo:queryparam}&var-period=" + period + "&from=" + from + "&to=now"
		if !slices.ContainsFunc(board.Links, func(l modelLink) bool { return l.URL == want }) {
			t.Errorf("no link %s", want)
		}
	}
	for _, series := range []string{"sla:error:ratio_period", "sla:budget_remaining:ratio_period", "sla:bad:sum_period", "sla:coverage:ratio_period"} {
		asked := 0
		for _, p := range board.everyPanel() {
			for _, q := range p.Targets {
				if strings.Contains(q.Expr, series+`{`) {
					asked++
					if !strings.Contains(q.Expr, `period="$period"`) {
						t.Errorf("%s, %s mixes the periods: %s", p, q.RefID, q.Expr)
					}
				}
			}
		}
		if asked == 0 {
			t.Errorf("nothing asks for %s", series)
		}
	}
}
