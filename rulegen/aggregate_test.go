package rulegen_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// slotMinute is two hours of traffic by the minute, with what each aggregation
// makes different: a short burst of errors, a long one, one below the
// threshold, a minute in which everything fails, quiet minutes with one error,
// and twenty minutes of silence.
func slotMinute(m int) (good, bad float64) {
	switch {
	case m == 20 || m == 21: // a run of two, 50 %
		return 300, 300
	case m >= 30 && m < 40: // a run of ten, 10 %
		return 540, 60
	case m >= 50 && m < 60: // below a threshold of 5 %
		return 582, 18
	case m == 65: // everything fails
		return 0, 600
	case m >= 73 && m < 78: // a quiet slot: 6 requests a minute, half of them bad
		return 3, 3
	case m >= 80 && m < 100:
		return 0, 0
	}
	return 600, 0
}

func minuteTraffic() *traffic {
	return simulate(2*time.Hour, func(s int) (float64, float64) {
		g, b := slotMinute(s / 60)
		return g / 60, b / 60
	})
}

// aggregated is a level of the traffic with an aggregation over slots.
func aggregated(name string, a sla.Aggregation, slots sla.Slots) *sla.ServiceLevel {
	l := level(name, "90", events(`requests_total{code="500"}`, "", `requests_total`))
	l.Aggregation, l.Slots = a, slots
	l.Alerting = sla.Alerting{Disabled: true}
	return l
}

// Every aggregation over slots is what its definition makes of the counted
// minutes. A minute-wide rate at fifteen-second scrapes smears an edge of a
// burst over two minutes, so each edge may cost or win one.
func TestAggregationsOverSlots(t *testing.T) {
	t.Parallel()
	tr := minuteTraffic()
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		g, b := tr.at(at)
		return []enginetest.Sample{{Series: `requests_total{code="200"}`, Value: g}, {Series: `requests_total{code="500"}`, Value: b}}
	})
	five, minute := sla.MustDecimal("5"), time.Minute
	w.Load(generate(t, rulegen.Options{},
		aggregated("bad-minute", sla.BadMinute, sla.Slots{Width: minute, ErrorThreshold: five}),
		aggregated("busy", sla.BadMinute, sla.Slots{Width: minute, ErrorThreshold: five, MinRequests: 60}),
		aggregated("run", sla.QualifiedRun, sla.Slots{Width: minute, ErrorThreshold: five, MinRun: 5 * minute, MinRequests: 60}),
		aggregated("all-failed", sla.AllFailedMinute, sla.Slots{Width: minute}),
		aggregated("mean", sla.MeanSlotErrorRate, sla.Slots{Width: 5 * minute}),
		aggregated("mean-hour", sla.MeanSlotErrorRate, sla.Slots{Width: time.Hour}),
		aggregated("known", sla.MeanSlotErrorRate, sla.Slots{Width: 5 * minute, EmptyUnknown: true}),
	))
	w.Run(2 * time.Hour)

	// Independent arithmetic on the minutes, whose edges the tolerance allows for.
	var overThreshold, busy, runs, meanOfFive float64
	run := 0.
	for m := range 120 {
		g, b := slotMinute(m)
		bad := g+b > 0 && b/(g+b) > 0.05
		if bad {
			overThreshold++
		}
		if bad && g+b >= 60 {
			busy++
			if run++; run == 5 {
				runs += 5
			} else if run > 5 {
				runs++
			}
		} else {
			run = 0
		}
	}
	for m := 3; m < 118; m += 5 { // the world begins at 10:07, slots at 10:10
		g, b := 0., 0.
		for i := range 5 {
			mg, mb := slotMinute(m + i)
			g, b = g+mg, b+mb
		}
		if g+b > 0 {
			meanOfFive += b / (g + b) * 5
		}
	}
	badMinutes := func(slo string) float64 { return w.Value(series("sla:bad:sum_period", slo)) / 60 }
	within := func(slo string, want, tolerance float64) {
		t.Helper()
		if got := badMinutes(slo); got < want-tolerance || got > want+tolerance {
			t.Errorf("%s: %.2f bad minutes, want %.2f ± %.2f", slo, got, want, tolerance)
		}
	}
	within("bad-minute", overThreshold, 4) // four bursts
	within("busy", busy, 3)
	within("run", runs, 1) // the one long burst
	within("all-failed", 1, 1)
	within("mean", meanOfFive, 0.4)
	if known := w.Value(series("sla:total:sum_period", "known")) / 60; known < 95 || known > 106 {
		t.Errorf("known: %.1f of 120 minutes, want about 100 (and the window's edges)", known)
	}
	for _, slo := range []string{"bad-minute", "busy", "run", "all-failed", "mean"} {
		if total := w.Value(series("sla:total:sum_period", slo)) / 60; total < 110 || total > 120.5 {
			t.Errorf("%s: %.1f minutes are known, want nearly 120", slo, total)
		}
	}
	if nans := w.NaNs(2 * time.Hour); len(nans) > 0 {
		t.Errorf("NaN in %v", nans)
	}
}

