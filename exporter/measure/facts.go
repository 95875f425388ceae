package measure

import (
	"iter"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/exporter/probe"
)

// facts are known only from some kinds of probe. A target has none until a probe
// reports some. They are replaced, never changed.
type facts struct {
	expiry, chain  time.Time // of certificates; zero: none
	sent, received uint64    // packets so far; 0: the probe sends none
	jitter         float64   // in seconds, of the last probe that measured it
	jittered       bool
	info           []probe.InfoLabel // nil: none
	rechecks       uint64
	refused        int // the HTTP status that last made a probe bad; 0: none
}

// copy returns a copy that may be changed; f may be nil.
func (f *facts) copy() *facts {
	next := new(facts)
	if f != nil {
		*next = *f
	}
	return next
}

// keepFacts keeps the facts of a result; t.mu is held.
func (t *Target) keepFacts(r probe.Result) {
	known, refused := t.sparseView().facts, refusedStatusOf(r)
	sameInfo := len(r.Info) == 0 || known != nil && slices.Equal(known.info, r.Info)
	sameStatus := refused == 0 || known != nil && known.refused == refused
	if r.TLS == nil && r.Packets == nil && sameInfo && sameStatus {
		return
	}
	next := known.copy()
	if refused != 0 {
		next.refused = refused
	}
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
	t.ensureSparse().facts = next
}

// refusedStatusOf returns the HTTP status that made a probe bad, or 0 if none did.
func refusedStatusOf(r probe.Result) int {
	if r.Reason != probe.Status || r.HTTP == nil {
		return 0
	}
	return r.HTTP.Status
}

// optionalMetric is a metric that a target has only if value returns true.
type optionalMetric struct {
	metric description
	value  func(*view) (float64, bool)
}

// optionalMetrics is the table of them.
var optionalMetrics = []optionalMetric{
	{rechecks, (*view).recheckCount},
	{lastState, func(v *view) (float64, bool) { return v.lastOutcome(), v.lastState != unknown }},
	{certExpiry, func(v *view) (float64, bool) { return v.unixTime(func(f *facts) time.Time { return f.expiry }) }},
	{chainExpiry, func(v *view) (float64, bool) { return v.unixTime(func(f *facts) time.Time { return f.chain }) }},
	{packetsSent, func(v *view) (float64, bool) { return v.packets(func(f *facts) uint64 { return f.sent }) }},
	{packetsReceived, func(v *view) (float64, bool) { return v.packets(func(f *facts) uint64 { return f.received }) }},
	{packetJitter, func(v *view) (float64, bool) {
		if v.facts == nil {
			return 0, false
		}
		return v.facts.jitter, v.facts.jittered
	}},
	{refusedStatus, func(v *view) (float64, bool) {
		if v.facts == nil {
			return 0, false
		}
		return float64(v.facts.refused), v.facts.refused != 0
	}},
	{dialogueInfo, func(v *view) (float64, bool) { return 1, v.facts != nil && len(v.facts.info) > 0 }},
}

// extraLabelsOf returns the labels of an optional metric besides those of its
// target.
func (v *view) extraLabelsOf(m description) []probe.InfoLabel {
	if m.Name != dialogueInfo.Name {
		return nil
	}
	return v.facts.info
}

// recheckCount returns how often the target was rechecked; false if it never is.
func (v *view) recheckCount() (float64, bool) {
	if v.facts == nil {
		return 0, v.rechecked
	}
	return float64(v.facts.rechecks), v.rechecked
}

// lastOutcome is the value of upheld_probe_last_outcome_good.
func (v *view) lastOutcome() float64 {
	if v.lastState == isGood {
		return 1
	}
	return 0
}

func (v *view) unixTime(of func(*facts) time.Time) (float64, bool) {
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

// targetsWith yields the targets that have the metric, each with its value.
func (s *snapshot) targetsWith(o *optionalMetric) iter.Seq2[*view, float64] {
	return func(yield func(*view, float64) bool) {
		for i := range s.views {
			v := &s.views[i]
			if n, ok := o.value(v); ok && !yield(v, n) {
				return
			}
		}
	}
}
