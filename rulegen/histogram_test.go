package rulegen_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// rollout is four pods of equal traffic, 4 % of which is slower than 300 ms and a
// tenth of that failed. One after the other they restart with a bucket of 250 ms
// instead of that of 300 ms.
func rollout(at time.Time) []enginetest.Sample {
	var samples []enginetest.Sample
	for pod := range 4 {
		since, bound := enginetest.Start, "0.3"
		if restart := enginetest.Start.Add(time.Hour + time.Duration(10*pod)*time.Minute); !at.Before(restart) {
			since, bound = restart, "0.25"
		}
		n := 100 * at.Sub(since).Seconds()
		for code, all := range map[string]float64{"200": 0.9 * n, "500": 0.1 * n} {
			labels := fmt.Sprintf(`pod="%d",code=%q`, pod, code)
			samples = append(samples,
				enginetest.Sample{Series: `h_seconds_count{` + labels + `}`, Value: all},
				enginetest.Sample{Series: `h_seconds_bucket{` + labels + `,le="` + bound + `"}`, Value: 0.96 * all},
				enginetest.Sample{Series: `h_seconds_bucket{` + labels + `,le="1.0"}`, Value: 0.995 * all},
				enginetest.Sample{Series: `h_seconds_bucket{` + labels + `,le="+Inf"}`, Value: all})
		}
	}
	return samples
}

// While pods are given other bounds, one after the other, the level is of those
// that have the bucket: 4 % slow until the last of them is gone, and then unknown,
// which is told. What the others took would read as slow.
func TestWhileBoundsChangePodByPod(t *testing.T) {
	t.Parallel()
	latency := func(name, good string, threshold time.Duration) *sla.ServiceLevel {
		return level(name, "99", &sla.HistogramLatency{Histogram: sla.Query{Text: `h_seconds`}, Threshold: threshold, Good: sla.Query{Text: good}})
	}
	slots := latency("slots", "", 300*time.Millisecond)
	slots.Aggregation, slots.Slots = sla.MeanSlotErrorRate, sla.Slots{Width: sla.BaseWindow}
	grouped := latency("grouped", "", 300*time.Millisecond)
	grouped.GroupBy = sla.GroupBy{Labels: []string{"pod"}, Limit: 10}
	w := enginetest.New(t, 15*time.Second, rollout)
	w.Load(generate(t, rulegen.Options{}, latency("slow", "", 300*time.Millisecond), latency("bad", `h_seconds{code!="500"}`, 300*time.Millisecond),
		latency("all", "", time.Second), slots, grouped))
	share := func(slo string) string { return series("sla:error:ratio_rate5m", slo) }
	w.Foresee(90 * time.Minute)
	for minute := range 90 {
		w.Run(time.Minute)
		if minute < 10 {
			continue
		}
		near(t, fmt.Sprintf("slow after %d minutes", minute), w.Value(share("slow")), 0.04, 0.001)
		near(t, fmt.Sprintf("bad after %d minutes", minute), w.Value(share("bad")), 1-0.9*0.96, 0.001)
		near(t, fmt.Sprintf("slots after %d minutes", minute), w.Value(share("slots")), 0.04, 0.01)
		near(t, fmt.Sprintf("all after %d minutes", minute), w.Value(share("all")), 0.005, 0.001)
		for _, s := range w.Query(share("grouped")) {
			near(t, fmt.Sprintf("%s after %d minutes", s.Metric, minute), s.F, 0.04, 0.001)
		}
	}
	near(t, "requests of the last pod that has the bucket", w.Value(series("sla:total:rate5m", "slow")), 100, 0.01)
	w.Run(40 * time.Minute)
	for _, slo := range []string{"slow", "bad", "slots", "grouped"} {
		if v := w.Query(series("sla:total:rate5m", slo)); len(v) > 0 {
			t.Errorf("%s: no pod has the bucket, and the total is %v", slo, v)
		}
	}
	lost := map[string]bool{}
	for _, tr := range w.Transitions() {
		switch {
		case tr.Name == sla.AlertMeasurementLost.Name:
			lost[tr.Labels["slo"]] = true
		case tr.Labels["slo"] == "all":
			t.Errorf("%s fires for a bucket that all have", tr.Name)
		}
	}
	if !lost["slow"] || !lost["bad"] || !lost["slots"] || lost["all"] {
		t.Errorf("SLAMeasurementLost fired for %v", lost)
	}
}

