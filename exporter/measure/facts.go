package measure

import (
	"iter"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/exporter/probe"
)

// facts are what only some kinds of probe see. A target has them once a probe
// has; they are replaced, never changed.
type facts struct {
	expiry, chain  time.Time // of certificates; zero: none
	sent, received uint64    // packets so far; 0: the probe sends none
	jitter         float64   // of the last probe that had one, in seconds
	jittered       bool
	info           []probe.InfoLabel // nil: none
	rechecks       uint64
}

// copy is f to be changed; f may be nil.
func (f *facts) copy() *facts {
	next := new(facts)
	if f != nil {
		*next = *f
	}
	return next
}

// learn keeps the facts of a result; t.mu is held.
func (t *Target) learn(r probe.Result) {
	known := t.seen().facts
	if r.TLS == nil && r.Packets == nil && (len(r.Info) == 0 || known != nil && slices.Equal(known.info, r.Info)) {
		return
	}
	next := known.copy()
	if r.TLS != nil {
		next.expiry, next.chain = r.TLS.EarliestExpiry, r.TLS.ChainExpiry
	}
	if p := r.Packets; p != nil {
		next.sent += uint64(p.Sent)
		next.received += uint64(p.Received)
		if p.Received > 1 {
			next.jitter, next.jittered = p.Jitter.Seconds(), true
		}
	}
	if len(r.Info) > 0 {
		next.info = r.Info
	}
	t.more().facts = next
}

// sporadic is a metric that a target has only where value says so.
type sporadic struct {
	metric Metric
	value  func(*view) (float64, bool)
}

// sporadics are they, one line each.
var sporadics = []sporadic{
	{rechecks, func(v *view) (float64, bool) { return v.closer() }},
	{lastState, func(v *view) (float64, bool) { return v.good(), v.found != unknown }},
	{certExpiry, func(v *view) (float64, bool) { return v.moment(func(f *facts) time.Time { return f.expiry }) }},
	{chainExpiry, func(v *view) (float64, bool) { return v.moment(func(f *facts) time.Time { return f.chain }) }},
	{packetsSent, func(v *view) (float64, bool) { return v.packets(func(f *facts) uint64 { return f.sent }) }},
	{packetsReceived, func(v *view) (float64, bool) { return v.packets(func(f *facts) uint64 { return f.received }) }},
	{packetJitter, func(v *view) (float64, bool) {
		if v.facts == nil {
			return 0, false
		}
		return v.facts.jitter, v.facts.jittered
	}},
	{dialogueInfo, func(v *view) (float64, bool) { return 1, v.facts != nil && len(v.facts.info) > 0 }},
}

// more are the labels that a sporadic metric has besides those of its target.
func (v *view) more(m Metric) []probe.InfoLabel {
	if m.Name != dialogueInfo.Name {
		return nil
	}
	return v.facts.info
}

// closer is how often the target was rechecked, if it is.
func (v *view) closer() (float64, bool) {
	if v.facts == nil {
		return 0, v.rechecked
	}
	return float64(v.facts.rechecks), v.rechecked
}

// good is the value of upheld_probe_last_outcome_good.
func (v *view) good() float64 {
	if v.found == isGood {
		return 1
	}
	return 0
}

func (v *view) moment(of func(*facts) time.Time) (float64, bool) {
	if v.facts == nil || of(v.facts).IsZero() {
		return 0, false
	}
	return float64(of(v.facts).Unix()), true
}

func (v *view) packets(of func(*facts) uint64) (float64, bool) {
	if v.facts == nil || v.facts.sent == 0 {
		return 0, false
	}
	return float64(of(v.facts)), true
}

// having yields the targets that have a metric, each with its value.
func (s *snapshot) having(o *sporadic) iter.Seq2[*view, float64] {
	return func(yield func(*view, float64) bool) {
		for i := range s.views {
			v := &s.views[i]
			if n, ok := o.value(v); ok && !yield(v, n) {
				return
			}
		}
	}
}
