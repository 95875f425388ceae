package rulegen_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/sla"
)

// irregular is the traffic of the matrix: what happened in each second of six
// hours around the moment at which, in Los Angeles, a week, a month,
// a fiscal quarter and a fiscal year begin and, two hours later, the clock goes
// back. It has a tide with noise, stretches without traffic, an error series
// that is born late and a second one later still, counters that start again, an
// outage across the edge of the periods, bursts of some minutes, failed scrapes
// and a Prometheus that is away.
type irregular struct {
	requests, err500, err503, slow []float64 // of each second
	queueAge, meshErrors           []float64 // gauges; NaN is no answer
	probes                         map[string][]probed
	away                           []bool // Prometheus
}

// probed is a probe's result at a location in a second in which there was one.
type probed struct{ outcome, within string }

const (
	matrixBefore, matrixAfter = 3 * time.Hour, 175 * time.Minute
	matrixSeconds             = int((matrixBefore + matrixAfter) / time.Second)
	matrixProbeEvery          = 10 // seconds
)

var (
	matrixEdge  = time.Date(2026, 11, 1, 7, 0, 0, 0, time.UTC)
	matrixStart = matrixEdge.Add(-matrixBefore)
	// Minutes from the edge.
	matrixResets = []float64{-100, 60}
	matrixAway   = [2]float64{-60, -53}
	// Scrapes that fail. A state that is looked at is unknown for as long, which
	// breaks a run of bad minutes; so none is in a run that is to be found.
	matrixFailed = []float64{-152.5, -104, -65, -33.25, 25.5, 55, 110.75, 150}
)

func between(m, from, to float64) bool { return m >= from && m < to }

// errorShare is the share of requests that fail, minutes from the edge.
func errorShare(m float64) float64 {
	switch {
	case between(m, -9, 12): // for longer than rules may need to see it
		return 1
	case between(m, -12, 18):
		return 0.7
	case between(m, -160, -135):
		return 0.01
	case between(m, -90, -75):
		return 0.09
	case between(m, 40, 43):
		return 0.2
	case between(m, 90, 91):
		return 0.3
	case between(m, 145, 165):
		return 0.007
	case m > -75:
		return 0.0005
	}
	return 0
}

func slowShare(m float64) float64 {
	switch {
	case between(m, -12, 18):
		return 0.4
	case between(m, -30, -15):
		return 0.08
	case between(m, 70, 95):
		return 0.1
	}
	return 0.005
}

func newIrregular(seed uint64) *irregular {
	random := rand.New(rand.NewPCG(seed, 1))
	w := &irregular{probes: map[string][]probed{}}
	for s := range matrixSeconds {
		m := float64(s)/60 - matrixBefore.Minutes()
		rate := (12 + 9*math.Sin(m/25)) * (0.5 + random.Float64())
		if between(m, -125, -110) || between(m, 125, 135) {
			rate = 0
		}
		errors := rate * errorShare(m)
		second := 0. // of two kinds of error, the later one begins at -90
		if m >= -90 {
			second = errors / 4
		}
		w.requests, w.slow = append(w.requests, rate), append(w.slow, rate*slowShare(m))
		w.err500, w.err503 = append(w.err500, errors-second), append(w.err503, second)
		w.away = append(w.away, between(m, matrixAway[0], matrixAway[1]))
		w.gauges(m)
		for i, location := range []string{"ams", "fra", "lon"} {
			w.probes[location] = append(w.probes[location], probeAt(s-i, m, location))
		}
	}
	return w
}

// gauges are a queue that is old in the outage and for five minutes later on,
// and a share of errors that others have calculated, NaN in silence.
func (w *irregular) gauges(m float64) {
	age := 5.
	switch {
	case between(m, -12, 18), between(m, 40, 48):
		age = 300
	case between(m, 145, 155):
		age = math.NaN()
	}
	share := errorShare(m)
	if between(m, -125, -110) {
		share = math.NaN()
	}
	w.queueAge, w.meshErrors = append(w.queueAge, age), append(w.meshErrors, share)
}

// probeAt is what a probe finds: in the outage London sees nothing wrong; later
// Amsterdam alone fails, and for ten minutes it cannot tell.
func probeAt(s int, m float64, location string) probed {
	switch {
	case s%matrixProbeEvery != 0:
		return probed{}
	case between(m, -12, 18) && location != "lon", between(m, 40, 43) && location == "ams":
		return probed{outcome: "bad"}
	case between(m, -40, -30) && location == "ams":
		return probed{outcome: "inconclusive"}
	case between(m, 70, 95) && location != "lon":
		return probed{outcome: "good", within: "no"}
	}
	return probed{outcome: "good", within: "yes"}
}

