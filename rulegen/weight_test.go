package rulegen_test

import (
	"math"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// An outage of forty minutes: for ten of them a quarter of the customers is
// affected, for ten nobody says how many, for ten that is no number, and for ten
// it is said to be twice as many as there are. So it counts 2.5 and three times
// ten minutes, by every method that can be weighed; before and after it the
// weight of good minutes changes nothing.
func TestMinutesWeighedByTheShareAffected(t *testing.T) {
	t.Parallel()
	var good, bad float64
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		m := at.Sub(enginetest.Start).Minutes()
		down := m >= 60 && m < 100
		if down {
			bad += 100
		} else {
			good += 100
		}
		age := 1.
		if down {
			age = 100
		}
		samples := []enginetest.Sample{
			{Series: `requests_total{code="200"}`, Value: good},
			{Series: `requests_total{code="500"}`, Value: bad},
			{Series: `queue_age_seconds`, Value: age},
			{Series: `customers`, Value: 400},
		}
		switch {
		case m < 70:
			samples = append(samples, enginetest.Sample{Series: `customers_affected`, Value: 100})
		case m >= 80 && m < 90:
			samples = append(samples, enginetest.Sample{Series: `customers_affected`, Value: math.NaN()})
		case m >= 90:
			samples = append(samples, enginetest.Sample{Series: `customers_affected`, Value: 800})
		}
		return samples
	})
	weight := sla.Query{Text: `customers_affected / customers`}
	minutes := level("bad-minute", "99", events(`requests_total{code="500"}`, "", `requests_total`))
	minutes.Aggregation, minutes.Slots = sla.BadMinute, sla.Slots{Width: time.Minute, ErrorThreshold: sla.MustDecimal("5"), Weight: weight}
	failed := level("all-failed", "99", minutes.Indicator)
	failed.Aggregation, failed.Slots = sla.AllFailedMinute, sla.Slots{Width: time.Minute, Weight: weight}
	state := level("state", "99", &sla.Condition{Expr: sla.Query{Text: `queue_age_seconds < 60`}})
	state.Slots = sla.Slots{Weight: weight}
	w.Load(generate(t, rulegen.Options{}, minutes, failed, state))
	w.Run(2 * time.Hour)
	for slo, edges := range map[string]float64{"bad-minute": 1.5, "all-failed": 1.5, "state": 1} {
		if got := w.Value(series("sla:bad:sum_period", slo)) / 60; math.Abs(got-32.5) > edges {
			t.Errorf("%s: %.2f bad minutes, want 32.5, give or take %v at the edges", slo, got, edges)
		}
		if known := w.Value(series("sla:total:sum_period", slo)) / 60; known < 110 || known > 120 {
			t.Errorf("%s: %.1f of 120 minutes are known", slo, known)
		}
	}
	if nans := w.NaNs(2 * time.Hour); len(nans) > 0 {
		t.Errorf("NaN in %v", nans)
	}
}
