// Package replay evaluates recording rules over a long past in the real
// Prometheus engine, cheaply: raw series are functions of time and are not
// stored, each rule is one range query, and what it records is kept as slices
// for the rules after it. A month of one service level takes seconds where rule
// groups over a TSDB take minutes.
//
// What differs from a server: a rule sees what earlier rules of its group
// recorded at the same time, as there; but rules are evaluated exactly at
// multiples of their interval, first tier before second, without delay. Alerts'
// `for` is not played, only their expression. It is imported by tests only.
package replay

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/util/annotations"
)

// Samples are a series' samples in order of time.
type Samples interface {
	Len() int
	At(i int) (ms int64, v float64)
}

// World is a past: series, and the engine that queries them.
type World struct {
	series map[string][]series // by metric name
	engine *promql.Engine
}

type series struct {
	labels labels.Labels
	data   Samples
}

// New is a past without series.
func New() *World {
	return &World{series: map[string][]series{}, engine: promql.NewEngine(promql.EngineOpts{
		MaxSamples: math.MaxInt, Timeout: time.Hour, EnablePerStepStats: false,
		Parser: parser.NewParser(parser.Options{}),
	})}
}

// Add adds a series.
func (w *World) Add(l labels.Labels, s Samples) {
	name := l.Get(labels.MetricName)
	w.series[name] = append(w.series[name], series{l, s})
}

// Cost is what the evaluations of one rule took.
type Cost struct {
	Evaluations int
	Samples     int64 // touched by the engine
	CPU         time.Duration
	Recorded    int // samples
	Bytes       int // that these take in chunks of the storage
}

// Record evaluates a recording rule from start to end, every interval, and adds
// what it records: the result with the rule's name and labels, and a marker
// where a series ceases, as Prometheus does. Cost.CPU is the time of the
// evaluation, which runs on one core.
func (w *World) Record(name, expr string, l map[string]string, start, end time.Time, interval time.Duration) (Cost, error) {
	matrix, cost, err := w.evaluate(expr, start, end, interval)
	if err != nil {
		return cost, fmt.Errorf("%s: %w", name, err)
	}
	// The rule's labels make one series of those of the result that only they
	// tell apart, as "a or 0" has, at different times.
	merged := map[string]labels.Labels{}
	points := map[string]Stored{}
	for _, s := range matrix {
		b := labels.NewBuilder(s.Metric)
		b.Set(labels.MetricName, name)
		for k, v := range l {
			b.Set(k, v)
		}
		key := b.Labels().String()
		merged[key] = b.Labels()
		points[key] = append(points[key], s.Floats...)
	}
	for key, l := range merged {
		cost.Recorded += len(points[key])
		slices.SortFunc(points[key], func(a, b promql.FPoint) int { return cmp.Compare(a.T, b.T) })
		kept := recorded(points[key], end, interval)
		w.Add(l, kept)
		if cost.Bytes, err = kept.bytes(cost.Bytes); err != nil {
			return cost, fmt.Errorf("%s: %w", name, err)
		}
	}
	return cost, nil
}

// CostOf is what a rule takes that is evaluated as a server does, once for each
// instant: Cost.Samples are those that were read for it, in subqueries too.
func (w *World) CostOf(expr string, start, end time.Time, interval time.Duration) (Cost, error) {
	var cost Cost
	for at := start; !at.After(end); at = at.Add(interval) {
		began := time.Now() // a server parses a rule at each evaluation
		q, err := w.engine.NewInstantQuery(context.Background(), w, nil, expr, at)
		if err != nil {
			return cost, err
		}
		result := q.Exec(context.Background())
		cost.CPU += time.Since(began)
		cost.Evaluations++
		cost.Samples += q.Stats().Samples.SamplesRead
		q.Close()
		if result.Err != nil {
			return cost, result.Err
		}
	}
	return cost, nil
}

// Evaluate is Record for an expression whose result is not kept: an alert's.
func (w *World) Evaluate(expr string, start, end time.Time, interval time.Duration) (Cost, error) {
	_, cost, err := w.evaluate(expr, start, end, interval)
	return cost, err
}

func (w *World) evaluate(expr string, start, end time.Time, interval time.Duration) (promql.Matrix, Cost, error) {
	q, err := w.engine.NewRangeQuery(context.Background(), w, nil, expr, start, end, interval)
	if err != nil {
		return nil, Cost{}, err
	}
	began := time.Now()
	result := q.Exec(context.Background())
	cost := Cost{Evaluations: int(end.Sub(start)/interval) + 1, CPU: time.Since(began), Samples: q.Stats().Samples.TotalSamples}
	matrix, err := result.Matrix()
	if err != nil {
		return nil, cost, err
	}
	out := make(promql.Matrix, len(matrix)) // the engine takes its own back
	for i, s := range matrix {
		out[i] = promql.Series{Metric: s.Metric, Floats: slices.Clone(s.Floats)}
	}
	q.Close()
	return out, cost, nil
}

