package enginetest

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
)

// scheduled is a group with the ticker that wakes it. All times are by the server's
// wall clock. The ticker itself follows the monotonic clock, so a step of the wall
// clock moves its times by the same amount.
type scheduled struct {
	group   *rules.Group
	last    time.Time // of which the last evaluation was
	tick    time.Time // when the next one happens
	due     time.Time // when it should: before tick if the process was suspended
	restore int       // evaluations until the state of alerts is read back, 0 for never
}

// evaluates moves to the next tick and returns the time of this evaluation, with the
// arithmetic of Group.run.
func (s *scheduled) evaluates() time.Time {
	interval := s.group.Interval()
	missed := s.tick.Sub(s.last)/interval - 1
	s.last = s.last.Add((missed + 1) * interval)
	for !s.due.After(s.tick) {
		s.due = s.due.Add(interval)
	}
	s.tick = s.due
	return s.last
}

// schedule makes the groups of the files, each due at its own hashed times.
func (w *World) schedule() {
	w.t.Helper()
	groups, errs := w.manager.LoadGroups(time.Minute, w.outside, "", rules.DefaultEvalIterationFunc, false, slices.Sorted(maps.Keys(w.files.files))...)
	if len(errs) > 0 {
		w.t.Fatal(errs)
	}
	w.groups = nil
	for _, g := range groups {
		next := g.EvalTimestamp(w.now.UnixNano())
		if next.Before(w.now) {
			next = next.Add(g.Interval())
		}
		w.groups = append(w.groups, &scheduled{group: g, last: next.Add(-g.Interval()), tick: next, due: next})
	}
	slices.SortFunc(w.groups, func(a, b *scheduled) int { return strings.Compare(a.group.Name(), b.group.Name()) })
}

// due is the group with the next evaluation, nil if none is before the next scrape.
func (w *World) due() *scheduled {
	var first *scheduled
	for _, s := range w.groups {
		if s.tick.Before(w.now.Add(w.scrape)) && (first == nil || s.tick.Before(first.tick)) {
			first = s
		}
	}
	return first
}

// Skip advances simulated time without scraping or evaluating: Prometheus is down.
func (w *World) Skip(d time.Duration) {
	w.Live()
	w.now = w.now.Add(d)
	for _, s := range w.groups {
		for s.due.Before(w.now) {
			s.due = s.due.Add(s.group.Interval())
		}
		s.tick = s.due
	}
}

// Suspend stops the server's process for some time and continues it, like SIGSTOP and
// SIGCONT. Whatever became due meanwhile, it does once and immediately.
func (w *World) Suspend(d time.Duration) {
	w.Live()
	w.now = w.now.Add(d)
	for _, s := range w.groups {
		if s.tick.Before(w.now) {
			s.tick = w.now
		}
	}
}

// Step sets the server's clock forward or back, while its targets and tickers continue.
// After a step back the storage refuses samples of series with newer ones, until the
// clock has caught up.
func (w *World) Step(d time.Duration) {
	w.Live()
	w.now, w.ahead = w.now.Add(d), w.ahead+d
	for i := range w.pending {
		w.pending[i].ends = w.pending[i].ends.Add(d)
	}
	for _, s := range w.groups {
		s.tick, s.due = s.tick.Add(d), s.due.Add(d)
	}
}

// refused reports whether the storage has newer samples, for example after a step back.
func (w *World) refused(err error) bool {
	if !w.now.Before(w.newest.Add(w.scrape)) {
		return false
	}
	return errors.Is(err, storage.ErrOutOfOrderSample) || errors.Is(err, storage.ErrOutOfBounds) ||
		errors.Is(err, storage.ErrTooOldSample) || errors.Is(err, storage.ErrDuplicateSampleForTimestamp)
}
