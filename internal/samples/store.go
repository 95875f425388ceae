package samples

import (
	"context"
	"fmt"
	"slices"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	engine "github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/util/annotations"
)

// queryable is what the engine reads from.
type queryable = storage.Queryable

// recorder notes what the engine wants to read, and returns nothing.
type recorder struct{ of *unit }

// Querier reads any range.
func (r *recorder) Querier(_, _ int64) (storage.Querier, error) {
	return querier{read: func(hints *storage.SelectHints, matchers []*labels.Matcher) ([]Series, error) {
		known := func(in input) bool { return sameMatchers(in.matchers, matchers) }
		if i := slices.IndexFunc(r.of.inputs, known); i >= 0 {
			in := &r.of.inputs[i]
			in.from, in.to = min(in.from, hints.Start), max(in.to, hints.End)
		} else {
			r.of.inputs = append(r.of.inputs, input{matchers: matchers, from: hints.Start, to: hints.End})
		}
		return nil, nil
	}}, nil
}

// store serves the samples that were read for a unit.
type store struct{ of *unit }

// Querier reads from these samples.
func (s *store) Querier(_, _ int64) (storage.Querier, error) {
	return querier{read: func(_ *storage.SelectHints, matchers []*labels.Matcher) ([]Series, error) {
		for _, in := range s.of.inputs {
			if sameMatchers(in.matchers, matchers) {
				return in.series, nil
			}
		}
		return nil, fmt.Errorf("%v was not read", matchers)
	}}, nil
}

func sameMatchers(a, b []*labels.Matcher) bool {
	return slices.EqualFunc(a, b, func(a, b *labels.Matcher) bool { return a.String() == b.String() })
}

type querier struct {
	read func(hints *storage.SelectHints, matchers []*labels.Matcher) ([]Series, error)
}

func (q querier) Select(_ context.Context, _ bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	all, err := q.read(hints, matchers)
	if err != nil {
		return storage.ErrSeriesSet(err)
	}
	return &seriesSet{all: all, at: -1}
}

func (querier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (querier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (querier) Close() error { return nil }

type seriesSet struct {
	all []Series
	at  int
}

func (s *seriesSet) Next() bool                        { s.at++; return s.at < len(s.all) }
func (s *seriesSet) At() storage.Series                { return stored(s.all[s.at]) }
func (s *seriesSet) Err() error                        { return nil }
func (s *seriesSet) Warnings() annotations.Annotations { return nil }

// stored is a series as the engine reads it.
func stored(s Series) storage.Series {
	of := engine.Series{Metric: s.Labels}
	for i, t := range s.T {
		if s.H != nil {
			of.Histograms = append(of.Histograms, engine.HPoint{T: t, H: s.H[i]})
		} else {
			of.Floats = append(of.Floats, engine.FPoint{T: t, F: s.V[i]})
		}
	}
	return engine.NewStorageSeries(of)
}

// Storage is a Source that reads from a storage in this process.
type Storage struct {
	Of storage.Queryable
	// As names the storage in reports.
	As string
}

// Name is As.
func (s Storage) Name() string { return s.As }

// Select reads from the storage.
func (s Storage) Select(ctx context.Context, matchers []*labels.Matcher, from, to int64) ([]Series, error) {
	if err := ctx.Err(); err != nil { // the storage may be closed after that
		return nil, err
	}
	q, err := s.Of.Querier(from, to-1)
	if err != nil {
		return nil, err
	}
	defer q.Close()
	set := q.Select(ctx, true, &storage.SelectHints{Start: from, End: to - 1}, matchers...)
	var all []Series
	var it chunkenc.Iterator
	for set.Next() {
		one := set.At()
		it = one.Iterator(it)
		series, err := readAll(one.Labels(), it, from, to)
		if err != nil {
			return nil, err
		}
		if len(series.T) > 0 {
			all = append(all, series)
		}
	}
	if err := set.Err(); err != nil {
		return nil, err
	}
	sortSeries(all)
	return all, nil
}

// readAll reads the samples of a series in [from, to).
func readAll(of labels.Labels, it chunkenc.Iterator, from, to int64) (Series, error) {
	s := Series{Labels: of}
	for {
		kind := it.Next()
		if kind == chunkenc.ValNone {
			return s, it.Err()
		}
		t := it.AtT()
		if t < from || t >= to {
			continue
		}
		switch kind {
		case chunkenc.ValFloat:
			_, v := it.At()
			s.addFloat(t, v)
		default:
			_, h := it.AtFloatHistogram(nil)
			s.addHistogram(t, h)
		}
	}
}

// addFloat and addHistogram add a sample. A series has one kind: samples of the other
// kind than its first are dropped.
func (s *Series) addFloat(t int64, v float64) {
	if s.H == nil {
		s.T, s.V = append(s.T, t), append(s.V, v)
	}
}

func (s *Series) addHistogram(t int64, h *histogram.FloatHistogram) {
	if s.V == nil {
		s.T, s.H = append(s.T, t), append(s.H, h)
	}
}
