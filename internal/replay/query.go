package replay

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

// Querier implements storage.Queryable.
func (w *World) Querier(mint, maxt int64) (storage.Querier, error) {
	return querier{view{world: w}, mint, maxt}, nil
}

// view is the world as a rule sees it at an evaluation: only what had been scraped and
// recorded by then.
type view struct {
	world *World
	raw   int64                     // the time up to which it has raw samples
	until func(writer uint32) int64 // the time up to which it has a rule's samples; nil if everything is visible
}

// Querier implements storage.Queryable.
func (v view) Querier(mint, maxt int64) (storage.Querier, error) { return querier{v, mint, maxt}, nil }

// of is a series in the view.
func (v view) of(s *series, from, to int64) ranged {
	r := ranged{series: s, from: from, to: to}
	switch {
	case v.until == nil:
	case s.record == nil || s.given:
		r.to = min(to, v.raw)
	case s.record.by == nil:
		r.to = min(to, v.until(s.record.writer))
	default:
		r.hides = func(writer uint32, t int64) bool { return t > v.until(writer) }
	}
	return r
}

type querier struct {
	view
	mint, maxt int64
}

// Select implements storage.Querier.
func (q querier) Select(_ context.Context, _ bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	from, to := q.mint, q.maxt
	if hints != nil {
		from, to = hints.Start, hints.End
	}
	set := &seriesSet{at: -1}
	late := int64(0)
	matchers = slices.DeleteFunc(slices.Clone(matchers), func(m *labels.Matcher) bool {
		if m.Name == marker {
			late, _ = strconv.ParseInt(m.Value, 10, 64)
		}
		return m.Name == marker
	})
	for _, s := range q.world.matching(matchers) {
		found := q.of(s, from, to)
		found.late = late
		set.found = append(set.found, found)
	}
	slices.SortFunc(set.found, func(a, b ranged) int { return labels.Compare(a.labels, b.labels) })
	return set
}

// matching returns the series that matchers select.
func (w *World) matching(matchers []*labels.Matcher) []*series {
	w.mu.RLock()
	defer w.mu.RUnlock()
	var found []*series
	selects := func(all []*series) {
		for _, s := range all {
			if matchesAll(matchers, s.labels) {
				found = append(found, s)
			}
		}
	}
	if name := fixedName(matchers); name != "" {
		selects(w.byName[name])
		return found
	}
	for _, all := range w.byName {
		selects(all)
	}
	return found
}

func matchesAll(matchers []*labels.Matcher, l labels.Labels) bool {
	for _, m := range matchers {
		if !m.Matches(l.Get(m.Name)) {
			return false
		}
	}
	return true
}

// fixedName is the metric name that matchers require, "" if they require none.
func fixedName(matchers []*labels.Matcher) string {
	for _, m := range matchers {
		if m.Name == labels.MetricName && m.Type == labels.MatchEqual {
			return m.Value
		}
	}
	return ""
}

// LabelValues implements storage.Querier.
func (q querier) LabelValues(_ context.Context, name string, _ *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	seen := map[string]bool{}
	for _, s := range q.world.matching(matchers) {
		if v := s.labels.Get(name); v != "" {
			seen[v] = true
		}
	}
	return slices.Sorted(maps.Keys(seen)), nil, nil
}

// LabelNames implements storage.Querier.
func (q querier) LabelNames(_ context.Context, _ *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	seen := map[string]bool{}
	for _, s := range q.world.matching(matchers) {
		s.labels.Range(func(l labels.Label) { seen[l.Name] = true })
	}
	return slices.Sorted(maps.Keys(seen)), nil, nil
}

// Close implements storage.Querier.
func (querier) Close() error { return nil }

type seriesSet struct {
	found []ranged
	at    int
}

// Next implements storage.SeriesSet.
func (s *seriesSet) Next() bool { s.at++; return s.at < len(s.found) }

// At implements storage.SeriesSet.
func (s *seriesSet) At() storage.Series { return s.found[s.at] }

// Err implements storage.SeriesSet.
func (s *seriesSet) Err() error { return nil }

// Warnings implements storage.SeriesSet.
func (s *seriesSet) Warnings() annotations.Annotations { return nil }
