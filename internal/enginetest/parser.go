package enginetest

import (
	"fmt"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
)

// remembering is a parser that parses each rule once. A rule manager prints a rule at
// every evaluation and the engine parses the text: the same text and tree each time.
// The engine writes into the trees that it evaluates, so each evaluation gets a copy.
type remembering struct {
	parser.Parser
	rules map[string]parser.Expr // by their text
}

// rule returns the expression of a rule, which is printed once.
func (r remembering) rule(query string) (parser.Expr, error) {
	expr, err := r.Parser.ParseExpr(query)
	if err != nil {
		return nil, err
	}
	text := expr.String()
	if r.rules[text], err = r.Parser.ParseExpr(text); err != nil {
		return nil, err
	}
	return printed{expr, text}, nil
}

// ParseExpr implements parser.Parser.
func (r remembering) ParseExpr(text string) (parser.Expr, error) {
	if known, ok := r.rules[text]; ok {
		return copied(known), nil
	}
	return r.Parser.ParseExpr(text)
}

// printed is an expression with its text.
type printed struct {
	parser.Expr
	text string
}

func (p printed) String() string { return p.text }

// sequential makes rules run one after another without looking for dependencies, as
// servers do without a feature flag.
type sequential struct{}

// AnalyseRules implements rules.RuleDependencyController.
func (sequential) AnalyseRules([]rules.Rule) {}

// copied copies a tree as the parser made it. It shares parts that nothing writes into:
// matchers, vector matching, and computed durations.
func copied(n parser.Expr) parser.Expr {
	switch n := n.(type) {
	case nil:
		return nil
	case *parser.VectorSelector:
		c := *n
		return &c
	case *parser.MatrixSelector:
		c := *n
		c.VectorSelector = copied(n.VectorSelector)
		return &c
	case *parser.SubqueryExpr:
		c := *n
		c.Expr = copied(n.Expr)
		return &c
	case *parser.Call:
		c := *n
		c.Args = make(parser.Expressions, len(n.Args))
		for i, a := range n.Args {
			c.Args[i] = copied(a)
		}
		return &c
	case *parser.AggregateExpr:
		c := *n
		c.Expr, c.Param = copied(n.Expr), copied(n.Param)
		return &c
	case *parser.BinaryExpr:
		c := *n
		c.LHS, c.RHS = copied(n.LHS), copied(n.RHS)
		return &c
	case *parser.UnaryExpr:
		c := *n
		c.Expr = copied(n.Expr)
		return &c
	case *parser.ParenExpr:
		c := *n
		c.Expr = copied(n.Expr)
		return &c
	case *parser.NumberLiteral:
		c := *n
		return &c
	case *parser.StringLiteral:
		c := *n
		return &c
	}
	panic(fmt.Sprintf("an expression of a kind that is not copied: %T", n))
}