// Vector is what an expression is at a time.
func (w *World) Vector(expr string, at time.Time) (promql.Vector, error) {
	q, err := w.engine.NewInstantQuery(context.Background(), w, nil, expr, at)
	if err != nil {
		return nil, err
	}
	defer q.Close()
	v, err := q.Exec(context.Background()).Vector()
	return slices.Clone(v), err
}

// Value is the one value of an expression at a time.
func (w *World) Value(expr string, at time.Time) (float64, error) {
	v, err := w.Vector(expr, at)
	if err != nil {
		return 0, err
	}
	if len(v) != 1 {
		return 0, fmt.Errorf("%s: want one sample, got %v", expr, v)
	}
	return v[0].F, nil
}

// Stored are samples in a slice.
type Stored []promql.FPoint

// Len is the number of samples.
func (s Stored) Len() int { return len(s) }

// At is the i-th sample.
func (s Stored) At(i int) (int64, float64) { return s[i].T, s[i].F }

// recorded puts a staleness marker where the next evaluation had no sample.
func recorded(points []promql.FPoint, end time.Time, interval time.Duration) Stored {
	var out Stored
	step := interval.Milliseconds()
	for i, p := range points {
		out = append(out, p)
		if next := p.T + step; next <= end.UnixMilli() && (i+1 == len(points) || points[i+1].T > next) {
			out = append(out, promql.FPoint{T: next, F: math.Float64frombits(value.StaleNaN)})
		}
	}
	return out
}

// samplesPerChunk is what Prometheus' storage aims at.
const samplesPerChunk = 120

// bytes adds what the samples take in the storage's chunks.
func (s Stored) bytes(sum int) (int, error) {
	for part := range slices.Chunk(s, samplesPerChunk) {
		chunk := chunkenc.NewXORChunk()
		app, err := chunk.Appender()
		if err != nil {
			return 0, err
		}
		for _, p := range part {
			app.Append(0, p.T, p.F)
		}
		sum += len(chunk.Bytes())
	}
	return sum, nil
}

// Querier serves the engine.
func (w *World) Querier(mint, maxt int64) (storage.Querier, error) {
	return querier{w, mint, maxt}, nil
}

type querier struct {
	world      *World
	mint, maxt int64
}

func (q querier) Select(_ context.Context, _ bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	from, to := q.mint, q.maxt
	if hints != nil {
		from, to = hints.Start, hints.End
	}
	set := &seriesSet{at: -1}
	for _, m := range matchers {
		if m.Name == labels.MetricName && m.Type == labels.MatchEqual {
			for _, s := range q.world.series[m.Value] {
				if slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(s.labels.Get(m.Name)) }) {
					continue
				}
				set.found = append(set.found, &ranged{s, from, to})
			}
		}
	}
	slices.SortFunc(set.found, func(a, b *ranged) int { return labels.Compare(a.labels, b.labels) })
	return set
}

func (querier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (querier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (querier) Close() error { return nil }

type seriesSet struct {
	found []*ranged
	at    int
}

func (s *seriesSet) Next() bool                        { s.at++; return s.at < len(s.found) }
func (s *seriesSet) At() storage.Series                { return s.found[s.at] }
func (s *seriesSet) Err() error                        { return nil }
func (s *seriesSet) Warnings() annotations.Annotations { return nil }

// ranged is a series as a query sees it: its samples in [from, to].
type ranged struct {
	series
	from, to int64
}

func (s *ranged) Labels() labels.Labels { return s.labels }

func (s *ranged) Iterator(chunkenc.Iterator) chunkenc.Iterator {
	n := s.data.Len()
	first := sort.Search(n, func(i int) bool { t, _ := s.data.At(i); return t >= s.from })
	return &iterator{data: s.data, next: first, end: n, to: s.to}
}

type iterator struct {
	data      Samples
	next, end int
	to        int64
	t         int64
	v         float64
	begun     bool
}

func (it *iterator) Next() chunkenc.ValueType {
	if it.next >= it.end {
		return chunkenc.ValNone
	}
	it.t, it.v = it.data.At(it.next)
	if it.t > it.to {
		it.next = it.end
		return chunkenc.ValNone
	}
	it.begun = true
	it.next++
	return chunkenc.ValFloat
}

func (it *iterator) Seek(t int64) chunkenc.ValueType { //nolint:govet // the interface of Prometheus, not of io
	if it.begun && it.t >= t {
		return chunkenc.ValFloat
	}
	it.next += sort.Search(it.end-it.next, func(i int) bool { at, _ := it.data.At(it.next + i); return at >= t })
	return it.Next()
}

func (it *iterator) At() (int64, float64) { return it.t, it.v }
func (it *iterator) AtHistogram(*histogram.Histogram) (int64, *histogram.Histogram) {
	return it.t, nil
}

func (it *iterator) AtFloatHistogram(*histogram.FloatHistogram) (int64, *histogram.FloatHistogram) {
	return it.t, nil
}
func (it *iterator) AtT() int64  { return it.t }
func (it *iterator) AtST() int64 { return 0 }
func (it *iterator) Err() error  { return nil }
