package schedule_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/upheld-sla/upheld/exporter/schedule"
)

// life is a stretch of time in which a target was in force with one interval.
type life struct {
	from, to time.Time // to is zero while it lasts
	interval time.Duration
}

// points counts the grid's points in (from, to], straight from the definition.
func (l life) points(key string, end time.Time) int {
	to := l.to
	if to.IsZero() {
		to = end
	}
	phase, n := int64(schedule.PhaseOf(key, l.interval)), int64(l.interval)
	floor := func(t time.Time) int64 { return (t.UnixNano() - phase) / n }
	return int(floor(to) - floor(l.from))
}

// account is what a test saw happen to one target.
type account struct {
	lives    []life
	removed  bool
	running  int // scheduled probes and rechecks
	owing    int // running scheduled probes
	started  int
	finished int
	rechecks []time.Duration // how long after the grid's last point
	skipped  map[schedule.SkipReason]int
	lags     []time.Duration
}

func (a *account) settled() int {
	n := a.finished
	for _, k := range a.skipped {
		n += k
	}
	return n
}

func (a *account) owed(key string, end time.Time) int {
	n := 0
	for _, l := range a.lives {
		n += l.points(key, end)
	}
	return n
}

// world runs a scheduler against jobs of known duration, in the simulated time
// of a synctest bubble.
type world struct {
	mu       sync.Mutex
	accounts map[string]*account
	running  int
	peak     int
	took     func(key string, n int) time.Duration // of the n-th probe
	again    func(key string, n int) time.Duration // until its recheck; nil: none
	problems []string

	host    func(key string) string // nil: none has one
	perHost int                     // probes of one host at once; 0: any number
	atHost  map[string]int          // that are running
}

func newWorld(took func(string, int) time.Duration) *world {
	return &world{accounts: map[string]*account{}, atHost: map[string]int{}, took: took}
}

func (w *world) problem(format string, args ...any) {
	w.problems = append(w.problems, fmt.Sprintf(format, args...))
}

// job is what the scheduler runs in a world.
type job struct {
	w        *world
	key      string
	interval time.Duration
}

func (j job) Run(ctx context.Context, by time.Time) time.Duration {
	const spare = 40 // a probe that begins late by at most this part of its interval still ends by the next
	return j.run(ctx, by, func(lag time.Duration) time.Duration { return max(lag-j.interval/spare, 0) }, func(a *account, lag time.Duration) {
		a.owing++
		a.lags = append(a.lags, lag)
		if lag > schedule.LagLimit(j.interval) {
			j.w.problem("%s: started %s after its time", j.key, lag)
		}
	}, func(a *account) { a.owing--; a.finished++ })
}

func (j job) Recheck(ctx context.Context, by time.Time) time.Duration {
	return j.run(ctx, by, func(time.Duration) time.Duration { return 0 }, func(a *account, lag time.Duration) { a.rechecks = append(a.rechecks, lag) }, func(*account) {})
}

// run is one probe, which may end so much after the next one is due; begun and
// ended note it.
func (j job) run(ctx context.Context, by time.Time, beyond func(lag time.Duration) time.Duration, begun func(a *account, lag time.Duration), ended func(*account)) time.Duration {
	now := time.Now()
	j.w.mu.Lock()
	a := j.w.accounts[j.key]
	if a.running++; a.running > 1 {
		j.w.problem("%s: %d probes at once", j.key, a.running)
	}
	j.w.running++
	j.w.peak = max(j.w.peak, j.w.running)
	host := j.w.hostOf(j.key)
	if j.w.atHost[host]++; host != "" && j.w.perHost > 0 && j.w.atHost[host] > j.w.perHost {
		j.w.problem("%s: %d probes of the host %s at once, only %d may be", j.key, j.w.atHost[host], host, j.w.perHost)
	}
	lag := time.Duration((now.UnixNano() - int64(schedule.PhaseOf(j.key, j.interval))) % int64(j.interval))
	begun(a, lag)
	if want := now.Add(j.interval - lag + beyond(lag)); !by.Equal(want) {
		j.w.problem("%s: began %s late and is told to be over at %s, not %s", j.key, lag, by, want)
	}
	took, again := j.w.took(j.key, a.started), time.Duration(0)
	if j.w.again != nil {
		again = j.w.again(j.key, a.started)
	}
	a.started++
	j.w.mu.Unlock()
	select {
	case <-ctx.Done():
	case <-time.After(took):
	}
	j.w.mu.Lock()
	defer j.w.mu.Unlock()
	a.running--
	ended(a)
	j.w.running--
	j.w.atHost[host]--
	return again
}

func (w *world) hostOf(key string) string {
	if w.host == nil {
		return ""
	}
	return w.host(key)
}

func (j job) Skip(why schedule.SkipReason, n int) {
	j.w.mu.Lock()
	defer j.w.mu.Unlock()
	if n < 1 {
		j.w.problem("%s: %d probes skipped", j.key, n)
	}
	j.w.accounts[j.key].skipped[why] += n
}

// set puts targets in force, and notes since when.
func (w *world) set(s *schedule.Scheduler, intervals map[string]time.Duration) {
	w.mu.Lock()
	now := time.Now()
	for key, a := range w.accounts {
		last := &a.lives[len(a.lives)-1]
		if interval, stays := intervals[key]; last.to.IsZero() && (!stays || interval != last.interval) {
			last.to = now
			a.removed = a.removed || !stays
		}
	}
	targets := make([]schedule.Target, 0, len(intervals))
	for key, interval := range intervals {
		a := w.accounts[key]
		if a == nil {
			a = &account{skipped: map[schedule.SkipReason]int{}}
			w.accounts[key] = a
		}
		if n := len(a.lives); n == 0 || !a.lives[n-1].to.IsZero() {
			a.lives = append(a.lives, life{from: now, interval: interval})
		}
		targets = append(targets, schedule.Target{Key: key, Interval: interval, Job: job{w, key, interval}, Host: w.hostOf(key)})
	}
	w.mu.Unlock()
	s.Set(targets)
}

// start runs the scheduler; the returned function ends it.
func start(t *testing.T, s *schedule.Scheduler) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	synctest.Wait()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// sluggish is a clock whose alarms ring late; lateness returns by how much.
type sluggish struct{ lateness func() time.Duration }

func (sluggish) Now() time.Time { return time.Now() }
func (c sluggish) After(d time.Duration) (<-chan time.Time, func() bool) {
	t := time.NewTimer(d + c.lateness())
	return t.C, t.Stop
}

// check compares what happened with what was scheduled.
func (w *world) check(end time.Time, concurrency int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.peak > concurrency {
		w.problem("%d probes at once, only %d may be", w.peak, concurrency)
	}
	for key, a := range w.accounts {
		owed, settled := a.owed(key, end), a.settled()
		// One probe may be running, and the next may wait for it or for a free slot.
		// The last probe of a removed target may be missing.
		open := owed - settled - a.owing
		if open < 0 || open > 1 && !a.removed {
			w.problem("%s: owed %d, settled %d (%d run, %v skipped), running %d", key, owed, settled, a.finished, a.skipped, a.running)
		}
	}
}
