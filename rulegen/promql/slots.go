package promql

import (
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/upheld-sla/upheld/sla"
)

// Max is max by (labels) (e), or max(e) without labels.
func Max(e Expr, by ...string) Expr { return aggregate(parser.MAX, e, by) }

// BottomK is bottomk by (labels) (k, e): the k least samples of each value of
// the labels.
func BottomK(k int64, e Expr, by ...string) Expr {
	return Expr{&parser.AggregateExpr{Op: parser.BOTTOMK, Expr: e.node, Param: Num(sla.NewDecimal(k, 1)).node, Grouping: by}}
}

// LeBool is a <= bool b: 1 or 0.
func LeBool(a, b Expr) Expr { return asBool(Le(a, b)) }

// LastOverSteps is the last value that e had at the steps of a window: multiples
// of the step since 1970, in UTC.
func LastOverSteps(e Expr, window, step time.Duration) Expr {
	return overSteps("last_over_time", e, window, step)
}

// SumOverSteps is the sum of the values that e had at the steps of a window, those
// that it had before where a step has none of its own.
func SumOverSteps(e Expr, window, step time.Duration) Expr {
	return overSteps("sum_over_time", e, window, step)
}

func overSteps(function string, e Expr, window, step time.Duration) Expr {
	inner := e.node
	if _, ok := inner.(*parser.BinaryExpr); ok {
		inner = &parser.ParenExpr{Expr: inner}
	}
	return call(function, Expr{node: &parser.SubqueryExpr{Expr: inner, Range: window, Step: step}})
}
