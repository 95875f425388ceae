package rulegen_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// One probe is promised in prime time, outside of it and around the clock. An
// outage from half an hour before prime time ends to half an hour after is half
// an hour of each, an hour in all; and it is probed once.
func TestOneProbeIsPromisedSeveralTimes(t *testing.T) {
	t.Parallel()
	agreements, findings := spec.LoadText("spec.yaml", `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  calendars:
    prime: {weekly: [{days: [Thu], from: "08:00", to: "12:00"}]}
    non-prime: {complementOf: prime}
  serviceLevels:
    - {name: prime, service: page, serviceHours: prime, target: "99", indicator: {probe: {http: "https://shop.example/health", interval: 5s}}}
    - {name: non-prime, service: page, serviceHours: non-prime, target: "95", indicator: {probe: page/prime}}
    - {name: always, service: page, target: "98", indicator: {probe: page/prime}}
    - {name: fast, service: page, target: "95", indicator: {latency: {probe: page/prime, threshold: 300ms}}}
`)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	targets := sla.ProbeTargets(agreements)
	if len(targets) != 1 || targets[0].ID.SLO != "prime" {
		t.Fatalf("the exporter would probe %v", targets)
	}
	noon := enginetest.Start.Truncate(24 * time.Hour).Add(12 * time.Hour)
	good, bad := 0., 0.
	begin := noon.Add(-time.Hour)
	w := enginetest.NewAt(t, begin, 15*time.Second, func(at time.Time) []enginetest.Sample {
		if d := at.Sub(noon); d > -30*time.Minute && d <= 30*time.Minute {
			bad += 3
		} else {
			good += 3
		}
		const labels = `sla="shop",service="page",slo="prime",target="https://shop.example/health",location="here"`
		return []enginetest.Sample{
			{Series: fmt.Sprintf(`upheld_probe_results_total{outcome="good",%s}`, labels), Value: good},
			{Series: fmt.Sprintf(`upheld_probe_results_total{outcome="bad",%s}`, labels), Value: bad},
			{Series: fmt.Sprintf(`upheld_probe_within_threshold_total{threshold="0.3",%s}`, labels), Value: good},
		}
	})
	w.Load(generate(t, generated2026, agreements[0].Levels...))
	w.Run(noon.Add(time.Hour).Sub(begin))
	for slo, want := range map[string]float64{"prime": 30, "non-prime": 30, "always": 60} {
		got := w.Value(fmt.Sprintf(`sla:bad:sum_period{sla="shop",service="page",slo=%q}`, slo)) / 60
		if math.Abs(got-want) > 1 {
			t.Errorf("%s has %.2f bad minutes, want %v", slo, got, want)
		}
	}
	for _, slo := range []string{"prime", "non-prime"} {
		if w.Value(fmt.Sprintf(`sla:alerting:mask{slo=%q}`, slo)) == 1 != (slo == "non-prime") {
			t.Errorf("at one in the afternoon alerts of %s may fire, or not", slo)
		}
	}
}
