package rulegen_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// compositeOf is all of some levels.
func compositeOf(name string, of ...*sla.ServiceLevel) *sla.Composite {
	root := &sla.Node{Op: sla.OpAll}
	for _, l := range of {
		root.Members = append(root.Members, &sla.Node{Op: sla.OpLevel, Of: l.ID, Level: l})
	}
	c := &sla.Composite{Root: root}
	c.Resolve(&sla.ServiceLevel{ID: sla.ID{SLA: "shop", Service: "api", SLO: name}})
	return c
}

// calls are those of a gRPC service with a code, as counters and as histograms of
// both kinds.
func calls(labels string, n float64) []enginetest.Sample {
	return []enginetest.Sample{
		{Series: `calls_total{` + labels + `}`, Value: n},
		{Series: `h_seconds_count{` + labels + `}`, Value: n},
		{Series: `h_seconds_bucket{` + labels + `,le="0.25"}`, Value: n},
		{Series: `h_seconds_bucket{` + labels + `,le="+Inf"}`, Value: n},
		{Series: `n_seconds{` + labels + `}`, Histogram: &histogram.FloatHistogram{
			Schema: 1, Count: n, Sum: n, PositiveSpans: []histogram.Span{{Offset: -5, Length: 1}}, PositiveBuckets: []float64{n},
		}},
	}
}

// sayGood are levels of every kind that say what is good, by their selectors.
func sayGood(name, good string) []*sla.ServiceLevel {
	of := func(metric string) sla.Query { return sla.Query{Text: metric + `{` + good + `}`} }
	all := func(metric string) sla.Query { return sla.Query{Text: metric} }
	levels := []*sla.ServiceLevel{
		level(name+"-events", "99", &sla.Events{Good: of("calls_total"), Total: all("calls_total")}),
		level(name+"-classic", "99", &sla.HistogramLatency{Histogram: all("h_seconds"), Threshold: 250 * time.Millisecond, Good: of("h_seconds")}),
		level(name+"-native", "99", &sla.NativeLatency{Histogram: all("n_seconds"), Threshold: 250 * time.Millisecond, Good: of("n_seconds")}),
	}
	for aggregation, slots := range map[sla.Aggregation]sla.Slots{
		sla.BadMinute:         {Width: time.Minute, ErrorThreshold: sla.MustDecimal("5")},
		sla.MeanSlotErrorRate: {Width: sla.BaseWindow},
	} {
		l := level(fmt.Sprintf("%s-%d", name, slots.Width), "99", levels[0].Indicator)
		l.Aggregation, l.Slots = aggregation, slots
		levels = append(levels, l)
	}
	return append(levels, level(name+"-composite", "99", compositeOf(name+"-composite", levels[0])))
}

// A selector of good events that selects nothing, as grpc_code="Ok" does where the
// service says "OK", leaves the level unknown, which is told, and burns no budget. One
// whose series have existed within a day reads everything as bad when there is
// none, as after a restart of a service that only fails. A day later, with none
// all the while, it is unknown.
func TestGoodEventsThatNeverExisted(t *testing.T) {
	t.Parallel()
	testsize.Skip(t, "a day without good events")
	const fails, forgotten = time.Hour, 25 * time.Hour
	restart := enginetest.Start.Add(fails)
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		n := 10 * at.Sub(enginetest.Start).Seconds()
		if at.Before(restart) {
			return append(calls(`grpc_code="OK"`, 0.95*n), calls(`grpc_code="Internal"`, 0.05*n)...)
		}
		return calls(`grpc_code="Internal"`, 10*at.Sub(restart).Seconds())
	})
	right, wrong := sayGood("right", `grpc_code="OK"`), sayGood("wrong", `grpc_code="Ok"`)
	w.Load(generate(t, rulegen.Options{}, append(append([]*sla.ServiceLevel{}, right...), wrong...)...))
	figures := func(after time.Duration, levels []*sla.ServiceLevel, want float64) {
		t.Helper()
		w.Run(after - w.Now().Sub(enginetest.Start))
		for _, l := range levels {
			switch v := w.Query(series("sla:error:ratio_rate5m", l.ID.SLO)); {
			case want < 0 && len(v) > 0:
				t.Errorf("%s after %s: %v, want unknown", l.ID.SLO, after, v)
			case want >= 0 && len(v) != 1:
				t.Errorf("%s after %s: %v, want %v", l.ID.SLO, after, v, want)
			case want >= 0 && l.Aggregation != sla.BadMinute && l.Indicator.Kind() != "composite":
				near(t, fmt.Sprintf("%s after %s", l.ID.SLO, after), v[0].F, want, 0.001)
			}
		}
	}
	const unknown = -1
	figures(fails-time.Minute, right, 0.05)
	figures(fails-time.Minute, wrong, unknown)
	figures(fails+20*time.Minute, right, 1)
	figures(fails+time.Hour, right, 1)
	w.Skip(forgotten - 40*time.Minute - w.Now().Sub(enginetest.Start)) // Prometheus is away overnight
	figures(forgotten-10*time.Minute, right, 1)
	figures(forgotten-10*time.Minute, wrong, unknown)
	figures(forgotten+20*time.Minute, right, unknown)
	paged, lost := map[string]bool{}, map[string]bool{}
	for _, tr := range w.Transitions() {
		paged[tr.Labels["slo"]] = paged[tr.Labels["slo"]] || tr.Name == sla.AlertBudgetBurn.Name && tr.Labels["severity"] == "page"
		lost[tr.Labels["slo"]] = lost[tr.Labels["slo"]] || tr.Name == sla.AlertMeasurementLost.Name
	}
	for _, l := range right {
		if !paged[l.ID.SLO] {
			t.Errorf("%s: no page while everything fails", l.ID.SLO)
		}
	}
	for _, l := range wrong {
		if paged[l.ID.SLO] {
			t.Errorf("%s: a page for a burning budget, and nothing is known", l.ID.SLO)
		}
		if !lost[l.ID.SLO] {
			t.Errorf("%s: nobody was told that nothing is measured", l.ID.SLO)
		}
	}
	if nans := w.NaNs(forgotten); len(nans) > 0 {
		t.Errorf("NaN in %v", nans)
	}
}

