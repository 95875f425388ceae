package samples

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"

	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

// events reads what a service counted itself.
func (l *load) events(e *sla.Events) ([]group, error) {
	total, err := sumLayout(e.Total)
	if err != nil {
		return nil, err
	}
	counted := e.Bad
	if e.Good.Text != "" {
		counted = e.Good
	}
	part, err := sumLayout(counted)
	if err != nil {
		return nil, err
	}
	t := newTally(l)
	err = l.count(total, t.take(func(inc increment) (total, part float64) { return inc.d[0], 0 }), t.observed)
	if err != nil {
		return nil, err
	}
	parts := t.beside()
	if err := l.count(part, parts.take(func(inc increment) (total, part float64) { return 0, inc.d[0] }), parts.observed); err != nil {
		return nil, err
	}
	if e.Good.Text == "" {
		return t.groups(parts, false), nil
	}
	if err := parts.goodBefore(part); err != nil {
		return nil, err
	}
	return t.groups(parts, true), nil
}

// sumLayout reads a sum of counters, each of which is counted by itself.
func sumLayout(q sla.Query) (layout, error) {
	selectors, err := selectorsOf(q)
	if err != nil {
		return layout{}, err
	}
	l := layout{needs: 1}
	for _, s := range selectors {
		l.parts = append(l.parts, part{matchers: s.Matchers(), column: firstColumn})
	}
	return l, nil
}

func firstColumn(labels.Labels) int { return 0 }

func selectorsOf(q sla.Query) ([]promql.Selector, error) {
	expr, err := promql.Parse(q.Text)
	if err != nil {
		return nil, err
	}
	return expr.Selectors()
}

// histogram reads requests by the bucket of the threshold, from series that have it.
func (l *load) histogram(h *sla.HistogramLatency) ([]group, error) {
	all, good, err := histogramSelectors(h.Histogram, h.Good)
	if err != nil {
		return nil, err
	}
	bound, _ := sla.HistogramBound(all.Name(), h.Unit, h.Threshold)
	bucket := func(s promql.Selector) []*labels.Matcher {
		return s.WithSuffix("_bucket", promql.Bound(model.BucketLabel, bound.Float64())).Matchers()
	}
	column := func(of labels.Labels) int {
		if strings.HasSuffix(of.Get(model.MetricNameLabel), "_bucket") {
			return 1
		}
		return 0
	}
	pair := layout{
		parts: []part{{matchers: all.WithSuffix("_count").Matchers(), column: column}, {matchers: bucket(all), column: column}},
		apart: []string{model.MetricNameLabel, model.BucketLabel},
		needs: 2, // requests of series without the bucket are unknown, not slow
	}
	within := layout{parts: []part{{matchers: bucket(good), column: firstColumn}}, apart: []string{model.BucketLabel}, needs: 1}
	return l.latency(pair, within, h.Good.Text != "")
}

// native reads requests of a native histogram.
func (l *load) native(n *sla.NativeLatency) ([]group, error) {
	all, good, err := histogramSelectors(n.Histogram, n.Good)
	if err != nil {
		return nil, err
	}
	bound, _ := sla.HistogramBound(all.Name(), n.Unit, n.Threshold)
	count := func(s Series, i int) float64 {
		return nativeCount(s, i, func(s Series, i int) float64 { return s.H[i].Count })
	}
	within := func(s Series, i int) float64 {
		return nativeCount(s, i, func(s Series, i int) float64 { return promql.Within(s.H[i], bound.Float64()) })
	}
	second := func(labels.Labels) int { return 1 }
	pair := layout{parts: []part{
		{matchers: all.Matchers(), column: firstColumn, value: count},
		{matchers: all.Matchers(), column: second, value: within},
	}, needs: 2}
	fast := layout{parts: []part{{matchers: good.Matchers(), column: firstColumn, value: within}}, needs: 1}
	return l.latency(pair, fast, n.Good.Text != "")
}

// latency counts all requests and those within the threshold. A level with good counts
// the latter from other series.
func (l *load) latency(pair, within layout, byGood bool) ([]group, error) {
	t := newTally(l)
	err := l.count(pair, t.take(func(inc increment) (total, part float64) {
		if byGood {
			return inc.d[0], 0
		}
		return inc.d[0], max(inc.d[0]-inc.d[1], 0)
	}), t.observed)
	if err != nil {
		return nil, err
	}
	if !byGood {
		return t.groups(nil, false), nil
	}
	parts := t.beside()
	if err := l.count(within, parts.take(func(inc increment) (total, part float64) { return 0, inc.d[0] }), parts.observed); err != nil {
		return nil, err
	}
	if err := parts.goodBefore(within); err != nil {
		return nil, err
	}
	return t.groups(parts, true), nil
}

