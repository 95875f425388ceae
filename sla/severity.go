package sla

import (
	"cmp"
	"slices"
)

// Urgency is how soon somebody must act on an alert. It decides how notifications are
// paced and which alerts withhold others. The label severity is only a name for it.
type Urgency int

// The urgencies. Ticket is the default.
const (
	Ticket Urgency = iota // in business hours
	Page                  // now
)

// String is the default name of an urgency.
func (u Urgency) String() string {
	if u == Page {
		return "page"
	}
	return "ticket"
}

// SeverityNames are an agreement's values of the label severity for each urgency; "" is
// the default name.
type SeverityNames struct{ Page, Ticket string }

// Of is the severity of an urgency.
func (n SeverityNames) Of(u Urgency) string {
	if u == Page {
		return cmp.Or(n.Page, u.String())
	}
	return cmp.Or(n.Ticket, u.String())
}

// Named returns the severity and the urgency of a text that is an urgency or the name of
// one. Any other text is returned as the severity, and ok is false.
func (n SeverityNames) Named(text string) (severity string, u Urgency, ok bool) {
	for _, u := range []Urgency{Page, Ticket} {
		if text == u.String() || text == n.Of(u) {
			return n.Of(u), u, true
		}
	}
	return text, Ticket, false
}

// Severities returns the severities of all alerts of the level, each once.
func (l *ServiceLevel) Severities() []string {
	var all []string
	for _, a := range l.Alerts() {
		all = append(all, a.Severity)
	}
	return all
}

// SeveritiesOf returns the severities of the levels' alerts with an urgency, each once,
// sorted.
func SeveritiesOf(levels []*ServiceLevel, u Urgency) []string {
	var all []string
	for _, l := range levels {
		for _, a := range l.Alerts() {
			if a.Urgency == u {
				all = append(all, a.Severity)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// UrgencyOf is the urgency of the levels' most urgent alert with a severity.
func UrgencyOf(levels []*ServiceLevel, severity string) Urgency {
	if slices.Contains(SeveritiesOf(levels, Page), severity) {
		return Page
	}
	return Ticket
}
