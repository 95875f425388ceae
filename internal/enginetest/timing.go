package enginetest

import "time"

// Timing says how a real server's scrapes and evaluations differ from those of a
// perfect one. The zero Timing is a perfect server: scrapes take no time, and no
// evaluation is missed.
//
// A world always evaluates each group at the times at which the rule manager would
// (Group.EvalTimestamp: an offset that is hashed from the group's name and file), in
// order of time over all groups. So levels that only differ by name are evaluated at
// different moments. The world's start time sets the phase of scrapes. To show that
// figures do not depend on such moments:
//
//	w := enginetest.NewAt(t, start.Add(3*time.Second), 15*time.Second, target)
//	w.Behave(enginetest.Timing{
//		ScrapeTakes: func(at time.Time) time.Duration { return 8 * time.Second },
//		Misses: func(group string, at time.Time) bool { return at.Equal(…) },
//	})
//	w.Load(rules of the same level under many names)
//	w.Run(time.Hour)
//	w.Restart(2 * time.Minute)
//	w.Run(time.Hour)
//	w.Query(`sla:bad:sum_period`)
//
// The world writes no series up; a target that needs one returns it with its samples,
// even for a failed scrape.
type Timing struct {
	// ScrapeTakes is how long the scrape that begins at a time takes, less than the
	// scrape interval. Its samples have the time at which it began, and can be queried
	// once it has ended.
	ScrapeTakes func(at time.Time) time.Duration
	// Misses reports whether a group skips its evaluation at a time.
	Misses func(group string, at time.Time) bool
	// Drift is how much faster the server's clock runs than its targets', as a share:
	// 0.0005, or -0.0005, while NTP slews it as fast as Linux does.
	Drift float64
}

// scraped is a scrape that has begun.
type scraped struct {
	at, ends time.Time
	samples  []Sample
}

// Behave sets the timing from now on.
func (w *World) Behave(t Timing) {
	w.Live()
	w.timing = t
}

// Restart stops the server and starts it again after some time. Running scrapes are
// lost, and nothing is scraped or evaluated meanwhile. Then everything is as in a new
// process with the old storage: alerts begin inactive and get the state of their `for`
// back after the second evaluation of their group, as in the rule manager; series that
// a target no longer has get no staleness marker.
//
// An alert that was firing appears in Transitions as ended at the first evaluation,
// unless it fires immediately.
func (w *World) Restart(down time.Duration) {
	w.t.Helper()
	if w.past != nil && w.leave(down) {
		return
	}
	const untilRestored = 2 // evaluations
	w.commit(w.now)
	w.pending = nil
	clear(w.seen)
	w.now = w.now.Add(down)
	w.schedule()
	for _, s := range w.groups {
		s.restore = untilRestored
	}
}

// Offset is how long after each whole minute a group with that interval is evaluated.
func (w *World) Offset(group string) time.Duration {
	w.t.Helper()
	if w.past != nil && len(w.groups) == 0 {
		w.schedule()
	}
	for _, s := range w.groups {
		if s.group.Name() == group {
			return time.Duration(s.tick.UnixNano() % int64(s.group.Interval()))
		}
	}
	w.t.Fatalf("no group %q", group)
	return 0
}
