package replay_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/replay"
)

const scrape = 15 * time.Second

var external = labels.FromStrings("region", "north")

// both is a past that is played twice: by rule groups over a TSDB, and by Run.
type both struct {
	t      *testing.T
	target enginetest.Target
	files  [][]byte
	start  time.Time
	// runs are how long the server runs, and then how long it is away, in turn.
	runs    []time.Duration
	mayFail bool // rules may fail at an evaluation
}

// slow is what rule groups make of it. Step is called after each scrape.
func (b both) slow(step func(*enginetest.World)) *enginetest.World {
	w := enginetest.NewAt(b.t, b.start, scrape, b.target)
	w.Live()
	if b.mayFail {
		w.AllowFailures()
	}
	w.ExternalLabels(external)
	if step != nil {
		w.KeepAnnotations()
	}
	w.Load(b.files...)
	for i, d := range b.runs {
		switch {
		case i%2 == 1:
			w.Restart(d)
		case step == nil:
			w.Run(d)
		default:
			for range d / scrape {
				w.Run(scrape)
				step(w)
			}
		}
	}
	return w
}

// plan is the same for Run.
func (b both) plan() replay.Plan {
	p := replay.Plan{From: b.start, ExternalLabels: external}
	for i, f := range b.files {
		p.Files = append(p.Files, replay.File{Name: string(rune('a'+i)) + ".yaml", Text: f})
	}
	at := b.start
	for i, d := range b.runs {
		if i%2 == 1 {
			p.Away = append(p.Away, replay.Span{From: at, To: at.Add(d)})
		}
		at = at.Add(d)
	}
	p.To = at
	return p
}

// shapes are the samples of a series of native histograms.
type shapes []promql.HPoint

func (s shapes) Len() int                                    { return len(s) }
func (s shapes) At(i int) (int64, *histogram.FloatHistogram) { return s[i].T, s[i].H }

// fast is what Run makes of it.
func (b both) fast() (*replay.World, *replay.Result) {
	b.t.Helper()
	floats, hists := map[string]replay.Stored{}, map[string]shapes{}
	seen := map[string]bool{}
	at := b.start
	for i, d := range b.runs {
		if i%2 == 1 {
			clear(seen)
			at = at.Add(d)
			continue
		}
		for end := at.Add(d); at.Before(end); at = at.Add(scrape) {
			ms, now := at.UnixMilli(), map[string]bool{}
			for _, s := range b.target(at) {
				now[s.Series] = true
				if s.Histogram != nil {
					hists[s.Series] = append(hists[s.Series], promql.HPoint{T: ms, H: s.Histogram.Copy()})
				} else {
					floats[s.Series] = append(floats[s.Series], promql.FPoint{T: ms, F: s.Value})
				}
			}
			for name := range seen {
				if !now[name] {
					floats[name] = append(floats[name], promql.FPoint{T: ms, F: math.Float64frombits(value.StaleNaN)})
				}
			}
			seen = now
		}
	}
	w := replay.New()
	for series, s := range floats {
		w.Add(metric(b.t, series), s)
	}
	for series, s := range hists {
		if err := w.AddHistograms(metric(b.t, series), s); err != nil {
			b.t.Fatal(err)
		}
	}
	result, err := w.Run(context.Background(), b.plan())
	if err != nil {
		b.t.Fatal(err)
	}
	return w, result
}

var language = parser.NewParser(parser.Options{})

