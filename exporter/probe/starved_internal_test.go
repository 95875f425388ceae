package probe

import (
	"testing"
	"time"
)

// A target that hangs up on a client that stands still is not to blame for it; one
// that the exporter was merely somewhat late with is, and so is one whose failure
// no patience would have changed.
func TestTargetsThatLosePatience(t *testing.T) {
	for name, c := range map[string]struct {
		reason Reason
		still  time.Duration // the exporter, once, while something had arrived
		past   time.Duration // how long ago the deadline was
		want   Reason
	}{
		"a peer that hung up meanwhile":            {reason: Reset, still: 1500 * time.Millisecond, want: Starved},
		"a peer that said so":                      {reason: Dialogue, still: 1500 * time.Millisecond, want: Starved},
		"408, perhaps":                             {reason: Status, still: 1500 * time.Millisecond, want: Starved},
		"a peer that nobody kept waiting for long": {reason: Reset, still: 500 * time.Millisecond, want: Reset},
		"a page of other content":                  {reason: Body, still: 1500 * time.Millisecond, want: Body},
		"nobody listens":                           {reason: ConnectRefused, still: 1500 * time.Millisecond, want: ConnectRefused},
		"a verdict long after the deadline":        {reason: Dialogue, past: 3 * time.Second, want: Starved},
		"a verdict at the deadline":                {reason: Dialogue, past: 50 * time.Millisecond, want: Dialogue},
		"no answer in time":                        {reason: Timeout, past: time.Millisecond, want: Timeout},
	} {
		now := time.Now()
		r := run{start: now.Add(-4 * time.Second), deadline: now.Add(time.Second), timeout: 5 * time.Second}
		if c.past > 0 {
			r.deadline, r.timeout = now.Add(-c.past), 4*time.Second-c.past
		}
		r.late = &lateness{lastWait: r.start}
		r.late.wait(r.start)
		r.late.resume(now, c.still)
		if c.still == 0 {
			r.late.wait(now)
		}
		if got := r.failed(&failure{c.reason, "it failed"}); got.Reason != c.want || got.Outcome != c.want.Outcome() {
			t.Errorf("%s: %s %s, want %s", name, got.Outcome, got.Reason, c.want)
		}
	}
}