// matrixTarget is what a scrape reads: counters since the service last started,
// gauges, and the exporter's counters of the probes of each level in ids.
func (w *irregular) matrixTarget(ids map[string][]string) enginetest.Target {
	sums := map[string]float64{}
	done := 0
	add := func(series string, v float64) { sums[series] += v }
	return func(at time.Time) []enginetest.Sample {
		now := min(int(at.Sub(matrixStart)/time.Second), matrixSeconds)
		for ; done < now; done++ {
			for _, reset := range matrixResets {
				if float64(done) == (reset+matrixBefore.Minutes())*60 {
					for _, name := range []string{"ok", "500", "503", "all", "slow"} {
						sums[name] = 0
					}
				}
			}
			bad := w.err500[done] + w.err503[done]
			add("all", w.requests[done])
			add("ok", w.requests[done]-bad)
			add("500", w.err500[done])
			add("503", w.err503[done])
			add("slow", w.slow[done])
			for location, results := range w.probes {
				if r := results[done]; r.outcome != "" {
					add(location+r.outcome, 1)
					add(location+"within"+r.within, 1)
				}
			}
		}
		if slices.Contains(matrixFailed, at.Sub(matrixEdge).Minutes()) {
			return nil
		}
		return w.exposed(sums, min(now, matrixSeconds-1), ids)
	}
}

func (w *irregular) exposed(sums map[string]float64, now int, ids map[string][]string) []enginetest.Sample {
	slow, all := sums["slow"], sums["all"]
	samples := []enginetest.Sample{
		{Series: `requests_total{job="api",code="200"}`, Value: sums["ok"]},
		{Series: `requests_total{job="other",code="500"}`, Value: 7 * float64(now)}, // of somebody else
		{Series: `duration_seconds_count{job="api"}`, Value: all},
		{Series: `duration_seconds_bucket{job="api",le="0.1"}`, Value: (all - slow) / 2},
		{Series: `duration_seconds_bucket{job="api",le="0.3"}`, Value: all - slow},
		{Series: `duration_seconds_bucket{job="api",le="+Inf"}`, Value: all},
		{Series: `native_seconds{job="api"}`, Histogram: &histogram.FloatHistogram{
			Schema: 1, Count: all, Sum: all, PositiveSpans: []histogram.Span{{Offset: -5, Length: 1}, {Offset: 3, Length: 1}},
			PositiveBuckets: []float64{all - slow, slow},
		}},
	}
	for _, code := range []string{"500", "503"} {
		if v := sums[code]; v > 0 {
			samples = append(samples, enginetest.Sample{Series: `requests_total{job="api",code="` + code + `"}`, Value: v})
		}
	}
	if age := w.queueAge[now]; !math.IsNaN(age) {
		samples = append(samples, enginetest.Sample{Series: `queue_age_seconds{queue="mail"}`, Value: age}, enginetest.Sample{Series: `queue_age_seconds{queue="push"}`, Value: 1})
	}
	up := 1.
	if m := float64(now)/60 - matrixBefore.Minutes(); between(m, -12, 18) {
		up = 0
	}
	samples = append(samples, enginetest.Sample{Series: `mesh:errors:ratio{to="shop"}`, Value: w.meshErrors[now]}, enginetest.Sample{Series: `probe_success{instance="shop"}`, Value: up})
	for slo, locations := range ids {
		for _, location := range locations {
			labels := fmt.Sprintf(`sla="shop",service="api",slo=%q,target="x",location=%q`, slo, location)
			for _, outcome := range []string{"good", "bad", "inconclusive"} {
				samples = append(samples, enginetest.Sample{Series: fmt.Sprintf(`upheld_probe_results_total{outcome=%q,%s}`, outcome, labels), Value: sums[location+outcome]})
			}
			samples = append(samples, enginetest.Sample{Series: fmt.Sprintf(`upheld_probe_within_threshold_total{threshold="0.5",%s}`, labels), Value: sums[location+"withinyes"]})
		}
	}
	return samples
}

// runMatrix leads the world through the time of the matrix and compares.
func runMatrix(t *testing.T, w *enginetest.World, cases []matrixCase) {
	t.Helper()
	var levels []*sla.ServiceLevel
	for _, c := range cases {
		levels = append(levels, c.level)
	}
	w.Load(generate(t, generated2026, levels...))
	run := func(minutes float64) {
		w.Run(matrixEdge.Add(time.Duration(minutes * float64(time.Minute))).Sub(w.Now()))
	}
	run(matrixAway[0])
	w.Restart(time.Duration((matrixAway[1] - matrixAway[0]) * float64(time.Minute)))
	w.Foresee(matrixAfter + matrixEdge.Sub(w.Now()))
	for _, m := range []float64{-20, 35, 140, 175} {
		run(m)
		for _, c := range cases {
			for _, p := range append(slices.Clone(c.level.MorePeriods), c.level.Period) {
				c.figures(t, w, p)
			}
		}
	}
	for _, c := range cases {
		c.timelines(t, w)
	}
	againstVerdicts(t, w, cases)
	if nans := w.NaNs(matrixBefore + matrixAfter); len(nans) > 0 {
		t.Errorf("NaN in %v", nans)
	}
}
