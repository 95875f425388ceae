package sla

import (
	"fmt"
)

// Events counts events of the service itself. Total is required, and exactly one of Bad
// and Good is set.
type Events struct {
	Bad, Good, Total Query
}

// Kind is "events".
func (*Events) Kind() string { return "events" }

// Aggregations are by request and over slots.
func (*Events) Aggregations() []Aggregation { return ofEvents() }

// Queries are the queries that were given.
func (e *Events) Queries() []Query { return given(e.Bad, e.Good, e.Total) }

// Words says what is counted.
func (e *Events) Words() string {
	if e.Good.Text != "" {
		return fmt.Sprintf("good events %s of all %s", e.Good.Text, e.Total.Text)
	}
	return fmt.Sprintf("bad events %s of all %s", e.Bad.Text, e.Total.Text)
}

func (*Events) traits() traits { return traits{emptyIsGood: true} }
