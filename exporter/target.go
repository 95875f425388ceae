package exporter

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/upheld-sla/upheld/exporter/measure"
	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/exporter/schedule"
	"github.com/upheld-sla/upheld/sla"
)

// Record is one result that is remembered.
type Record struct {
	At       time.Time // when the probe began, or was found not to have run
	Outcome  probe.Outcome
	Reason   probe.Reason  // why it is not good
	Detail   string        // for people: "HTTP 503"; never a secret
	Duration time.Duration // 0 if it was not run
	ID       measure.ID    // as exemplars name it; 0 if it was not run
	Count    int           // probes in a row that the record stands for, more than 1 only if they were not run
}

// How many results are remembered for each target.
const (
	RecentResults  = 20
	RecentFailures = 20
)

// Recent is the last results of a level's probe, at most RecentResults, newest
// first; nil if the level has none.
func (e *Exporter) Recent(id sla.ID) []Record { return e.remembered(id, (*history).recent) }

// Failures is the last results of a level's probe that were not good, at most
// RecentFailures, newest first. They are kept apart from Recent, so that a
// failure some hours ago is still known.
func (e *Exporter) Failures(id sla.ID) []Record { return e.remembered(id, (*history).failures) }

func (e *Exporter) remembered(id sla.ID, read func(*history) []Record) []Record {
	e.mu.RLock()
	t := e.byID[id]
	e.mu.RUnlock()
	if t == nil {
		return nil
	}
	return read(t.history)
}

// target is one thing to probe: what the scheduler runs.
type target struct {
	spec     sla.ProbeTarget
	prober   probe.Prober
	account  *measure.Target
	history  *history
	exporter *Exporter
}

// ids gives every probe one of its own.
type ids struct{ last atomic.Uint64 }

func (i *ids) next() measure.ID { return measure.ID(i.last.Add(1)) }

func (t *target) name() string { return t.spec.Probe.Check.Target() }

// key names the target to the scheduler; its place on the time table comes
// from it.
func (t *target) key() string { return t.spec.ID.String() + " " + t.name() }

// Run probes once and accounts for it. A probe that the end of the exporter
// cut short is not counted.
func (t *target) Run(ctx context.Context, next time.Time) {
	at := time.Now()
	r := t.prober.Probe(ctx, next)
	if r.Reason == probe.Cancelled {
		return
	}
	r = t.exporter.vantage.judge(ctx, r, at, next)
	id := t.exporter.ids.next()
	t.account.Observe(r, id, at)
	t.remember(Record{At: at, ID: id, Outcome: r.Outcome, Reason: r.Reason, Detail: r.Detail, Duration: r.Duration, Count: 1})
}

var unrunReasons = map[schedule.Unrun]probe.Reason{
	schedule.Overlap:  probe.Overlap,
	schedule.Overload: probe.Overload,
	schedule.Late:     probe.Late,
	schedule.Starved:  probe.Starved,
}

// Skip accounts for probes that were not run.
func (t *target) Skip(why schedule.Unrun, n int) {
	reason := unrunReasons[why]
	t.account.Skip(reason, n)
	t.remember(Record{At: time.Now(), Outcome: reason.Outcome(), Reason: reason, Detail: reason.Help(), Count: n})
}

// remember keeps a record, and logs when a target's state changes: a target
// that stays down is one line, not one a probe.
func (t *target) remember(r Record) {
	changed := t.history.add(r)
	level := slog.LevelDebug
	if changed {
		level = slog.LevelInfo
		if r.Outcome != probe.Good {
			level = slog.LevelWarn
		}
	}
	logger := t.exporter.opts.Logger
	if !logger.Enabled(context.Background(), level) {
		return
	}
	logger.Log(context.Background(), level, "probe result", "slo", t.spec.ID.String(), "target", t.name(),
		"outcome", string(r.Outcome), "reason", string(r.Reason), "detail", r.Detail, "duration", r.Duration, "count", r.Count)
}

// history is the memory of one target.
type history struct {
	mu   sync.Mutex
	all  ring
	bad  ring
	last probe.Outcome
	why  probe.Reason
}

// add keeps a record and tells whether outcome or reason differ from the one
// before.
func (h *history) add(r Record) (changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	changed = r.Outcome != h.last || r.Reason != h.why
	h.last, h.why = r.Outcome, r.Reason
	h.all.add(r, RecentResults)
	if r.Outcome != probe.Good {
		h.bad.add(r, RecentFailures)
	}
	return changed
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

// ring is the last records, up to a bound; it grows only as it fills.
type ring struct {
	records []Record
	next    int // the oldest, once full
}

func (r *ring) add(rec Record, bound int) {
	if len(r.records) < bound {
		r.records = append(r.records, rec)
		return
	}
	r.records[r.next] = rec
	r.next = (r.next + 1) % bound
}

func (r *ring) newestFirst() []Record {
	n := len(r.records)
	list := make([]Record, n)
	for i := range list {
		list[i] = r.records[(r.next+n-1-i)%n]
	}
	return list
}
