package measure

import (
	"slices"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/upheld-sla/upheld/exporter/probe"
)

// snapshot holds the counters of all targets for one scrape. The counters of one
// target are of the same instant, so that they add up although they are written
// family by family.
type snapshot struct {
	views    []view
	failures []failureView // of all targets, one after the other
	within   []withinView
}

// view holds the counters of one target.
type view struct {
	*Target
	outcomes  [outcomeCount]uint64
	down      [2]time.Duration // lower and upper bound
	facts     *facts           // nil: none
	failures  uint32           // how many of snapshot.failures belong to it
	within    uint32           // how many of snapshot.within belong to it
	lastState state
	rechecked bool
	labels    []*dto.LabelPair       // that identify it; set by families only
	createdAt *timestamppb.Timestamp // of all series but failures; set by families only
}

type failureView struct {
	reason    probe.Reason
	createdAt int64
	n         uint64
}

// withinView holds the counts of one threshold.
type withinView struct {
	threshold  time.Duration
	label      string // as in withinCount
	n, unknown uint64
}

// bounds are the values of the "bound" label, as in view.down.
var bounds = [2]string{"lower", "upper"}

func (v *view) scheduled() (sum uint64) {
	for _, n := range v.outcomes {
		sum += n
	}
	return sum
}

var snapshots = sync.Pool{New: func() any { return new(snapshot) }}

// take fills the snapshot. A new reason is in its first scrape with 0 and in the
// next with its count: increase() does not see a counter that appears with 1.
func (s *snapshot) take(targets []*Target) {
	s.views, s.failures, s.within = slices.Grow(s.views[:0], len(targets)), s.failures[:0], s.within[:0]
	for _, t := range targets {
		t.mu.Lock()
		sparse := t.sparseView()
		s.views = append(s.views, view{
			Target: t, outcomes: t.outcomes, down: [2]time.Duration{t.down.lower, t.down.upper}, facts: sparse.facts,
			failures: uint32(len(sparse.failures)), within: uint32(len(sparse.within)), lastState: t.state, rechecked: t.down.rechecked,
		})
		for i := range sparse.failures {
			f := &sparse.failures[i]
			shown := failureView{reason: f.reason, createdAt: f.createdAt}
			if f.shown {
				shown.n = f.n
			}
			f.shown = true
			s.failures = append(s.failures, shown)
		}
		for _, w := range sparse.within {
			s.within = append(s.within, withinView(w))
		}
		t.mu.Unlock()
	}
}

func (s *snapshot) release() {
	clear(s.views) // frees targets that were removed
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
