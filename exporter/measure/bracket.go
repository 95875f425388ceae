package measure

import (
	"time"

	"github.com/upheld-sla/upheld/exporter/probe"
)

// bracket bounds the time that a target was down, from below and above.
type bracket struct {
	lower, upper time.Duration
	last         time.Duration // when the last conclusive probe began, since epoch
	known        bool          // there was one
	bad          bool          // its outcome was bad
	gap          bool          // a later probe was inconclusive
	rechecked    bool          // rechecks between scheduled probes narrow it
}

// epoch is the time from which others are counted. It carries the monotonic
// clock, so setting the clock makes no downtime.
var epoch = time.Now()

// observe takes in the outcome of the probe that began at a time.
func (b *bracket) observe(outcome probe.Outcome, at time.Time) {
	if outcome != probe.Good && outcome != probe.Bad {
		b.gap = true
		return
	}
	bad, began := outcome == probe.Bad, at.Sub(epoch)
	if between := began - b.last; b.known && between > 0 {
		if bad || b.bad {
			b.upper += between
		}
		if bad && b.bad && !b.gap {
			b.lower += between
		}
	}
	b.last, b.known, b.bad, b.gap = began, !at.IsZero(), bad, false
}
