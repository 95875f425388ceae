package sla

import "time"

// Alerting says which alerts a level has.
type Alerting struct {
	Disabled    bool              // no alert of any kind; Tiers is empty then
	Tiers       []Tier            // enabled tiers, most urgent first
	Labels      map[string]string // added to every alert of the level
	Annotations map[string]string // added to every alert of the level
	Runbook     string            // URL, becomes the runbook_url annotation
	Names       SeverityNames     // the agreement's names of severities

	// MinimumEvents and MinimumBadEvents are how many events, and how many bad ones, a
	// tier's long window must have for the tier to fire.
	MinimumEvents, MinimumBadEvents int

	// WeighByTraffic weighs the bad share of a window by its traffic, so that a window
	// counts as much as its part of the period's events.
	WeighByTraffic bool

	// Notices are the enabled alerts that are not tiers, by kind. Kinds that do not fit
	// the level have no effect: see ServiceLevel.Alerts.
	Notices map[*AlertKind]*Notice
}

// WithinOf is how soon the budget of a period must end for a forecast to fire.
func (n Notice) WithinOf(l *ServiceLevel, p Period) time.Duration {
	if n.SameWithin || p == l.Period {
		return n.Within
	}
	return ForecastWithin(p)
}

// DefaultAlerting returns the alerting of a level without configuration: the default
// tiers of its period, and all other kinds of alerts with their defaults.
func (l *ServiceLevel) DefaultAlerting() Alerting {
	a := Alerting{Tiers: DefaultTiers(l.Period), Notices: map[*AlertKind]*Notice{}}
	for _, k := range AlertKinds {
		if k.Options == nil || k.OfAgreement {
			continue
		}
		a.Notices[k] = k.Options.Default(l)
		if k.Options.FollowsTiers {
			a.FollowTiers(a.Notices[k])
		}
	}
	return a
}

// FollowTiers sets the severity of a notice to that of the most urgent tier, if there is
// one.
func (a Alerting) FollowTiers(n *Notice) {
	for i, t := range a.Tiers {
		if i == 0 || t.Urgency > n.Urgency {
			n.Severity, n.Urgency = t.Severity, t.Urgency
		}
	}
}

// DefaultMinimumBadEvents keeps a single failure on a quiet service from waking anybody:
// at 1 request a minute, one failure is 1.7 % of an hour, above the threshold of a
// target of 99.9 %. It is the smallest number with few false pages. If a service fails
// exactly as often as its objective allows, a window at the threshold of 14.4 (or 6)
// times the budget expects 1/14.4 (1/6) of the failures that it would hold. By chance it
// holds 3 failures once in 775 (70) windows, but 1 failure once in 15 (7). Probes do not
// need it: their interval decides how many there are.
const DefaultMinimumBadEvents = 3

// EventSize is what one event adds to the recorded sums of bad and total: 1 if events
// are counted, the probe's interval in seconds if time is. ok is false for a level that
// counts no single events.
func (l *ServiceLevel) EventSize() (size Decimal, ok bool) {
	switch p := l.probe(); {
	case l.Aggregation.Counts() == CountsEvents:
		return NewDecimal(1, 1), true
	case l.Aggregation.Counts() == CountsSeconds && p != nil:
		return Seconds(p.Interval), true
	}
	return Decimal{}, false
}

// CountsOwnEvents returns whether the service itself counts the events, so that their
// number depends on its users.
func (l *ServiceLevel) CountsOwnEvents() bool {
	return l.Aggregation.Counts() == CountsEvents && len(l.Indicator.Queries()) > 0
}

// probe is the probe that measures the level, or nil.
func (l *ServiceLevel) probe() *Probe {
	if p, ok := l.Indicator.(probed); ok {
		return p.probed()
	}
	return nil
}
