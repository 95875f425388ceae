// Package schedule decides when each target is probed, and runs or skips every
// scheduled probe.
//
// A target is probed at each point of a fixed grid: the times t with
// t ≡ phase (mod interval), counted in nanoseconds since the Unix epoch. The
// phase comes from a hash of the target's name. So targets spread evenly, a
// restart or a second exporter uses the same times, and nothing bursts at the
// start. The grid is tied to the wall clock once, when the scheduler starts, and
// then follows the monotonic clock: setting the clock moves nothing.
//
// One heap contains the due times, and one timer waits for the first of them: an idle
// target has neither goroutine nor timer. Each probe runs in its own goroutine. At each
// point of the grid exactly one thing happens: the probe runs, or the scheduler tells
// the target's Job why not. The package knows nothing about probes or metrics.
package schedule

import (
	"container/heap"
	"context"
	"errors"
	"sync"
	"time"
)

// SkipReason says why a scheduled probe was skipped.
type SkipReason uint8

// The reasons to skip a probe.
const (
	Overlap  SkipReason = iota // the previous probe of the target ran beyond the bound on lateness
	Overload                   // no free slot within the bound on lateness
	Late                       // the scheduler got to it beyond the bound on lateness
	Starved                    // it was started in time, but its goroutine got no CPU within the bound
	HostBusy                   // no free slot of the target's host within the bound on lateness
)

// Job is what the scheduler runs for a target. Its methods are called from
// several goroutines, Run never twice at once.
type Job interface {
	// Run probes once. It should end at the time by. That is when the next probe is
	// due, or later by as much as this one began late, so that the target has its whole
	// time. It must return soon when ctx ends. If again is more than 0 and ends before
	// the next probe is due, Recheck is called after that time, unless a probe of the
	// target is running then or all slots are taken.
	Run(ctx context.Context, by time.Time) (again time.Duration)
	// Recheck is a probe between two scheduled ones. It should end when the next
	// one is due, and is otherwise like Run.
	Recheck(ctx context.Context, by time.Time) (again time.Duration)
	// Skip accounts for n skipped probes in a row. It must not block and must not
	// call the scheduler.
	Skip(why SkipReason, n int)
}

// Target is one thing to probe regularly.
type Target struct {
	Key      string // unique; identifies the target across Set and restarts
	Interval time.Duration
	Job      Job
	Host     string // Options.MaxPerHost bounds how many probes of it run at once; "" for no bound
}

// Clock is where a scheduler gets the time from.
type Clock interface {
	Now() time.Time
	// After is like time.NewTimer: a channel that receives once d has passed,
	// and a function that releases it before that.
	After(d time.Duration) (<-chan time.Time, func() bool)
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }
func (systemClock) After(d time.Duration) (<-chan time.Time, func() bool) {
	t := time.NewTimer(d)
	return t.C, t.Stop
}

// Options of a scheduler; the zero value is usable.
type Options struct {
	MaxConcurrency int                     // probes at once; DefaultMaxConcurrency if 0
	MaxPerHost     int                     // probes of one host at once; as many as MaxConcurrency if 0
	Clock          Clock                   // the system's if nil
	OnStart        func(lag time.Duration) // called when a probe starts, with how late it is
}

// DefaultMaxConcurrency is how many probes run at once at most.
const DefaultMaxConcurrency = 1024

// maxLag bounds lagLimit.
const maxLag = time.Second

// lagLimit returns how late a probe may start: half the interval, at most maxLag.
func lagLimit(interval time.Duration) time.Duration { return min(interval/2, maxLag) }

// Scheduler runs probes when they are due.
type Scheduler struct {
	opts    Options
	probes  sync.WaitGroup // the running ones
	changed chan struct{}  // something may be due earlier than what Run waits for

	mu       sync.Mutex
	running  bool
	base     time.Time         // carries the monotonic clock; set when Run begins
	baseNano int64             // base, in nanoseconds since the epoch
	leaving  map[string]*entry // removed, but a probe of it is still running
	due      queue
	waiting  []*entry // due and not too late, but all slots were taken or the entry's own probe was running; oldest first
	inFlight int
	hosts    map[string]*host // empty without MaxPerHost
	freed    []*host          // hosts that have a free slot again, and an entry waiting for it
	picked   []task           // to be started once mu is free
}

