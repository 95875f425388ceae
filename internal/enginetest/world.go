// Package enginetest runs generated rule files in the real Prometheus engine
// over simulated time: samples are scraped from a function of time, rule groups
// are evaluated at the times at which the rule manager would. A live world does
// so evaluation by evaluation over a real TSDB; others have package replay
// evaluate their past, which costs a twentieth: past.go. It is imported by tests only.
package enginetest

import (
	"context"
	"log/slog"
	"math"
	"os"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/teststorage"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/testsize"
)

// Sample is one scraped value. Series is in PromQL notation: name{label="x"}.
type Sample struct {
	Series    string
	Value     float64
	Histogram *histogram.FloatHistogram // a native histogram instead of Value
}

// Target is what a scrape at t reads. A series that disappears gets a staleness marker,
// as in Prometheus.
type Target func(t time.Time) []Sample

// World is a Prometheus in simulated time.
type World struct {
	t       testing.TB
	store   *teststorage.TestStorage
	engine  *promql.Engine
	query   rules.QueryFunc
	manager *rules.Manager
	groups  []*scheduled
	target  Target
	scrape  time.Duration
	now     time.Time
	seen    map[string]*scrapedSeries
	scrapes int // so far
	firing  []Transition
	state   map[string]map[string]Transition // of each group, by labels: firing alerts and burning tiers
	burning []labels.Labels                  // tiers that the current evaluation has recorded
	files   *memory
	timing  Timing
	pending []scraped     // scrapes that have begun, in order of time
	ahead   time.Duration // how far now, which is the server's clock, is ahead of the targets' clock
	newest  time.Time     // the latest time of a scrape
	failing bool          // rules may fail
	outside labels.Labels // external labels
	past    *past         // of a world that is not live
}

// memory serves rule files by name, so that the times of evaluation, which depend on
// the name, are the same in every run.
type memory struct {
	files    map[string][]byte
	language remembering
	annotate bool // alerts have their annotations
}

func (m *memory) Load(name string, ignoreUnknown bool, scheme model.ValidationScheme) (*rulefmt.RuleGroups, []error) {
	groups, errs := rulefmt.Parse(m.files[name], ignoreUnknown, scheme, m.language, slog.New(slog.DiscardHandler))
	if groups != nil && !m.annotate {
		for _, g := range groups.Groups {
			for i := range g.Rules {
				g.Rules[i].Annotations = nil
			}
		}
	}
	return groups, errs
}

func (m *memory) Parse(query string) (parser.Expr, error) { return m.language.rule(query) }

var language = parser.NewParser(parser.Options{})

// Transition is an alert that began or stopped firing, or a tier that began or stopped
// burning: metricnames.BurnTier.
type Transition struct {
	At     time.Time
	Name   string
	Labels map[string]string
	Firing bool
}

// Start is where simulated time begins: a Thursday, not at the edge of any period.
var Start = time.Date(2026, 3, 5, 10, 7, 0, 0, time.UTC)

// lean saves the process work that no test looks at. Garbage is collected less often,
// unless GOGC sets how often: an evaluation leaves much behind and a world keeps
// little, so this costs some hundred megabytes at most, and saves a fifth of the time.
// Queries also make no spans, which nobody collects: that saves a tenth.
var lean = sync.OnceFunc(func() {
	otel.SetTracerProvider(noop.NewTracerProvider())
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
})

// New starts a world at Start that scrapes the target every scrape interval.
func New(t testing.TB, scrape time.Duration, target Target) *World {
	t.Helper()
	return NewAt(t, Start, scrape, target)
}

// NewAt is New at another time.
func NewAt(t testing.TB, start time.Time, scrape time.Duration, target Target) *World {
	t.Helper()
	lean()
	w := &World{
		t: t, target: target, scrape: scrape, now: start,
		files: &memory{map[string][]byte{}, remembering{language, map[string]parser.Expr{}}, false},
		seen:  map[string]*scrapedSeries{}, state: map[string]map[string]Transition{},
	}
	w.engine = promql.NewEngine(promql.EngineOpts{
		MaxSamples: 50_000_000, Timeout: time.Hour, // a busy machine is slow, which is not a failure
		EnableAtModifier: true, EnableNegativeOffset: true, Parser: w.files.language,
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
	})
	w.manager = w.managing(nil)
	t.Cleanup(w.end)
	if w.past = newPast(start); testsize.Every() {
		w.Live()
	}
	return w
}

