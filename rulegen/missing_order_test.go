package rulegen_test

import (
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/sla/spec"
)

// A server that was away scrapes one target after the other. Until it has scraped the one
// that measures a level, nothing is missing, although another target of the job is there.
func TestTargetThatIsScrapedLaterIsNotMissing(t *testing.T) {
	t.Parallel()
	agreements, findings := spec.LoadText("spec.yaml", `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  period: 1d
  serviceLevels:
    - {name: open, target: "85", missingData: bad, indicator: {condition: {expr: open_now == 1}}}
`)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	later := time.Time{} // when the second target is scraped again
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		samples := []enginetest.Sample{{Series: `up{job="shop",instance="first"}`, Value: 1}}
		if at.Before(later) {
			return samples
		}
		return append(samples,
			enginetest.Sample{Series: `up{job="shop",instance="second"}`, Value: 1},
			enginetest.Sample{Series: `open_now{job="shop",instance="second"}`, Value: 1})
	})
	w.Load(generate(t, generated2026, agreements[0].Levels...))
	w.Run(30 * time.Minute)
	before := w.Value(`sla:missing:sum_period`)
	later = w.Now().Add(12*time.Minute + 100*time.Second)
	w.Restart(12 * time.Minute)
	w.Run(20 * time.Minute)
	if missing := w.Value(`sla:missing:sum_period`) - before; missing != 0 {
		t.Errorf("%g s are missing after the restart, want none", missing)
	}
}
