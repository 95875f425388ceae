package schedule_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/upheld-sla/upheld/exporter/schedule"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// plan is one random history.
type plan struct {
	concurrency int
	perHost     int                        // 0: no bound
	hosts       []string                   // of the targets, in turn
	sets        []map[string]time.Duration // one after the other
	gaps        []time.Duration            // before the next set
	took        []time.Duration
	again       []time.Duration // 0: no recheck
	lateness    []time.Duration
}

func drawPlan(t *rapid.T) plan {
	ms := func(lo, hi int) *rapid.Generator[time.Duration] {
		return rapid.Custom(func(t *rapid.T) time.Duration {
			return time.Duration(rapid.IntRange(lo, hi).Draw(t, "ms")) * time.Millisecond
		})
	}
	var p plan
	p.concurrency = rapid.IntRange(1, 6).Draw(t, "concurrency")
	p.perHost = rapid.IntRange(0, 3).Draw(t, "perHost")
	p.hosts = rapid.SliceOfN(rapid.SampledFrom([]string{"", "x", "y"}), 1, 7).Draw(t, "hosts")
	keys := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g"})
	intervals := rapid.SampledFrom([]time.Duration{200 * time.Millisecond, time.Second, 1500 * time.Millisecond, 7 * time.Second})
	p.sets = rapid.SliceOfN(rapid.MapOfN(keys, intervals, 0, 7), 1, 4).Draw(t, "sets")
	// An odd number of nanoseconds keeps reloads off the grid's points.
	for range p.sets {
		p.gaps = append(p.gaps, ms(0, 20_000).Draw(t, "gap")+time.Duration(rapid.IntRange(1, 999_999).Draw(t, "odd")))
	}
	p.took = rapid.SliceOfN(rapid.OneOf(ms(0, 50), ms(0, 3000)), 1, 20).Draw(t, "took")
	p.again = rapid.SliceOfN(rapid.OneOf(rapid.Just(time.Duration(0)), ms(0, 3000)), 1, 20).Draw(t, "again")
	p.lateness = rapid.SliceOfN(rapid.OneOf(rapid.Just(time.Duration(0)), ms(0, 20), ms(0, 5000)), 1, 20).Draw(t, "lateness")
	return p
}

// play runs a plan and returns what was wrong.
func (p plan) play(t *testing.T) []string {
	w := newWorld(func(key string, n int) time.Duration { return p.took[(n+int(key[0]))%len(p.took)] })
	w.again = func(key string, n int) time.Duration { return p.again[(n+int(key[0]))%len(p.again)] }
	w.perHost = p.perHost
	w.host = func(key string) string { return p.hosts[int(key[0])%len(p.hosts)] }
	var punctual atomic.Bool
	alarms := 0
	s := schedule.New(schedule.Options{MaxConcurrency: p.concurrency, MaxPerHost: p.perHost, Clock: sluggish{func() time.Duration {
		if alarms++; punctual.Load() {
			return 0
		}
		return p.lateness[alarms%len(p.lateness)]
	}}})
	w.set(s, p.sets[0])
	stop := start(t, s)
	for i, gap := range p.gaps {
		time.Sleep(gap)
		if i+1 < len(p.sets) {
			w.set(s, p.sets[i+1])
		}
	}
	// Wait until every scheduled probe is accounted for: a probe takes at most
	// 3 s, and an alarm is at most 5 s late.
	punctual.Store(true)
	time.Sleep(10*time.Second + 1)
	synctest.Wait()
	w.check(time.Now(), p.concurrency)
	stop()
	return w.problems
}

func TestEveryScheduledProbeIsAccountedFor(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := drawPlan(rt)
		var problems []string
		synctest.Test(t, func(t *testing.T) { problems = p.play(t) })
		for _, problem := range problems {
			rt.Error(problem)
		}
	})
}

func TestPunctualProbesRunOnTheGrid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(func(string, int) time.Duration { return 30 * time.Millisecond })
		s := schedule.New(schedule.Options{})
		intervals := map[string]time.Duration{}
		for i := range 500 {
			intervals[fmt.Sprint("target-", i)] = 10 * time.Second
		}
		w.set(s, intervals)
		defer start(t, s)()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		w.mu.Lock()
		defer w.mu.Unlock()
		for key, a := range w.accounts {
			if len(a.skipped) > 0 || a.owed(key, time.Now()) != 60 || a.started != 60 {
				t.Fatalf("%s: started %d, skipped %v", key, a.started, a.skipped)
			}
			for _, lag := range a.lags {
				if lag > time.Millisecond {
					t.Fatalf("%s: started %s late though nothing was in the way", key, lag)
				}
			}
		}
		// 500 targets every 10 s are 1.5 at once on average at 30 ms each.
		if w.peak > 20 {
			t.Errorf("%d probes at once: they do not spread", w.peak)
		}
		if len(w.problems) > 0 {
			t.Error(w.problems)
		}
	})
}

// TestRechecksComeBetween probes a target again and again, between the points
// of its grid and never instead of them.
func TestRechecksComeBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(func(string, int) time.Duration { return 500 * time.Millisecond })
		w.again = func(_ string, n int) time.Duration {
			if n >= 10 {
				return 0
			}
			return 2 * time.Second
		}
		s := schedule.New(schedule.Options{})
		w.set(s, map[string]time.Duration{"a": 10 * time.Second})
		defer start(t, s)()
		time.Sleep(60 * time.Second)
		synctest.Wait()
		w.mu.Lock()
		defer w.mu.Unlock()
		a := w.accounts["a"]
		if a.finished != 6 || len(a.skipped) > 0 || len(w.problems) > 0 {
			t.Errorf("%d owed probes ran, skipped %v, problems %v", a.finished, a.skipped, w.problems)
		}
		// Each begins two seconds after the one before has ended: at 2.5, 5 and
		// 7.5 s; the fourth would be due with the next probe.
		want := []time.Duration{2500, 5000, 7500, 2500, 5000, 7500, 2500, 5000}
		if len(a.rechecks) != len(want) {
			t.Fatalf("rechecks at %v", a.rechecks)
		}
		for i, at := range a.rechecks {
			if at != want[i]*time.Millisecond {
				t.Errorf("recheck %d came %s after the grid's point, not %s", i, at, want[i]*time.Millisecond)
			}
		}
	})
}

