package promql

import (
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/upheld-sla/upheld/sla"
)

// Min is min by (labels) (e), or min(e) without labels.
func Min(e Expr, by ...string) Expr { return aggregate(parser.MIN, e, by) }

// Count is count by (labels) (e), or count(e) without labels.
func Count(e Expr, by ...string) Expr { return aggregate(parser.COUNT, e, by) }

// Group is group by (labels) (e): 1 for each of their values.
func Group(e Expr, by ...string) Expr { return aggregate(parser.GROUP, e, by) }

// TopK is topk(k, e): the k greatest samples of e.
func TopK(k int64, e Expr) Expr {
	return Expr{&parser.AggregateExpr{Op: parser.TOPK, Expr: e.node, Param: Num(sla.NewDecimal(k, 1)).node}}
}

// Truth reads e as a condition and makes it a number with the labels by: for
// each of their values 1 while it holds for every series that it compares, 0
// while it does not for one, and no sample while there is nothing to compare. A comparison, which by itself drops
// what does not hold, is made to answer 0; conditions are joined by and / or
// without matching. Anything else is a *ParseError at the part that does not fit.
func (e Expr) Truth(by ...string) (Expr, error) {
	switch n := e.node.(type) {
	case *parser.ParenExpr:
		return Expr{n.Expr}.Truth(by...)
	case *parser.BinaryExpr:
		switch {
		case n.Op.IsComparisonOperator():
			return truthOfComparison(n, by)
		case n.Op == parser.LAND || n.Op == parser.LOR:
			return truthOfBoth(n, by)
		}
	}
	return Expr{}, &ParseError{int(e.node.PositionRange().Start), "not a condition"}
}

func truthOfComparison(n *parser.BinaryExpr, by []string) (Expr, error) {
	if n.Type() != parser.ValueTypeVector {
		return Expr{}, &ParseError{int(n.PositionRange().Start), "this compares two numbers, and no series"}
	}
	answer := *n
	answer.ReturnBool = true
	return Min(Expr{&answer}, by...), nil
}

func truthOfBoth(n *parser.BinaryExpr, by []string) (Expr, error) {
	if m := n.VectorMatching; m != nil && (m.On || len(m.MatchingLabels) > 0) {
		return Expr{}, &ParseError{int(n.PositionRange().Start), "conditions are joined without on and ignoring"}
	}
	left, err := Expr{n.LHS}.Truth(by...)
	if err != nil {
		return Expr{}, err
	}
	right, err := Expr{n.RHS}.Truth(by...)
	if err != nil {
		return Expr{}, err
	}
	if n.Op == parser.LAND {
		return Mul(left, right), nil
	}
	return ClampMax(Add(left, right), sla.NewDecimal(1, 1)), nil
}

// IsVector tells whether e is an instant vector, as most expressions are.
func (e Expr) IsVector() bool { return e.node.Type() == parser.ValueTypeVector }
