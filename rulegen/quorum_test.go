package rulegen_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// Of three locations two must agree: one that fails alone is its own trouble,
// two make an outage, and while only one reports nobody knows.
func TestQuorumOfLocations(t *testing.T) {
	t.Parallel()
	bad := func(location string, m int) bool {
		switch {
		case m >= 10 && m < 20:
			return location == "ams"
		case m >= 30 && m < 42:
			return location != "lon"
		case m >= 60 && m < 70:
			return true
		}
		return false
	}
	reports := func(location string, m int) bool { return location == "ams" || m < 80 || m >= 95 }
	counts := map[string][2]float64{}
	target := func(at time.Time) []enginetest.Sample {
		var samples []enginetest.Sample
		for _, location := range []string{"ams", "fra", "lon"} {
			m := int(at.Sub(enginetest.Start) / time.Minute)
			if !reports(location, m) {
				continue
			}
			n := counts[location]
			if bad(location, m) {
				n[1]++
			} else {
				n[0]++
			}
			counts[location] = n
			for i, outcome := range []string{"good", "bad"} {
				samples = append(samples, enginetest.Sample{Value: n[i], Series: fmt.Sprintf(
					`upheld_probe_results_total{sla="shop",service="web",slo="up",target="x",location=%q,outcome=%q}`, location, outcome)})
			}
		}
		return samples
	}
	up, _ := probeLevels()
	up.Aggregation, up.Slots = sla.AllFailedMinute, sla.Slots{Width: time.Minute, Quorum: 2}
	over, _ := probeLevels()
	over.Aggregation, over.Slots = sla.BadMinute, sla.Slots{Width: time.Minute, Quorum: 2, ErrorThreshold: sla.MustDecimal("50")}
	for name, l := range map[string]*sla.ServiceLevel{"all failed": up, "over threshold": over} {
		clear(counts)
		w := enginetest.New(t, 15*time.Second, target)
		w.Load(generate(t, rulegen.Options{}, l))
		w.Run(2 * time.Hour)
		if got := w.Value(`sla:bad:sum_period{slo="up"}`) / 60; math.Abs(got-22) > 2.5 {
			t.Errorf("%s: %.1f bad minutes, want 12 and 10, give or take the edges", name, got)
		}
		if got := w.Value(`sla:total:sum_period{slo="up"}`) / 60; math.Abs(got-105) > 6 {
			t.Errorf("%s: %.1f known minutes, want about 105 of 120", name, got)
		}
		if nans := w.NaNs(2 * time.Hour); len(nans) > 0 {
			t.Errorf("NaN in %v", nans)
		}
	}
}
