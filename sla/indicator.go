package sla

import "strings"

// Indicator is what a service level measures. The kinds are sealed: rulegen has
// one table over them.
type Indicator interface {
	// Kind is the key it has in a specification: "probe", "events", "latency".
	Kind() string
	// Aggregations are those that make sense for the kind, the default first.
	Aggregations() []Aggregation
	// Queries are the user's PromQL texts in it, each with its place.
	Queries() []Query
	// Words say what is measured, for people: "HTTP GET https://… every 15s".
	Words() string

	traits() traits
}

// traits are what sets the kinds apart for the model, beside their texts.
type traits struct {
	looked      bool   // a state that is looked at when rules are evaluated, rather than counted from scrapes
	whole       bool   // good or bad as a whole: there is no share of bad events
	emptyIsGood bool   // in a minute without events nobody asked for anything, so nothing failed
	unknown     bool   // it has a policy of its own for what is unknown
	aggregation string // how it becomes one number, if the kind says so rather than the aggregation
}

// traitsOf are those of an indicator, none of one that could not be read.
func traitsOf(i Indicator) traits {
	if i == nil {
		return traits{}
	}
	return i.traits()
}

// LookedAt tells whether an indicator is a state that is looked at when rules
// are evaluated, rather than counted from scrapes.
func LookedAt(i Indicator) bool { return traitsOf(i).looked }

// probed marks kinds that exporters measure: by which probe, and which level
// defines it, being the level own or another.
type probed interface {
	probed() *Probe
	definedBy(own ID) ID
}

// IsProbed tells whether exporters measure an indicator, so that it has locations.
func IsProbed(i Indicator) bool {
	_, ok := i.(probed)
	return ok
}

// Probed is the probe that measures the level and the level that defines it, which
// may be another; nil while a reference to it is not resolved. It is false if
// exporters do not measure the level.
func (l *ServiceLevel) Probed() (of ID, p *Probe, ok bool) {
	i, ok := l.Indicator.(probed)
	if !ok {
		return ID{}, nil, false
	}
	return i.definedBy(l.ID), i.probed(), true
}

// Query is PromQL text that a user wrote, opaque here, with where it stands.
type Query struct {
	Text string
	Pos  Position // of the first byte of Text
	// Folded is set where the text in the file does not run on one line as in
	// Text, so that a place inside it is only known as Pos.
	Folded bool
}

// At is the place of a byte offset within the query.
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

// given are the queries that have text.
func given(all ...Query) []Query {
	var qs []Query
	for _, q := range all {
		if q.Text != "" {
			qs = append(qs, q)
		}
	}
	return qs
}
