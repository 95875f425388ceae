package promql

import "github.com/prometheus/prometheus/promql/parser"

// Le keeps the samples of a that are at most b.
func Le(a, b Expr) Expr { return join(parser.LTE, a, b, nil) }

// Lt keeps the samples of a that are less than b.
func Lt(a, b Expr) Expr { return join(parser.LSS, a, b, nil) }

// Equal keeps the samples of a that equal b.
func Equal(a, b Expr) Expr { return eql(a, b) }

// eql keeps the samples of a that equal b.
func eql(a, b Expr) Expr { return join(parser.EQLC, a, b, nil) }

// DivManyOn is a / on (labels) group_left () b: several samples of a may match one of
// b, and keep their own labels.
func DivManyOn(a, b Expr, on ...string) Expr {
	e := join(parser.DIV, a, b, &on)
	e.node.(*parser.BinaryExpr).VectorMatching.Card = parser.CardManyToOne
	return e
}

// And keeps the samples of a for which b has one with all labels equal.
func And(a, b Expr) Expr { return join(parser.LAND, a, b, nil) }

// Unless drops the samples of a for which b has one with all labels equal.
func Unless(a, b Expr) Expr { return join(parser.LUNLESS, a, b, nil) }

// AndIgnoring keeps the samples of a for which b has one with the same labels, apart
// from those given.
func AndIgnoring(a, b Expr, labels ...string) Expr { return ignoring(AndOn(a, b, labels...)) }

// UnlessIgnoring drops the samples of a for which b has one with the same labels,
// apart from those given.
func UnlessIgnoring(a, b Expr, labels ...string) Expr { return ignoring(UnlessOn(a, b, labels...)) }

func ignoring(e Expr) Expr {
	e.node.(*parser.BinaryExpr).VectorMatching.On = false
	return e
}
