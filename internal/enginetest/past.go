package enginetest

import (
	"bytes"
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"

	"github.com/upheld-sla/upheld/internal/replay"
)

// past is what has happened in a world that is not live. When somebody looks at the
// world, package replay evaluates its rules up to that moment: a rule is a range query
// over hours instead of a query for each minute. The tests of that package compare
// all that it records, sample by sample, with live worlds. What it does not know, such
// as a clock that is set, makes a world live: the same happens once more, live.
type past struct {
	start   time.Time
	from    time.Time // when the rules were loaded
	files   [][]byte  // nil until then
	away    []replay.Span
	scrapes [][]Sample
	did     []func()               // what has happened, in order
	series  map[string]*pastSeries // by notation
	known   map[string]*pastSeries // by labels
	seen    []*pastSeries          // at the last scrape
	next    time.Time              // of the next scrape: later than now where what is scraped is foreseen
	result  *replayed              // nil if there is none of what has happened
	spent   time.Duration          // how much time has been replayed
}

// mostReplays is how often a past may be replayed. A live world costs as much as twenty
// or more, and one that is looked at every few minutes would need hundreds.
const mostReplays = 12

func newPast(start time.Time) *past {
	return &past{start: start, series: map[string]*pastSeries{}, known: map[string]*pastSeries{}}
}

// pastSeries are the samples of a series.
type pastSeries struct {
	labels     labels.Labels
	floats     replay.Stored
	histograms []promql.HPoint // instead
	last       int             // the scrape that had it last, counted from 1
}

// Live makes the world a live one: rules are evaluated one by one over a TSDB, as by a
// server.
func (w *World) Live() {
	w.t.Helper()
	p := w.past
	if p == nil {
		return
	}
	target, next := w.target, 0
	w.past, w.now, w.groups, w.files.annotate = nil, p.start, nil, false
	w.target = func(at time.Time) []Sample {
		if next++; next <= len(p.scrapes) {
			return p.scrapes[next-1]
		}
		return target(at)
	}
	w.open()
	for _, did := range p.did {
		did()
	}
}

// Foresee says that what is scraped in the next time is known: nothing that the test
// does in it changes what the target returns, and no server restarts. So its rules
// can be evaluated at once, however often the test looks at them meanwhile.
func (w *World) Foresee(d time.Duration) {
	w.t.Helper()
	if w.past != nil {
		now := w.now
		w.scrapeUntil(now.Add(d))
		w.now = now
	}
}

// note notes what has happened in a world that is not live.
func (p *past) note(what func()) {
	if p != nil {
		p.did = append(p.did, what)
	}
}

// remember loads rules, and reports false if the world is live from now on: other
// rules take over the state of those before.
func (w *World) remember(files [][]byte) bool {
	w.t.Helper()
	p := w.past
	p.result = nil
	if p.files != nil && !slices.EqualFunc(p.files, files, bytes.Equal) {
		w.Live()
		return false
	}
	if p.files == nil {
		p.files, p.from = slices.Clone(files), w.now
		for i, f := range files {
			w.files.files[nameOfFile(i)] = f
		}
	}
	p.note(func() { w.Load(files...) })
	return true
}

// leave stops the server for some time, and reports false if the world is live from now on.
func (w *World) leave(down time.Duration) bool {
	w.t.Helper()
	p := w.past
	p.result = nil
	if w.now.Before(p.next) {
		w.t.Fatal("what is scraped was foreseen beyond a restart")
	}
	if down <= 0 || p.files == nil {
		w.Live()
		return false
	}
	p.away = append(p.away, replay.Span{From: w.now, To: w.now.Add(down)})
	p.seen = nil
	w.now = w.now.Add(down)
	p.note(func() { w.Restart(down) })
	return true
}

// scrapeFor scrapes for some time.
func (w *World) scrapeFor(d time.Duration) {
	w.t.Helper()
	w.scrapeUntil(w.now.Add(d))
	w.past.note(func() { w.Run(d) })
}

func (w *World) scrapeUntil(end time.Time) {
	w.t.Helper()
	p := w.past
	for ; w.now.Before(end); w.now = w.now.Add(w.scrape) {
		if w.now.Before(p.next) {
			continue
		}
		samples := slices.Clone(w.target(w.now))
		p.scrapes = append(p.scrapes, samples)
		p.keep(w.t, w.now, samples)
		p.next = w.now.Add(w.scrape)
	}
}

// keep adds the samples of a scrape to their series, and markers to those that it has
// no more.
func (p *past) keep(t testing.TB, now time.Time, samples []Sample) {
	t.Helper()
	ms, n := now.UnixMilli(), len(p.scrapes)
	before := p.seen
	p.seen = make([]*pastSeries, 0, len(samples))
	for i, s := range samples {
		known, ok := p.series[s.Series]
		if !ok {
			known = p.sameSeries(parsed(t, s.Series))
			p.series[s.Series] = known
		}
		if known.last == n {
			t.Fatalf("a scrape has %s twice", s.Series)
		}
		known.last = n
		p.seen = append(p.seen, known)
		if s.Histogram != nil {
			samples[i].Histogram = s.Histogram.Copy()
		}
		known.add(ms, s.Value, samples[i].Histogram)
	}
	for _, known := range before {
		if known.last != n {
			known.add(ms, math.Float64frombits(value.StaleNaN), nil)
		}
	}
}

