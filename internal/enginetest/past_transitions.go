package enginetest

import (
	"math"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/replay"
)

// all are the transitions of a past, in order.
func (p *replayed) all(nextAfter func(ms int64) int64) []Transition {
	var all []Transition
	for _, e := range p.episodes {
		if e.Firing.IsZero() {
			continue
		}
		all = append(all, Transition{e.Firing, e.Rule.Name, e.Labels.Map(), true})
		if !e.Resolved.IsZero() {
			all = append(all, Transition{e.Resolved, e.Rule.Name, e.Labels.Map(), false})
		}
	}
	for _, s := range p.world.Recorded() {
		if s.Labels().Get(labels.MetricName) == metricnames.BurnTier {
			all = append(all, burns(s, p.until, nextAfter)...)
		}
	}
	slices.SortStableFunc(all, func(a, b Transition) int {
		switch {
		case !a.At.Equal(b.At):
			return a.At.Compare(b.At)
		case a.Firing == b.Firing:
			return 0
		case a.Firing:
			return -1
		}
		return 1
	})
	return all
}

// burns are the transitions of a recorded tier.
func burns(s storage.Series, until time.Time, nextAfter func(ms int64) int64) []Transition {
	of := s.Labels().DropReserved(func(name string) bool { return name == labels.MetricName }).Map()
	var all []Transition
	turn := func(ms int64, firing bool) {
		all = append(all, Transition{time.UnixMilli(ms).UTC(), metricnames.BurnTier, of, firing})
	}
	last := int64(0) // when it burned last, 0 if it does not
	for it := s.Iterator(nil); it.Next() != chunkenc.ValNone; {
		ms, v := it.At()
		if last != 0 {
			if next := nextAfter(last); next < ms { // the server was away, and it had ended
				turn(next, false)
				last = 0
			}
		}
		switch stale := value.IsStaleNaN(v); {
		case stale && last != 0:
			turn(ms, false)
			last = 0
		case stale:
		case last == 0:
			turn(ms, true)
			last = ms
		default:
			last = ms
		}
	}
	if last != 0 {
		if next := nextAfter(last); next < until.UnixMilli() {
			turn(next, false)
		}
	}
	return all
}

// nextAfter is when the tiers that were evaluated at a time, in milliseconds, are
// evaluated next. It can be long after if the server is away, else it is soon.
func (w *World) nextAfter(ms int64) int64 {
	w.t.Helper()
	if len(w.past.away) == 0 {
		return math.MaxInt64 // what ends has a marker
	}
	if len(w.groups) == 0 {
		w.schedule()
	}
	for _, s := range w.groups {
		interval := s.group.Interval()
		at := s.group.EvalTimestamp(time.UnixMilli(ms + 1).UnixNano())
		burns := slices.ContainsFunc(s.group.Rules(), func(r rules.Rule) bool { return r.Name() == metricnames.BurnTier })
		if !burns || at.UnixMilli() != ms {
			continue
		}
		for {
			at = at.Add(interval)
			if !slices.ContainsFunc(w.past.away, func(a replay.Span) bool { return !at.Before(a.From) && at.Before(a.To) }) {
				return at.UnixMilli()
			}
		}
	}
	w.t.Fatalf("no group is evaluated at %s", time.UnixMilli(ms))
	return 0
}
