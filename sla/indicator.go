package sla

import "strings"

// Indicator is what a service level measures. The set of kinds is closed: rulegen has a
// table of them.
type Indicator interface {
	// Kind is the key in a specification: "probe", "events", "latency".
	Kind() string
	// Aggregations are the allowed aggregations, the default first.
	Aggregations() []Aggregation
	// Queries are the user's PromQL texts with their places.
	Queries() []Query
	// Words describes what is measured, for people: "HTTP GET https://… every 15s".
	Words() string

	traits() traits
}

// traits are the differences between the kinds that matter to the model.
type traits struct {
	looked      bool   // a state that is read when rules are evaluated, and not counted from scrapes
	whole       bool   // good or bad as a whole, without a share of bad events
	emptyIsGood bool   // a minute without events is good: nothing was requested, so nothing failed
	unknown     bool   // it has its own policy for unknown slots
	aggregation string // replaces the aggregation's words about how it becomes one number
}

// traitsOf returns the traits of an indicator, and none for one that could not be read.
func traitsOf(i Indicator) traits {
	if i == nil {
		return traits{}
	}
	return i.traits()
}

// LookedAt returns whether an indicator is a state that is read when rules are
// evaluated, and not counted from scrapes.
func LookedAt(i Indicator) bool { return traitsOf(i).looked }

// probed is implemented by the kinds that exporters measure. definedBy returns the level
// that defines the probe, given the level own that has the indicator.
type probed interface {
	probed() *Probe
	definedBy(own ID) ID
}

// IsProbed returns whether exporters measure an indicator, so that it has locations.
func IsProbed(i Indicator) bool {
	_, ok := i.(probed)
	return ok
}

// Probed returns the probe that measures the level, and the ID of the level that defines
// it, which may be another one. The probe is nil until references are resolved. ok is
// false if exporters do not measure the level.
func (l *ServiceLevel) Probed() (of ID, p *Probe, ok bool) {
	i, ok := l.Indicator.(probed)
	if !ok {
		return ID{}, nil, false
	}
	return i.definedBy(l.ID), i.probed(), true
}

// Query is PromQL text of the user with its place. The model does not parse it.
type Query struct {
	Text string
	Pos  Position // of the first byte of Text
	// Folded is set if the lines in the file differ from those of Text, so that places
	// inside of it are not known and Pos is used.
	Folded bool
}

// At is the place of a byte offset in the query.
func (q Query) At(offset int) Position {
	if q.Folded || offset < 0 || offset > len(q.Text) {
		return q.Pos
	}
	p := q.Pos
	before := q.Text[:offset]
	if n := strings.Count(before, "\n"); n > 0 {
		return Position{File: p.File, Line: p.Line + n, Column: p.Column + offset - strings.LastIndexByte(before, '\n') - 1}
	}
	p.Column += offset
	return p
}

// given returns the queries that have text.
func given(all ...Query) []Query {
	var qs []Query
	for _, q := range all {
		if q.Text != "" {
			qs = append(qs, q)
		}
	}
	return qs
}

// CountedSlots are the slots of the level for counting requests. Minutes in which a
// state is looked at have no number of requests, so MinRequests must not leave any of
// them out.
func CountedSlots(l *ServiceLevel) Slots {
	s := l.Slots
	if LookedAt(l.Indicator) {
		s.MinRequests = 0
	}
	return s
}
