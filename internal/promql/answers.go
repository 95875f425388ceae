package promql

import (
	"fmt"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"
)

// CountOfAnswers is an aggregation that counts the answers of a comparison with bool.
// Since an answer of 0 is a sample too, it counts every series, whether the comparison
// holds for it or not.
type CountOfAnswers struct {
	Offset  int    // of the aggregation, in bytes
	Message string // what it does wrong
	Instead string // the whole expression with the sum of the answers instead; "" if there is no such form
}

// CountsOfAnswers returns those in an expression. It ignores divisors, where the number
// of all series is right.
func (e Expr) CountsOfAnswers() []CountOfAnswers {
	var found []CountOfAnswers
	var change func(n parser.Expr) parser.Expr
	change = func(n parser.Expr) parser.Expr {
		if b, ok := n.(*parser.BinaryExpr); ok && b.Op == parser.DIV {
			if adding, _ := addingAnswers(bare(b.RHS)); adding != nil {
				copied := *b
				copied.LHS = parenthesise(rebuilt(b.LHS, change), precedence(b.Op), false)
				return &copied
			}
		}
		adding, answers := addingAnswers(n)
		if adding == nil {
			return nil
		}
		found = append(found, CountOfAnswers{
			Offset:  int(n.PositionRange().Start),
			Message: fmt.Sprintf("%s counts every answer of %q, also an answer of 0", nameOf(n), strings.Join(strings.Fields(answers.String()), " ")),
		})
		return adding
	}
	instead := rebuilt(e.node, change)
	for i := range found {
		found[i].Instead = text(bare(instead))
	}
	return found
}

// addingAnswers returns a count of answers, changed to add them up, and the comparison
// that answers; nil if n is no such count.
func addingAnswers(n parser.Expr) (adding parser.Expr, answers *parser.BinaryExpr) {
	switch n := n.(type) {
	case *parser.AggregateExpr:
		if b, ok := answering(n.Expr); ok && aggregationOf(n.Op).ofAll != "" {
			sum := *n
			sum.Op, sum.Expr = map[string]parser.ItemType{"sum": parser.SUM, "max": parser.MAX}[aggregationOf(n.Op).ofAll], b
			return &sum, b
		}
	case *parser.Call:
		instead := overTimeOf(n.Func.Name).ofAll
		if instead == "" {
			return nil, nil
		}
		if over, ok := bare(n.Args[0]).(*parser.SubqueryExpr); ok {
			if b, ok := answering(over.Expr); ok {
				sum := *n
				sum.Func = parser.Functions[instead]
				return &sum, b
			}
		}
	}
	return nil, nil
}

// answering returns n if it is a comparison of series that answers 1 or 0.
func answering(n parser.Expr) (*parser.BinaryExpr, bool) {
	b, ok := bare(n).(*parser.BinaryExpr)
	return b, ok && b.ReturnBool && b.Type() == parser.ValueTypeVector
}
