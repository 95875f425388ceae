package measure

import (
	"sync"
	"time"

	"github.com/upheld-sla/upheld/exporter/probe"
)

// snapshot is the counters of all targets for one scrape. Those of a target
// are of one instant, so that what is written family by family still adds up.
type snapshot struct {
	views    []view
	failures []failureView // of all targets, one after the other
	within   []withinNow
}

// view is the counters of one target.
type view struct {
	*Target
	last      probe.Outcome
	outcomes  [outcomeCount]uint64
	down      [2]time.Duration // lower and upper bound
	failures  int              // how many of snapshot.failures are its own
	within    []withinCount
	facts     *facts // nil: none
	rechecked bool
}

type failureView struct {
	reason probe.Reason
	born   int64
	n      uint64
}

// withinNow is the counts of one threshold.
type withinNow struct{ n, unknown uint64 }

// bounds are the values of the "bound" label, as in view.down.
var bounds = [2]string{"lower", "upper"}

func (v *view) owed() (sum uint64) {
	for _, n := range v.outcomes {
		sum += n
	}
	return sum
}

var snapshots = sync.Pool{New: func() any { return new(snapshot) }}

// take fills the snapshot. A reason that is in a scrape for the first time is
// there with 0, and with its count from the next scrape on: a counter that
// appears with 1 never increases.
func (s *snapshot) take(targets []*Target) {
	s.views, s.failures, s.within = s.views[:0], s.failures[:0], s.within[:0]
	for _, t := range targets {
		t.mu.Lock()
		s.views = append(s.views, view{Target: t, last: t.last, outcomes: t.outcomes, down: [2]time.Duration{t.down.lower, t.down.upper}, failures: len(t.failures), within: t.within, facts: t.facts, rechecked: t.down.rechecked})
		for i := range t.failures {
			f := &t.failures[i]
			seen := failureView{reason: f.reason, born: f.born}
			if f.shown {
				seen.n = f.n
			}
			f.shown = true
			s.failures = append(s.failures, seen)
		}
		for i := range t.within {
			s.within = append(s.within, withinNow{t.within[i].n, t.within[i].unknown})
		}
		t.mu.Unlock()
	}
}

func (s *snapshot) release() {
	clear(s.views) // so that targets that are gone can go
	snapshots.Put(s)
}
