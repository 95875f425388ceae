package exporter

import (
	"slices"
	"sync"
	"time"

	"github.com/upheld-sla/upheld/exporter/measure"
	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

// Record is a remembered result.
type Record struct {
	At       time.Time // when the probe began, or was skipped
	Outcome  probe.Outcome
	Reason   probe.Reason  // why it is not good
	Detail   string        // for people: "HTTP 503"; never a secret
	Duration time.Duration // 0 if it was skipped
	Phases   probe.Phases  // those that took place
	ID       measure.ID    // as in exemplars; 0 if it was skipped
	Parts    []probe.Part  // of a probe that made several requests
	Excerpt  string        // the beginning of a bad target's response, as in probe.Result; only some records have it
	Count    int           // how many probes in a row the record stands for; more than 1 only for skipped ones
}

// How many results are remembered for each target.
const (
	RecentResults  = 20
	recentFailures = RecentResults
)

// Recent returns the last results of a level's probe, at most RecentResults, newest
// first; nil if the level has none.
func (e *Exporter) Recent(id sla.ID) []Record { return e.remembered(id, (*history).recent) }

// Failures returns the last results of a level's probe that were not good, at most
// recentFailures, newest first. They are kept apart from Recent, so that a failure some
// hours ago is still known.
func (e *Exporter) Failures(id sla.ID) []Record { return e.remembered(id, (*history).failures) }

// Slow returns the last good results of a level's probe that took longer than its
// smallest threshold, at most RecentResults, newest first; nil if it has no thresholds.
func (e *Exporter) Slow(id sla.ID) []Record { return e.remembered(id, (*history).slowest) }

func (e *Exporter) remembered(id sla.ID, read func(*history) []Record) []Record {
	e.mu.RLock()
	targets := e.targets
	e.mu.RUnlock()
	var all []Record
	found := 0
	for _, t := range targets { // a search is enough for one level: a map would cost more than it saves
		if t.spec.ID == id {
			all = append(all, read(t.history)...)
			found++
		}
	}
	if found > 1 {
		slices.SortStableFunc(all, func(a, b Record) int { return b.At.Compare(a.At) })
		all = all[:min(len(all), RecentResults)]
	}
	return all
}

// history is the memory of one target.
type history struct {
	mu   sync.Mutex
	all  *records // nil before the first
	bad  *records // likewise; only these have excerpts
	slow *records // likewise, for targets with thresholds
}

// add keeps a record and reports whether its outcome or reason differs from the
// previous one.
func (h *history) add(r Record, kept *excerpts) (changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	outcome, why := h.all.last()
	if h.all == nil {
		h.all = new(records)
	}
	if r.Outcome == probe.Good {
		h.all.add(&r, nil)
		return r.Outcome != outcome || r.Reason != why
	}
	var x *excerpt
	if r.Excerpt != "" {
		x = kept.keep(r.Excerpt, h.bad.excerpt())
	}
	if h.bad == nil {
		h.bad = new(records)
	}
	h.all.add(&r, x)
	kept.release(h.bad.add(&r, x))
	return r.Outcome != outcome || r.Reason != why
}

// addSlow keeps a good result that took longer than a threshold.
func (h *history) addSlow(r Record) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.slow == nil {
		h.slow = new(records)
	}
	h.slow.add(&r, nil)
}

func (h *history) slowest() []Record {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.slow.newestFirst()
}

func (h *history) recent() []Record {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.all.newestFirst()
}

func (h *history) failures() []Record {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.bad.newestFirst()
}
