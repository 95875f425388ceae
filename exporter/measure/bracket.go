package measure

import (
	"time"

	"github.com/upheld-sla/upheld/exporter/probe"
)

// bracket bounds the time that a target was down, from below and above.
type bracket struct {
	lower, upper time.Duration
	last         time.Time // when the last conclusive probe began
	bad          bool      // what it was
	gap          bool      // a probe after it told nothing
	rechecked    bool      // probes between two that are owed narrow it
}

// observe goes on to a probe that began at a time.
func (b *bracket) observe(outcome probe.Outcome, at time.Time) {
	if outcome != probe.Good && outcome != probe.Bad {
		b.gap = true
		return
	}
	bad := outcome == probe.Bad
	if between := at.Sub(b.last); !b.last.IsZero() && between > 0 { // by the monotonic clock: setting the clock makes no downtime
		if bad || b.bad {
			b.upper += between
		}
		if bad && b.bad && !b.gap {
			b.lower += between
		}
	}
	b.last, b.bad, b.gap = at, bad, false
}
