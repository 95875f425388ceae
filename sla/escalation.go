package sla

import (
	"slices"
	"time"
)

// Contact is somebody who can be notified of alerts.
type Contact struct {
	Name        string // unique within the agreement
	Description string
	Receiver    string // name of the Alertmanager receiver; "" for the default name
	Pos         Position
}

// EscalationStep says who is notified when an alert has been firing for a while.
type EscalationStep struct {
	After      time.Duration // since the alert began to fire; 0: at once
	Notify     []string      // names of contacts
	Severities []string      // of the alerts that it is about, by default those of all pages; nil if Tiers is set
	Tiers      []string      // of the burn alerts that it is about
	Hours      *Calendar     // the step waits outside of them; nil: it never waits
	Pos        Position
}

// concerns returns whether the step is about an alert. tier is "" for an alert that is
// not a tier.
func (s EscalationStep) concerns(severity, tier string) bool {
	return slices.Contains(s.Severities, severity) || tier != "" && slices.Contains(s.Tiers, tier)
}

// EscalationTimes returns the times above 0 after which a step of the level notifies
// somebody, ascending.
func (l *ServiceLevel) EscalationTimes() []time.Duration {
	var times []time.Duration
	for _, s := range l.Escalation {
		if s.After > 0 && !slices.Contains(times, s.After) {
			times = append(times, s.After)
		}
	}
	slices.Sort(times)
	return times
}

// Escalates returns whether the level has a step at this time for an alert.
func (l *ServiceLevel) Escalates(after time.Duration, severity, tier string) bool {
	return slices.ContainsFunc(l.Escalation, func(s EscalationStep) bool {
		return s.After == after && s.concerns(severity, tier)
	})
}

// EscalatesWithin returns whether a step of the level waits outside of a calendar's
// hours.
func (l *ServiceLevel) EscalatesWithin(c *Calendar) bool {
	return slices.ContainsFunc(l.Escalation, func(s EscalationStep) bool { return s.Hours == c })
}

// Notifications says how Alertmanager groups alerts and paces notifications.
type Notifications struct {
	GroupBy []string        // labels that the alerts of one notification share; nil: those of the level's ID
	Pacing  map[string]Pace // by severity, where it differs from defaultPacing
}

// PerGroup returns the labels of a level's groups that have separate notifications; none
// if one notification has all groups.
func (n Notifications) PerGroup(l *ServiceLevel) []string {
	var apart []string
	for _, label := range l.GroupBy.Labels {
		if slices.Contains(n.GroupBy, label) {
			apart = append(apart, label)
		}
	}
	return apart
}

// MostNotifications is how many notifications of each severity an outage of the whole
// level can start with.
func (n Notifications) MostNotifications(l *ServiceLevel) int {
	if len(n.PerGroup(l)) > 0 {
		return l.GroupBy.Limit
	}
	return 1
}

// Pacing holds Alertmanager's options of the same names.
type Pacing struct {
	GroupWait      time.Duration // before the first notification, to collect alerts
	GroupInterval  time.Duration // before new alerts of the same group
	RepeatInterval time.Duration // before the same notification again
}

// Pace is a Pacing with optional fields; nil is the default.
type Pace struct{ GroupWait, GroupInterval, RepeatInterval *time.Duration }

// PacingOf is the pacing of a severity, with the defaults of an urgency.
func (n Notifications) PacingOf(severity string, u Urgency) Pacing {
	p, given := defaultPacing(u), n.Pacing[severity]
	for _, of := range []struct {
		to    *time.Duration
		given *time.Duration
	}{{&p.GroupWait, given.GroupWait}, {&p.GroupInterval, given.GroupInterval}, {&p.RepeatInterval, given.RepeatInterval}} {
		if of.given != nil {
			*of.to = *of.given
		}
	}
	return p
}

// defaultPacing sends a page after half a minute and repeats it every four hours. A
// ticket waits until a page of the same level could have inhibited it, and is repeated
// once a day.
func defaultPacing(u Urgency) Pacing {
	if u == Page {
		return Pacing{GroupWait: 30 * time.Second, GroupInterval: 5 * time.Minute, RepeatInterval: 4 * time.Hour}
	}
	return Pacing{GroupWait: 5 * time.Minute, GroupInterval: 15 * time.Minute, RepeatInterval: 24 * time.Hour}
}
