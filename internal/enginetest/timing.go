package enginetest

import "time"

// Timing is what a real server's scrapes and evaluations do that a perfect one's
// would not. The zero Timing is a perfect server: scrapes end when they begin, no
// evaluation is missed.
//
// A world always evaluates each group at the times at which the rule manager
// would (Group.EvalTimestamp: an offset that is hashed from the group's name and
// file), in order of time over all groups. So levels that differ by name alone
// are evaluated at different moments; the phase of scrapes is that of the time at
// which the world starts. To show that figures do not depend on such moments:
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
// The world writes no series up; a target that is to have one returns it with
// its samples, also for a scrape that fails.
type Timing struct {
	// ScrapeTakes is how long the scrape takes that begins at a time, less than
	// the scrape interval. Its samples carry the time at which it began and can be
	// queried from when it has ended.
	ScrapeTakes func(at time.Time) time.Duration
	// Misses reports whether a group skips its evaluation at a time.
	Misses func(group string, at time.Time) bool
	// Drift is by how much the server's clock runs faster than that of its targets,
	// as a share: 0.0005, or -0.0005, while NTP slews it as fast as Linux does.
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

// Restart ends the server and starts it again after some time. Scrapes under way
// are lost and nothing is scraped or evaluated meanwhile. Then all is as in a new
// process over the old storage: alerts begin inactive and get the state of their
// `for` back after the second evaluation of their group, as the rule manager does
// it; series that a target had before and has no more get no staleness marker.
//
// An alert that was firing appears in Transitions as ended at the first
// evaluation if it does not fire at once.
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

// Offset is how long after each whole minute, if that is its interval, a group
// is evaluated.
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
