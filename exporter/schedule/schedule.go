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
// One heap contains the due times, and one timer waits for the first of them: an
// idle target has neither goroutine nor timer. Each probe runs in its own
// goroutine. At each point of the grid exactly one thing happens: the probe runs,
// or the target's Job is given the reason why not. The package knows nothing about
// probes or metrics.
package schedule

import (
	"container/heap"
	"context"
	"errors"
	"sync"
	"time"
)

// Unrun says why a probe that was owed was not run.
type Unrun uint8

// The reasons not to run.
const (
	Overlap  Unrun = iota // the previous probe of the target ran beyond the bound on lateness
	Overload              // no free slot within the bound on lateness
	Late                  // the scheduler came to it beyond the bound on lateness
	Starved               // it was started in time, but its goroutine got no CPU within the bound
	Crowded               // no free slot of the target's host within the bound on lateness
)

// Job is what the scheduler runs for a target. Its methods are called from
// several goroutines, Run never twice at once.
type Job interface {
	// Run probes once. It should be over at the time by: when the next probe is
	// due, and later by as much as this one began late, so that its target has the
	// time that it would have had. It must return soon when ctx ends. If again is
	// more than 0 and ends before the next probe is due, Recheck is called after
	// it, unless something else of the target runs then or all slots are taken: no
	// recheck is owed.
	Run(ctx context.Context, by time.Time) (again time.Duration)
	// Recheck is a probe between two that are owed, and should be over when the
	// next one is due; else it is like Run.
	Recheck(ctx context.Context, by time.Time) (again time.Duration)
	// Skip accounts for n probes in a row that were not run. It must not block
	// and must not call the scheduler.
	Skip(why Unrun, n int)
}

// Target is one thing to probe regularly.
type Target struct {
	Key      string // names it across Set and restarts; unique
	Interval time.Duration
	Job      Job
	Host     string // of which so many probes run at once as Options say; "" if it has none
}

// Clock is the time that a scheduler goes by.
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
	OnStart        func(lag time.Duration) // called as each probe starts, with how late it is
}

// DefaultMaxConcurrency is how many probes run at once at most.
const DefaultMaxConcurrency = 1024

// maxLag bounds how late a probe may start, for intervals from twice that on.
const maxLag = time.Second

// MaxLag is how late a probe of a target with the interval may start.
func MaxLag(interval time.Duration) time.Duration { return min(interval/2, maxLag) }

// Scheduler runs probes when they are due.
type Scheduler struct {
	opts    Options
	probes  sync.WaitGroup // that are running
	changed chan struct{}  // something may be due sooner than Run waits for

	mu       sync.Mutex
	running  bool
	base     time.Time         // carries the monotonic clock; set when Run begins
	baseNano int64             // base, in nanoseconds since the epoch
	leaving  map[string]*entry // removed, but a probe of it is still running
	due      queue
	waiting  []*entry // due and in time, but all slots were taken, or one's own probe was running; oldest first
	inFlight int
	hosts    map[string]*host // empty without MaxPerHost
	freed    []*host          // those that have a free slot again, and somebody waiting for it
	picked   []task           // what is to be started once mu is free
}

// entry is the state of one target. There are many, most of them idle, so its
// fields are as small as they can be.
type entry struct {
	key      string
	interval int64
	job      Job
	next     int64 // the next point of the grid not yet accounted for
	extra    int64 // when a recheck is due, always before next; 0: none is
	slot     int64 // of the probe that waits
	host     *host // nil: none that is bounded
	place    int32 // in Scheduler.due
	why      Unrun // what the probe that waits waits for
	waiting  bool  // its probe of slot is due, and waits
	busy     bool  // a probe of it is running
	queued   bool  // it stands in Scheduler.waiting, or its host's, perhaps no longer waiting
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

// now is the time on the scheduler's own scale.
func (s *Scheduler) now() int64 { return s.baseNano + int64(s.opts.Clock.Now().Sub(s.base)) }

// Set replaces the targets. One whose key stays keeps its place on the grid,
// unless its interval changes, and a probe of it that is running stays the only
// one. Keys must be unique and intervals more than 0.
func (s *Scheduler) Set(targets []Target) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := make(map[string]*entry, len(s.due)) // not kept: it is as large as half the entries
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
	s.poke()
}

