package promql

import (
	"math"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/upheld-sla/upheld/sla"
)

// Min is min by (labels) (e), or min(e) without labels.
func Min(e Expr, by ...string) Expr { return aggregate(parser.MIN, e, by) }

// Count is count by (labels) (e), or count(e) without labels.
func Count(e Expr, by ...string) Expr { return aggregate(parser.COUNT, e, by) }

// Group is group by (labels) (e): 1 for each value of the labels.
func Group(e Expr, by ...string) Expr { return aggregate(parser.GROUP, e, by) }

// TopK is topk(k, e): the k greatest samples of e.
func TopK(k int64, e Expr) Expr {
	return Expr{&parser.AggregateExpr{Op: parser.TOPK, Expr: e.node, Param: Num(sla.NewDecimal(k, 1)).node}}
}

// SortDesc is sort_desc(e): the samples of e, the greatest first.
func SortDesc(e Expr) Expr { return call("sort_desc", e) }

// Truth reads e as a condition and turns it into a number with the labels by. For each
// of their values it is 1 while the condition holds for every series that it compares,
// 0 while it does not for one, and absent while that is unknown. A comparison usually
// drops what does not hold; here it answers 0. It is unknown while there is nothing to
// compare, and for NaN. Conditions are joined by and / or without matching, by
// three-valued logic: false and unknown is false, true or unknown is true. Anything
// else is a *ParseError at the part that does not fit.
func (e Expr) Truth(by ...string) (Expr, error) {
	switch n := e.node.(type) {
	case *parser.ParenExpr:
		return Expr{n.Expr}.Truth(by...)
	case *parser.BinaryExpr:
		if n.Op.IsComparisonOperator() {
			return truthOfComparison(n, by)
		}
	}
	holds, fails, err := e.sides(by)
	if err != nil {
		return Expr{}, err
	}
	return OrOn(holds, fails, by...), nil
}

// sides returns a condition as two expressions, at most one of which has a sample: 1 in
// holds while it holds, and in fails while it does not. Each comparison occurs once in
// both, so that they grow with the length of the condition and not with its depth.
func (e Expr) sides(by []string) (holds, fails Expr, err error) {
	switch n := e.node.(type) {
	case *parser.ParenExpr:
		return Expr{n.Expr}.sides(by)
	case *parser.BinaryExpr:
		if n.Op.IsComparisonOperator() {
			truth, err := truthOfComparison(n, by)
			if err != nil {
				return holds, fails, err
			}
			return eql(truth, yes), eql(truth, no), nil
		}
		if n.Op == parser.LAND || n.Op == parser.LOR {
			return sidesOfBoth(n, by)
		}
		if n.Op == parser.LUNLESS {
			return holds, fails, &ParseError{Offset: int(n.PositionRange().Start), Message: "conditions are joined by and / or, not by unless", Instead: withoutUnless(n)}
		}
	}
	return holds, fails, &ParseError{Offset: int(e.node.PositionRange().Start), Message: "not a condition"}
}

var (
	yes = Num(sla.NewDecimal(1, 1))
	no  = Num(sla.NewDecimal(0, 1))
)

// truthOfComparison is 1 or 0, or nothing where a side is NaN or missing.
func truthOfComparison(n *parser.BinaryExpr, by []string) (Expr, error) {
	if n.Type() != parser.ValueTypeVector {
		return Expr{}, &ParseError{Offset: int(n.PositionRange().Start), Message: "this compares two numbers, and no series"}
	}
	return Min(Expr{knownComparison(n)}, by...), nil
}

func sidesOfBoth(n *parser.BinaryExpr, by []string) (holds, fails Expr, err error) {
	if matched(n) {
		return holds, fails, &ParseError{Offset: int(n.PositionRange().Start), Message: "conditions are joined without on and ignoring"}
	}
	leftHolds, leftFails, err := Expr{n.LHS}.sides(by)
	if err != nil {
		return holds, fails, err
	}
	rightHolds, rightFails, err := Expr{n.RHS}.sides(by)
	if err != nil {
		return holds, fails, err
	}
	if n.Op == parser.LAND {
		return AndOn(leftHolds, rightHolds, by...), OrOn(leftFails, rightFails, by...), nil
	}
	return OrOn(leftHolds, rightHolds, by...), AndOn(leftFails, rightFails, by...), nil
}

// knownComparison is a comparison that answers 1 or 0, and nothing if one of its sides
// is NaN, for example 0/0 or the quantile of no requests: plain comparison would answer
// 0. The same applies to comparisons with bool inside its sides.
func knownComparison(n *parser.BinaryExpr) parser.Expr {
	answer := *n
	answer.ReturnBool = true
	answer.LHS, answer.RHS = known(n.LHS), known(n.RHS)
	for _, side := range []parser.Expr{n.LHS, n.RHS} {
		if side.Type() == parser.ValueTypeScalar && mayBeNaN(side) {
			// Check for known values separately: VictoriaMetrics takes an empty vector
			// in a comparison for NaN.
			return AndOn(Expr{&answer}, Expr{known(VectorOf(Expr{side}).node)}).node
		}
	}
	return &answer
}

// known drops NaN from an operand, for which no comparison holds.
func known(operand parser.Expr) parser.Expr {
	if operand.Type() != parser.ValueTypeVector {
		return operand
	}
	inner := rebuilt(operand, func(n parser.Expr) parser.Expr {
		if b, ok := n.(*parser.BinaryExpr); ok && b.ReturnBool && b.Type() == parser.ValueTypeVector {
			return knownComparison(b)
		}
		return nil
	})
	return &parser.ParenExpr{Expr: Ge(Expr{bare(inner)}, Expr{&parser.NumberLiteral{Val: math.Inf(-1)}}).node}
}

// mayBeNaN reports whether a scalar may be NaN, as scalar() of nothing is.
func mayBeNaN(scalar parser.Expr) bool {
	found := false
	parser.Inspect(scalar, func(n parser.Node, _ []parser.Node) error {
		c, ok := n.(*parser.Call)
		found = found || ok && c.Func.Name == "scalar"
		return nil
	})
	return found
}

// IsVector reports whether e is an instant vector, as most expressions are.
func (e Expr) IsVector() bool { return e.node.Type() == parser.ValueTypeVector }
