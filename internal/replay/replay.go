// Package replay evaluates Prometheus rule files over weeks of the past in the real
// engine, in simulated time. From raw series it finds what a server would have recorded
// and which alerts would have fired. It knows nothing of agreements: it takes any rule
// files.
//
// Every group is evaluated at the times at which a server would evaluate it, and a rule
// only sees what had been recorded by then. Instead of one query for every evaluation,
// a rule is one range query over its past wherever that gives the same result:
// components.go says where. Prometheus' own rules.AlertingRule makes the alerts.
// Recorded samples are kept in the storage's chunks.
package replay

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// Samples are a series' samples in order of time. They may be computed from the index:
// a World reads them again for each query and stores none. Several goroutines may call
// At at once.
type Samples interface {
	Len() int
	At(i int) (ms int64, v float64)
}

// Histograms are the samples of a series of native histograms, in order of time.
type Histograms interface {
	Len() int
	At(i int) (ms int64, h *histogram.FloatHistogram)
}

// Stored are samples in a slice.
type Stored []promql.FPoint

// Len is the number of samples.
func (s Stored) Len() int { return len(s) }

// At is the i-th sample.
func (s Stored) At(i int) (int64, float64) { return s[i].T, s[i].F }

// World is a past: series, and the engine that queries them. It is a storage.Queryable.
// Add series before Run, which may run once.
type World struct {
	engine *promql.Engine
	mu     sync.RWMutex // of the maps, not of the contents of series
	byName map[string][]*series
	byHash map[uint64][]*series
}

// New is a past without series.
func New() *World {
	return &World{
		byName: map[string][]*series{}, byHash: map[uint64][]*series{},
		engine: promql.NewEngine(promql.EngineOpts{
			MaxSamples: math.MaxInt, Timeout: 24 * time.Hour, // the context bounds what a query may take
			EnableAtModifier: true, EnableNegativeOffset: true, // as in every server
			NoStepSubqueryIntervalFn: func(int64) int64 { return defaultInterval.Milliseconds() },
			Parser:                   language,
		}),
	}
}

// defaultInterval is Prometheus' default evaluation_interval.
const defaultInterval = time.Minute

var language = parser.NewParser(parser.Options{})

// Add adds a raw series. If a series ends, its samples must have a staleness marker
// (value.StaleNaN) where a scrape would have written one. Do not add two series with
// the same labels.
func (w *World) Add(l labels.Labels, s Samples) { w.insert(&series{labels: l, raw: s}) }

// AddHistograms adds a raw series of native histograms. Like the storage it encodes
// them at once, and detects counter resets as a server would.
func (w *World) AddHistograms(l labels.Labels, h Histograms) error {
	r := &record{}
	for i := range h.Len() {
		t, sample := h.At(i)
		if err := r.append(point{t: t, h: sample}, 0); err != nil {
			return fmt.Errorf("%s: %w", l, err)
		}
	}
	w.insert(&series{labels: l, record: r, given: true})
	return nil
}

// Append adds raw samples after those that the series of the labels has: values, or
// native histograms if h is not nil. Unlike Add it encodes them at once, into about two
// bytes each.
func (w *World) Append(l labels.Labels, times []int64, values []float64, h []*histogram.FloatHistogram) error {
	s := w.with(l)
	if s == nil {
		s = &series{labels: l, record: &record{}, given: true}
		w.insert(s)
	}
	for i, t := range times {
		p := point{t: t}
		if h != nil {
			p.h = h[i]
		} else {
			p.f = values[i]
		}
		if err := s.record.append(p, 0); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) insert(s *series) {
	w.mu.Lock()
	defer w.mu.Unlock()
	name, hash := s.labels.Get(labels.MetricName), s.labels.Hash()
	w.byName[name] = append(w.byName[name], s)
	w.byHash[hash] = append(w.byHash[hash], s)
}

// with returns the series of the labels, nil if there is none.
func (w *World) with(l labels.Labels) *series {
	w.mu.RLock()
	defer w.mu.RUnlock()
	for _, s := range w.byHash[l.Hash()] {
		if labels.Equal(s.labels, l) {
			return s
		}
	}
	return nil
}

// Recorded returns the series that Run has recorded, in order of their labels: those of
// recording rules, ALERTS and ALERTS_FOR_STATE. Their samples are decoded while they
// are read, and include staleness markers.
func (w *World) Recorded() []storage.Series {
	w.mu.RLock()
	defer w.mu.RUnlock()
	var all []storage.Series
	for _, named := range w.byName {
		for _, s := range named {
			if s.record != nil && !s.given {
				all = append(all, ranged{series: s, from: math.MinInt64, to: math.MaxInt64})
			}
		}
	}
	slices.SortFunc(all, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	return all
}

// Vector evaluates an expression at a time.
func (w *World) Vector(expr string, at time.Time) (promql.Vector, error) {
	return w.instant(context.Background(), w, expr, at)
}

// Value is the only value of an expression at a time.
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

// instant evaluates an expression like the query function of a rule group.
func (w *World) instant(ctx context.Context, from storage.Queryable, expr string, at time.Time) (promql.Vector, error) {
	q, err := w.engine.NewInstantQuery(ctx, from, nil, expr, at)
	if err != nil {
		return nil, err
	}
	defer q.Close()
	result := q.Exec(ctx)
	if result.Err != nil {
		return nil, result.Err
	}
	switch v := result.Value.(type) {
	case promql.Vector:
		return slices.Clone(v), nil
	case promql.Scalar:
		return promql.Vector{{T: v.T, F: v.V}}, nil
	}
	return nil, fmt.Errorf("rule result is not a vector or scalar")
}

// NewSeries makes a series of samples for storage or queries, as Add takes them.
func NewSeries(l labels.Labels, s Samples) storage.Series {
	return ranged{series: &series{labels: l, raw: s}, from: math.MinInt64, to: math.MaxInt64}
}

// series are labels with samples: raw ones, or those of a record.
type series struct {
	labels labels.Labels
	raw    Samples
	record *record
	given  bool // the record has raw samples
}

// ranged is a series as a query sees it: its samples in [from, to].
type ranged struct {
	*series
	from, to int64
	hides    func(writer uint32, t int64) bool // for a record of several rules; nil to hide nothing
	late     int64                             // the interval of a selector that hides samples of its own time, else 0
}

// Labels implements storage.Series.
func (s ranged) Labels() labels.Labels { return s.labels }

// Iterator implements storage.Series.
func (s ranged) Iterator(reuse chunkenc.Iterator) chunkenc.Iterator {
	if s.record == nil {
		return newRawIterator(s.raw, s.from, s.to)
	}
	if s.late != 0 && !s.given {
		whole := ranged{series: s.series, from: s.from - s.late, to: s.to, hides: s.hides}
		return newLateIterator(whole.Iterator(nil), s.late)
	}
	it, ok := reuse.(*recordIterator)
	if !ok {
		it = &recordIterator{}
	}
	it.reset(s.record, s.from, s.to, s.hides)
	if len(s.record.guess) > 0 {
		return &chain{it, newRawIterator(Stored(s.record.guess), s.from, s.to)}
	}
	return it
}
