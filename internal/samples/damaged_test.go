package samples_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	engine "github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/upheld-sla/upheld/internal/samples"
	"github.com/upheld-sla/upheld/internal/verdict"
)

// altered is a source whose samples something happened to.
type altered struct {
	samples.Source
	by func([]samples.Series) []samples.Series
}

func (a altered) Select(ctx context.Context, matchers []*labels.Matcher, from, to int64) ([]samples.Series, error) {
	all, err := a.Source.Select(ctx, matchers, from, to)
	for i := range all { // what is altered is not shared
		all[i].T, all[i].V = slices.Clone(all[i].T), slices.Clone(all[i].V)
	}
	return a.by(all), err
}

// damages is what can happen to samples on their way.
var damages = map[string]func([]samples.Series) []samples.Series{
	"a gap of two hours": each(func(s *samples.Series) {
		keep := func(t int64) bool {
			return t < start.Add(2*time.Hour).UnixMilli() || t >= start.Add(4*time.Hour).UnixMilli()
		}
		filter(s, keep)
	}),
	"the rest is missing": each(func(s *samples.Series) {
		filter(s, func(t int64) bool { return t < start.Add(3*time.Hour).UnixMilli() })
	}),
	"no numbers for an hour": each(func(s *samples.Series) {
		for i, t := range s.T {
			if t >= start.Add(2*time.Hour).UnixMilli() && t < start.Add(3*time.Hour).UnixMilli() {
				s.V[i] = math.NaN()
			}
		}
	}),
	"no numbers at all": each(func(s *samples.Series) {
		for i := range s.V {
			s.V[i] = math.NaN()
		}
	}),
	"infinite": each(func(s *samples.Series) {
		for i := range s.V {
			s.V[i] = math.Inf(1)
		}
	}),
	"negative": each(func(s *samples.Series) {
		for i := range s.V {
			s.V[i] = -s.V[i]
		}
	}),
	"out of order": each(func(s *samples.Series) {
		slices.Reverse(s.T)
		slices.Reverse(s.V)
	}),
	"two of one time": each(func(s *samples.Series) {
		if len(s.T) > 100 {
			s.T[50] = s.T[51]
		}
	}),
	"times in microseconds": each(func(s *samples.Series) {
		for i := range s.T {
			s.T[i] *= 1000
		}
	}),
	"times in seconds": each(func(s *samples.Series) {
		for i := range s.T {
			s.T[i] /= 1000
		}
	}),
	"a series twice": func(all []samples.Series) []samples.Series { return append(all, all...) },
	"none of them":   func([]samples.Series) []samples.Series { return nil },
}

func each(by func(*samples.Series)) func([]samples.Series) []samples.Series {
	return func(all []samples.Series) []samples.Series {
		for i := range all {
			by(&all[i])
		}
		return slices.DeleteFunc(all, func(s samples.Series) bool { return len(s.T) == 0 })
	}
}

func filter(s *samples.Series, keep func(int64) bool) {
	var t []int64
	var v []float64
	for i := range s.T {
		if keep(s.T[i]) {
			t, v = append(t, s.T[i]), append(v, s.V[i])
		}
	}
	s.T, s.V = t, v
}

const floored = `  - {name: up, service: web, missingData: {policy: excluded, minCoverage: "99"}, indicator: {probe: {http: "https://shop.example/", interval: 15s}}, target: "90", period: 1d}
  - {name: bb, service: web, missingData: {policy: excluded, minCoverage: "99"}, indicator: {blackbox: {success: 'probe_success'}}, target: "90", period: 1d}
`

// wholeHistory is six hours of a target that answers, but for a minute: by counters, which
// say after a gap what was in it, and by a gauge, which does not.
func wholeHistory() *history {
	var h history
	down := between(time.Hour, time.Hour+time.Minute)
	h.up("upheld", "fra:1", no, no)
	h.up("bb", "fra:2", no, no)
	h.series(`probe_success{job="bb",instance="fra:2"}`, 15*time.Second, gauge(down))
	h.series(probeSeries("good", "fra"), 15*time.Second, counter(15*time.Second, 1, not(down)))
	h.series(probeSeries("bad", "fra"), 15*time.Second, counter(15*time.Second, 1, down))
	return &h
}

// verdictOf judges the six hours; with an error there is no verdict.
func verdictOf(t *testing.T, from samples.Source) (verdict.Verdict, error) {
	t.Helper()
	a := agreement(t, floored)
	e, err := samples.Load(t.Context(), from, samples.Request{Agreement: a, From: start, To: until, Now: until.Add(time.Hour)})
	if err != nil {
		if len(e.Levels) > 0 {
			t.Error("there is evidence beside an error")
		}
		return "", err
	}
	r, err := verdict.Judge(verdict.Input{Agreement: a, Period: a.Levels[0].Period, Name: "six hours", Start: start, End: until, Now: until.Add(time.Hour), Evidence: e})
	if err != nil {
		return "", err
	}
	return r.Verdict, nil
}