func metric(t *testing.T, series string) labels.Labels {
	t.Helper()
	l, err := language.ParseMetric(series)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// compare plays both and compares all that they recorded, and what fired.
func (b both) compare() (*replay.World, *replay.Result) {
	b.t.Helper()
	slow := b.slow(nil)
	w, result := b.fast()
	want := b.recorded(slow.Storage())
	got := map[string]storage.Series{}
	for _, s := range w.Recorded() {
		got[s.Labels().String()] = s
	}
	failed := 0
	for _, name := range slices.Sorted(maps.Keys(want)) {
		s, ok := got[name]
		if !ok {
			b.t.Errorf("%s is not recorded", name)
			continue
		}
		if difference := differ(samplesOf(s.Iterator(nil)), want[name], b.start); difference != "" {
			if failed++; failed < 20 {
				b.t.Errorf("%s: %s", name, difference)
			}
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			b.t.Errorf("%s is recorded: %v", name, samplesOf(got[name].Iterator(nil)))
		}
	}
	b.sameEpisodes(result.Episodes, slow.Transitions())
	return w, result
}

// recorded are the series of a storage that the target does not have.
func (b both) recorded(from storage.Queryable) map[string][]sample {
	b.t.Helper()
	raw, seen := map[string]bool{}, map[string]bool{}
	for at, end := b.start, b.plan().To; at.Before(end); at = at.Add(scrape) {
		for _, s := range b.target(at) {
			if seen[s.Series] {
				continue
			}
			seen[s.Series] = true
			raw[metric(b.t, s.Series).Get(labels.MetricName)] = true
		}
	}
	q, err := from.Querier(math.MinInt64, math.MaxInt64)
	if err != nil {
		b.t.Fatal(err)
	}
	defer q.Close()
	set := q.Select(context.Background(), true, nil, labels.MustNewMatcher(labels.MatchNotEqual, labels.MetricName, ""))
	all := map[string][]sample{}
	for set.Next() {
		if l := set.At().Labels(); !raw[l.Get(labels.MetricName)] {
			all[l.String()] = samplesOf(set.At().Iterator(nil))
		}
	}
	if set.Err() != nil {
		b.t.Fatal(set.Err())
	}
	return all
}

type sample struct {
	t int64
	f float64
	h *histogram.FloatHistogram
}

func samplesOf(it chunkenc.Iterator) []sample {
	var all []sample
	for {
		switch it.Next() {
		case chunkenc.ValNone:
			return all
		case chunkenc.ValFloat:
			t, f := it.At()
			all = append(all, sample{t: t, f: f})
		default:
			t, h := it.AtFloatHistogram(nil)
			if value.IsStaleNaN(h.Sum) {
				all = append(all, sample{t: t, f: h.Sum})
			} else {
				all = append(all, sample{t: t, h: h})
			}
		}
	}
}

// differ says how samples differ, "" if they do not.
func differ(got, want []sample, start time.Time) string {
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i].t != want[i].t || !near(got[i], want[i]) {
			show := func(s []sample) string {
				if i >= len(s) {
					return "nothing"
				}
				return fmt.Sprintf("%v at %s", show(s[i]), time.UnixMilli(s[i].t).Sub(start))
			}
			return fmt.Sprintf("sample %d of %d is %s, want %s of %d", i, len(got), show(got), show(want), len(want))
		}
	}
	return ""
}

func show(s sample) any {
	if s.h != nil {
		return s.h
	}
	if value.IsStaleNaN(s.f) {
		return "stale"
	}
	return s.f
}

func near(a, b sample) bool {
	if a.h != nil || b.h != nil {
		return a.h != nil && b.h != nil && math.Abs(a.h.Count-b.h.Count) <= 1e-9*math.Abs(b.h.Count) && math.Abs(a.h.Sum-b.h.Sum) <= 1e-9*math.Abs(b.h.Sum)
	}
	if math.IsNaN(a.f) || math.IsNaN(b.f) {
		return math.IsNaN(a.f) == math.IsNaN(b.f) && value.IsStaleNaN(a.f) == value.IsStaleNaN(b.f)
	}
	return a.f == b.f || math.Abs(a.f-b.f) <= 1e-9*max(1, math.Abs(b.f))
}

// sameEpisodes compares when alerts began and ceased to fire.
func (b both) sameEpisodes(got []replay.Episode, want []enginetest.Transition) {
	b.t.Helper()
	line := func(name string, l map[string]string, at time.Time, firing bool) string {
		return fmt.Sprintf("%12s %s %v %t", at.Sub(b.start), name, l, firing)
	}
	// The slow one takes alerts of two rules of a group for one if they have the same labels.
	rules, twice := map[string]replay.Rule{}, map[string]bool{}
	for _, e := range got {
		key := e.Labels.String()
		if r, ok := rules[key]; ok && r != e.Rule {
			twice[key] = true
		}
		rules[key] = e.Rule
	}
	var a, z []string
	for _, e := range got {
		if e.Firing.IsZero() || twice[e.Labels.String()] {
			continue
		}
		a = append(a, line(e.Rule.Name, e.Labels.Map(), e.Firing, true))
		if !e.Resolved.IsZero() {
			a = append(a, line(e.Rule.Name, e.Labels.Map(), e.Resolved, false))
		}
	}
	for _, tr := range want {
		if tr.Name != metricnames.BurnTier && !twice[labels.FromMap(tr.Labels).String()] {
			z = append(z, line(tr.Name, tr.Labels, tr.At, tr.Firing))
		}
	}
	slices.Sort(a)
	slices.Sort(z)
	for _, l := range a {
		if !slices.Contains(z, l) {
			b.t.Errorf("only Run has     %s", l)
		}
	}
	for _, l := range z {
		if !slices.Contains(a, l) {
			b.t.Errorf("Run does not have %s", l)
		}
	}
}
