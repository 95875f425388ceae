package sla

// Alerting says whom a burning budget wakes, and how.
type Alerting struct {
	Disabled    bool              // no alert of any kind, also none of lost measurement; Tiers is empty then
	Tiers       []Tier            // enabled tiers, most urgent first
	Labels      map[string]string // added to every alert of the level
	Annotations map[string]string // added to every alert of the level
	Runbook     string            // URL, becomes the runbook_url annotation

	// MinimumEvents and MinimumBadEvents are how many events, and bad ones, a
	// tier's long window must hold before the tier fires; 0 asks for none.
	MinimumEvents, MinimumBadEvents int
}

// DefaultMinimumBadEvents keeps a single failure on a quiet service from waking
// anybody: with 1 request a minute it is 1.7 % of an hour, which is over the
// threshold of a target of 99.9 %. It is the least number at which the two
// paging tiers mean what they say: if a service fails just as often as its
// objective allows, a window that would spend the budget 14.4 (or 6) times too
// fast expects 1/14.4 (1/6) of the failures that it holds, and holds 3 by
// chance once in 775 (70) windows, but 1 once in 15 (7). It is not for probes,
// whose number the interval decides.
const DefaultMinimumBadEvents = 3

// EventSize is what one event adds to the recorded sums of bad and total: 1
// where events are counted, the probe's interval in seconds where time is. It
// is false for a level that counts no single events.
func (l *ServiceLevel) EventSize() (size Decimal, ok bool) {
	if l.Aggregation == RequestRatio {
		return NewDecimal(1, 1), true
	}
	if p := l.probe(); l.Aggregation == Time && p != nil {
		return Seconds(p.Interval), true
	}
	return Decimal{}, false
}

// CountsOwnEvents tells whether the service itself counts what the level
// measures, so that how much of it there is depends on its users.
func (l *ServiceLevel) CountsOwnEvents() bool {
	return l.Aggregation == RequestRatio && l.Indicator != nil && len(l.Indicator.Queries()) > 0
}

// probe is the probe that measures the level, if one does.
func (l *ServiceLevel) probe() *Probe {
	switch ind := l.Indicator.(type) {
	case *Probe:
		return ind
	case *ProbeLatency:
		return ind.Probe
	}
	return nil
}
