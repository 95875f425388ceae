// Package promql makes PromQL expressions as typed nodes and proves what they print. No
// other package in the project imports the PromQL parser, and PromQL text enters or
// leaves the generator only through this one.
//
// The parser's nodes print without parentheses: MUL(ADD(a, b), c) prints "a + b * c",
// which parses as another query. So the joins here add them by the parser's
// precedences, and Prove prints, parses back and compares.
package promql

import (
	"math"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/upheld-sla/upheld/sla"
)

// Expr is a PromQL expression. Only this package makes one; the zero Expr is no
// expression and must not be printed.
type Expr struct{ node parser.Expr }

// String prints the expression on one line.
func (e Expr) String() string { return e.node.String() }

// IsZero reports whether e is no expression at all.
func (e Expr) IsZero() bool { return e.node == nil }

// Selector selects series; it can be given a range.
type Selector struct{ vector *parser.VectorSelector }

// Matcher is one condition on a label.
type Matcher struct{ matcher *labels.Matcher }

// Eq matches label = value.
func Eq(label, value string) Matcher {
	return Matcher{labels.MustNewMatcher(labels.MatchEqual, label, value)}
}

// Re matches label =~ regexp; it panics if the regexp does not compile, so it
// is for constants of the generator.
func Re(label, regexp string) Matcher {
	return Matcher{labels.MustNewMatcher(labels.MatchRegexp, label, regexp)}
}

// Series selects a metric by name and matchers.
func Series(name string, matchers ...Matcher) Selector {
	ms := make([]*labels.Matcher, 0, len(matchers)+1)
	for _, m := range matchers {
		ms = append(ms, m.matcher)
	}
	// The parser adds the name as a matcher too; do the same, to get equal trees.
	ms = append(ms, labels.MustNewMatcher(labels.MatchEqual, labels.MetricName, name))
	if !model.LegacyValidation.IsValidMetricName(name) {
		name = "" // the matcher has it in a form that servers before 3.0 accept, too
	}
	return Selector{&parser.VectorSelector{Name: name, LabelMatchers: ms}}
}

// Name is the metric name, also of {"a.b"} and {__name__="a"}, or "" if the
// selector has none.
func (s Selector) Name() string {
	if s.vector.Name != "" {
		return s.vector.Name
	}
	for _, m := range s.vector.LabelMatchers {
		if m.Name == labels.MetricName && m.Type == labels.MatchEqual {
			return m.Value
		}
	}
	return ""
}

// matchers are the selector's conditions besides its name.
func (s Selector) matchers() []Matcher {
	var ms []Matcher
	for _, m := range s.vector.LabelMatchers {
		if m.Name != labels.MetricName {
			ms = append(ms, Matcher{m})
		}
	}
	return ms
}

// Now is the selector as an instant vector.
func (s Selector) Now() Expr { return Expr{s.vector} }

// Offset is the selector's value d ago.
func (s Selector) Offset(d time.Duration) Expr { return s.Ago(d).Now() }

// Ago selects the selector's samples of d ago.
func (s Selector) Ago(d time.Duration) Selector {
	v := *s.vector
	v.OriginalOffset = d
	return Selector{&v}
}

func (s Selector) over(function string, window time.Duration) Expr {
	return call(function, Expr{&parser.MatrixSelector{VectorSelector: s.vector, Range: window}})
}

// Rate is rate(s[window]).
func (s Selector) Rate(window time.Duration) Expr { return s.over("rate", window) }

// SumOverTime is sum_over_time(s[window]).
func (s Selector) SumOverTime(window time.Duration) Expr { return s.over("sum_over_time", window) }

// CountOverTime is count_over_time(s[window]).
func (s Selector) CountOverTime(window time.Duration) Expr { return s.over("count_over_time", window) }

// AvgOverTime is avg_over_time(s[window]).
func (s Selector) AvgOverTime(window time.Duration) Expr { return s.over("avg_over_time", window) }

// Increase is increase(s[window]).
func (s Selector) Increase(window time.Duration) Expr { return s.over("increase", window) }

// Resets is resets(s[window]).
func (s Selector) Resets(window time.Duration) Expr { return s.over("resets", window) }

// Of selects another metric, with the selector's conditions on these labels.
func (s Selector) Of(metric string, labels ...string) Selector {
	var ms []Matcher
	for _, m := range s.matchers() {
		if slices.Contains(labels, m.matcher.Name) {
			ms = append(ms, m)
		}
	}
	return Series(metric, ms...)
}

// MaxOverTime is max_over_time(s[window]).
func (s Selector) MaxOverTime(window time.Duration) Expr { return s.over("max_over_time", window) }

// MinOverTime is min_over_time(s[window]).
func (s Selector) MinOverTime(window time.Duration) Expr { return s.over("min_over_time", window) }

// Num is a number literal.
func Num(d sla.Decimal) Expr { return Expr{&parser.NumberLiteral{Val: d.Float64()}} }

// Vector is vector(d): one sample without labels.
func Vector(d sla.Decimal) Expr { return call("vector", Num(d)) }

// Sum is sum by (labels) (e), or sum(e) without labels.
func Sum(e Expr, by ...string) Expr { return aggregate(parser.SUM, e, by) }

// Avg is avg by (labels) (e), or avg(e) without labels.
func Avg(e Expr, by ...string) Expr { return aggregate(parser.AVG, e, by) }