// sameSeries is the series of labels, which may have several notations.
func (p *past) sameSeries(l labels.Labels) *pastSeries {
	known, ok := p.known[l.String()]
	if !ok {
		known = &pastSeries{labels: l}
		p.known[l.String()] = known
	}
	return known
}

func (s *pastSeries) add(ms int64, v float64, h *histogram.FloatHistogram) {
	switch {
	case h == nil && len(s.histograms) == 0:
		s.floats = append(s.floats, promql.FPoint{T: ms, F: v})
		return
	case h == nil && !value.IsStaleNaN(v) || len(s.floats) > 0:
		panic("a series of both numbers and histograms: " + s.labels.String())
	case h == nil:
		h = &histogram.FloatHistogram{Sum: v} // as the storage marks it
	}
	s.histograms = append(s.histograms, promql.HPoint{T: ms, H: h})
}

// shapes implements replay.Histograms.
type shapes []promql.HPoint

func (s shapes) Len() int                                    { return len(s) }
func (s shapes) At(i int) (int64, *histogram.FloatHistogram) { return s[i].T, s[i].H }

// replayed is a past that has been replayed up to a moment.
type replayed struct {
	until       time.Time
	world       *replay.World
	episodes    []replay.Episode
	transitions []Transition
}

// pastStorage is what a world that is not live has stored by now.
type pastStorage struct {
	*replay.World
	now time.Time
}

// Querier implements storage.Queryable.
func (s pastStorage) Querier(from, to int64) (storage.Querier, error) {
	q, err := s.World.Querier(from, to)
	return untilNow{q, s.now.UnixMilli() - 1}, err
}

// untilNow does not see what is foreseen.
type untilNow struct {
	storage.Querier
	last int64
}

// Select implements storage.Querier.
func (q untilNow) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	bounded := storage.SelectHints{Start: math.MinInt64, End: q.last}
	if hints != nil {
		bounded = *hints
		bounded.End = min(bounded.End, q.last)
	}
	return q.Querier.Select(ctx, sorted, &bounded, matchers...)
}

// before are the transitions before a time.
func (p *replayed) before(at time.Time) []Transition {
	n, _ := slices.BinarySearchFunc(p.transitions, at, func(tr Transition, at time.Time) int { return tr.At.Compare(at) })
	return p.transitions[:n:n]
}

// alerts are those that fire at the end.
func (p *replayed) alerts() []Alert {
	var firing []Alert
	for _, e := range p.episodes {
		if !e.Firing.IsZero() && e.Resolved.IsZero() {
			firing = append(firing, Alert{e.Labels.Map(), e.Last.Map()})
		}
	}
	return firing
}

// replayed is the past up to now or later, nil if the world is live.
func (w *World) replayed() *replayed {
	w.t.Helper()
	p := w.past
	if p == nil {
		return nil
	}
	if p.result != nil && !p.result.until.Before(w.now) {
		return p.result
	}
	until := w.now
	if p.next.After(until) {
		until = p.next
	}
	if p.spent += until.Sub(p.start); p.spent > mostReplays*until.Sub(p.start) {
		w.Live()
		return nil
	}
	p.result = w.replay(until)
	return p.result
}

// replayedToNow is the past up to now and no later, nil if the world is live.
func (w *World) replayedToNow() *replayed {
	w.t.Helper()
	if p := w.replayed(); p == nil || p.until.Equal(w.now) {
		return p
	}
	return w.replay(w.now)
}

// replay replays the past up to a time.
func (w *World) replay(until time.Time) *replayed {
	w.t.Helper()
	p, r := w.past, &replayed{until: until, world: replay.New()}
	for _, s := range p.known {
		if len(s.histograms) == 0 {
			r.world.Add(s.labels, s.floats)
		} else if err := r.world.AddHistograms(s.labels, shapes(s.histograms)); err != nil {
			w.t.Fatal(err)
		}
	}
	if p.files == nil || !p.from.Before(until) {
		return r
	}
	plan := replay.Plan{From: p.from, To: until, Away: p.away, ExternalLabels: w.outside}
	for i, f := range p.files {
		plan.Files = append(plan.Files, replay.File{Name: nameOfFile(i), Text: f})
	}
	result, err := r.world.Run(context.Background(), plan)
	if err != nil {
		w.t.Fatal(err)
	}
	if !w.failing {
		for _, e := range result.Errors {
			w.t.Fatalf("%s at %s: %v", e.Rule.Name, e.First.Sub(Start), e.Err)
		}
	}
	r.episodes = result.Episodes
	r.transitions = r.all(w.nextAfter)
	return r
}