// entry is the state of one target. Its fields are as small as possible, because
// there are many targets.
type entry struct {
	key      string
	interval int64
	job      Job
	next     int64      // the next point of the grid not yet accounted for
	extra    int64      // when a recheck is due, always before next; 0: none is
	slot     int64      // when the waiting probe was due
	host     *host      // nil: not bounded
	place    int32      // in Scheduler.due
	why      SkipReason // the reason why the waiting probe waits
	waiting  bool       // its probe of slot is due, and waits
	busy     bool       // a probe of it is running
	queued   bool       // it is in Scheduler.waiting or host.waiting, even if it no longer waits
	removed  bool
}

// New makes a scheduler without targets.
func New(opts Options) *Scheduler {
	if opts.MaxConcurrency <= 0 {
		opts.MaxConcurrency = DefaultMaxConcurrency
	}
	if opts.Clock == nil {
		opts.Clock = systemClock{}
	}
	if opts.OnStart == nil {
		opts.OnStart = func(time.Duration) {}
	}
	return &Scheduler{opts: opts, changed: make(chan struct{}, 1), leaving: map[string]*entry{}, hosts: map[string]*host{}}
}

// now returns the time on the scheduler's own scale.
func (s *Scheduler) now() int64 { return s.baseNano + int64(s.opts.Clock.Now().Sub(s.base)) }

// Set replaces the targets. A target whose key stays keeps its place on the grid,
// unless its interval changes; if a probe of it is running, no other is started
// meanwhile. Keys must be unique and intervals more than 0.
func (s *Scheduler) Set(targets []Target) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := make(map[string]*entry, len(s.due)) // not kept between calls: it takes half as much memory as the entries
	for _, e := range s.due {
		old[e.key] = e
	}
	s.due = make(queue, 0, len(targets))
	s.forgetHosts()
	for _, t := range targets {
		e := s.adopt(t.Key, old)
		s.place(e, t)
		e.place = int32(len(s.due))
		s.due = append(s.due, e)
	}
	for key, e := range old {
		e.removed, e.waiting = true, false
		if e.busy {
			s.leaving[key] = e
		}
	}
	heap.Init(&s.due)
	s.wake()
}

// adopt returns the entry of a key: an old one or one that is leaving, so that a
// running probe of it stays the only one, or else a new one.
func (s *Scheduler) adopt(key string, old map[string]*entry) *entry {
	if e := old[key]; e != nil {
		delete(old, key)
		return e
	}
	if e := s.leaving[key]; e != nil {
		delete(s.leaving, key)
		e.removed, e.interval = false, 0 // it starts again on the grid
		return e
	}
	return &entry{key: key}
}

// place gives an entry its job and its place on the grid.
func (s *Scheduler) place(e *entry, t Target) {
	interval := int64(t.Interval)
	if s.running && e.interval != interval {
		now := s.now()
		if e.waiting { // due on the old grid, which no longer holds
			e.waiting = false
			e.job.Skip(e.why, 1)
		}
		if e.interval > 0 && e.next <= now { // due on the old grid, and not accounted for yet
			e.job.Skip(Late, int((now-e.next)/e.interval)+1)
		}
		e.next, e.extra = after(now, e.key, interval), 0
	}
	e.job, e.interval, e.host = t.Job, interval, s.host(t.Host)
}

// InFlight returns how many probes are running.
func (s *Scheduler) InFlight() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inFlight
}

// MaxConcurrency returns how many probes may run at once.
func (s *Scheduler) MaxConcurrency() int { return s.opts.MaxConcurrency }

// Run probes until ctx ends, and returns once no probe is running any more. Call
// it only once.
func (s *Scheduler) Run(ctx context.Context) error {
	if err := s.begin(); err != nil {
		return err
	}
	defer s.probes.Wait()
	for ctx.Err() == nil {
		rings, stop := s.opts.Clock.After(s.launchDue(ctx))
		select {
		case <-ctx.Done():
		case <-rings:
		case <-s.changed:
		}
		stop()
	}
	return nil
}

