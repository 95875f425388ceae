package schedule_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/upheld-sla/upheld/exporter/schedule"
)

// leaping is a clock that can jump, as when a suspended machine wakes up, or when
// a clock without a monotonic reading is set.
type leaping struct {
	mu  sync.Mutex
	off time.Duration
}

func (c *leaping) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.off).Round(0) // the wall clock only
}

func (c *leaping) After(d time.Duration) (<-chan time.Time, func() bool) {
	t := time.NewTimer(d)
	return t.C, t.Stop
}

func (c *leaping) leap(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off += d
}

// counting is a job that counts.
type counting struct {
	mu        sync.Mutex
	run, late int
	others    int
}

func (c *counting) Run(_ context.Context, _ time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.run++
	return 0
}

func (c *counting) Recheck(context.Context, time.Time) time.Duration { return 0 }

func (c *counting) Skip(why schedule.SkipReason, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if why == schedule.Late {
		c.late += n
	} else {
		c.others += n
	}
}

// If the clock jumps forward, the probes scheduled in between are skipped as
// late. If it jumps back, nothing is scheduled twice. Neither causes a burst.
func TestLeapsOfTheClock(t *testing.T) {
	const interval = 10 * time.Second
	for _, step := range []time.Duration{time.Hour, 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			clock, job := &leaping{}, &counting{}
			s := schedule.New(schedule.Options{Clock: clock})
			s.Set([]schedule.Target{{Key: "a", Interval: interval, Job: job}})
			stop := start(t, s)
			seen := func() [3]int {
				synctest.Wait()
				job.mu.Lock()
				defer job.mu.Unlock()
				return [3]int{job.run, job.late, job.others}
			}
			time.Sleep(100 * time.Second)
			if got := seen(); got != [3]int{10, 0, 0} {
				t.Errorf("before a step of %s: run, late, others: %v", step, got)
			}
			clock.leap(step)
			time.Sleep(100 * time.Second)
			if got := seen(); got[0]+got[1] != 10+int(step/interval)+10 || got[0] < 19 || got[0] > 21 || got[2] != 0 {
				t.Errorf("after a step of %s: run, late, others: %v", step, got)
			}
			before := seen()
			clock.leap(-step)
			time.Sleep(step)
			if got := seen(); got[0]+got[1] > before[0]+before[1]+1 {
				t.Errorf("%s lived twice are owed twice: %v, before %v", step, got, before)
			}
			time.Sleep(100 * time.Second)
			if got := seen(); got[0] < before[0]+9 || got[0] > before[0]+11 {
				t.Errorf("after %s, probes do not go on: %v, before %v", step, got, before)
			}
			stop()
		})
	}
}
