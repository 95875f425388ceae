// Package imports has the parts of importing specifications of other tools that need
// more than reading: it takes their PromQL apart, and prints the resulting
// specifications.
package imports

import (
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla/spec/foreign"
)

// Queries takes other tools' PromQL apart, with Prometheus' own parser.
func Queries() foreign.Queries { return queries{} }

type queries struct{}

func (queries) Counted(text string) (foreign.Counted, error) {
	e, err := promql.Parse(text)
	if err != nil {
		return foreign.Counted{}, &foreign.SyntaxError{Message: err.Error()}
	}
	c, err := e.Counted()
	if err != nil {
		return foreign.Counted{}, err
	}
	return foreign.Counted{Plus: selectors(text, c.Plus), Minus: selectors(text, c.Minus), By: c.By, Window: c.Window.Milliseconds(), Summed: c.Summed}, nil
}

func (queries) Quotient(text string) (a, b foreign.Part, complement, ok bool) {
	e, err := promql.Parse(text)
	if err != nil {
		return a, b, false, false
	}
	left, right, complement, ok := e.Quotient()
	if !ok {
		return a, b, false, false
	}
	return part(text, left), part(text, right), complement, true
}

func part(text string, e promql.Expr) foreign.Part {
	start, end := e.Span()
	return foreign.Part{Text: text[start:end], Offset: start}
}

func selectors(text string, all []promql.Selector) []foreign.Selector {
	var found []foreign.Selector
	for _, s := range all {
		start, end := s.Span()
		of := foreign.Selector{Offset: start, Text: text[start:end], Name: s.Name()}
		for _, c := range s.Clauses() {
			of.Clauses = append(of.Clauses, foreign.Clause(c))
		}
		found = append(found, of)
	}
	return found
}