func aggregate(op parser.ItemType, e Expr, by []string) Expr {
	return Expr{&parser.AggregateExpr{Op: op, Expr: e.node, Grouping: by}}
}

// HistogramCount is histogram_count(e).
func HistogramCount(e Expr) Expr { return call("histogram_count", e) }

// HistogramFraction is histogram_fraction(low, high, e).
func HistogramFraction(low, high sla.Decimal, e Expr) Expr {
	return call("histogram_fraction", Num(low), Num(high), e)
}

// Absent is absent(s): 1 with the labels that s fixes, if s selects nothing.
func Absent(s Selector) Expr { return call("absent", s.Now()) }

// ClampMin is clamp_min(e, floor).
func ClampMin(e Expr, floor sla.Decimal) Expr { return call("clamp_min", e, Num(floor)) }

// ClampMax is clamp_max(e, ceiling).
func ClampMax(e Expr, ceiling sla.Decimal) Expr { return call("clamp_max", e, Num(ceiling)) }

// SetLabel gives every series of e the label with that value.
func SetLabel(e Expr, label, value string) Expr {
	text := func(s string) Expr { return Expr{&parser.StringLiteral{Val: s}} }
	return call("label_replace", e, text(label), text(value), text(""), text(""))
}

func call(function string, args ...Expr) Expr {
	f, ok := parser.Functions[function]
	if !ok {
		panic("promql: no function " + function)
	}
	nodes := make(parser.Expressions, len(args))
	for i, a := range args {
		nodes[i] = a.node
	}
	return Expr{&parser.Call{Func: f, Args: nodes}}
}

// Add is a + b with all labels equal.
func Add(a, b Expr) Expr { return join(parser.ADD, a, b, nil) }

// Sub is a - b with all labels equal.
func Sub(a, b Expr) Expr { return join(parser.SUB, a, b, nil) }

// Mul is a * b with all labels equal.
func Mul(a, b Expr) Expr { return join(parser.MUL, a, b, nil) }

// Div is a / b with all labels equal.
func Div(a, b Expr) Expr { return join(parser.DIV, a, b, nil) }

// Gt keeps the samples of a that are greater than b.
func Gt(a, b Expr) Expr { return join(parser.GTR, a, b, nil) }

// Ge keeps the samples of a that are at least b.
func Ge(a, b Expr) Expr { return join(parser.GTE, a, b, nil) }

// GtBool is 1 where a is greater than b, else 0.
func GtBool(a, b Expr) Expr { return asBool(Gt(a, b)) }

// GeBool is 1 where a is at least b, else 0.
func GeBool(a, b Expr) Expr { return asBool(Ge(a, b)) }

func asBool(comparison Expr) Expr {
	comparison.node.(*parser.BinaryExpr).ReturnBool = true
	return comparison
}

// SubOn is a - on (labels) b.
func SubOn(a, b Expr, on ...string) Expr { return join(parser.SUB, a, b, &on) }

// Or is a or b, all labels counting.
func Or(a, b Expr) Expr { return join(parser.LOR, a, b, nil) }

// OrOn is a or on (labels) b; without labels b only counts if a is empty.
func OrOn(a, b Expr, on ...string) Expr { return join(parser.LOR, a, b, &on) }

// AndOn keeps the samples of a for which b has one with the same labels.
func AndOn(a, b Expr, on ...string) Expr { return join(parser.LAND, a, b, &on) }

// join makes a binary expression and adds parentheses to its sides where the printed
// text would otherwise be read differently.
func join(op parser.ItemType, a, b Expr, on *[]string) Expr {
	e := &parser.BinaryExpr{
		Op:  op,
		LHS: parenthesise(a.node, precedence(op), op == parser.POW),
		RHS: parenthesise(b.node, precedence(op), op != parser.POW),
	}
	if a.node.Type() == parser.ValueTypeVector && b.node.Type() == parser.ValueTypeVector {
		e.VectorMatching = &parser.VectorMatching{Card: parser.CardOneToOne}
		if op.IsSetOperator() {
			e.VectorMatching.Card = parser.CardManyToMany
		}
		if on != nil {
			e.VectorMatching.On, e.VectorMatching.MatchingLabels = true, *on
		}
	}
	return Expr{e}
}

// parenthesise wraps a side that binds weaker than its operator. With strict it also
// wraps one that binds equally: strict is for the side away from which the operator
// associates.
func parenthesise(side parser.Expr, outer int, strict bool) parser.Expr {
	inner := math.MaxInt
	switch n := side.(type) {
	case *parser.BinaryExpr:
		inner = precedence(n.Op)
	case *parser.UnaryExpr:
		inner = precedence(parser.MUL)
	case *parser.NumberLiteral:
		if n.Val < 0 || math.Signbit(n.Val) {
			inner = precedence(parser.MUL) // it prints with a sign, so it reads back as a unary
		}
	}
	if inner < outer || strict && inner == outer {
		return &parser.ParenExpr{Expr: side}
	}
	return side
}

// precedence follows the %left and %right table of the parser's grammar.
func precedence(op parser.ItemType) int {
	switch {
	case op == parser.LOR:
		return 1
	case op == parser.LAND || op == parser.LUNLESS:
		return 2
	case op.IsComparisonOperator():
		return 3
	case op == parser.ADD || op == parser.SUB:
		return 4
	case op == parser.POW:
		return 6
	}
	return 5 // *, /, %, atan2
}
