package rulegen_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

const probeLabels = `sla="shop",service="web",slo="up",target="http://shop.example/",location="here"`

// probes are the counters of an exporter whose probe runs every interval, is
// bad, slow or inconclusive where the functions say so, and within 500 ms else.
func probes(interval time.Duration, outcome func(n int) (name string, within bool)) enginetest.Target {
	counts := map[string]float64{"good": 0, "bad": 0, "inconclusive": 0}
	within, done := 0., 0
	return func(at time.Time) []enginetest.Sample {
		for ; time.Duration(done)*interval <= at.Sub(enginetest.Start); done++ {
			name, fast := outcome(done)
			counts[name]++
			if fast {
				within++
			}
		}
		samples := []enginetest.Sample{{Series: `upheld_probe_within_threshold_total{threshold="0.5",` + probeLabels + `}`, Value: within}}
		for name, n := range counts {
			samples = append(samples, enginetest.Sample{Series: `upheld_probe_results_total{outcome="` + name + `",` + probeLabels + `}`, Value: n})
		}
		return samples
	}
}

func probeLevels() (up, fast *sla.ServiceLevel) {
	probe := &sla.Probe{Check: &sla.HTTPCheck{URL: "http://shop.example/"}, Interval: 10 * time.Second, Timeout: 5 * time.Second}
	up = level("up", "99", probe)
	up.ID.Service = "web"
	fast = level("fast", "99", &sla.ProbeLatency{Of: up.ID, Probe: probe, Threshold: 500 * time.Millisecond})
	fast.ID.Service = "web"
	return up, fast
}

// Of every 20 probes 5 are inconclusive and count neither way; of the other 15
// one is bad and one more is slow. A failed probe is not fast. (Windows are no
// multiple of the pattern's 200 s, hence the tolerance.)
func TestProbesCountConclusiveResultsOnly(t *testing.T) {
	t.Parallel()
	up, fast := probeLevels()
	w := enginetest.New(t, 15*time.Second, probes(10*time.Second, func(n int) (string, bool) {
		switch i := n % 20; {
		case i < 5:
			return "inconclusive", false
		case i == 10:
			return "bad", false
		case i == 15:
			return "good", false
		}
		return "good", true
	}))
	w.Load(generate(t, rulegen.Options{}, up, fast))
	w.Run(3 * time.Hour)
	web := func(name, slo string) string { return name + `{sla="shop",service="web",slo="` + slo + `"}` }
	for _, s := range []string{"sla:error:ratio_rate1h", "sla:error:ratio_period"} {
		near(t, s+" of up", w.Value(web(s, "up")), 1./15, 0.05)
		near(t, s+" of fast", w.Value(web(s, "fast")), 2./15, 0.05)
	}
	// By time, the series are known and bad seconds: three quarters are known,
	// and the budget of the period is spent by the bad seconds alone.
	known, bad := w.Value(web("sla:total:sum_period", "up")), w.Value(web("sla:bad:sum_period", "up"))
	near(t, "known seconds of the period", known, 0.75*3*3600, 0.04)
	near(t, "coverage", w.Value(web("sla:coverage:ratio_period", "up")), known/(720*3600), 1e-9)
	near(t, "budget remaining", w.Value(web("sla:budget_remaining:ratio_period", "up")), 1-bad/(0.01*720*3600), 1e-9)
}

// Of every 20 good probes 5 cannot be timed, and 3 of the others are slow: the
// level of response times is of the 15 that are known, that of availability of
// all.
func TestUntimedProbesAreNeitherFastNorSlow(t *testing.T) {
	t.Parallel()
	up, fast := probeLevels()
	known := probes(10*time.Second, func(n int) (string, bool) { return "good", n%20 >= 8 })
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		done := at.Sub(enginetest.Start) / (10 * time.Second)
		return append(known(at), enginetest.Sample{
			Series: `upheld_probe_threshold_unknown_total{threshold="0.5",` + probeLabels + `}`,
			Value:  float64(done/20*5 + min(done%20+1, 5)),
		})
	})
	w.Load(generate(t, rulegen.Options{}, up, fast))
	w.Run(3 * time.Hour)
	near(t, "bad share of up", w.Value(`sla:error:ratio_rate1h{slo="up"}`), 0, 1e-9)
	near(t, "bad share of fast", w.Value(`sla:error:ratio_rate1h{slo="fast"}`), 3./15, 0.05)
	near(t, "known seconds of up", w.Value(`sla:total:sum_period{slo="up"}`), 3*3600, 0.04)
	near(t, "known seconds of fast", w.Value(`sla:total:sum_period{slo="fast"}`), 0.75*3*3600, 0.04)
}

