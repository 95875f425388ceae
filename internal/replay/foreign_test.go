package replay_test

import (
	"math"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/upheld-sla/upheld/internal/enginetest"
)

// foreign is what the rules of testdata/foreign.yaml read: two jobs, one of which
// fails at times, counters that are reset, pods that come and go, and a native
// histogram.
func foreign(start time.Time) enginetest.Target {
	return func(at time.Time) []enginetest.Sample {
		s := at.Sub(start).Seconds()
		m := s / 60
		var all []enginetest.Sample
		add := func(series string, v float64) { all = append(all, enginetest.Sample{Series: series, Value: v}) }
		reset := 1200 * math.Floor(s/1200)
		for job, share := range map[string]float64{"shop": 1, "cart": 2} {
			errors := 0.01 * share
			if job == "shop" && (m > 12 && m < 25 || m > 40 && m < 44 || m > 70) {
				errors = 0.2 + 0.2*math.Sin(m/3)
			}
			since := s - reset
			add(`requests_total{job="`+job+`",code="200"}`, 10*share*since*(1-errors))
			add(`requests_total{job="`+job+`",code="500"}`, 10*share*since*errors)
		}
		add(`gauge{job="shop",pod="a"}`, 3+3*math.Sin(m/5))
		if math.Mod(m, 20) > 7 {
			add(`gauge{job="shop",pod="b"}`, 2+math.Cos(m/7))
		}
		if math.Mod(m, 33) > 21 {
			add(`gauge{job="shop",pod="c"}`, 1)
		}
		n := math.Floor((s - reset) / 5)
		all = append(all, enginetest.Sample{Series: "latency", Histogram: &histogram.FloatHistogram{
			Schema: 0, Count: 3 * n, Sum: 4 * n, PositiveSpans: []histogram.Span{{Offset: 0, Length: 2}}, PositiveBuckets: []float64{n, 2 * n},
		}})
		return all
	}
}

func foreignFile(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/foreign.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Anyone's rules are evaluated as a server does, whatever they read and write.
func TestForeignRulesAreAsInAServer(t *testing.T) {
	b := both{t: t, target: foreign(enginetest.Start), files: [][]byte{foreignFile(t)}, start: enginetest.Start, runs: []time.Duration{90 * time.Minute}, mayFail: true}
	b.compare()
}

// So are they when the server was away.
func TestForeignRulesAreAsInAServerThatRestarts(t *testing.T) {
	b := both{
		t: t, target: foreign(enginetest.Start), files: [][]byte{foreignFile(t)}, start: enginetest.Start, mayFail: true,
		runs: []time.Duration{20 * time.Minute, 3 * time.Minute, 19 * time.Minute, 7*time.Minute + 15*time.Second, 15 * time.Second, 30 * time.Second, 40 * time.Minute},
	}
	b.compare()
}

// Annotations are those of the evaluations at which an alert began to fire, and
// was last true, with what their templates queried then.
func TestAnnotationsAreThoseOfTheirMoment(t *testing.T) {
	b := both{t: t, target: foreign(enginetest.Start), files: [][]byte{foreignFile(t)}, start: enginetest.Start, runs: []time.Duration{50 * time.Minute}, mayFail: true}
	first, last := map[string][]string{}, map[string]string{}
	b.slow(func(w *enginetest.World) {
		now := map[string]string{}
		for _, a := range w.Alerts() {
			if summary := a.Annotations["summary"]; summary != "" {
				now[labels.FromMap(a.Labels).String()] = summary
			}
		}
		for l, summary := range now {
			if last[l] == "" {
				first[l] = append(first[l], summary)
			}
		}
		last = now
	})
	_, result := b.fast()
	got, ends := map[string][]string{}, 0
	for _, e := range result.Episodes {
		l := e.Labels.String()
		if !e.Firing.IsZero() && e.First.Get("summary") != "" {
			got[l] = append(got[l], e.First.Get("summary"))
		}
		if e.Resolved.IsZero() && last[l] != "" {
			ends++
			if e.Last.Get("summary") != last[l] {
				t.Errorf("%s at last is %q, want %q", l, e.Last.Get("summary"), last[l])
			}
		}
	}
	if diff := cmp.Diff(first, got); diff != "" || len(first) < 3 {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if len(last) != ends {
		t.Errorf("%d alerts fire at the end, want %d", ends, len(last))
	}
}
