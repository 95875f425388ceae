package spec

import (
	"fmt"

	"github.com/upheld-sla/upheld/sla"
)

// Keys of alerting that need levels that count events.

// minimumEvents returns how many events, and how many bad ones, the level's alerts wait
// for. The agreement's values apply only to levels that count events; in a level that
// does not, the keys are an error.
func minimumEvents(l *sla.ServiceLevel, patches []*alertingPatch) (total, bad int) {
	if l.Indicator != nil && l.CountsOwnEvents() {
		bad = sla.DefaultMinimumBadEvents
	}
	for i, p := range patches {
		if p == nil {
			continue
		}
		for _, m := range []struct {
			to   *int
			from *count
		}{{&total, p.minEvents}, {&bad, p.minBad}} {
			switch own := i == len(patches)-1; {
			case m.from == nil || l.Indicator == nil:
			case countsEvents(l):
				*m.to = m.from.number
			case own:
				m.from.at.error("no-events", fmt.Sprintf("%s: the level %q is measured by %s, which counts no single events",
					m.from.at.name, l.ID.SLO, l.Aggregation), "leave it out")
			}
		}
	}
	return total, bad
}

// choice is a boolean and where it was written.
type choice struct {
	at value
	on bool
}

// weighsByTraffic returns whether the level's windows are weighed by traffic. The
// agreement's value applies only to levels that count events.
func weighsByTraffic(l *sla.ServiceLevel, patches []*alertingPatch) bool {
	weigh := false
	for i, p := range patches {
		switch own := i == len(patches)-1; {
		case p == nil || p.byTraffic == nil || l.Indicator == nil:
		case l.CountsOwnEvents():
			weigh = p.byTraffic.on
		case own && p.byTraffic.on:
			p.byTraffic.at.error("no-events", fmt.Sprintf("weighByTraffic: the level %q is measured by %s, whose traffic is not its users'", l.ID.SLO, l.Aggregation),
				"leave it out: a minute of it weighs as much as another")
		}
	}
	return weigh
}

// countsEvents returns whether single events or probes can be counted. References to
// probes are not resolved yet, so EventSize alone is not enough.
func countsEvents(l *sla.ServiceLevel) bool {
	if _, ok := l.EventSize(); ok {
		return true
	}
	return sla.IsProbed(l.Indicator) && l.Aggregation.Counts() == sla.CountsSeconds
}