// A second exporter that sees the same does not double the seconds.
func TestExportersAreAveraged(t *testing.T) {
	t.Parallel()
	up, fast := probeLevels()
	one := probes(10*time.Second, func(n int) (string, bool) {
		if n%10 == 0 {
			return "bad", false
		}
		return "good", n%10 != 1
	})
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		samples := one(at)
		for _, s := range samples {
			s.Series = strings.Replace(s.Series, `location="here"`, `location="there"`, 1)
			samples = append(samples, s)
		}
		return samples
	})
	w.Load(generate(t, rulegen.Options{}, up, fast))
	w.Run(2 * time.Hour)
	near(t, "known seconds", w.Value(`sla:total:sum_period{slo="up"}`), 2*3600, 0.07)
	near(t, "bad share of up", w.Value(`sla:error:ratio_rate1h{slo="up"}`), 0.1, 0.05)
	near(t, "bad share of fast", w.Value(`sla:error:ratio_rate1h{slo="fast"}`), 0.2, 0.05)
}

// Aggregated by time an hour weighs the same before and after the interval
// changed; aggregated by request a probe does.
func TestTimeWeighsMinutesAndRequestsWeighProbes(t *testing.T) {
	t.Parallel()
	up, byProbe := probeLevels()
	up.ID.SLO, byProbe.ID.SLO = "up", "up"
	for _, agg := range []sla.Aggregation{sla.Time, sla.RequestRatio} {
		// One hour at 10 s, all good; then one at 60 s, all bad.
		l := *up
		l.Aggregation = agg
		slow := *up
		slow.Aggregation = agg
		slow.Indicator = &sla.Probe{Check: &sla.HTTPCheck{}, Interval: time.Minute, Timeout: time.Second}
		w := enginetest.New(t, 15*time.Second, probes(10*time.Second, func(n int) (string, bool) {
			if n < 360 {
				return "good", true
			}
			if n%6 == 0 {
				return "bad", false
			}
			return "missed", false // between two probes of the slower schedule
		}))
		w.Load(generate(t, rulegen.Options{}, &l))
		w.Run(time.Hour)
		w.Load(generate(t, rulegen.Options{}, &slow))
		w.Run(time.Hour)
		want := 1. / 2
		if agg == sla.RequestRatio {
			want = 60. / 420
		}
		got := w.Value(`sla:bad:sum_period{slo="up"} / sla:total:sum_period{slo="up"}`)
		// While the base window straddles the change, old probes are weighed as
		// new ones: 2.5 minutes six times, of two hours.
		if math.Abs(got-want) > 0.06 {
			t.Errorf("%s: bad share %v, want about %v", agg, got, want)
		}
	}
}

