package schedule_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/upheld-sla/upheld/exporter/schedule"
)

// leaping is a clock that can jump, as after a suspended machine wakes up, or
// where nothing monotonic stands behind a clock that is set.
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

func (c *counting) Skip(why schedule.Unrun, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if why == schedule.Late {
		c.late += n
	} else {
		c.others += n
	}
}

// TestLeapsOfTheClock lets an hour vanish, and then be lived twice: what was
// owed in the hour that nobody lived is late, nothing is owed twice, and there
// is no burst.
func TestLeapsOfTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock, job := &leaping{}, &counting{}
		s := schedule.New(schedule.Options{Clock: clock})
		s.Set([]schedule.Target{{Key: "a", Interval: 10 * time.Second, Job: job}})
		stop := start(t, s)
		seen := func() [3]int {
			synctest.Wait()
			job.mu.Lock()
			defer job.mu.Unlock()
			return [3]int{job.run, job.late, job.others}
		}
		time.Sleep(100 * time.Second)
		if got := seen(); got != [3]int{10, 0, 0} {
			t.Errorf("before the leap: run, late, others: %v", got)
		}
		clock.leap(time.Hour)
		time.Sleep(100 * time.Second)
		if got := seen(); got[0]+got[1] != 10+360+10 || got[0] < 19 || got[2] != 0 {
			t.Errorf("after a leap of an hour: run, late, others: %v", got)
		}
		before := seen()
		clock.leap(-time.Hour)
		time.Sleep(time.Hour)
		if got := seen(); got[0]+got[1] > before[0]+before[1]+1 {
			t.Errorf("an hour lived twice is owed twice: %v, before %v", got, before)
		}
		time.Sleep(100 * time.Second)
		if got := seen(); got[0] < before[0]+9 || got[0] > before[0]+11 {
			t.Errorf("after it, probes do not go on: %v, before %v", got, before)
		}
		stop()
	})
}
