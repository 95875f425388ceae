package rules

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/metricnames"
)

// outage is a total outage of a service with a rate of requests, in minutes since the
// beginning, and the time in which Prometheus is away.
type outage struct {
	from, to, rate float64
	away           [2]float64
}

const outageLevels = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: outage}
spec:
  alerting: {enabled: false}
  period: 1d
  serviceLevels:
    - {name: events, service: shop, target: "99", indicator: {events: {bad: 'requests_total{code="500"}', total: requests_total}}}
    - {name: latency, service: shop, target: "99", indicator: {latency: {histogram: seconds, threshold: 300ms}}}
    - {name: probes, service: shop, target: "99", indicator: {probe: {http: "https://shop.example", interval: 15s}}}
`

// until is how many minutes are simulated, and in how many of them there is traffic.
const (
	until      = 180
	withEvents = 150
)

// at is how much was good and bad until a time, at a rate of events a second.
func (o outage) at(t time.Time, rate float64) (good, bad float64) {
	seconds := 60 * min(t.Sub(enginetest.Start).Minutes(), withEvents)
	bad = min(max(0, seconds-60*o.from), 60*(o.to-o.from))
	return math.Floor(rate * (seconds - bad)), math.Floor(rate * bad)
}

// target exposes the service and an exporter that probes it. The counter of errors
// appears with the first error.
func (o outage) target(t time.Time) []enginetest.Sample {
	const of = `job="shop",instance="a"`
	good, bad := o.at(t, o.rate)
	samples := []enginetest.Sample{
		{Series: `up{` + of + `}`, Value: 1},
		{Series: `requests_total{` + of + `,code="200"}`, Value: good},
		{Series: `seconds_bucket{` + of + `,le="0.3"}`, Value: good},
		{Series: `seconds_count{` + of + `}`, Value: good + bad},
	}
	if bad > 0 {
		samples = append(samples, enginetest.Sample{Series: `requests_total{` + of + `,code="500"}`, Value: bad})
	}
	good, bad = o.at(t, 1/probeInterval.Seconds())
	for outcome, n := range map[string]float64{metricnames.Good: good, metricnames.Bad: bad} {
		samples = append(samples, enginetest.Sample{Value: n, Series: fmt.Sprintf(
			`upheld_probe_results_total{sla="outage",service="shop",slo="probes",job="exporter",instance="e",outcome=%q}`, outcome)})
	}
	return samples
}

// BenchmarkOutage reports what rules count in outages that a server hardly sees, or
// that are a counter's first: bad events, or bad seconds of probes, and the error in
// per cent.
func BenchmarkOutage(b *testing.B) {
	for _, row := range []struct {
		name   string
		of     outage
		scrape []time.Duration
	}{
		{"15 min, Prometheus away for 12", outage{61, 76, 10, [2]float64{62.5, 74.5}}, []time.Duration{15 * time.Second}},
		{"5 min, Prometheus away from the second on for 10", outage{61, 66, 100, [2]float64{63, 73}}, []time.Duration{15 * time.Second}},
		{"1 min, the first of a counter", outage{61, 62, 100, [2]float64{}}, []time.Duration{15 * time.Second, time.Minute}},
	} {
		for _, scrape := range row.scrape {
			for _, level := range []string{"events", "latency", "probes"} {
				b.Run(fmt.Sprintf("%s/%s scraped every %s", row.name, level, scrape), func(b *testing.B) {
					for b.Loop() {
						row.of.count(b, level, scrape)
					}
				})
			}
		}
	}
}

func (o outage) count(b *testing.B, level string, scrape time.Duration) {
	w := enginetest.New(b, scrape, o.target)
	w.Load(upheldRules(b, outageLevels))
	minutes := func(m float64) time.Duration { return time.Duration(m * float64(time.Minute)) }
	if slices.Max(o.away[:]) > 0 {
		w.Run(minutes(o.away[0]))
		w.Restart(minutes(o.away[1] - o.away[0]))
	}
	w.Run(minutes(until) - w.Now().Sub(enginetest.Start))
	rate := o.rate
	if level == "probes" {
		rate = 1 // each probe stands for its interval
	}
	happened := rate * 60 * (o.to - o.from)
	got := w.Query(`sla:bad:sum_period{slo="` + level + `"}`)
	if len(got) != 1 {
		b.Fatalf("%s: %d sums are recorded", level, len(got))
	}
	b.ReportMetric(happened, "happened")
	b.ReportMetric(got[0].F, "counted")
	b.ReportMetric(100*(got[0].F/happened-1), "%error")
}