// launchDue starts what is due, and returns how long to wait until something is
// due again.
func (s *Scheduler) launchDue(ctx context.Context) time.Duration {
	s.mu.Lock()
	pause := s.step()
	picked := s.picked
	s.picked = nil
	s.mu.Unlock()
	for _, t := range picked {
		s.probes.Go(func() { s.perform(ctx, t) })
	}
	return pause
}

var errRunTwice = errors.New("a scheduler can be run only once")

func (s *Scheduler) begin() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running {
		return errRunTwice
	}
	s.running = true
	s.base = s.opts.Clock.Now()
	s.baseNano = s.base.UnixNano()
	for _, e := range s.due {
		e.next = after(s.baseNano, e.key, e.interval)
	}
	heap.Init(&s.due)
	return nil
}

// idle is how long Run sleeps when there is nothing to wait for.
const idle = time.Hour

// step picks what is due, and returns how long to wait until something is due
// again; s.mu is held.
func (s *Scheduler) step() time.Duration {
	s.admit()
	for len(s.due) > 0 {
		e, now := s.due[0], s.now()
		if e.due() > now {
			return min(time.Duration(e.due()-now), idle)
		}
		recheck := e.next > now
		e.extra = 0
		if !recheck {
			s.accountDue(e, now)
		} else if !e.busy && s.inFlight < s.opts.MaxConcurrency && !s.hostFull(e) {
			s.recheck(e)
		}
		heap.Fix(&s.due, 0)
	}
	return idle
}

// accountDue accounts for every point of e's grid up to now. Only the last can
// still be run. Any before it have passed unnoticed, and are skipped.
func (s *Scheduler) accountDue(e *entry, now int64) {
	passed := (now - e.next) / e.interval
	slot := e.next + passed*e.interval
	e.next = slot + e.interval
	if e.waiting { // its turn did not come within a whole interval
		e.waiting = false
		e.job.Skip(e.why, 1)
	}
	late := passed
	if time.Duration(now-slot) > lagLimit(time.Duration(e.interval)) {
		late++
	}
	if late > 0 {
		e.job.Skip(Late, int(late))
	}
	switch {
	case late > passed:
	case e.busy: // it is probably about to end; finish then starts the waiting one
		e.waiting, e.why, e.slot = true, Overlap, slot
	default:
		s.start(e, slot)
	}
}

// start runs a probe, or makes it wait for a slot.
func (s *Scheduler) start(e *entry, slot int64) {
	switch {
	case s.inFlight >= s.opts.MaxConcurrency:
		e.waiting, e.why, e.slot = true, Overload, slot
		s.enqueue(e)
	case s.hostFull(e):
		e.waiting, e.why, e.slot = true, HostBusy, slot
		e.host.enqueue(e)
	default:
		s.launch(e, slot)
	}
}

// enqueue appends a waiting entry to the queue for a free slot.
func (s *Scheduler) enqueue(e *entry) {
	if !e.queued {
		e.queued = true
		s.waiting = append(s.waiting, e)
	}
}

// admit gives free slots to waiting entries, oldest first.
func (s *Scheduler) admit() {
	s.admitOfHosts()
	for len(s.waiting) > 0 && s.inFlight < s.opts.MaxConcurrency {
		e := s.waiting[0]
		s.waiting[0] = nil
		s.waiting = s.waiting[1:]
		s.retry(e)
	}
}

// retry starts the probe of an entry that has waited in a queue, unless it is too
// late for it.
func (s *Scheduler) retry(e *entry) {
	e.queued = false
	if !e.waiting {
		return
	}
	e.waiting = false
	if time.Duration(s.now()-e.slot) > lagLimit(time.Duration(e.interval)) {
		e.job.Skip(e.why, 1)
		return
	}
	s.start(e, e.slot)
}

// wake makes Run check again what is due.
func (s *Scheduler) wake() {
	select {
	case s.changed <- struct{}{}:
	default: // a wake-up is pending already
	}
}
