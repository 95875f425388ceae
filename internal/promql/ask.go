package promql

import (
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// Expressions for queries to a server, in addition to those of rules.

// Ne matches label != value.
func Ne(label, value string) Matcher {
	return Matcher{labels.MustNewMatcher(labels.MatchNotEqual, label, value)}
}

// Place is where the selector begins in its source text, in bytes.
func (s Selector) Place() int { return int(s.vector.PosRange.Start) }

// With adds conditions to the selector.
func (s Selector) With(more ...Matcher) Selector {
	v := *s.vector
	v.LabelMatchers = slices.Clone(v.LabelMatchers)
	for _, m := range more {
		v.LabelMatchers = append(v.LabelMatchers, m.matcher)
	}
	return Selector{&v}
}

// Plain is the selector without the offset or @ of its expression.
func (s Selector) Plain() Selector {
	v := *s.vector
	v.Offset, v.OriginalOffset, v.OriginalOffsetExpr, v.Timestamp, v.StartOrEnd = 0, 0, nil, nil, 0
	return Selector{&v}
}

// Wants are the labels that a selected series must have, besides the name.
func (s Selector) Wants() []string {
	var names []string
	for _, m := range s.vector.LabelMatchers {
		if m.Name != labels.MetricName && !m.Matches("") {
			names = append(names, m.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Condition is one condition of a selector on a label.
type Condition struct {
	Label   string
	Text    string // as PromQL, with numbers in their plainest form: code=~"2..", le="5000"
	Example string // a matching value, "" if none was found
}

// Conditions are those of the selector, besides its name.
func (s Selector) Conditions() []Condition {
	var all []Condition
	for _, m := range s.vector.LabelMatchers {
		if m.Name != labels.MetricName {
			example, _ := matching([]*labels.Matcher{m}, nil)
			text := m.String()
			if _, err := strconv.ParseFloat(example, 64); err == nil && m.Type == labels.MatchRegexp && slices.Contains(numeric, m.Name) {
				text = labels.MustNewMatcher(labels.MatchEqual, m.Name, example).String()
			}
			all = append(all, Condition{m.Name, text, example})
		}
	}
	return all
}

// Except is the selector without the i-th of its Conditions.
func (s Selector) Except(i int) Selector {
	v, n := *s.vector, -1
	v.LabelMatchers = nil
	for _, m := range s.vector.LabelMatchers {
		if m.Name != labels.MetricName {
			if n++; n == i {
				continue
			}
		}
		v.LabelMatchers = append(v.LabelMatchers, m)
	}
	return Selector{&v}
}

// CountWithout is count without (labels) (e).
func CountWithout(e Expr, labels ...string) Expr { return without(parser.COUNT, e, labels) }

// MinWithout is min without (labels) (e).
func MinWithout(e Expr, labels ...string) Expr { return without(parser.MIN, e, labels) }

// MaxWithout is max without (labels) (e).
func MaxWithout(e Expr, labels ...string) Expr { return without(parser.MAX, e, labels) }

func without(op parser.ItemType, e Expr, labels []string) Expr {
	return Expr{&parser.AggregateExpr{Op: op, Expr: e.node, Grouping: labels, Without: true}}
}

// CountBy is count by (labels) (e).
func CountBy(e Expr, by ...string) Expr {
	return Expr{&parser.AggregateExpr{Op: parser.COUNT, Expr: e.node, Grouping: by}}
}

// Scans calls use for every selector of an expression with the range that is read: the
// window, or 0 for the newest sample. A selector in a subquery is read once for each of
// its steps.
func (e Expr) Scans(use func(s Selector, window time.Duration, times float64)) {
	parser.Inspect(e.node, func(n parser.Node, path []parser.Node) error {
		v, ok := n.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		window, times := time.Duration(0), 1.
		for _, p := range path {
			switch p := p.(type) {
			case *parser.MatrixSelector:
				window = p.Range
			case *parser.SubqueryExpr:
				if p.Step > 0 {
					times *= float64(p.Range) / float64(p.Step)
				}
			}
		}
		use(Selector{v}, window, times)
		return nil
	})
}

// TopOne is topk(1, e): one of the series.
func TopOne(e Expr) Expr {
	return Expr{&parser.AggregateExpr{Op: parser.TOPK, Expr: e.node, Param: &parser.NumberLiteral{Val: 1}}}
}

// Matchers are the selector's conditions, including its name, for storages.
func (s Selector) Matchers() []*labels.Matcher { return slices.Clone(s.vector.LabelMatchers) }

// Language is a parser for the PromQL that rules may use, for an engine.
func Language() parser.Parser { return language }
