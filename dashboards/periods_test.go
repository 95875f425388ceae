package dashboards_test

import (
	"math"
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

// Two levels with the same period in two time zones: the even line of each falls to 0 at the
// end of its own period.
func TestEvenSpendingIsByTheZoneOfTheLevel(t *testing.T) {
	agreements, findings := spec.LoadText("spec.yaml", `
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  serviceLevels:
    - {name: berlin, service: web, indicator: {events: {bad: errors_total, total: requests_total}}, target: "99.9", period: {calendar: month, timeZone: Europe/Berlin}}
    - {name: newyork, service: web, indicator: {events: {bad: errors_total, total: requests_total}}, target: "99.9", period: {calendar: month, timeZone: America/New_York}}
`)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	// Now is 7200: two hours into the one period, and one hour into the other.
	e := load(t, `load 1m
  sla:calendar_start:seconds{sla="shop",calendar="month Europe/Berlin"} 0x120
  sla:calendar_end:seconds{sla="shop",calendar="month Europe/Berlin"} 28800x120
  sla:calendar_start:seconds{sla="shop",calendar="month America/New_York"} 3600x120
  sla:calendar_end:seconds{sla="shop",calendar="month America/New_York"} 39600x120
  sla:objective:ratio{sla="shop",service="web",slo="berlin"} 0.999x120
  sla:objective:ratio{sla="shop",service="web",slo="newyork"} 0.999x120
`)
	board := boardOf(t, agreements[0], "_level")
	for slo, want := range map[string]float64{"berlin": 1 - 7200./28800, "newyork": 1 - 3600./36000} {
		chosen := strings.NewReplacer("$service", "web", "$slo", slo, "$period", "month").Replace(string(board))
		if got := e.value(t, []byte(chosen), "Error budget remaining", "C"); math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: the even line is at %v, want %v", slo, got, want)
		}
	}
}
