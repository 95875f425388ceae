package promql

import (
	"github.com/prometheus/prometheus/promql/parser"
)

// rebuilt copies a tree while change replaces parts: its result replaces the node, and
// nil continues below the node. Sides that would be read differently in their new place
// get parentheses.
func rebuilt(n parser.Expr, change func(parser.Expr) parser.Expr) parser.Expr {
	if other := change(n); other != nil {
		return other
	}
	below := func(n parser.Expr) parser.Expr { return rebuilt(n, change) }
	switch n := n.(type) {
	case *parser.ParenExpr:
		inner := below(n.Expr)
		switch inner.(type) {
		case *parser.BinaryExpr, *parser.UnaryExpr:
			copied := *n
			copied.Expr = inner
			return &copied
		}
		return inner
	case *parser.UnaryExpr:
		copied := *n
		copied.Expr = parenthesise(below(n.Expr), precedence(parser.MUL), false)
		return &copied
	case *parser.SubqueryExpr:
		copied := *n
		copied.Expr = parenthesise(below(n.Expr), tightest, false)
		return &copied
	case *parser.AggregateExpr:
		copied := *n
		copied.Expr = below(n.Expr)
		return &copied
	case *parser.Call:
		copied := *n
		copied.Args = make(parser.Expressions, len(n.Args))
		for i, a := range n.Args {
			copied.Args[i] = below(a)
		}
		return &copied
	case *parser.BinaryExpr:
		copied := *n
		copied.LHS = parenthesise(below(n.LHS), precedence(n.Op), n.Op == parser.POW)
		copied.RHS = parenthesise(below(n.RHS), precedence(n.Op), n.Op != parser.POW)
		return &copied
	}
	return n
}

// tightest is above every precedence, so that any operation gets parentheses.
const tightest = 7

// replaced copies a tree with one node replaced by another.
func replaced(n, old, by parser.Expr) parser.Expr {
	return rebuilt(n, func(n parser.Expr) parser.Expr {
		if n == old {
			return by
		}
		return nil
	})
}

// bare is a tree without the parentheses around it.
func bare(n parser.Expr) parser.Expr {
	for {
		p, ok := n.(*parser.ParenExpr)
		if !ok {
			return n
		}
		n = p.Expr
	}
}

// filtering returns n if it is a comparison of series that drops what does not hold.
func filtering(n parser.Expr) (*parser.BinaryExpr, bool) {
	b, ok := bare(n).(*parser.BinaryExpr)
	return b, ok && b.Op.IsComparisonOperator() && !b.ReturnBool && b.Type() == parser.ValueTypeVector
}

// passing is what a filtering comparison lets through: its series, or those of its left
// side.
func passing(n *parser.BinaryExpr) parser.Expr {
	if n.LHS.Type() == parser.ValueTypeVector {
		return n.LHS
	}
	return n.RHS
}

// opposite is the comparison that holds where n does not; false if there is none.
func opposite(n parser.Expr) (parser.Expr, bool) {
	b, ok := bare(n).(*parser.BinaryExpr)
	if !ok || !b.Op.IsComparisonOperator() {
		return nil, false
	}
	copied := *b
	copied.Op = map[parser.ItemType]parser.ItemType{
		parser.EQLC: parser.NEQ, parser.NEQ: parser.EQLC, parser.LSS: parser.GTE, parser.GTE: parser.LSS, parser.GTR: parser.LTE, parser.LTE: parser.GTR,
	}[b.Op]
	return &copied, true
}

// asked is the comparison with answers 1 or 0 instead of dropping.
func asked(n *parser.BinaryExpr) *parser.BinaryExpr {
	copied := *n
	copied.ReturnBool = true
	return &copied
}

// bothOf joins a and b as conditions, from the left.
func bothOf(a, b parser.Expr) parser.Expr {
	if more, ok := b.(*parser.BinaryExpr); ok && more.Op == parser.LAND {
		return bothOf(bothOf(a, bare(more.LHS)), bare(more.RHS))
	}
	return join(parser.LAND, Expr{a}, Expr{b}, nil).node
}

// withoutUnless rewrites the condition a unless b with and; "" if b is not a
// comparison.
func withoutUnless(n *parser.BinaryExpr) string {
	not, ok := opposite(n.RHS)
	if !ok || matched(n) {
		return ""
	}
	return text(bothOf(bare(n.LHS), not))
}

// text prints a tree as a user would write it, "" if there is no such form.
func text(n parser.Expr) string {
	proven, err := Expr{n}.Prove()
	if err != nil {
		return ""
	}
	return proven
}
