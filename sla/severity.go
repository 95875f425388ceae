package sla

import (
	"cmp"
	"slices"
)

// Urgency is how soon somebody has to act on an alert. What an alert is decides
// how it is paced and what holds it back; its label severity is only its name.
type Urgency int

// The urgencies. An alert of which nothing is said is a ticket.
const (
	Ticket Urgency = iota // in working hours
	Page                  // now
)

// String is what an urgency is called where nothing else is said.
func (u Urgency) String() string {
	if u == Page {
		return "page"
	}
	return "ticket"
}

// SeverityNames are what the label severity of an agreement's alerts says of
// each urgency; "" is the urgency's own name.
type SeverityNames struct{ Page, Ticket string }

// Of is the severity of an urgency.
func (n SeverityNames) Of(u Urgency) string {
	if u == Page {
		return cmp.Or(n.Page, u.String())
	}
	return cmp.Or(n.Ticket, u.String())
}

// Named is the severity and the urgency that a text means: an urgency, or the
// name of one. Any other text is a severity by itself, and no urgency; ok is
// false then.
func (n SeverityNames) Named(text string) (severity string, u Urgency, ok bool) {
	for _, u := range []Urgency{Page, Ticket} {
		if text == u.String() || text == n.Of(u) {
			return n.Of(u), u, true
		}
	}
	return text, Ticket, false
}

// Severities are those of all alerts of the level, one each.
func (l *ServiceLevel) Severities() []string {
	var all []string
	for _, a := range l.Alerts() {
		all = append(all, a.Severity)
	}
	return all
}

// SeveritiesOf are the severities that alerts of levels with an urgency have,
// each once, in the order of the alphabet.
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

// UrgencyOf is that of the most urgent alert of levels with a severity.
func UrgencyOf(levels []*ServiceLevel, severity string) Urgency {
	if slices.Contains(SeveritiesOf(levels, Page), severity) {
		return Page
	}
	return Ticket
}
