package rulegen_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/sla/spec"
)

// Two levels count the same requests, a hundred times as many by day as by night.
// Everything fails for twenty minutes of the night, which is less than a
// thousandth of the requests, and for twenty minutes of the day. Only the level that is
// not weighed by traffic wakes somebody at night; both do by day. What traffic is
// recorded is what was counted.
func TestWeighedByTraffic(t *testing.T) {
	t.Parallel()
	testsize.Skip(t, "alerts that are weighed by the traffic of a day and a night")
	agreements, findings := spec.LoadText("spec.yaml", `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  period: 7d
  serviceLevels:
    - {name: weighed, service: api, target: "99", indicator: &i {events: {bad: 'requests_total{code="500"}', total: requests_total}}, alerting: {weighByTraffic: true}}
    - {name: plain, service: api, target: "99", indicator: *i}
`)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	const night, day = 5 * time.Hour, 9 * time.Hour // from the start on; here a day and a night have four hours each
	minute := func(after time.Duration) float64 {   // requests
		if after < 4*time.Hour || after >= 8*time.Hour {
			return 6000
		}
		return 60
	}
	down := func(after time.Duration) bool {
		return after >= night && after < night+20*time.Minute || after >= day && after < day+20*time.Minute
	}
	good, bad := 0., 0.
	w := enginetest.New(t, time.Minute, func(at time.Time) []enginetest.Sample {
		if after := at.Sub(enginetest.Start); down(after) {
			bad += minute(after)
		} else {
			good += minute(after)
		}
		return []enginetest.Sample{{Series: `requests_total{code="200"}`, Value: good}, {Series: `requests_total{code="500"}`, Value: bad}}
	})
	w.Load(generate(t, generated2026, agreements[0].Levels...))
	w.Run(4 * time.Minute)
	if got := w.Value(`sla:traffic:ratio_rate30m{slo="weighed"}`); got != 1 {
		t.Errorf("before there is a period the traffic is %v times the usual", got)
	}
	w.Run(night + 10*time.Minute - 4*time.Minute)
	mean := 0.
	for after := time.Duration(0); after < night; after += time.Minute {
		mean += minute(after) / night.Minutes()
	}
	if got, want := w.Value(`sla:traffic:ratio_rate30m{slo="weighed"}`), 60/mean; math.Abs(got/want-1) > 0.05 {
		t.Errorf("at night the traffic is %v times the usual, want %v", got, want)
	}
	w.Run(day + time.Hour - night - 10*time.Minute)
	pages := map[string][]string{}
	for _, tr := range w.Transitions() {
		if tr.Firing && tr.Name == metricnames.BurnTier && tr.Labels["tier"] == "page-fast" {
			when := "day"
			if tr.At.Sub(enginetest.Start) < day {
				when = "night"
			}
			pages[tr.Labels["slo"]] = append(pages[tr.Labels["slo"]], when)
		}
	}
	if got, want := fmt.Sprint(pages["plain"], pages["weighed"]), "[night day] [day]"; got != want {
		t.Errorf("pages came by %s, want %s", got, want)
	}
	for _, name := range w.NaNs(day) {
		t.Errorf("%s has been NaN", name)
	}
}
