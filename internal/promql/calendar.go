package promql

import (
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/upheld-sla/upheld/sla"
)

// Expressions for calendar arithmetic, in addition to the usual joins.

// Time is time(): the time of evaluation in Unix seconds, a scalar.
func Time() Expr { return call("time") }

// VectorOf is vector(e) of a scalar: one sample without labels.
func VectorOf(e Expr) Expr { return call("vector", e) }

// Floor is floor(e).
func Floor(e Expr) Expr { return call("floor", e) }

// YearOf is year(e) of Unix seconds, as UTC reads them.
func YearOf(e Expr) Expr { return call("year", e) }

// MonthOf is month(e): 1 to 12.
func MonthOf(e Expr) Expr { return call("month", e) }

// DayOfMonth is day_of_month(e): 1 to 31.
func DayOfMonth(e Expr) Expr { return call("day_of_month", e) }

// Mod is a % b with all labels equal.
func Mod(a, b Expr) Expr { return join(parser.MOD, a, b, nil) }

// AtLeast is a >= bool b: 1 or 0.
func AtLeast(a, b Expr) Expr {
	e := join(parser.GTE, a, b, nil)
	e.node.(*parser.BinaryExpr).ReturnBool = true
	return e
}

// UnlessOn drops the samples of a for which b has one with the same labels.
func UnlessOn(a, b Expr, on ...string) Expr { return join(parser.LUNLESS, a, b, &on) }

// MulLeft is a * on (on) group_left (include) b: it multiplies every sample of a by the
// one of b that has the same labels, and copies the labels include from it.
func MulLeft(a, b Expr, on, include []string) Expr { return left(parser.MUL, a, b, on, include) }

// DivLeft is a / on (on) group_left () b.
func DivLeft(a, b Expr, on ...string) Expr { return left(parser.DIV, a, b, on, nil) }

// AddLeft is a + on (on) group_left () b.
func AddLeft(a, b Expr, on ...string) Expr { return left(parser.ADD, a, b, on, nil) }

func left(op parser.ItemType, a, b Expr, on, include []string) Expr {
	if on == nil {
		on = []string{}
	}
	e := join(op, a, b, &on)
	m := e.node.(*parser.BinaryExpr).VectorMatching
	m.Card, m.Include = parser.CardManyToOne, include
	return e
}

// CountValues is count_values(label, e): for every value of e one sample with the value
// as that label. This turns a number into a label.
func CountValues(label string, e Expr) Expr {
	return Expr{&parser.AggregateExpr{Op: parser.COUNT_VALUES, Expr: e.node, Param: &parser.StringLiteral{Val: label}}}
}

// SumWithout is sum without (labels) (e).
func SumWithout(e Expr, labels ...string) Expr {
	return Expr{&parser.AggregateExpr{Op: parser.SUM, Expr: e.node, Without: true, Grouping: labels}}
}

// LastOverTime is last_over_time(s[window]).
func (s Selector) LastOverTime(window time.Duration) Expr { return s.over("last_over_time", window) }

// Clamp is clamp(e, floor, ceiling).
func Clamp(e Expr, floor, ceiling sla.Decimal) Expr {
	return call("clamp", e, Num(floor), Num(ceiling))
}