// open opens the storage of a live world.
func (w *World) open() {
	w.t.Helper()
	var err error
	if w.store, err = teststorage.NewWithError(small); err != nil {
		w.t.Fatal(err)
	}
	w.query = rules.EngineQueryFunc(w.engine, w.store)
	w.manager = w.managing(w.store)
}

// managing is the rule manager over a storage, or one that only loads groups.
func (w *World) managing(store storage.Queryable) *rules.Manager {
	return rules.NewManager(&rules.ManagerOptions{
		QueryFunc: w.query, Appendable: recording{w}, Queryable: store,
		Context: context.Background(), NotifyFunc: func(context.Context, string, ...*rules.Alert) {},
		Parser: language, GroupLoader: w.files, RuleDependencyController: sequential{}, Logger: slog.New(slog.DiscardHandler),
		OutageTolerance: time.Hour, ForGracePeriod: 10 * time.Minute, // a server's defaults
	})
}

// KeepAnnotations has alerts carry their annotations, from the next Load on. Without it
// they have none: a server expands their templates, and evaluates the queries in
// them, again at each evaluation, which most tests do not read. A test of a long
// history loads its rules again with them shortly before it reads them.
func (w *World) KeepAnnotations() {
	w.files.annotate = true
	w.past.note(w.KeepAnnotations)
}

// AllowFailures lets evaluations of rules fail; otherwise that fails the test.
func (w *World) AllowFailures() { w.failing = true }

// ExternalLabels sets the server's, for templates, from the next Load on.
func (w *World) ExternalLabels(l labels.Labels) {
	if w.past != nil && w.past.files != nil {
		w.Live()
	}
	w.outside = l
}

// end releases everything that a world keeps. The testing package keeps cleanup
// functions until all tests have run, and so would keep every world.
func (w *World) end() {
	if !w.t.Failed() && !w.t.Skipped() {
		w.replayed() // rules whose results nobody has read may not fail either
	}
	_ = w.engine.Close()
	if w.store != nil {
		if err := w.store.Close(); err != nil {
			w.t.Error(err)
		}
	}
	*w = World{t: w.t}
}

// Load replaces the rules with those of the files. Groups with the same content keep
// their state, as in a reload.
func (w *World) Load(files ...[]byte) {
	w.t.Helper()
	if w.past != nil && w.remember(files) {
		return
	}
	clear(w.files.files)
	for i, f := range files {
		w.files.files[nameOfFile(i)] = f
	}
	old := w.groups
	w.schedule()
	for _, s := range w.groups {
		for _, o := range old {
			if o.group.Name() == s.group.Name() {
				s.group.CopyState(o.group)
			}
		}
		for _, r := range s.group.AlertingRules() {
			r.SetRestored(true) // otherwise ALERTS is not recorded, as it waits for states from before a restart
		}
	}
}

// nameOfFile is the name of the i-th rule file.
func nameOfFile(i int) string { return string(rune('a'+i)) + ".yaml" }

// Run advances simulated time by d: scrapes and evaluations happen in order.
func (w *World) Run(d time.Duration) {
	w.t.Helper()
	if w.past != nil {
		w.scrapeFor(d)
		return
	}
	for end := w.now.Add(d); w.now.Before(end); w.now = w.now.Add(w.scrape) {
		w.scrapeAt(w.now)
		for s := w.due(); s != nil; s = w.due() {
			w.commit(s.tick)
			if at := s.evaluates(); w.timing.Misses == nil || !w.timing.Misses(s.group.Name(), at) {
				w.evaluate(s, at)
			}
		}
		w.ahead += time.Duration(w.timing.Drift * float64(w.scrape))
	}
	w.commit(w.now)
}

