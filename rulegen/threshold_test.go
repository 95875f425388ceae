package rulegen_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// A threshold is raised, and the exporters learn it one after the other, while
// their results go on: what was counted before is not slow, nor what another
// exporter counts that does not know it yet. Of what is known a tenth is slow.
func TestWhileExportersLearnAThreshold(t *testing.T) {
	t.Parallel()
	learnt := map[string]time.Duration{"ams": time.Hour, "fra": 80 * time.Minute}
	probe := &sla.Probe{Check: &sla.HTTPCheck{URL: "http://shop.example/"}, Interval: 10 * time.Second, Timeout: 5 * time.Second}
	fast := func(name string, a sla.Aggregation, slots sla.Slots) *sla.ServiceLevel {
		l := level(name, "99", &sla.ProbeLatency{Of: sla.ID{SLA: "shop", Service: "web", SLO: "up"}, Probe: probe, Threshold: 500 * time.Millisecond})
		l.Aggregation, l.Slots = a, slots
		return l
	}
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		var samples []enginetest.Sample
		for location, from := range learnt {
			labels := fmt.Sprintf(`sla="shop",service="web",slo="up",target="x",location=%q`, location)
			since := at.Sub(enginetest.Start)
			n := since.Seconds() / 10
			samples = append(samples,
				enginetest.Sample{Series: `upheld_probe_results_total{outcome="good",` + labels + `}`, Value: n},
				enginetest.Sample{Series: `upheld_probe_results_total{outcome="bad",` + labels + `}`, Value: 0})
			if since < from {
				samples = append(samples, enginetest.Sample{Series: `upheld_probe_within_threshold_total{threshold="0.3",` + labels + `}`, Value: 0.8 * n})
				continue
			}
			n = (since - from).Seconds() / 10
			samples = append(samples,
				enginetest.Sample{Series: `upheld_probe_within_threshold_total{threshold="0.5",` + labels + `}`, Value: 0.9 * n},
				enginetest.Sample{Series: `upheld_probe_threshold_unknown_total{threshold="0.5",` + labels + `}`, Value: 0})
		}
		return samples
	})
	levels := []*sla.ServiceLevel{
		fast("time", sla.Time, sla.Slots{}), fast("probes", sla.RequestRatio, sla.Slots{}),
		fast("minutes", sla.BadMinute, sla.Slots{Width: time.Minute, ErrorThreshold: sla.MustDecimal("30")}),
		fast("quorum", sla.BadMinute, sla.Slots{Width: time.Minute, ErrorThreshold: sla.MustDecimal("30"), Quorum: 1}),
	}
	w.Load(generate(t, rulegen.Options{}, levels...))
	w.Foresee(110 * time.Minute)
	for minute := range 110 {
		w.Run(time.Minute)
		for _, l := range levels {
			want := 0.1
			if l.Aggregation == sla.BadMinute {
				want = 0
			}
			for _, s := range w.Query(series("sla:error:ratio_rate5m", l.ID.SLO)) {
				near(t, fmt.Sprintf("%s after %d minutes", l.ID.SLO, minute+1), s.F, want, 0.001)
			}
		}
	}
	near(t, "seconds of both", w.Value(series("sla:total:rate5m", "time")), 1, 0.001)
	near(t, "probes of both", w.Value(series("sla:total:rate5m", "probes")), 0.2, 0.001)
}