// A histogram's bucket is found however the boundary is written; a threshold
// without a bucket is unknown, not slow: it burns no budget, and is told as a
// measurement that is lost.
func TestHistogramLatency(t *testing.T) {
	t.Parallel()
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		n := at.Sub(enginetest.Start).Seconds() * 10
		return []enginetest.Sample{
			{Series: `h_seconds_count{job="api"}`, Value: n},
			{Series: `h_seconds_bucket{job="api",le="0.3"}`, Value: 0.9 * n},
			{Series: `h_seconds_bucket{job="api",le="1.0"}`, Value: 0.97 * n},
			{Series: `h_seconds_bucket{job="api",le="2"}`, Value: 0.99 * n},
			{Series: `h_seconds_bucket{job="api",le="+Inf"}`, Value: n},
		}
	})
	histogram := func(name string, threshold time.Duration) *sla.ServiceLevel {
		return level(name, "99", &sla.HistogramLatency{Histogram: sla.Query{Text: `h_seconds{job="api"}`}, Threshold: threshold})
	}
	w.Load(generate(t, rulegen.Options{}, histogram("l300ms", 300*time.Millisecond), histogram("l1s", time.Second),
		histogram("l2s", 2*time.Second), histogram("nobucket", 400*time.Millisecond)))
	w.Run(time.Hour)
	for slo, want := range map[string]float64{"l300ms": 0.1, "l1s": 0.03, "l2s": 0.01} {
		near(t, slo, w.Value(series("sla:error:ratio_rate30m", slo)), want, 0.001)
	}
	if v := w.Query(series("sla:error:ratio_rate30m", "nobucket")); len(v) != 0 {
		t.Errorf("a threshold without a bucket reads %v, want nothing", v)
	}
	var told []string
	for _, tr := range w.Transitions() {
		if tr.Labels["slo"] == "nobucket" {
			told = append(told, tr.Name)
		}
	}
	if diff := cmp.Diff([]string{sla.AlertMeasurementLost.Name}, told); diff != "" {
		t.Errorf("a threshold without a bucket (-want +told):\n%s", diff)
	}
}

// Editing a label, the description or the target of a level breaks no rule and
// loses no history: recorded series carry the identity alone.
func TestEditedLabelsBreakNoJoin(t *testing.T) {
	t.Parallel()
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		n := at.Sub(enginetest.Start).Seconds()
		return []enginetest.Sample{{Series: `requests_total{code="200"}`, Value: n * 9}, {Series: `requests_total{code="500"}`, Value: n}}
	})
	l := level("bad", "99", events(`requests_total{code="500"}`, "", `requests_total`))
	l.Labels = map[string]string{"team": "red"}
	w.Load(generate(t, rulegen.Options{}, l))
	w.Run(2 * time.Hour)
	before := w.Value(series("sla:total:sum_period", "bad"))
	edited := *l
	edited.Labels = map[string]string{"team": "blue", "tier": "gold"}
	edited.Target = sla.MustDecimal("98")
	w.Load(generate(t, rulegen.Options{}, &edited))
	for range 12 { // rule errors end the test in each of these
		w.Run(time.Minute)
		near(t, "1h ratio", w.Value(series("sla:error:ratio_rate1h", "bad")), 0.1, 0.001)
	}
	if after := w.Value(series("sla:total:sum_period", "bad")); after < before {
		t.Errorf("history lost: %v events after the edit, %v before", after, before)
	}
	near(t, "burn rate of the new target", w.Value(series("sla:burn_rate:ratio_period", "bad")), 5, 0.001)
}

// When the series vanish that is an alert of its own, and no burn.
func TestMeasurementLost(t *testing.T) {
	t.Parallel()
	up, _ := probeLevels()
	good := probes(10*time.Second, func(int) (string, bool) { return "good", true })
	gone := enginetest.Start.Add(time.Hour)
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		if at.After(gone) && at.Before(gone.Add(time.Hour)) {
			return nil
		}
		return good(at)
	})
	w.Load(generate(t, rulegen.Options{}, up))
	w.Run(3 * time.Hour)
	var got []enginetest.Transition
	for _, tr := range w.Transitions() {
		if tr.Name != sla.AlertMeasurementLost.Name {
			t.Errorf("unexpected %v", tr)
			continue
		}
		got = append(got, tr)
	}
	if len(got) != 2 || !got[0].Firing || got[1].Firing {
		t.Fatalf("want fired once and stopped once, got %v", got)
	}
	if d := got[0].At.Sub(gone); d < 9*time.Minute || d > 11*time.Minute {
		t.Errorf("fired %s after the series vanished, want 9 to 11 minutes", d)
	}
	if d := got[1].At.Sub(gone.Add(time.Hour)); d > 3*time.Minute {
		t.Errorf("stopped %s after the series returned", d)
	}
	if got[0].Labels["slo"] != "up" || got[0].Labels["severity"] != "page" {
		t.Errorf("labels %v", got[0].Labels)
	}
}