// Now is the simulated time.
func (w *World) Now() time.Time { return w.now }

// scrapeAt begins a scrape, whose samples can be queried when it has ended.
func (w *World) scrapeAt(at time.Time) {
	s := scraped{at: at, ends: at, samples: w.target(at.Add(-w.ahead))}
	if at.Before(w.newest) {
		s.at = w.newest // scrape loops align their times like this
	}
	w.newest = s.at
	if w.timing.ScrapeTakes != nil {
		s.ends = at.Add(w.timing.ScrapeTakes(at))
	}
	w.pending = append(w.pending, s)
}

// commit stores the samples of scrapes that have ended by now.
func (w *World) commit(now time.Time) {
	w.t.Helper()
	for len(w.pending) > 0 && !w.pending[0].ends.After(now) {
		w.write(w.pending[0])
		w.pending = w.pending[1:]
	}
}

// scrapedSeries is a series that the target had at the last scrape.
type scrapedSeries struct {
	labels labels.Labels
	ref    storage.SeriesRef
	scrape int // the last scrape with it
}

// write stores the samples of a scrape, and markers for series that have disappeared.
func (w *World) write(scrape scraped) {
	w.t.Helper()
	app := w.store.Appender(context.Background())
	ms := scrape.at.UnixMilli()
	w.scrapes++
	for _, s := range scrape.samples {
		known, ok := w.seen[s.Series]
		if !ok {
			known = &scrapedSeries{labels: parsed(w.t, s.Series)}
			w.seen[s.Series] = known
		}
		known.scrape = w.scrapes
		w.append(app, known, ms, s.Value, s.Histogram)
	}
	for name, known := range w.seen {
		if known.scrape != w.scrapes {
			w.append(app, known, ms, math.Float64frombits(value.StaleNaN), nil)
			delete(w.seen, name)
		}
	}
	if err := app.Commit(); err != nil {
		w.t.Fatal(err)
	}
}

func (w *World) append(app storage.Appender, s *scrapedSeries, ms int64, v float64, h *histogram.FloatHistogram) {
	w.t.Helper()
	var ref storage.SeriesRef
	var err error
	if h == nil {
		ref, err = app.Append(s.ref, s.labels, ms, v)
	} else {
		ref, err = app.AppendHistogram(s.ref, s.labels, ms, nil, h)
	}
	switch {
	case err == nil:
		s.ref = ref
	case !w.refused(err):
		w.t.Fatalf("append %s: %v", s.labels, err)
	}
}

// parsed are the labels of a series.
func parsed(t testing.TB, series string) labels.Labels {
	t.Helper()
	l, err := language.ParseMetric(series)
	if err != nil {
		t.Fatalf("series %q: %v", series, err)
	}
	return l
}

func (w *World) evaluate(s *scheduled, at time.Time) {
	w.t.Helper()
	g := s.group
	w.burning = w.burning[:0]
	g.Eval(context.Background(), at)
	if s.restore--; s.restore == 0 {
		g.RestoreForState(at)
	}
	for _, r := range g.Rules() {
		if err := r.LastError(); err != nil && !w.failing && !w.refused(err) {
			w.t.Fatalf("%s at %s: %v", r.Name(), at.Sub(Start), err)
		}
	}
	now := map[string]Transition{}
	turn := func(name string, l labels.Labels) {
		key := l.String()
		before, ok := w.state[g.Name()][key]
		if !ok {
			before = Transition{at, name, l.Map(), true}
			w.firing = append(w.firing, before)
		}
		now[key] = before
	}
	for _, r := range g.AlertingRules() {
		for _, a := range r.ActiveAlerts() {
			if a.State == rules.StateFiring {
				turn(r.Name(), a.Labels)
			}
		}
	}
	for _, l := range w.burning {
		turn(metricnames.BurnTier, l)
	}
	for key, tr := range w.state[g.Name()] {
		if _, ok := now[key]; !ok {
			tr.At, tr.Firing = at, false
			w.firing = append(w.firing, tr)
		}
	}
	w.state[g.Name()] = now
}
