package promql

import (
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
)

// Loses returns where an expression drops a label that series may have, so that no
// sample can have the label: at an aggregation that does not keep it, or a join without
// it. at is the byte offset of that part.
func (e Expr) Loses(label string) (at int, lost bool) { return loses(e.node, label) }

// TruthLoses is Loses for a condition. Every comparison must keep the label, since
// Truth joins them by it.
func (e Expr) TruthLoses(label string) (at int, lost bool) {
	switch n := e.node.(type) {
	case *parser.ParenExpr:
		return Expr{n.Expr}.TruthLoses(label)
	case *parser.BinaryExpr:
		if n.Op == parser.LAND || n.Op == parser.LOR {
			if at, lost := (Expr{n.LHS}).TruthLoses(label); lost {
				return at, lost
			}
			return Expr{n.RHS}.TruthLoses(label)
		}
	}
	return e.Loses(label)
}

func loses(node parser.Expr, label string) (at int, lost bool) {
	here := func(lost bool) (int, bool) { return int(node.PositionRange().Start), lost }
	switch n := node.(type) {
	case *parser.ParenExpr:
		return loses(n.Expr, label)
	case *parser.UnaryExpr:
		return loses(n.Expr, label)
	case *parser.SubqueryExpr:
		return loses(n.Expr, label)
	case *parser.AggregateExpr:
		kept := n.Op == parser.TOPK || n.Op == parser.BOTTOMK || slices.Contains(n.Grouping, label) != n.Without
		if !kept {
			return here(true)
		}
		return loses(n.Expr, label)
	case *parser.BinaryExpr:
		return losesInJoin(n, label)
	case *parser.Call:
		return losesInCall(n, label)
	}
	return here(false)
}

func losesInJoin(n *parser.BinaryExpr, label string) (at int, lost bool) {
	m := n.VectorMatching
	switch {
	case m == nil && n.LHS.Type() == parser.ValueTypeVector:
		return loses(n.LHS, label)
	case m == nil:
		return loses(n.RHS, label)
	case n.Op == parser.LOR:
		if at, lost := loses(n.LHS, label); !lost {
			return at, lost
		}
		return loses(n.RHS, label)
	case m.Card == parser.CardOneToOne && m.On != slices.Contains(m.MatchingLabels, label):
		return int(n.PositionRange().Start), true
	case m.Card == parser.CardOneToMany:
		if slices.Contains(m.Include, label) {
			return loses(n.LHS, label)
		}
		return loses(n.RHS, label)
	case slices.Contains(m.Include, label):
		return loses(n.RHS, label)
	}
	return loses(n.LHS, label)
}

// losesInCall follows the first argument with series. It assumes that functions which
// make a label, or series of their own, may keep it.
func losesInCall(n *parser.Call, label string) (at int, lost bool) {
	if n.Func.Name == "vector" {
		return int(n.PositionRange().Start), true
	}
	if n.Func.Name != "label_replace" && n.Func.Name != "label_join" && n.Func.Name != "absent" && n.Func.Name != "absent_over_time" {
		for _, a := range n.Args {
			if t := a.Type(); t == parser.ValueTypeVector || t == parser.ValueTypeMatrix {
				return loses(a, label)
			}
		}
	}
	return int(n.PositionRange().Start), false
}

// QuotedLabel returns the first label of an expression whose name must be quoted, which
// servers before Prometheus 3.0 cannot read, and the byte offset of the part with it.
func (e Expr) QuotedLabel() (name string, at int, found bool) {
	look := func(n parser.Node, names ...string) {
		for _, l := range names {
			if !found && !model.LegacyValidation.IsValidLabelName(l) {
				name, at, found = l, int(n.PositionRange().Start), true
			}
		}
	}
	parser.Inspect(e.node, func(n parser.Node, _ []parser.Node) error {
		switch n := n.(type) {
		case *parser.VectorSelector:
			for _, m := range n.LabelMatchers {
				look(n, m.Name)
			}
		case *parser.AggregateExpr:
			look(n, n.Grouping...)
		case *parser.BinaryExpr:
			if m := n.VectorMatching; m != nil {
				look(n, append(slices.Clone(m.MatchingLabels), m.Include...)...)
			}
		}
		return nil
	})
	return name, at, found
}
