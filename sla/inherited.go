package sla

import (
	"slices"
	"strings"
)

// Inherited is a term that an agreement took from another one.
type Inherited struct {
	Key   string
	Names []string // of a mapping of names, what was added to the agreement's own; empty: all of it
	From  string   // the other agreement: "corporate", or "corporate@2"
	Pos   Position // where the other agreement says it
}

// Words name the term: "calendars (prime, always) from corporate@2".
func (i Inherited) Words() string {
	key := i.Key
	if len(i.Names) > 0 {
		key += " (" + strings.Join(i.Names, ", ") + ")"
	}
	return key + " from " + i.From
}

// TookCalendar returns whether a calendar of the agreement is one that it inherits.
func (a *Agreement) TookCalendar(name string) bool {
	return slices.ContainsFunc(a.Inherited, func(i Inherited) bool {
		return i.Key == "calendars" && (len(i.Names) == 0 || slices.Contains(i.Names, name))
	})
}