// textOf is what a source has as an OpenMetrics file, in the order in which it has it.
func textOf(t *testing.T, from samples.Source) samples.Source {
	t.Helper()
	all, err := from.Select(t.Context(), everything, start.Add(-2*time.Hour).UnixMilli(), until.Add(2*time.Hour).UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, s := range all {
		name := s.Labels.Get(labels.MetricName)
		of := s.Labels.DropReserved(func(name string) bool { return name == labels.MetricName })
		for i, at := range s.T {
			fmt.Fprintf(&text, "%s%s %v %.3f\n", name, of, s.V[i], float64(at)/1000)
		}
	}
	file := filepath.Join(t.TempDir(), "damaged.om")
	if err := os.WriteFile(file, []byte(text.String()+"# EOF\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return reading{file}
}

// reading reads a file when it is asked, so that its errors are those of reading samples.
type reading struct{ file string }

func (r reading) Name() string { return r.file }

func (r reading) Select(ctx context.Context, matchers []*labels.Matcher, from, to int64) ([]samples.Series, error) {
	f, err := samples.ReadFiles(r.file)
	if err != nil {
		return nil, err
	}
	return f.Select(ctx, matchers, from, to)
}

// Damaged samples, of any source, give an error, too little data, or a breach. They never
// give "met".
func TestDamagedSamplesOfNoSourceAreMet(t *testing.T) {
	whole := wholeHistory().source(t)
	sources := map[string]func(t *testing.T, of samples.Source) samples.Source{
		"file":        textOf,
		"remote read": func(t *testing.T, of samples.Source) samples.Source { return server(t, &standIn{of: of}) },
		"sampled read": func(t *testing.T, of samples.Source) samples.Source {
			return server(t, &standIn{of: of, sampled: true})
		},
		"queries": func(t *testing.T, of samples.Source) samples.Source {
			return server(t, &standIn{of: of, noRemote: true})
		},
		"a storage": func(_ *testing.T, of samples.Source) samples.Source {
			return samples.Storage{Of: asStorage{of}, As: "test"}
		},
		"the same thing": func(_ *testing.T, of samples.Source) samples.Source { return of },
	}
	for source, made := range sources {
		if got, err := verdictOf(t, made(t, whole)); got != verdict.Met || err != nil {
			t.Errorf("whole samples of %s are %q, error %v; want met", source, got, err)
		}
		for damage, by := range damages {
			t.Run(source+"/"+damage, func(t *testing.T) {
				got, err := verdictOf(t, made(t, altered{whole, by}))
				if got == verdict.Met {
					t.Errorf("it is met")
				}
				t.Log(got, err)
			})
		}
	}
}

// A server that fails within a report, at any of the questions that it is asked, leaves
// nothing to judge.
func TestServersThatFailAtAnyQuestionLeaveNoVerdict(t *testing.T) {
	whole := wholeHistory().source(t)
	for name, made := range map[string]func() *standIn{
		"remote read": func() *standIn { return &standIn{of: whole} },
		"queries":     func() *standIn { return &standIn{of: whole, noRemote: true} },
		"pieces":      func() *standIn { return &standIn{of: whole, noRemote: true, longest: 100 * time.Minute} },
	} {
		s := made()
		if got, err := verdictOf(t, server(t, s)); got != verdict.Met || err != nil {
			t.Fatalf("%s: %q, %v", name, got, err)
		}
		for at := range s.asked.Load() {
			s := made()
			s.interfere = func(n int64, w http.ResponseWriter, _ *http.Request) bool {
				if n > at {
					w.WriteHeader(http.StatusBadGateway)
				}
				return n > at
			}
			if got, err := verdictOf(t, server(t, s)); err == nil {
				t.Errorf("%s, failing at question %d: %q", name, at+1, got)
			}
		}
	}
}

// asStorage is a source as an embedded storage.
type asStorage struct{ of samples.Source }

func (s asStorage) Querier(from, to int64) (storage.Querier, error) {
	return storing{storage.NoopQuerier(), s.of, from, to}, nil
}

type storing struct {
	storage.Querier
	of       samples.Source
	from, to int64
}

func (s storing) Select(ctx context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	all, err := s.of.Select(ctx, matchers, s.from, s.to+1)
	if err != nil {
		return storage.ErrSeriesSet(err)
	}
	var list []storage.Series
	for _, one := range all {
		of := engine.Series{Metric: one.Labels}
		for i, t := range one.T {
			of.Floats = append(of.Floats, engine.FPoint{T: t, F: one.V[i]})
		}
		list = append(list, engine.NewStorageSeries(of))
	}
	return &seriesList{list: list, at: -1}
}

type seriesList struct {
	list []storage.Series
	at   int
}

func (s *seriesList) Next() bool                        { s.at++; return s.at < len(s.list) }
func (s *seriesList) At() storage.Series                { return s.list[s.at] }
func (s *seriesList) Err() error                        { return nil }
func (s *seriesList) Warnings() annotations.Annotations { return nil }