// A threshold is the bucket of as much time, in whatever unit the histogram is:
// that of its name, or the one that the level names.
func TestUnitsOfHistograms(t *testing.T) {
	t.Parallel()
	type unit struct {
		name  string
		given sla.TimeUnit
		bound string // of 5 s
		scale float64
	}
	units := []unit{
		{"istio_request_duration_milliseconds", "", "5000", 1e3},
		{"envoy_cluster_upstream_rq_time", "", "5000.0", 1e3},
		{"response_latency_ms", "", "5000", 1e3},
		{"apiserver_latency_microseconds", "", "5e+06", 1e6},
		{"rpc_latency_us", "", "5000000.0", 1e6},
		{"gc_nanoseconds", "", "5e+09", 1e9},
		{"java_nanos", "", "5.0E9", 1e9},
		{"http_request_duration_seconds", "", "5.0", 1},
		{"request_seconds_histogram", "", "5", 1},
		{"batch_minutes", "", "0.08333333333333333", 1. / 60},
		{"kong_latency", "milliseconds", "5000", 1e3},
		{"odd_seconds", "milliseconds", "5000", 1e3},
	}
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		n := at.Sub(enginetest.Start).Seconds() * 10
		var samples []enginetest.Sample
		for _, u := range units {
			samples = append(samples,
				enginetest.Sample{Series: u.name + `_count`, Value: n},
				enginetest.Sample{Series: u.name + `_bucket{le="` + u.bound + `"}`, Value: 0.98 * n},
				enginetest.Sample{Series: u.name + `_bucket{le="` + map[bool]string{true: "5", false: "0.005"}[u.scale > 1] + `"}`, Value: 0.07 * n},
				enginetest.Sample{Series: `native_` + u.name, Histogram: slowAbove(n, 0.98*n, 5*u.scale)})
		}
		return samples
	})
	var levels []*sla.ServiceLevel
	for i, u := range units {
		q := func(prefix string) sla.Query { return sla.Query{Text: prefix + u.name} }
		levels = append(levels,
			level(fmt.Sprintf("classic-%d", i), "90", &sla.HistogramLatency{Histogram: q(""), Threshold: 5 * time.Second, Unit: u.given}),
			level(fmt.Sprintf("native-%d", i), "90", &sla.NativeLatency{Histogram: q("native_"), Threshold: 5 * time.Second, Unit: u.given}))
	}
	w.Load(generate(t, rulegen.Options{}, levels...))
	w.Run(20 * time.Minute)
	for i, u := range units {
		near(t, u.name, w.Value(series("sla:error:ratio_rate5m", fmt.Sprintf("classic-%d", i))), 0.02, 0.001)
		near(t, "native "+u.name, w.Value(series("sla:error:ratio_rate5m", fmt.Sprintf("native-%d", i))), 0.02, 0.01)
	}
}

// slowAbove is a native histogram of all requests, in whose buckets the fast ones
// are below a threshold and the others above.
func slowAbove(all, fast, threshold float64) *histogram.FloatHistogram {
	below := int32(math.Floor(math.Log2(threshold)))
	return &histogram.FloatHistogram{
		Schema: 0, Count: all, Sum: all,
		PositiveSpans:   []histogram.Span{{Offset: below, Length: 1}, {Offset: 1, Length: 1}},
		PositiveBuckets: []float64{fast, all - fast},
	}
}

// What the name of a histogram says of its unit, and what is found where it says
// none, or something that is no time.
func TestNamesOfHistograms(t *testing.T) {
	for name, want := range map[string]struct {
		bound   string // of 5 s
		finding string
	}{
		"http_seconds":                    {`le=~"5(\\.0)?"`, ""},
		"istio_request_milliseconds":      {`le=~"5000(\\.0)?"`, ""},
		"envoy_http_downstream_rq_time":   {`le=~"5000(\\.0)?"`, ""},
		"ms":                              {`le=~"5(\\.0)?"`, "warning"},
		"request_duration":                {`le=~"5(\\.0)?"`, "warning"},
		"requests_total":                  {`le=~"5(\\.0)?"`, "warning"},
		"response_size_bytes":             {"", "error"},
		"cache_hit_ratio":                 {"", "error"},
		"http_request_duration_seconds_v": {`le=~"5(\\.0)?"`, ""},
	} {
		for kind, indicator := range map[string]func(sla.TimeUnit) sla.Indicator{
			"classic": func(u sla.TimeUnit) sla.Indicator {
				return &sla.HistogramLatency{Histogram: sla.Query{Text: name}, Threshold: 5 * time.Second, Unit: u}
			},
			"native": func(u sla.TimeUnit) sla.Indicator {
				return &sla.NativeLatency{Histogram: sla.Query{Text: name}, Threshold: 5 * time.Second, Unit: u}
			},
		} {
			plan, findings := rulegen.Compile(&sla.Agreement{Name: "shop", Levels: []*sla.ServiceLevel{level("l", "99", indicator(""))}}, rulegen.Options{})
			got := ""
			for _, f := range findings {
				if f.Rule == "histogram-unit" {
					got += string(f.Severity)
				}
			}
			if got != want.finding || got == "error" && len(plan.Levels) > 0 {
				t.Errorf("%s %s: found %q, want %q", kind, name, got, want.finding)
			}
			if text := textOf(plan); kind == "classic" && want.bound != "" && !strings.Contains(text, want.bound) {
				t.Errorf("%s: no %s in\n%s", name, want.bound, text)
			}
			plan, findings = rulegen.Compile(&sla.Agreement{Name: "shop", Levels: []*sla.ServiceLevel{level("l", "99", indicator("microseconds"))}}, rulegen.Options{})
			if text := textOf(plan); len(findings) > 0 || kind == "classic" && !strings.Contains(text, `le=~"5000000|5000000\\.0|5e\\+06"`) {
				t.Errorf("%s %s in microseconds: %v\n%s", kind, name, findings, text)
			}
		}
	}
}

// textOf is the expressions of a plan.
func textOf(p *rulegen.Plan) string {
	var b strings.Builder
	for _, l := range p.Levels {
		for _, g := range l.Groups {
			for _, r := range g.Rules {
				b.WriteString(r.Record + " = " + r.Expr.String() + "\n")
			}
		}
	}
	return b.String()
}

// A component's histogram is counted as its own level counts it, and its doubts
// are told once.
func TestUnitOfAComponent(t *testing.T) {
	slow := level("slow", "99", &sla.HistogramLatency{Histogram: sla.Query{Text: "kong_latency"}, Threshold: 5 * time.Second})
	whole := level("whole", "99", compositeOf("whole", slow))
	_, findings := rulegen.Compile(&sla.Agreement{Name: "shop", Levels: []*sla.ServiceLevel{slow, whole}}, rulegen.Options{})
	if len(findings) != 1 || findings[0].Rule != "histogram-unit" {
		t.Errorf("found %v, want one doubt about the unit", findings)
	}
}
