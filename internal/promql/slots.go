package promql

import (
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/upheld-sla/upheld/sla"
)

// Max is max by (labels) (e), or max(e) without labels.
func Max(e Expr, by ...string) Expr { return aggregate(parser.MAX, e, by) }

// BottomK is bottomk by (labels) (k, e): the k smallest samples for each value of the
// labels.
func BottomK(k int64, e Expr, by ...string) Expr {
	return Expr{&parser.AggregateExpr{Op: parser.BOTTOMK, Expr: e.node, Param: Num(sla.NewDecimal(k, 1)).node, Grouping: by}}
}

// LeBool is a <= bool b: 1 or 0.
func LeBool(a, b Expr) Expr { return asBool(Le(a, b)) }
