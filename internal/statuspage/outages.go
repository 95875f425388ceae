package statuspage

import (
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// What is an outage to the public.
const (
	shareStep  = time.Minute      // between two looks at the bad share
	window     = sla.BaseWindow   // which the share looks back over
	downShare  = 0.5              // from here on it was down
	apart      = 5 * time.Minute  // outages that are less apart are one
	longEnough = 10 * time.Minute // degraded for less is in the day's bar alone
	maxOutages = 200
)

// outagesOf are the times in which more was bad than the level's objective allows, the
// oldest first. A share looks back five minutes, so it stays high that much longer.
func outagesOf(l *sla.ServiceLevel, name string, shares []Share, state sla.State, now time.Time) []Outage {
	allowed := l.ObjectiveBudget().Float64()
	var all []Outage
	var first, last time.Time
	var worst float64
	flush := func() {
		if first.IsZero() {
			return
		}
		o := Outage{Component: name, Start: first.Add(-shareStep).UTC(), state: sla.StateDegraded}
		if worst >= downShare {
			o.state = sla.StateDown
		}
		end := last.Add(shareStep - window)
		if end.Before(first) {
			end = first
		}
		if goesOn := now.Sub(last) < 2*window && state >= sla.StateDegraded; goesOn {
			end = now
			o.state = max(o.state, state)
		} else {
			o.End = known(end.UTC())
		}
		o.State, o.Seconds = o.state.String(), end.Sub(o.Start).Seconds()
		if o.End == nil || o.state == sla.StateDown || end.Sub(o.Start) >= longEnough {
			all = append(all, o)
		}
		first = time.Time{}
	}
	for _, s := range shares {
		if s.Bad <= allowed {
			continue
		}
		if !first.IsZero() && s.At.Sub(last) > apart {
			flush()
		}
		if first.IsZero() {
			first, worst = s.At, 0
		}
		last, worst = s.At, max(worst, s.Bad)
	}
	flush()
	return all
}
