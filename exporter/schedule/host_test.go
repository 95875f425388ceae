package schedule_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/upheld-sla/upheld/exporter/schedule"
)

// TestAHostThatHangsKeepsNobodyElseWaiting: the probes of a host that hangs wait
// for each other, and those of another host run in time.
func TestAHostThatHangsKeepsNobodyElseWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung := map[string]bool{"a": true, "b": true, "c": true, "d": true}
		w := newWorld(func(key string, _ int) time.Duration {
			if hung[key] {
				return 5 * time.Second
			}
			return time.Millisecond
		})
		w.perHost = 2
		w.host = func(key string) string {
			if hung[key] {
				return "hung.example"
			}
			return "well.example"
		}
		s := schedule.New(schedule.Options{MaxConcurrency: 4, MaxPerHost: w.perHost})
		intervals := map[string]time.Duration{"w": time.Second, "x": time.Second}
		for key := range hung {
			intervals[key] = 10 * time.Second
		}
		w.set(s, intervals)
		stop := start(t, s)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		w.check(time.Now(), 4)
		stop()
		for _, problem := range w.problems {
			t.Error(problem)
		}
		ran := 0
		for key, a := range w.accounts {
			if !hung[key] && (len(a.skipped) > 0 || a.finished < 299) {
				t.Errorf("%s, of the host that is well: %d run, %v skipped", key, a.finished, a.skipped)
			}
			if hung[key] {
				ran += a.finished
			}
		}
		if ran < 60 { // two at a time, all the time that they wait for each other
			t.Errorf("only %d probes of the host that hangs were run", ran)
		}
	})
}
