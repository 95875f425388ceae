package samples_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/util/teststorage"

	"github.com/upheld-sla/upheld/internal/samples"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// mixed is an agreement with a level of every kind that text files can have samples of.
func mixed(t testing.TB) *sla.Agreement {
	t.Helper()
	agreements, findings := spec.LoadText("spec.yaml", `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  exclusions: [{name: link, category: third_party, effect: treat_as_up, condition: 'max(queue_age) > 60'}]
  maintenance: {effect: treat_as_up, windows: [{from: 2026-10-01T02:00:20Z, to: 2026-10-01T02:30:40Z}]}
  serviceLevels:
`+probed+errors+`  - {name: minutes, service: api, indicator: {events: {good: 'http_requests_total{code="200"}', total: 'http_requests_total'}}, target: "99",
     aggregation: {method: bad_minute, errorThreshold: "5", weight: 'bad_share'}}
  - {name: each, service: api, groupBy: {labels: [instance]}, indicator: {events: {bad: 'http_requests_total{code="500"}', total: 'http_requests_total'}}, target: "99"}
  - {name: slow, service: s, indicator: {latency: {histogram: 'req_seconds', threshold: 300ms}}, target: "99"}
  - {name: bb, service: s, indicator: {blackbox: {success: 'probe_success'}}, target: "99"}
  - {name: queue, service: s, indicator: {condition: {expr: 'max_over_time(queue_age[5m]) < 60'}}, target: "99"}
  - {name: share, service: s, indicator: {ratio: {bad: 'bad_share'}}, target: "99"}
`)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	return agreements[0]
}

// mixedHistory is a history with restarts, gaps, targets that are down and series that
// begin and end, at random.
func mixedHistory(seed uint64) *history {
	r := rand.New(rand.NewPCG(seed, 1))
	var h history
	var lost [4]func(time.Duration) bool
	for i := range lost {
		from := time.Duration(r.IntN(6*60))*time.Minute - time.Hour
		lost[i] = since(from, from+time.Duration(r.IntN(40))*time.Minute)
	}
	target := func(i int) (down func(time.Duration) bool) { return lost[i%3] }
	series := func(i int, name string, n, share float64) {
		sum := 0.0
		h.series(name, step, without(func(at time.Duration) bool { return target(i)(at) || lost[3](at) }, func(time.Duration) float64 {
			if r.Float64() < share {
				sum += n
			}
			if r.IntN(2000) == 0 {
				sum = 0
			}
			return sum
		}))
	}
	for i, instance := range []string{"a", "b", "c"} {
		h.up("upheld", instance+":1", target(i), lost[3])
		h.up("api", instance, target(i), lost[3])
		series(i, probeSeries("good", instance), 1, 0.99)
		series(i, probeSeries("bad", instance), 1, 0.01)
		of := `{job="api",instance="` + instance + `"`
		series(i, `http_requests_total`+of+`,code="200"}`, 10, 1)
		series(i, `http_requests_total`+of+`,code="500"}`, 3, 0.1)
		series(i, `req_seconds_count`+of+`}`, 10, 1)
		series(i, `req_seconds_bucket`+of+`,le="0.3"}`, 9, 1)
		h.series(`probe_success`+of+`}`, step, without(target(i), func(time.Duration) float64 { return math.Round(r.Float64() + 0.45) }))
		h.series(`queue_age`+of+`}`, step, without(target(i), func(time.Duration) float64 { return 100 * r.Float64() * r.Float64() }))
		h.series(`bad_share`+of+`}`, step, without(target(i), func(time.Duration) float64 { return float64(r.IntN(4)) / 4 }))
	}
	return &h
}

