package serve

import (
	"context"
	"time"

	"github.com/prometheus/prometheus/rules"
)

// maxAhead is how far ahead of the clock a sample may be while the clock is
// right: scrapes take targets' own timestamps up to there.
const maxAhead = 10 * time.Minute

// newest is the time of the newest sample, or before all time.
func (w *writes) newest() time.Time {
	newest := w.db.Head().MaxTime()
	for _, b := range w.db.Blocks() {
		newest = max(newest, b.Meta().MaxTime)
	}
	return time.UnixMilli(newest)
}

// behind tells whether the clock was set back, in this process or before it
// started. Samples of series that have newer ones would be refused one by one.
func (w *writes) behind() bool {
	newest, now := w.newest(), time.Now()
	if newest.Sub(now) <= maxAhead {
		return false
	}
	w.note(lostClockBehind, "clock", now.UTC(), "newest_sample", newest.UTC())
	return true
}

// evaluation evaluates a group, unless the clock was set back: rules would read a
// time that they have read before, tell again of what fired in it, and that what
// fires now is over. So alerts stay as they are until the clock is where it was,
// and those that fire are sent again.
func evaluation(w *writes, notify rules.NotifyFunc) rules.GroupEvalIterationFunc {
	return func(ctx context.Context, g *rules.Group, at time.Time) {
		if at.After(g.GetLastEvalTimestamp()) && !w.behind() {
			rules.DefaultEvalIterationFunc(ctx, g, at)
			return
		}
		until := g.GetLastEvalTimestamp().Add(4 * max(g.Interval(), resendDelay)) // as the rule manager has it
		for _, rule := range g.AlertingRules() {
			for _, a := range rule.ActiveAlerts() {
				if a.State == rules.StateFiring {
					a.ValidUntil = until
					notify(ctx, rule.Query().String(), a)
				}
			}
		}
	}
}
