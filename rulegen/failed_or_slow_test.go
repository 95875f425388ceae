package rulegen_test

import (
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// Of 100 requests 10 fail, 3 of them slowly, and 5 that succeed are slow: 15 are
// bad, since a request that failed slowly is one. When, after a restart, nothing
// succeeds and there is no series of successes, everything is bad; a threshold
// without a bucket stays unknown.
func TestFailedOrSlow(t *testing.T) {
	t.Parallel()
	restart := enginetest.Start.Add(time.Hour)
	bucketed := func(code string, all, slow float64) []enginetest.Sample {
		return []enginetest.Sample{
			{Series: `h_seconds_count{code="` + code + `"}`, Value: all},
			{Series: `h_seconds_bucket{code="` + code + `",le="0.25"}`, Value: all - slow},
			{Series: `h_seconds_bucket{code="` + code + `",le="+Inf"}`, Value: all},
			{Series: `n_seconds{code="` + code + `"}`, Histogram: &histogram.FloatHistogram{
				Schema: 1, Count: all, Sum: all, PositiveSpans: []histogram.Span{{Offset: -5, Length: 1}, {Offset: 3, Length: 1}},
				PositiveBuckets: []float64{all - slow, slow},
			}},
		}
	}
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		n := at.Sub(enginetest.Start).Seconds()
		if at.Before(restart) {
			return append(bucketed("200", 90*n, 5*n), bucketed("500", 10*n, 3*n)...)
		}
		return bucketed("500", 100*at.Sub(restart).Seconds(), 30*at.Sub(restart).Seconds())
	})
	good := func(name string) sla.Query { return sla.Query{Text: name + `{code!~"5.."}`} }
	classic := &sla.HistogramLatency{Histogram: sla.Query{Text: "h_seconds"}, Threshold: 250 * time.Millisecond, Good: good("h_seconds")}
	native := &sla.NativeLatency{Histogram: sla.Query{Text: "n_seconds"}, Threshold: 250 * time.Millisecond, Good: good("n_seconds")}
	slots := level("slots", "99", classic)
	slots.Aggregation, slots.Slots = sla.MeanSlotErrorRate, sla.Slots{Width: sla.BaseWindow}
	w.Load(generate(t, rulegen.Options{}, level("classic", "99", classic), level("native", "99", native), slots,
		level("none", "99", &sla.HistogramLatency{Histogram: sla.Query{Text: "h_seconds"}, Threshold: time.Second, Good: good("h_seconds")})))
	check := func(want float64) {
		t.Helper()
		for _, slo := range []string{"classic", "native", "slots"} {
			near(t, slo, w.Value(series("sla:error:ratio_rate5m", slo)), want, 0.001)
		}
		if v := w.Query(series("sla:error:ratio_rate5m", "none")); len(v) != 0 {
			t.Errorf("a threshold without a bucket reads %v", v)
		}
	}
	w.Run(50 * time.Minute)
	check(0.15)
	w.Run(40 * time.Minute)
	check(1)
	if nans := w.NaNs(90 * time.Minute); len(nans) > 0 {
		t.Errorf("NaN in %v", nans)
	}
}
