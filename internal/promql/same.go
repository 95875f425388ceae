package promql

import (
	"math"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// same reports whether two trees are the same query, apart from parentheses and the
// order of matchers.
func same(a, b parser.Expr) bool {
	switch a := bare(a).(type) {
	case *parser.NumberLiteral:
		b, ok := bare(b).(*parser.NumberLiteral)
		return ok && (a.Val == b.Val && math.Signbit(a.Val) == math.Signbit(b.Val) || math.IsNaN(a.Val) && math.IsNaN(b.Val))
	case *parser.StringLiteral:
		b, ok := bare(b).(*parser.StringLiteral)
		return ok && a.Val == b.Val
	case *parser.UnaryExpr:
		b, ok := bare(b).(*parser.UnaryExpr)
		return ok && a.Op == b.Op && same(a.Expr, b.Expr)
	case *parser.VectorSelector:
		b, ok := bare(b).(*parser.VectorSelector)
		return ok && sameSelector(a, b)
	case *parser.MatrixSelector:
		b, ok := bare(b).(*parser.MatrixSelector)
		return ok && a.Range == b.Range && same(a.VectorSelector, b.VectorSelector)
	case *parser.SubqueryExpr:
		b, ok := bare(b).(*parser.SubqueryExpr)
		return ok && a.Range == b.Range && a.Step == b.Step && a.OriginalOffset == b.OriginalOffset &&
			sameTime(a.Timestamp, b.Timestamp) && a.StartOrEnd == b.StartOrEnd && same(a.Expr, b.Expr)
	case *parser.Call:
		b, ok := bare(b).(*parser.Call)
		return ok && a.Func.Name == b.Func.Name && slices.EqualFunc(a.Args, b.Args, same)
	case *parser.AggregateExpr:
		b, ok := bare(b).(*parser.AggregateExpr)
		return ok && a.Op == b.Op && a.Without == b.Without && slices.Equal(a.Grouping, b.Grouping) &&
			(a.Param == nil) == (b.Param == nil) && (a.Param == nil || same(a.Param, b.Param)) && same(a.Expr, b.Expr)
	case *parser.BinaryExpr:
		b, ok := bare(b).(*parser.BinaryExpr)
		return ok && a.Op == b.Op && a.ReturnBool == b.ReturnBool && sameMatching(a.VectorMatching, b.VectorMatching) &&
			same(a.LHS, b.LHS) && same(a.RHS, b.RHS)
	}
	return false
}

func sameSelector(a, b *parser.VectorSelector) bool {
	if a.OriginalOffset != b.OriginalOffset || a.StartOrEnd != b.StartOrEnd || !sameTime(a.Timestamp, b.Timestamp) {
		return false
	}
	within := func(all []*labels.Matcher) func(*labels.Matcher) bool {
		return func(m *labels.Matcher) bool {
			return slices.ContainsFunc(all, func(o *labels.Matcher) bool { return m.Name == o.Name && m.Type == o.Type && m.Value == o.Value })
		}
	}
	return allOf(a.LabelMatchers, within(b.LabelMatchers)) && allOf(b.LabelMatchers, within(a.LabelMatchers))
}

func allOf[T any](all []T, holds func(T) bool) bool {
	return !slices.ContainsFunc(all, func(v T) bool { return !holds(v) })
}

func sameTime(a, b *int64) bool {
	return (a == nil) == (b == nil) && (a == nil || *a == *b)
}

// sameMatching compares how the two sides of an operator are matched. Fill values for a
// missing side are experimental: they print, but do not parse back.
func sameMatching(a, b *parser.VectorMatching) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Card == b.Card && a.On == b.On && slices.Equal(a.MatchingLabels, b.MatchingLabels) && slices.Equal(a.Include, b.Include)
}