func TestAProbeAsLongAsItsIntervalDelaysTheNextByAMomentOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(func(string, int) time.Duration { return time.Second + time.Millisecond })
		s := schedule.New(schedule.Options{})
		w.set(s, map[string]time.Duration{"a": time.Second})
		defer start(t, s)()
		time.Sleep(20 * time.Second)
		synctest.Wait()
		w.mu.Lock()
		defer w.mu.Unlock()
		if a := w.accounts["a"]; a.started < 19 || len(a.skipped) > 0 {
			t.Errorf("started %d, skipped %v", a.started, a.skipped)
		}
	})
}

func TestWhyProbesAreNotRun(t *testing.T) {
	for name, c := range map[string]struct {
		took        time.Duration
		concurrency int
		perHost     int
		late        time.Duration
		want        schedule.SkipReason
	}{
		"overlap":   {took: 2700 * time.Millisecond, concurrency: 10, want: schedule.Overlap},
		"overload":  {took: 900 * time.Millisecond, concurrency: 1, want: schedule.Overload},
		"host busy": {took: 900 * time.Millisecond, concurrency: 10, perHost: 1, want: schedule.HostBusy},
		"late":      {took: time.Millisecond, concurrency: 10, late: 5 * time.Second, want: schedule.Late},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(func(string, int) time.Duration { return c.took })
				w.perHost, w.host = c.perHost, func(string) string { return "shop.example" }
				s := schedule.New(schedule.Options{MaxConcurrency: c.concurrency, MaxPerHost: c.perHost, Clock: sluggish{func() time.Duration { return c.late }}})
				w.set(s, map[string]time.Duration{"a": time.Second, "b": time.Second, "c": time.Second})
				stop := start(t, s)
				time.Sleep(30 * time.Second)
				synctest.Wait()
				if c.late == 0 { // otherwise the last are not accounted for yet
					w.check(time.Now(), c.concurrency)
				}
				stop()
				if len(w.problems) > 0 {
					t.Error(w.problems)
				}
				n := 0
				for key, a := range w.accounts {
					n += a.skipped[c.want]
					for why := range a.skipped {
						if why != c.want {
							t.Errorf("%s: %v, want only reason %d", key, a.skipped, c.want)
						}
					}
				}
				if n < 10 {
					t.Errorf("%d probes skipped of 90", n)
				}
			})
		})
	}
}

func TestPhasesAreStableAndSpread(t *testing.T) {
	// Must never change: it would move every probe of every user.
	if got := schedule.PhaseOf("shop:shop/storefront https://shop.example/health", 15*time.Second); got != 8410202382 {
		t.Errorf("phase is %d", got)
	}
	const n, bins = 10_000, 50
	var histogram [bins]int
	for i := range n {
		p := schedule.PhaseOf(fmt.Sprintf("shop:shop/level-%d https://shop.example/%d", i, i), time.Minute)
		if p < 0 || p >= time.Minute {
			t.Fatalf("phase %s of a minute", p)
		}
		histogram[int(p*bins/time.Minute)]++
	}
	chi := 0.0
	for _, k := range histogram {
		d := float64(k) - n/bins
		chi += d * d / (n / bins)
	}
	if chi > 85 { // the 0.1 % point of chi-squared with 49 degrees of freedom
		t.Errorf("phases are uneven: chi-squared %.0f, %v", chi, histogram)
	}
}

func TestARestartKeepsToTheSameTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		offsets := map[time.Duration]bool{}
		for range 3 {
			w := newWorld(func(string, int) time.Duration { return 0 })
			s := schedule.New(schedule.Options{OnStart: func(time.Duration) {
				offsets[time.Duration(time.Now().UnixNano()%int64(4*time.Second))] = true
			}})
			w.set(s, map[string]time.Duration{"a": 4 * time.Second})
			stop := start(t, s)
			time.Sleep(9 * time.Second)
			stop()
			time.Sleep(1234567 * time.Microsecond)
		}
		if len(offsets) != 1 {
			t.Errorf("probes at the offsets %v", offsets)
		}
	})
}

func TestRunEndsRunningProbesAndCannotBeRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(func(string, int) time.Duration { return time.Hour })
		s := schedule.New(schedule.Options{})
		w.set(s, map[string]time.Duration{"a": time.Minute})
		stop := start(t, s)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if n := s.InFlight(); n != 1 {
			t.Errorf("%d in flight", n)
		}
		stop()
		if n := s.InFlight(); n != 0 {
			t.Errorf("%d in flight after the end", n)
		}
		if err := s.Run(context.Background()); err == nil {
			t.Error("a second Run went ahead")
		}
	})
}

func TestARemovedTargetThatComesBackWaitsForItsOldProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(func(string, int) time.Duration { return 2500 * time.Millisecond })
		s := schedule.New(schedule.Options{})
		a := map[string]time.Duration{"a": time.Second}
		w.set(s, a)
		defer start(t, s)()
		for range 20 {
			time.Sleep(1100 * time.Millisecond)
			w.set(s, nil)
			time.Sleep(100 * time.Millisecond)
			w.set(s, a)
		}
		synctest.Wait()
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.problems) > 0 {
			t.Error(w.problems)
		}
	})
}
