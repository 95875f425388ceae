package schedule

import (
	"container/heap"
	"context"
	"time"
)

// task is one probe to run.
type task struct {
	entry *entry
	job   Job
	host  *host
	slot  int64     // when it was due; 0: a recheck, which is not scheduled
	next  time.Time // when the next one is due
	bound time.Duration
	spare time.Duration // how much later than due it may begin and still end by next
}

// lateShare: a probe that begins late by at most this part of its interval must
// still end when the next one is due. Otherwise, one late probe of a target that
// hangs would make all later ones late. The part is small enough that the probe
// still counts as having had its whole timeout (cutShare in package probe).
const lateShare = 40

// launch picks a scheduled probe.
func (s *Scheduler) launch(e *entry, slot int64) {
	interval := time.Duration(e.interval)
	s.occupy(task{entry: e, slot: slot, next: s.at(slot + e.interval), bound: lagLimit(interval), spare: interval / lateShare})
}

// recheck picks a recheck.
func (s *Scheduler) recheck(e *entry) { s.occupy(task{entry: e, next: s.at(e.next)}) }

// at converts an instant of the scheduler's own scale.
func (s *Scheduler) at(nano int64) time.Time { return s.base.Add(time.Duration(nano - s.baseNano)) }

// occupy takes a slot for a probe that will run now.
func (s *Scheduler) occupy(t task) {
	t.entry.busy = true
	s.inFlight++
	t.host, t.job = t.entry.host, t.entry.job
	t.host.enter()
	s.picked = append(s.picked, t)
}

// perform runs a probe, or skips it if it starts too late, and frees its slot.
func (s *Scheduler) perform(ctx context.Context, t task) {
	again := time.Duration(0)
	defer func() { s.finish(t.entry, t.host, again) }()
	if t.slot == 0 {
		again = t.job.Recheck(ctx, t.next)
		return
	}
	lag := time.Duration(s.now() - t.slot)
	s.opts.OnStart(lag)
	if lag > t.bound {
		t.job.Skip(Starved, 1)
		return
	}
	again = t.job.Run(ctx, t.next.Add(max(lag-t.spare, 0)))
}

func (s *Scheduler) finish(e *entry, at *host, again time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.busy = false
	s.inFlight--
	if at.leave() {
		s.freed = append(s.freed, at)
		s.wake()
	}
	if e.removed {
		delete(s.leaving, e.key)
	} else if due := s.now() + int64(again); again > 0 && !e.waiting && due < e.next {
		e.extra = due
		heap.Fix(&s.due, int(e.place))
		s.wake()
	}
	if e.waiting {
		s.enqueue(e)
	}
	if len(s.waiting) > 0 {
		s.wake()
	}
}
