package sla

import (
	"slices"
	"time"
)

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

	// The alerts beside the tiers; nil where one is turned off.
	BudgetExhausted *Notice
	BudgetForecast  *Forecast
	MeasurementLost *Notice
	GroupLimit      *Notice   // counts only for a level with groups
	CreditTier      *Forecast // nil for a level without credits
}

// notices are the alerts beside the tiers that are on.
func (a Alerting) notices() []*Notice {
	all := []*Notice{a.BudgetExhausted, a.MeasurementLost, a.GroupLimit}
	for _, f := range []*Forecast{a.BudgetForecast, a.CreditTier} {
		if f != nil {
			all = append(all, &f.Notice)
		}
	}
	return slices.DeleteFunc(all, func(n *Notice) bool { return n == nil })
}

// Notices are all alerts of the level beside its tiers.
func (l *ServiceLevel) Notices() []*Notice {
	all := l.Alerting.notices()
	if c, ok := l.Indicator.(*Composite); ok && c.EndToEnd != nil && c.EndToEnd.Notice != nil && !l.Alerting.Disabled {
		all = append(all, c.EndToEnd.Notice)
	}
	for _, e := range l.Exclusions {
		if e.Cap != nil && e.Cap.Notice != nil && !l.Alerting.Disabled {
			all = append(all, e.Cap.Notice)
		}
	}
	return all
}

// Notice is an alert of which a level has one.
type Notice struct {
	Severity      string
	Urgency       Urgency
	For           time.Duration
	KeepFiringFor time.Duration
	Labels        map[string]string // added to this alert
	Periods       []string          // of a level with several: the names of those that the alert is for; all if nil
}

// Watches tells whether an alert about a budget is for that of a period.
func (n Notice) Watches(p Period) bool {
	return n.Periods == nil || slices.Contains(n.Periods, p.String())
}

// Forecast is a Notice that fires while the budget, if it goes on burning as it
// did over Over, ends within Within.
type Forecast struct {
	Notice
	Over, Within time.Duration
	SameWithin   bool // for every period of the level; else Within is that of the first
}

// ForecastWithin is how soon the budget of one of the level's periods must end
// for its forecast to fire.
func (l *ServiceLevel) ForecastWithin(p Period) time.Duration {
	if f := l.Alerting.BudgetForecast; f.SameWithin || p == l.Period {
		return f.Within
	}
	return forecastWithin(p)
}

// AsTiers gives a notice the severity of the most urgent tier, if there is one.
func (a Alerting) AsTiers(n *Notice) {
	for i, t := range a.Tiers {
		if i == 0 || t.Urgency > n.Urgency {
			n.Severity, n.Urgency = t.Severity, t.Urgency
		}
	}
}

// DefaultAlerting is what a level has if nothing is said: the default tiers of
// its period, and a ticket each for a budget that is spent, for one that is
// about to be, and for groups that near their limit, where a level has groups.
//
// A lost measurement is as urgent as what it may hide, the most urgent tier:
// until it is back nobody is told of an outage.
//
// A forecast looks at the window of the slower page, and as far ahead as a
// thirtieth of the period, a day for 30 days: time enough to act in, and so
// near that one bad hour in a fresh budget is not told twice.
func DefaultAlerting(period Period) Alerting {
	a := Alerting{Tiers: DefaultTiers(period)}
	a.BudgetExhausted = &Notice{Severity: "ticket"}
	a.MeasurementLost = &Notice{Severity: "ticket", For: measurementLostFor}
	a.AsTiers(a.MeasurementLost)
	a.GroupLimit = &Notice{Severity: "ticket"}
	a.BudgetForecast = &Forecast{Notice: Notice{Severity: "ticket"}, Over: 6 * time.Hour, Within: forecastWithin(period)}
	for _, t := range a.Tiers {
		if t.Name == "page-slow" {
			a.BudgetForecast.Over = t.Long
		}
	}
	return a
}

// forecastWithin is a thirtieth of a period in whole hours, at least one; below
// a day, where that would be most of the period, a 24th.
func forecastWithin(p Period) time.Duration {
	if p.Nominal() < day {
		return max((p.Nominal() / 24).Truncate(BaseWindow), BaseWindow)
	}
	return max((p.Nominal() / 30).Truncate(time.Hour), time.Hour)
}

// measurementLostFor is how long a level must be without data before that is
// an alert of its own: longer than a restart with the base window refilled.
const measurementLostFor = 10 * time.Minute

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
	return l.Aggregation.Counts() == CountsEvents && l.Indicator != nil && len(l.Indicator.Queries()) > 0
}

// probe is the probe that measures the level, if one does.
func (l *ServiceLevel) probe() *Probe {
	if p, ok := l.Indicator.(probed); ok {
		return p.probed()
	}
	return nil
}
