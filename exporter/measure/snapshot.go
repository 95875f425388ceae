package measure

import (
	"slices"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/upheld-sla/upheld/exporter/probe"
)

// snapshot is the counters of all targets for one scrape. Those of a target
// are of one instant, so that what is written family by family still adds up.
type snapshot struct {
	views    []view
	failures []failureView // of all targets, one after the other
	within   []withinView
}

// view is the counters of one target.
type view struct {
	*Target
	outcomes  [outcomeCount]uint64
	down      [2]time.Duration // lower and upper bound
	facts     *facts           // nil: none
	failures  uint32           // how many of snapshot.failures are its own
	within    uint32           // how many of snapshot.within
	found     state
	rechecked bool
	labels    []*dto.LabelPair       // that name it; only where families are made
	born      *timestamppb.Timestamp // of all but failures; likewise
}

type failureView struct {
	reason probe.Reason
	born   int64
	n      uint64
}

// withinView is the counts of one threshold.
type withinView struct {
	threshold  time.Duration
	label      string // as in withinCount
	n, unknown uint64
}

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
	s.views, s.failures, s.within = slices.Grow(s.views[:0], len(targets)), s.failures[:0], s.within[:0]
	for _, t := range targets {
		t.mu.Lock()
		more := t.seen()
		s.views = append(s.views, view{
			Target: t, outcomes: t.outcomes, down: [2]time.Duration{t.down.lower, t.down.upper}, facts: more.facts,
			failures: uint32(len(more.failures)), within: uint32(len(more.within)), found: t.state, rechecked: t.down.rechecked,
		})
		for i := range more.failures {
			f := &more.failures[i]
			seen := failureView{reason: f.reason, born: f.born}
			if f.shown {
				seen.n = f.n
			}
			f.shown = true
			s.failures = append(s.failures, seen)
		}
		for _, w := range more.within {
			s.within = append(s.within, withinView(w))
		}
		t.mu.Unlock()
	}
}

func (s *snapshot) release() {
	clear(s.views) // so that targets that are gone can go
	clear(s.within)
	snapshots.Put(s)
}

// eachFailure visits the failures of all targets in order.
func (s *snapshot) eachFailure(visit func(*view, *failureView)) {
	rest := s.failures
	for i := range s.views {
		v := &s.views[i]
		for j := range rest[:v.failures] {
			visit(v, &rest[j])
		}
		rest = rest[v.failures:]
	}
}

// eachWithin visits the threshold counters of all targets in order.
func (s *snapshot) eachWithin(visit func(*view, *withinView)) {
	rest := s.within
	for i := range s.views {
		v := &s.views[i]
		for j := range rest[:v.within] {
			visit(v, &rest[j])
		}
		rest = rest[v.within:]
	}
}
