package sla

import "time"

// Alerting says whom a burning budget wakes, and how.
type Alerting struct {
	Disabled    bool              // no alert of any kind, also none of lost measurement; Tiers is empty then
	Tiers       []Tier            // enabled tiers, most urgent first
	Labels      map[string]string // added to every alert of the level
	Annotations map[string]string // added to every alert of the level
	Runbook     string            // URL, becomes the runbook_url annotation
	Names       SeverityNames     // those of the agreement

	// MinimumEvents and MinimumBadEvents are how many events, and bad ones, a
	// tier's long window must hold before the tier fires; 0 asks for none.
	MinimumEvents, MinimumBadEvents int

	// WeighByTraffic weighs the bad share of a window by its traffic: what is
	// compared is then the share of the period's events that were bad in it.
	WeighByTraffic bool

	// Notices are the alerts beside the tiers that are on, by kind. A kind that
	// does not fit the level counts for nothing: see ServiceLevel.Alerts.
	Notices map[*AlertKind]*Notice
}

// WithinOf is how soon the budget of one of the level's periods must end for an
// alert that extrapolates to fire.
func (n Notice) WithinOf(l *ServiceLevel, p Period) time.Duration {
	if n.SameWithin || p == l.Period {
		return n.Within
	}
	return ForecastWithin(p)
}

// DefaultAlerting is what the level has if nothing is said: the default tiers of
// its period, and every kind of alert beside them as it is by default.
func (l *ServiceLevel) DefaultAlerting() Alerting {
	a := Alerting{Tiers: DefaultTiers(l.Period), Notices: map[*AlertKind]*Notice{}}
	for _, k := range AlertKinds {
		if k.Options == nil {
			continue
		}
		a.Notices[k] = k.Options.Default(l)
		if k.Options.FollowsTiers {
			a.FollowTiers(a.Notices[k])
		}
	}
	return a
}

// FollowTiers gives a notice the severity of the most urgent tier, if there is one.
func (a Alerting) FollowTiers(n *Notice) {
	for i, t := range a.Tiers {
		if i == 0 || t.Urgency > n.Urgency {
			n.Severity, n.Urgency = t.Severity, t.Urgency
		}
	}
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
	switch p := l.probe(); {
	case l.Aggregation.Counts() == CountsEvents:
		return NewDecimal(1, 1), true
	case l.Aggregation.Counts() == CountsSeconds && p != nil:
		return Seconds(p.Interval), true
	}
	return Decimal{}, false
}

// CountsOwnEvents tells whether the service itself counts what the level
// measures, so that how much of it there is depends on its users.
func (l *ServiceLevel) CountsOwnEvents() bool {
	return l.Aggregation.Counts() == CountsEvents && len(l.Indicator.Queries()) > 0
}

// probe is the probe that measures the level, if one does.
func (l *ServiceLevel) probe() *Probe {
	if p, ok := l.Indicator.(probed); ok {
		return p.probed()
	}
	return nil
}