// adopt finds the entry of a key, among old ones or those that are leaving, so
// that a running probe stays the only one; or makes one.
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
		if e.waiting { // due on the old grid; the new one owes its own
			e.waiting = false
			e.job.Skip(e.why, 1)
		}
		if e.interval > 0 && e.next <= now { // owed on the old grid, not looked at yet
			e.job.Skip(Late, int((now-e.next)/e.interval)+1)
		}
		e.next, e.extra = after(now, e.key, interval), 0
	}
	e.job, e.interval, e.host = t.Job, interval, s.host(t.Host)
}

// InFlight is how many probes are running.
func (s *Scheduler) InFlight() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inFlight
}

// MaxConcurrency is how many probes may run at once.
func (s *Scheduler) MaxConcurrency() int { return s.opts.MaxConcurrency }

// Run probes until ctx ends, and returns once no probe is running any more. It
// can run once.
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

// launchDue starts what is due, and says how long nothing else will be.
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

// step picks what is due and says how long there is nothing to do; s.mu is held.
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
			s.owe(e, now)
		} else if !e.busy && s.inFlight < s.opts.MaxConcurrency && !s.crowded(e) {
			s.recheck(e)
		}
		heap.Fix(&s.due, 0)
	}
	return idle
}

// owe accounts for every point of e's grid up to now. Only the last can still
// be run; those before it have passed while nobody looked.
func (s *Scheduler) owe(e *entry, now int64) {
	passed := (now - e.next) / e.interval
	slot := e.next + passed*e.interval
	e.next = slot + e.interval
	if e.waiting { // its turn did not come within a whole interval
		e.waiting = false
		e.job.Skip(e.why, 1)
	}
	late := passed
	if time.Duration(now-slot) > MaxLag(time.Duration(e.interval)) {
		late++
	}
	if late > 0 {
		e.job.Skip(Late, int(late))
	}
	switch {
	case late > passed:
	case e.busy: // most likely at its deadline; finish lets it go on
		e.waiting, e.why, e.slot = true, Overlap, slot
	default:
		s.start(e, slot)
	}
}

// start runs a probe, or has it wait for a slot.
func (s *Scheduler) start(e *entry, slot int64) {
	switch {
	case s.inFlight >= s.opts.MaxConcurrency:
		e.waiting, e.why, e.slot = true, Overload, slot
		s.enqueue(e)
	case s.crowded(e):
		e.waiting, e.why, e.slot = true, Crowded, slot
		e.host.enqueue(e)
	default:
		s.launch(e, slot)
	}
}

// enqueue puts a waiting entry at the end of those that want a free slot.
func (s *Scheduler) enqueue(e *entry) {
	if !e.queued {
		e.queued = true
		s.waiting = append(s.waiting, e)
	}
}

// admit gives free slots to those that wait for one, oldest first.
func (s *Scheduler) admit() {
	s.admitOfHosts()
	for len(s.waiting) > 0 && s.inFlight < s.opts.MaxConcurrency {
		e := s.waiting[0]
		s.waiting[0] = nil
		s.waiting = s.waiting[1:]
		s.retry(e)
	}
}

// retry is the turn of an entry that has stood in a queue.
func (s *Scheduler) retry(e *entry) {
	e.queued = false
	if !e.waiting {
		return
	}
	e.waiting = false
	if time.Duration(s.now()-e.slot) > MaxLag(time.Duration(e.interval)) {
		e.job.Skip(e.why, 1)
		return
	}
	s.start(e, e.slot)
}

// poke makes Run look again what is due.
func (s *Scheduler) poke() {
	select {
	case s.changed <- struct{}{}:
	default: // it is going to anyway
	}
}
