package sla

import (
	"slices"
	"time"
)

// Contact is who can be told of alerts.
type Contact struct {
	Name        string // unique in the agreement
	Description string
	Receiver    string // the Alertmanager receiver that reaches them, if it has a name of its own; else ""
	Pos         Position
}

// EscalationStep says who is told when an alert has been firing for a while.
type EscalationStep struct {
	After      time.Duration // since the alert began to fire; 0 is at once
	Notify     []string      // names of contacts
	Severities []string      // of the alerts that it is about, by default those of all pages; nil if Tiers says which
	Tiers      []string      // of the burn alerts that it is about
	Hours      *Calendar     // outside of which it waits; nil is never
	Pos        Position
}

// concerns tells whether the step is about an alert; tier is "" for one beside
// the tiers.
func (s EscalationStep) concerns(severity, tier string) bool {
	return slices.Contains(s.Severities, severity) || tier != "" && slices.Contains(s.Tiers, tier)
}

// EscalationTimes are the times above 0 after which somebody further is told of
// the level's alerts, ascending.
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

// Escalates tells whether a step of the level is about an alert of it that has
// been firing for a time.
func (l *ServiceLevel) Escalates(after time.Duration, severity, tier string) bool {
	return slices.ContainsFunc(l.Escalation, func(s EscalationStep) bool {
		return s.After == after && s.concerns(severity, tier)
	})
}

// EscalatesWithin tells whether a step of the level waits outside of a calendar's
// hours.
func (l *ServiceLevel) EscalatesWithin(c *Calendar) bool {
	return slices.ContainsFunc(l.Escalation, func(s EscalationStep) bool { return s.Hours == c })
}

// Notifications say how Alertmanager gathers and paces what it sends.
type Notifications struct {
	GroupBy []string        // labels that the alerts of one notification share; nil is the level's identity
	Pacing  map[string]Pace // by severity, where it is not defaultPacing
}

// PerGroup are the labels by which the notifications of a level's groups are
// apart; none if one notification gathers all its groups.
func (n Notifications) PerGroup(l *ServiceLevel) []string {
	var apart []string
	for _, label := range l.GroupBy.Labels {
		if slices.Contains(n.GroupBy, label) {
			apart = append(apart, label)
		}
	}
	return apart
}

// MostNotifications is how many notifications of each severity an outage of the
// level as a whole can begin with.
func (n Notifications) MostNotifications(l *ServiceLevel) int {
	if len(n.PerGroup(l)) > 0 {
		return l.GroupBy.Limit
	}
	return 1
}

// Pacing is when a notification is sent, as Alertmanager's options of the same
// names say.
type Pacing struct {
	GroupWait      time.Duration // before the first one, for what belongs to it
	GroupInterval  time.Duration // before news of the same group
	RepeatInterval time.Duration // before the same again
}

// Pace is a Pacing as far as it is given; what is nil is as by default.
type Pace struct{ GroupWait, GroupInterval, RepeatInterval *time.Duration }

// PacingOf is the pacing of a severity that stands for an urgency.
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

// defaultPacing sends a page after half a minute and repeats it while it burns;
// anything else waits until a page of the same level would be there to inhibit
// it, and comes again once a day.
func defaultPacing(u Urgency) Pacing {
	if u == Page {
		return Pacing{GroupWait: 30 * time.Second, GroupInterval: 5 * time.Minute, RepeatInterval: 4 * time.Hour}
	}
	return Pacing{GroupWait: 5 * time.Minute, GroupInterval: 15 * time.Minute, RepeatInterval: 24 * time.Hour}
}