// A slot is bad if its 95th percentile is above the threshold, whatever the mean.
func TestSlotQuantile(t *testing.T) {
	t.Parallel()
	slowShare := func(at time.Time) float64 { // 20 % slow in the second half hour
		if d := at.Sub(enginetest.Start); d >= 30*time.Minute && d < time.Hour {
			return 0.2
		}
		return 0.01
	}
	var count, fast float64
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		count += 150
		fast += 150 * (1 - slowShare(at))
		return []enginetest.Sample{
			{Series: `h_seconds_count`, Value: count},
			{Series: `h_seconds_bucket{le="0.3"}`, Value: fast},
			{Series: `h_seconds_bucket{le="1"}`, Value: count},
			{Series: `h_seconds_bucket{le="+Inf"}`, Value: count},
		}
	})
	l := level("p95", "99", &sla.HistogramLatency{Histogram: sla.Query{Text: "h_seconds"}, Threshold: 300 * time.Millisecond})
	l.Aggregation, l.Slots = sla.SlotQuantile, sla.Slots{Width: sla.BaseWindow, Quantile: sla.MustDecimal("0.95")}
	w.Load(generate(t, rulegen.Options{}, l))
	w.Run(90 * time.Minute)
	// Bad from when 5 % of the last five minutes are slow until they no longer are.
	if bad := w.Value(series("sla:bad:sum_period", "p95")) / 60; bad < 29 || bad > 35 {
		t.Errorf("%.1f bad minutes, want about 30, and up to five for the slot's width", bad)
	}
	near(t, "bad share", w.Value(series("sla:error:ratio_rate5m", "p95")), 0, 0)
}

// A histogram without a bucket for the threshold is unknown, whatever the
// aggregation; and one whose highest bucket is the threshold can be too slow.
func TestThresholdsAtTheEndOfTheBuckets(t *testing.T) {
	t.Parallel()
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		n := at.Sub(enginetest.Start).Seconds() * 10
		return []enginetest.Sample{
			{Series: `h_seconds_count`, Value: n},
			{Series: `h_seconds_bucket{le="0.3"}`, Value: 0.9 * n},
			{Series: `h_seconds_bucket{le="+Inf"}`, Value: n},
		}
	})
	var levels []*sla.ServiceLevel
	for _, a := range (&sla.HistogramLatency{}).Aggregations() {
		for name, threshold := range map[string]time.Duration{"highest": 300 * time.Millisecond, "none": 400 * time.Millisecond} {
			l := level(name+"-"+strings.ReplaceAll(string(a), "_", "-"), "99", &sla.HistogramLatency{Histogram: sla.Query{Text: "h_seconds"}, Threshold: threshold})
			l.Aggregation, l.Slots = a, matrixSlots[a][0]
			levels = append(levels, l)
		}
	}
	w.Load(generate(t, rulegen.Options{}, levels...))
	w.Run(30 * time.Minute)
	for _, l := range levels {
		got := w.Query(series("sla:error:ratio_rate5m", l.ID.SLO))
		if strings.HasPrefix(l.ID.SLO, "none") {
			if len(got) != 0 {
				t.Errorf("%s: %v, want nothing", l.ID.SLO, got)
			}
			continue
		}
		want := 1.
		if l.Aggregation == sla.RequestRatio || l.Aggregation == sla.MeanSlotErrorRate {
			want = 0.1
		}
		if len(got) != 1 || math.Abs(got[0].F-want) > 0.001 {
			t.Errorf("%s: %v, want %v", l.ID.SLO, got, want)
		}
	}
}