// A group that never had good events is unknown, and takes no room of those that
// have; without traffic what is good is known to be nothing.
func TestGroupsWithoutGoodEvents(t *testing.T) {
	t.Parallel()
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		n := 10 * at.Sub(enginetest.Start).Seconds()
		samples := append(calls(`grpc_code="OK",tenant="acme"`, 0.9*n), calls(`grpc_code="Internal",tenant="acme"`, 0.1*n)...)
		for i := range 3 {
			samples = append(samples, calls(fmt.Sprintf(`grpc_code="Internal",tenant="aaa%d"`, i), n)...)
		}
		return append(samples, calls(`grpc_code="OK",tenant="idle"`, 1)...)
	})
	var levels []*sla.ServiceLevel
	for _, l := range sayGood("g", `grpc_code="OK"`)[:3] {
		l.GroupBy = sla.GroupBy{Labels: []string{"tenant"}, Limit: 2}
		levels = append(levels, l)
	}
	w.Load(generate(t, rulegen.Options{}, levels...))
	w.Run(time.Hour)
	for _, l := range levels {
		name := l.ID.SLO
		near(t, name+" of acme", w.Value(fmt.Sprintf(`sla:error:ratio_rate5m{slo=%q,tenant="acme"}`, name)), 0.1, 0.001)
		near(t, name+" of idle", w.Value(fmt.Sprintf(`sla:bad:rate5m{slo=%q,tenant="idle"}`, name)), 0, 0)
		if v := w.Query(fmt.Sprintf(`{__name__=~"sla:.+",slo=%q,tenant=~"aaa.*"}`, name)); len(v) > 0 {
			t.Errorf("%s records groups that never had a good event: %v", name, v)
		}
	}
}

// Conditions on a bucket's bound match it as the server writes it: le="5000" where
// that stores "5000.0", of events as of latencies and of conditions.
func TestBoundsInQueries(t *testing.T) {
	t.Parallel()
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		n := 10 * at.Sub(enginetest.Start).Seconds()
		return []enginetest.Sample{
			{Series: `rq_time_count`, Value: n},
			{Series: `rq_time_bucket{le="5000.0"}`, Value: 0.97 * n},
			{Series: `rq_time_bucket{le="+Inf"}`, Value: n},
		}
	})
	w.Load(generate(t, rulegen.Options{},
		level("events", "99", events("", `rq_time_bucket{le="5000"}`, `rq_time_count`)),
		level("state", "99", &sla.Condition{Expr: sla.Query{Text: `rate(rq_time_bucket{le="5000"}[5m]) > 9`}}),
		level("ratio", "99", &sla.Ratio{Bad: sla.Query{Text: `1 - rate(rq_time_bucket{le="5000"}[5m]) / on () rate(rq_time_count[5m])`}})))
	w.Run(30 * time.Minute)
	for slo, want := range map[string]float64{"events": 0.03, "state": 0, "ratio": 0.03} {
		near(t, slo, w.Value(series("sla:error:ratio_rate5m", slo)), want, 0.001)
	}
}
