package serve

import (
	"context"
	"time"

	"github.com/prometheus/prometheus/rules"
)

// groupsAtOnce is how many groups of rules are evaluated at a time. If CPU is short,
// hundreds would be due at once: they would slow each other down, and leave no query
// places for pages.
const groupsAtOnce = ownQueries / 4

// evaluation evaluates a group unless the clock was set back. Rules would then read the
// past again, send alerts that fired in it, and end those that fire now. So alerts stay
// as they are until the clock has caught up, and firing ones are sent again.
func evaluation(w *writes, notify rules.NotifyFunc) rules.GroupEvalIterationFunc {
	places := make(chan struct{}, groupsAtOnce)
	return func(ctx context.Context, g *rules.Group, at time.Time) {
		places <- struct{}{}
		defer func() { <-places }()
		if at.After(g.GetLastEvalTimestamp()) && !w.behind() {
			rules.DefaultEvalIterationFunc(ctx, g, at)
			return
		}
		until := g.GetLastEvalTimestamp().Add(4 * max(g.Interval(), resendDelay)) // as in the rule manager
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