func histogramSelectors(histogram, good sla.Query) (all, fast promql.Selector, err error) {
	for i, q := range []sla.Query{histogram, good} {
		if i == 1 && q.Text == "" {
			return all, all, nil
		}
		selectors, err := selectorsOf(q)
		if err != nil {
			return all, fast, err
		}
		if len(selectors) != 1 {
			return all, fast, fmt.Errorf("%s is not one histogram", q.Text)
		}
		if fast = selectors[0]; i == 0 {
			all = fast
		}
	}
	return all, fast, nil
}

// tally counts events of groups.
type tally struct {
	*load
	of map[string]*counted
}

// counted is what is counted of one group.
type counted struct {
	key []string
	*pieces
	present sla.Spans // the time in which any series had samples
}

func newTally(l *load) *tally { return &tally{load: l, of: map[string]*counted{}} }

// beside is a tally of only the bad or only the good events.
func (t *tally) beside() *tally { return newTally(t.load) }

func (t *tally) group(of labels.Labels) *counted {
	key := t.keyOf(of)
	name := strings.Join(key, "\xff")
	c := t.of[name]
	if c == nil {
		c = &counted{key: key, pieces: newPieces(t.cuts)}
		t.of[name] = c
	}
	return c
}

// take counts increments. split returns how many events are in an increment, and how
// many of them are bad, or good.
func (t *tally) take(split func(increment) (total, part float64)) taker {
	return func(of *copies, inc increment) {
		total, part := split(inc)
		c := t.group(of.labels)
		c.add(inc, total, part)
		c.known = extended(c.known, inc.from, inc.to)
		if inc.gap && total+part > 0 {
			t.gaps = append(t.gaps, verdict.Gap{From: at(inc.from), To: at(inc.to), Total: total, Bad: part})
		}
	}
}

func (t *tally) observed(of *copies, from, to int64) {
	c := t.group(of.labels)
	c.present = extended(c.present, from, to)
}

// goodKnown is how long good events are remembered. If there were none for longer, the
// state of the service is unknown, since the selector of good may be wrong.
const goodKnown = 24 * hour

// goodBefore adds the time before the period in which groups had good events.
func (t *tally) goodBefore(good layout) error {
	early := newTally(t.load)
	for _, p := range good.parts {
		for from := t.from - goodKnown; from < t.from-before; from += 6 * hour {
			all, err := t.source.Select(t.ctx, p.matchers, from, min(from+6*hour, t.from-before))
			if err != nil {
				return err
			}
			for _, s := range all {
				c := early.group(s.Labels)
				c.present = extended(c.present, s.T[0], s.T[len(s.T)-1]+1)
			}
		}
	}
	for name, c := range early.of {
		if of := t.of[name]; of != nil {
			of.present = sla.Union(append(slices.Clone(of.present), c.present...)...)
		} else {
			t.of[name] = c
		}
	}
	return nil
}

// groups returns the groups of a tally of all events. parts has the bad events, or with
// good set the good ones; it is nil if the tally has the bad ones itself.
func (t *tally) groups(parts *tally, good bool) []group {
	var groups []group
	for name, c := range t.of {
		t.seen = sla.Union(append(t.seen, c.present...)...)
		var of *counted
		if parts != nil {
			of = parts.of[name]
		}
		switch {
		case good && of == nil:
			c.known = nil // the selector of good may be wrong
		case good:
			c.known = both(c.known, remembered(of.present))
			for i := range c.total {
				c.bad[i] = max(c.total[i]-of.bad[i], 0)
			}
		case of != nil:
			copy(c.bad, of.bad)
		}
		groups = append(groups, group{key: c.key, places: []place{{stretches: c.stretches(), observed: c.known}}})
	}
	slices.SortFunc(groups, func(a, b group) int { return slices.Compare(a.key, b.key) })
	return groups
}

// remembered is the time with good events, or with some within a day before.
func remembered(present sla.Spans) sla.Spans {
	longer := make([]sla.Span, len(present))
	for i, s := range present {
		longer[i] = sla.Span{From: s.From, To: s.To.Add(time.Duration(goodKnown) * time.Millisecond)}
	}
	return sla.Union(longer...)
}

// both is the time that is in both a and b.
func both(a, b sla.Spans) sla.Spans {
	if len(a) == 0 {
		return nil
	}
	from, to := a[0].From, a[len(a)-1].To
	return a.Without(b.Gaps(from, to))
}

// nativeCount applies of to the native histogram of a sample. Without a histogram it
// returns -1, which no counter can be, and also for the empty histogram with which a
// server marks that the series ended.
func nativeCount(s Series, i int, of func(Series, int) float64) float64 {
	if i >= len(s.H) || s.H[i] == nil || value.IsStaleNaN(s.H[i].Sum) {
		return -1
	}
	return of(s, i)
}
