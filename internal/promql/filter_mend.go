package promql

import (
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/upheld-sla/upheld/sla"
)

// mended returns the comparison without the hiding; pulled is a condition that must
// hold, too. Both are nil if no sure form is known.
func (h *hiding) mended(b *parser.BinaryExpr, grouped bool) (instead *parser.BinaryExpr, pulled parser.Expr) {
	in := func(by parser.Expr, of parser.Expr) *parser.BinaryExpr {
		made, _ := replaced(b, of, by).(*parser.BinaryExpr)
		return made
	}
	if c, ok := h.at.(*parser.Call); ok {
		if grouped || h.joins {
			return nil, nil
		}
		return presence(b, c, in), nil
	}
	if h.outer != nil {
		if stand := standIn(h); stand != nil {
			return in(stand, h.outer), nil
		}
		return nil, nil
	}
	if h.joins {
		return nil, nil
	}
	f := h.at.(*parser.BinaryExpr)
	if !h.sets {
		return in(bare(passing(f)), f), f
	}
	pulled, ok := parser.Expr(nil), false
	if f.Op == parser.LAND {
		pulled, ok = filtering(f.RHS)
	} else {
		pulled, ok = opposite(f.RHS)
	}
	if !ok {
		return nil, nil
	}
	return in(bare(f.LHS), f), pulled
}

// presence rewrites a condition on absent(x) by the number of series.
func presence(b *parser.BinaryExpr, c *parser.Call, in func(by, of parser.Expr) *parser.BinaryExpr) *parser.BinaryExpr {
	of := c.Args[0]
	if c.Func.Name == "absent_over_time" {
		of = call("count_over_time", Expr{of}).node
	}
	there := Or(Count(Expr{of}), Vector(sla.NewDecimal(0, 1))).node
	if limit, ok := bare(b.RHS).(*parser.NumberLiteral); ok && bare(b.LHS) == parser.Expr(c) {
		absent, present := compares(b.Op, 1, limit.Val), compares(b.Op, 0, limit.Val)
		if absent != present {
			op := parser.ItemType(parser.GTR)
			if absent {
				op = parser.EQLC
			}
			return join(op, Expr{there}, no, nil).node.(*parser.BinaryExpr)
		}
	}
	return in(asBool(eql(Expr{there}, no)).node, c)
}

func compares(op parser.ItemType, a, b float64) bool {
	switch op {
	case parser.EQLC:
		return a == b
	case parser.NEQ:
		return a != b
	case parser.LSS:
		return a < b
	case parser.LTE:
		return a <= b
	case parser.GTR:
		return a > b
	}
	return a >= b
}

// standIn returns the hiding's outermost aggregation with a substitute for when nothing
// passes: 0 for counts and sums, else the value without the filter. A count of what
// holds becomes a sum of answers.
func standIn(h *hiding) parser.Expr {
	switch n := h.outer.(type) {
	case *parser.AggregateExpr:
		return standInOf(h, n)
	case *parser.Call:
		return standInOverTime(h, n)
	}
	return nil
}

func standInOf(h *hiding, n *parser.AggregateExpr) parser.Expr {
	kind := aggregationOf(n.Op)
	if !kind.known {
		return nil
	}
	if f, ok := filtering(n.Expr); ok && kind.ofAll != "" && h.at == parser.Expr(f) {
		all := *n
		all.Op, all.Expr = map[string]parser.ItemType{"sum": parser.SUM, "max": parser.MAX}[kind.ofAll], asked(f)
		return &all
	}
	all := *n
	all.Expr = unfiltered(n.Expr)
	var matching *[]string
	if h.zero {
		all.Op, all.Param = parser.COUNT, nil
	} else if n.Op == parser.TOPK || n.Op == parser.BOTTOMK {
		matching = &n.Grouping
	}
	return orElse(h.zero, n, &all, matching, n.Without)
}

func standInOverTime(h *hiding, n *parser.Call) parser.Expr {
	kind := overTimeOf(n.Func.Name)
	over, ok := bare(n.Args[len(n.Args)-1]).(*parser.SubqueryExpr)
	if !kind.known || !ok {
		return nil
	}
	with := func(function string, of parser.Expr) *parser.Call {
		inner, all := *over, *n
		inner.Expr = parenthesise(of, tightest, false)
		all.Args = append(append(parser.Expressions{}, n.Args[:len(n.Args)-1]...), &inner)
		if function != n.Func.Name {
			all.Func, all.Args = parser.Functions[function], parser.Expressions{&inner}
		}
		return &all
	}
	if f, ok := filtering(over.Expr); ok && kind.ofAll != "" && h.at == parser.Expr(f) {
		return with(kind.ofAll, asked(f))
	}
	function := n.Func.Name
	if h.zero {
		function = "count_over_time"
	}
	return orElse(h.zero, n, with(function, unfiltered(bare(over.Expr))), nil, false)
}

// orElse is n; or all, or 0 instead of that, while n has no sample with its labels.
func orElse(zero bool, n, all parser.Expr, labels *[]string, without bool) parser.Expr {
	if zero {
		all = Mul(no, Expr{all}).node
	}
	e := join(parser.LOR, Expr{n}, Expr{all}, labels)
	if without {
		e.node.(*parser.BinaryExpr).VectorMatching.On = false
	}
	return e.node
}

// unfiltered is an expression without the filters of its comparisons, and / unless;
// divisors stay as they are.
func unfiltered(n parser.Expr) parser.Expr {
	return rebuilt(n, func(n parser.Expr) parser.Expr {
		if f, ok := filtering(n); ok {
			return unfiltered(bare(passing(f)))
		}
		b, ok := n.(*parser.BinaryExpr)
		switch {
		case !ok:
		case (b.Op == parser.LAND || b.Op == parser.LUNLESS) && hasFilter(b.RHS):
			return unfiltered(b.LHS)
		case guards(b):
			copied := *b
			copied.LHS = parenthesise(unfiltered(b.LHS), precedence(b.Op), false)
			return &copied
		}
		return nil
	})
}
