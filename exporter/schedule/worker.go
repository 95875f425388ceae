package schedule

import (
	"context"
	"slices"
	"time"
)

// worker is a goroutine that runs probes, one after the other. One worker at a
// time leads: its alarm is set to when something is due next. When that rings,
// it makes another one the leader and runs the probe itself. So a probe takes
// no hand-over from one goroutine to another, which costs a third of what a
// probe does: each would wake up a thread to look for more work.
type worker struct {
	alarm alarm
	task  task // to be done next, if it has an entry
}

// alarm wakes up one worker.
type alarm interface {
	// set makes it ring once in d from now, instead of when it was set to before;
	// at once if d is not more than 0.
	set(d time.Duration)
	// wait returns when it has rung. It may return without.
	wait()
	// free gives back what it holds.
	free()
}

// task is one probe to run.
type task struct {
	entry *entry
	job   Job
	host  *host
	slot  int64     // when it was due; 0: it is not owed
	next  time.Time // when the next one is
	bound time.Duration
}

// maxIdle is how many workers are kept for what comes.
const maxIdle = 64

// work is the life of a worker.
func (s *Scheduler) work(ctx context.Context, w *worker) {
	defer s.leave(w)
	for {
		w.alarm.wait()
		if !s.turn(ctx, w) {
			if ctx.Err() != nil {
				return
			}
			continue
		}
		s.perform(ctx, &w.task)
		w.task = task{}
		if !s.rest(ctx, w) {
			return
		}
	}
}

// turn is what a worker does that has been woken up: if it has no task and leads,
// it looks what is due. It is true if there is a task for it; then another one
// leads.
func (s *Scheduler) turn(ctx context.Context, w *worker) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.task.entry != nil {
		return true
	}
	if ctx.Err() != nil || s.leader != w {
		return false
	}
	pause := s.step()
	if len(s.picked) == 0 {
		w.alarm.set(pause)
		return false
	}
	w.task = s.picked[0]
	for _, t := range s.picked[1:] {
		other := s.worker(ctx)
		other.task = t
		other.alarm.set(0)
	}
	clear(s.picked)
	s.picked = s.picked[:0]
	s.lead(ctx, pause)
	return true
}

// lead makes a worker without work the leader; s.mu is held.
func (s *Scheduler) lead(ctx context.Context, pause time.Duration) {
	s.leader = s.worker(ctx)
	s.leader.alarm.set(pause)
}

// worker is one without work; s.mu is held.
func (s *Scheduler) worker(ctx context.Context) *worker {
	if last := len(s.resting) - 1; last >= 0 {
		w := s.resting[last]
		s.resting = s.resting[:last]
		return w
	}
	w := &worker{alarm: s.newAlarm()}
	s.wg.Go(func() { s.work(ctx, w) })
	return w
}

// rest lets a worker wait until it is to lead; false if there are enough.
func (s *Scheduler) rest(ctx context.Context, w *worker) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil || len(s.resting) >= maxIdle {
		return false
	}
	s.resting = append(s.resting, w)
	return true
}

// leave is the end of a worker: nobody sets its alarm any more.
func (s *Scheduler) leave(w *worker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resting = slices.DeleteFunc(s.resting, func(other *worker) bool { return other == w })
	if s.leader == w {
		s.leader = nil
	}
	w.alarm.free()
}

// dismiss wakes up all workers that wait, once ctx has ended.
func (s *Scheduler) dismiss() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.resting {
		w.alarm.set(0)
	}
	s.poke()
}

// perform runs a probe and settles it.
func (s *Scheduler) perform(ctx context.Context, t *task) {
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
	again = t.job.Run(ctx, t.next)
}

// newAlarm is the clock's own, if it has any.
func (s *Scheduler) newAlarm() alarm {
	if host, ok := s.opts.Clock.(interface{ newAlarm() alarm }); ok {
		if a := host.newAlarm(); a != nil {
			return a
		}
	}
	return &clockAlarm{clock: s.opts.Clock, changed: make(chan time.Duration, 1)}
}

// clockAlarm is an alarm by a clock. It is set by one goroutine at a time.
type clockAlarm struct {
	clock   Clock
	changed chan time.Duration
}

func (a *clockAlarm) set(d time.Duration) {
	select {
	case <-a.changed:
	default:
	}
	a.changed <- d
}

func (a *clockAlarm) wait() {
	var rings <-chan time.Time
	stop := func() bool { return true }
	defer func() { stop() }()
	for {
		select {
		case <-rings:
			return
		case d := <-a.changed:
			stop()
			if d <= 0 {
				return
			}
			rings, stop = a.clock.After(d)
		}
	}
}

func (a *clockAlarm) free() {}

// HostClock is the system's time, with alarms that are cheap and exact where
// the system has such.
func HostClock() Clock { return &hostClock{} }
