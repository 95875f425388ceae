package promql

import (
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// Takes apart what other tools write with rate and sum.

// Counted is an expression that adds up counters, or their rates.
type Counted struct {
	Plus, Minus []Selector
	By          []string      // labels that the sum keeps
	Window      time.Duration // of the rates; 0 if the counters are added up themselves
	Summed      bool          // there is a sum; otherwise each series counts on its own
}

// Counted takes an expression apart that adds up counters or their rates, such as
// sum(rate(a[5m])) - sum(rate(b[5m])). Anything else is a *ParseError at the part that
// does not fit.
func (e Expr) Counted() (Counted, error) {
	var c Counted
	r := countedReader{into: &c}
	err := r.read(e.node, false)
	if err == nil && r.leaves > 0 && r.plain > 0 && r.plain < r.leaves {
		err = unfit(e.node, "some counters are within rate and some are not")
	}
	return c, err
}

type countedReader struct {
	into          *Counted
	leaves, plain int
	summed        int // sums read so far
}

func unfit(n parser.Expr, message string) error {
	return &ParseError{Offset: int(n.PositionRange().Start), Message: message}
}

func (r *countedReader) read(n parser.Expr, minus bool) error {
	switch n := n.(type) {
	case *parser.ParenExpr:
		return r.read(n.Expr, minus)
	case *parser.StepInvariantExpr:
		return r.read(n.Expr, minus)
	case *parser.VectorSelector:
		r.plain++
		return r.leaf(n, minus)
	case *parser.AggregateExpr:
		return r.sum(n, minus)
	case *parser.Call:
		return r.rate(n, minus)
	case *parser.BinaryExpr:
		return r.binary(n, minus)
	}
	return unfit(n, "this is no counter, and no sum of rates of counters")
}

func (r *countedReader) leaf(v *parser.VectorSelector, minus bool) error {
	if v.OriginalOffset != 0 || v.OriginalOffsetExpr != nil || v.Timestamp != nil || v.StartOrEnd != 0 {
		return unfit(v, "this selector has an offset or @")
	}
	r.leaves++
	into := &r.into.Plus
	if minus {
		into = &r.into.Minus
	}
	*into = append(*into, Selector{v})
	return nil
}

func (r *countedReader) sum(n *parser.AggregateExpr, minus bool) error {
	if n.Op != parser.SUM {
		return unfit(n, fmt.Sprintf("%s of counters is no sum", n.Op))
	}
	if n.Without {
		return unfit(n, "sum without leaves open which labels the result has")
	}
	by := slices.Sorted(slices.Values(n.Grouping))
	if r.summed++; r.summed > 1 && !slices.Equal(by, r.into.By) {
		return unfit(n, "the sums keep different labels")
	}
	r.into.By, r.into.Summed = by, true
	return r.read(n.Expr, minus)
}

func (r *countedReader) rate(n *parser.Call, minus bool) error {
	if n.Func.Name != "rate" && n.Func.Name != "increase" {
		return unfit(n, n.Func.Name+" is neither rate nor increase")
	}
	m, ok := n.Args[0].(*parser.MatrixSelector)
	if !ok || m.RangeExpr != nil {
		return unfit(n, "this is a rate of something that is no counter")
	}
	if r.into.Window != 0 && r.into.Window != m.Range {
		return unfit(n, "the rates have different windows")
	}
	r.into.Window = m.Range
	return r.leaf(m.VectorSelector.(*parser.VectorSelector), minus)
}

func (r *countedReader) binary(n *parser.BinaryExpr, minus bool) error {
	if n.Op == parser.LOR && isZeroVector(n.RHS) {
		return r.read(n.LHS, minus) // a missing counter counts nothing
	}
	if n.Op != parser.ADD && n.Op != parser.SUB {
		return unfit(n, fmt.Sprintf("%s is neither + nor -", n.Op))
	}
	if m := n.VectorMatching; m == nil || m.On || len(m.MatchingLabels) > 0 || m.Card != parser.CardOneToOne {
		return unfit(n, "this sum has on, ignoring or group modifiers, or adds a number")
	}
	if err := r.read(n.LHS, minus); err != nil {
		return err
	}
	return r.read(n.RHS, minus != (n.Op == parser.SUB))
}

// isZeroVector recognizes vector(0).
func isZeroVector(n parser.Expr) bool {
	c, ok := bare(n).(*parser.Call)
	if !ok || c.Func.Name != "vector" {
		return false
	}
	zero, ok := bare(c.Args[0]).(*parser.NumberLiteral)
	return ok && zero.Val == 0
}

// Quotient takes a / b apart, and 1 - a / b, for which complement is true.
func (e Expr) Quotient() (a, b Expr, complement, ok bool) {
	n, isBinary := bare(e.node).(*parser.BinaryExpr)
	if !isBinary {
		return a, b, false, false
	}
	if one, isNumber := bare(n.LHS).(*parser.NumberLiteral); isNumber && n.Op == parser.SUB && one.Val == 1 {
		n, isBinary = bare(n.RHS).(*parser.BinaryExpr)
		complement = true
	}
	if !isBinary || n.Op != parser.DIV {
		return a, b, false, false
	}
	return Expr{n.LHS}, Expr{n.RHS}, complement, true
}

// Span is the range of the selector in its source text, in bytes.
func (s Selector) Span() (start, end int) {
	return int(s.vector.PosRange.Start), int(s.vector.PosRange.End)
}

// Span is the range of the expression in its source text, in bytes.
func (e Expr) Span() (start, end int) {
	r := e.node.PositionRange()
	return int(r.Start), int(r.End)
}

// Clause is one condition of a selector, taken apart.
type Clause struct {
	Label, Value, Text string
	Equal              bool // it is label = value
}

// Clauses are the conditions of the selector, besides its name.
func (s Selector) Clauses() []Clause {
	var all []Clause
	for _, m := range s.matchers() {
		all = append(all, Clause{Label: m.matcher.Name, Value: m.matcher.Value, Text: m.matcher.String(), Equal: m.matcher.Type == labels.MatchEqual})
	}
	return all
}