// stored is a source of the samples of another in a storage of this process.
func stored(t testing.TB, of samples.Source) samples.Source {
	t.Helper()
	store := teststorage.New(t)
	all, err := of.Select(t.Context(), everything, start.Add(-48*time.Hour).UnixMilli(), until.Add(48*time.Hour).UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	app := store.Appender(t.Context())
	for _, s := range all {
		for i, at := range s.T {
			if _, err := app.Append(0, s.Labels, at, s.V[i]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	return samples.Storage{Of: store, As: "test"}
}

// compared compares evidence without the names of its sources.
func compared(want, got verdict.Evidence) string {
	want.Sources, got.Sources = nil, nil
	exact := cmp.Comparer(func(a, b sla.Decimal) bool { return a.Cmp(b) == 0 })
	// Of ten thousand stretches, a difference is looked for only where there is one.
	whole := cmp.Comparer(func(a, b []verdict.Stretch) bool {
		return slices.EqualFunc(a, b, func(a, b verdict.Stretch) bool {
			from, to := a.From.Equal(b.From), a.To.Equal(b.To)
			a.From, a.To = b.From, b.To
			return from && to && a == b
		})
	})
	if cmp.Equal(want, got, exact, whole) {
		return ""
	}
	return cmp.Diff(want, got, exact)
}

// One history, and another one when every case is repeated.
func TestSourcesOfOneHistoryGiveEqualEvidence(t *testing.T) {
	for seed := range uint64(testsize.Repeats(1, 1, 2)) {
		file, a := mixedHistory(seed).source(t), mixed(t)
		want := load(t, file, a)
		for _, l := range want.Levels {
			if len(l.Groups) == 0 || len(l.Groups[0].Places) == 0 {
				t.Fatalf("%s has no evidence", l.Level)
			}
		}
		if len(want.Conditions["link"]) == 0 || len(want.Levels[2].Weight) == 0 {
			t.Fatal("no condition or no weight")
		}
		for name, s := range map[string]samples.Source{
			"a storage":        stored(t, file),
			"remote read":      server(t, &standIn{of: file}),
			"queries":          server(t, &standIn{of: file, noRemote: true}),
			"several files":    split(t, file),
			"queries in parts": server(t, &standIn{of: file, noRemote: true, longest: 47 * time.Minute}),
		} {
			if diff := compared(want, load(t, s, a)); diff != "" {
				t.Errorf("seed %d, %s (-file +it):\n%.3000s", seed, name, diff)
			}
		}
	}
}

// split are the samples of a source in three files that overlap.
func split(t testing.TB, of samples.Source) samples.Source {
	t.Helper()
	var names []string
	for _, part := range []func(time.Duration) bool{since(-9*time.Hour, time.Hour), since(50*time.Minute, 4*time.Hour), since(4*time.Hour, 99*time.Hour)} {
		var h history
		all, err := of.Select(t.Context(), everything, start.Add(-9*time.Hour).UnixMilli(), until.Add(9*time.Hour).UnixMilli())
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range all {
			i := -1
			name := s.Labels.Get(labels.MetricName)
			h.series(name+s.Labels.DropReserved(func(name string) bool { return name == labels.MetricName }).String(), step, func(at time.Duration) float64 {
				for i+1 < len(s.T) && s.T[i+1] <= start.Add(at).UnixMilli() {
					i++
				}
				if !part(at) || i < 0 || s.T[i] != start.Add(at).UnixMilli() {
					return math.NaN()
				}
				return s.V[i]
			})
		}
		names = append(names, h.file(t))
	}
	f, err := samples.ReadFiles(names[1], names[2], names[0])
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// padded has further series without a number, so that less time is read at once.
type padded struct {
	samples.Source
	with int
}

func (p padded) Select(ctx context.Context, matchers []*labels.Matcher, from, to int64) ([]samples.Series, error) {
	all, err := p.Source.Select(ctx, matchers, from, to)
	for i := range p.with {
		if len(all) > 0 {
			all = append(all, samples.Series{Labels: labels.FromStrings("zpadding", fmt.Sprintf("%06d", i)), T: []int64{from}, V: []float64{math.NaN()}})
		}
	}
	return all, err
}

// In whatever pieces samples are read, the evidence is the same: in pieces of one size, of
// two in a run that tries every case, and of four when every case is repeated.
func TestPiecesOfReadingChangeNothing(t *testing.T) {
	a := mixed(t)
	for seed := range uint64(testsize.Repeats(1, 2, 4)) {
		r := rand.New(rand.NewPCG(seed, 2))
		file := mixedHistory(seed + 100).source(t)
		want := load(t, file, a)
		longest := time.Duration(5+r.IntN(400)) * time.Minute
		with := []int{0, 100, 600}[r.IntN(3)]
		pieces := padded{server(t, &standIn{of: file, noRemote: true, longest: longest}), with}
		if diff := compared(want, load(t, pieces, a)); diff != "" {
			t.Errorf("seed %d, questions of at most %s, %d further series (-whole +pieces):\n%.3000s", seed, longest, with, diff)
		}
	}
}
