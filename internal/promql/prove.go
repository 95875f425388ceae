package promql

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/upheld-sla/upheld/internal/querysize"
)

// The rules must run on Prometheus 2.42 and later, Thanos, Mimir and
// VictoriaMetrics, so nothing experimental is let through in either direction.
var language = parser.NewParser(parser.Options{})

// Prove is the text of e's Proof.
func (e Expr) Prove() (string, error) {
	p, err := e.Proof()
	return p.Text, err
}

// Proof prints e and proves that the text means it. An error is a fault of the
// generator, not of a user.
//
// The proof is that the text is parsed back, which also checks its types, and
// that the two trees are compared. It is made once for each shape of tree: a
// shape leaves holes for the literals whose value nothing in the grammar hangs
// on (see printer). Two trees of one shape print the same tokens but for the
// values of literals, each of which the lexer reads back as one literal of that
// value: strings of printable ASCII without quotes and backslashes, and
// unsigned finite numbers in digits. So the parser takes the same steps for
// both, and what was proven of one holds for the other. Everything else is part
// of the shape: operators, functions, names, regular expressions, windows,
// parentheses, matching, and any literal that is not as plain as that.
// TestProofOfAShapeHoldsForItsTrees compares this with the full proof.
func (e Expr) Proof() (Proof, error) {
	if e.node == nil {
		return Proof{}, errors.New("empty expression")
	}
	return shapes.prove(e.node)
}

// Proof is an expression's text, proven to mean the expression.
type Proof struct {
	Text string
	// Shape stands for all expressions that were proven together: two of one
	// Shape differ only in plain literals. It is nil for one of its own kind.
	Shape *Shape
}

// Shape has no content; only its address counts.
type Shape struct{ _ byte }

// proveText parses a tree's text and compares the two.
func proveText(node parser.Expr, text string) error {
	back, err := language.ParseExpr(text)
	if err != nil {
		return fmt.Errorf("printed %q, which does not parse: %w", text, err)
	}
	if meant, said := shapeOf(node), shapeOf(back); meant != said {
		return fmt.Errorf("printed %q, which means %s instead of %s", text, said, meant)
	}
	return nil
}

// ParseError is a syntax or type error in PromQL that a user wrote.
type ParseError struct {
	Offset  int // in bytes from the start of the text
	Message string
	Instead string // what to write, as PromQL, where that is known
	// TooLarge is set where nothing is wrong but the size.
	TooLarge bool
}

// Error is the message without the place.
func (e *ParseError) Error() string { return e.Message }

// Parse reads a user's PromQL; an error is a *ParseError. Conditions on the bounds
// of buckets, le="5000", match the number however it is written.
func Parse(text string) (Expr, error) {
	if err := readable.Check(text); err != nil {
		large := &querysize.Error{}
		errors.As(err, &large)
		return Expr{}, &ParseError{Offset: large.Offset, Message: large.Message, TooLarge: true}
	}
	node, err := language.ParseExpr(text)
	if err == nil {
		inAnySpelling(node)
		return Expr{node}, nil
	}
	var errs parser.ParseErrors
	var one *parser.ParseErr
	switch {
	case errors.As(err, &errs) && len(errs) > 0:
		return Expr{}, &ParseError{Offset: int(errs[0].PositionRange.Start), Message: errs[0].Err.Error()}
	case errors.As(err, &one):
		return Expr{}, &ParseError{Offset: int(one.PositionRange.Start), Message: one.Err.Error()}
	}
	return Expr{}, &ParseError{Offset: 0, Message: err.Error()}
}

// Selectors reads e as a plain series selector or a sum of them (a + b + c).
// Anything else is a *ParseError at the part that does not fit.
func (e Expr) Selectors() ([]Selector, error) {
	switch n := e.node.(type) {
	case *parser.ParenExpr:
		return Expr{n.Expr}.Selectors()
	case *parser.VectorSelector:
		if n.OriginalOffset != 0 || n.Timestamp != nil || n.StartOrEnd != 0 {
			return nil, &ParseError{Offset: int(n.PosRange.Start), Message: "a selector here cannot have an offset or @"}
		}
		return []Selector{{n}}, nil
	case *parser.BinaryExpr:
		if n.Op != parser.ADD {
			break
		}
		if m := n.VectorMatching; m == nil || m.On || len(m.MatchingLabels) > 0 || m.Card != parser.CardOneToOne {
			return nil, &ParseError{Offset: int(n.PositionRange().Start), Message: "a sum of selectors takes no on, ignoring or group modifiers"}
		}
		left, err := Expr{n.LHS}.Selectors()
		if err != nil {
			return nil, err
		}
		right, err := Expr{n.RHS}.Selectors()
		return append(left, right...), err
	}
	return nil, &ParseError{Offset: int(e.node.PositionRange().Start), Message: "not a series selector or a sum of them"}
}

// WithSuffix is the same selector, at the same place, for the metric whose name has
// suffix added, with further matchers.
func (s Selector) WithSuffix(suffix string, more ...Matcher) Selector {
	longer := Series(s.Name()+suffix, append(s.Matchers(), more...)...)
	longer.vector.PosRange = s.vector.PosRange
	return longer
}

// MatchesLabel tells whether the selector has a condition on the label.
func (s Selector) MatchesLabel(label string) bool {
	return slices.ContainsFunc(s.vector.LabelMatchers, func(m *labels.Matcher) bool { return m.Name == label })
}

// shapeOf writes a tree with every operation in parentheses of its own, so that
// two trees are the same query exactly if their shapes are equal.
func shapeOf(n parser.Expr) string {
	switch n := n.(type) {
	case *parser.ParenExpr:
		return shapeOf(n.Expr)
	case *parser.StepInvariantExpr:
		return shapeOf(n.Expr)
	case *parser.NumberLiteral:
		return strconv.FormatFloat(n.Val, 'g', -1, 64)
	case *parser.StringLiteral:
		return strconv.Quote(n.Val)
	case *parser.UnaryExpr:
		inner := shapeOf(n.Expr)
		if lit, ok := n.Expr.(*parser.NumberLiteral); ok && n.Op == parser.SUB {
			return strconv.FormatFloat(-lit.Val, 'g', -1, 64)
		}
		return "(" + n.Op.String() + inner + ")"
	case *parser.VectorSelector:
		return shapeSelector(n)
	case *parser.MatrixSelector:
		return shapeOf(n.VectorSelector) + "[" + n.Range.String() + "]"
	case *parser.SubqueryExpr:
		return fmt.Sprintf("(%s)[%s:%s]%s", shapeOf(n.Expr), n.Range, n.Step, n.OriginalOffset)
	case *parser.Call:
		return n.Func.Name + shapesOf(n.Args)
	case *parser.AggregateExpr:
		return shapeAggregate(n)
	case *parser.BinaryExpr:
		return fmt.Sprintf("(%s %s%s %s)", shapeOf(n.LHS), n.Op, shapeMatching(n), shapeOf(n.RHS))
	}
	return fmt.Sprintf("unknown node %T", n)
}

func shapesOf(args parser.Expressions) string {
	parts := make([]string, len(args))
	for i, a := range args {
		parts[i] = shapeOf(a)
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

func shapeSelector(n *parser.VectorSelector) string {
	parts := make([]string, 0, len(n.LabelMatchers))
	for _, m := range n.LabelMatchers {
		parts = append(parts, m.String())
	}
	slices.Sort(parts)
	at := ""
	if n.Timestamp != nil {
		at = fmt.Sprint(*n.Timestamp)
	}
	return fmt.Sprintf("{%s}%s%s%d", strings.Join(parts, ","), n.OriginalOffset, at, n.StartOrEnd)
}

func shapeAggregate(n *parser.AggregateExpr) string {
	param := ""
	if n.Param != nil {
		param = shapeOf(n.Param) + ", "
	}
	return fmt.Sprintf("%s %t %q (%s%s)", n.Op, n.Without, n.Grouping, param, shapeOf(n.Expr))
}

func shapeMatching(n *parser.BinaryExpr) string {
	s := ""
	if n.ReturnBool {
		s = " bool"
	}
	if m := n.VectorMatching; m != nil {
		s += fmt.Sprintf(" %s %t %q %q", m.Card, m.On, m.MatchingLabels, m.Include)
	}
	return s
}

// ProveRuleFile parses a printed rule file as Prometheus would and returns the
// first fault.
func ProveRuleFile(content []byte) error {
	_, err := ReadRuleFile(content)
	return err
}

// RuleGroup is a group as Prometheus read it from a rule file.
type RuleGroup struct {
	Name     string
	Interval time.Duration
	Rules    []RuleText
}

// RuleText is a rule as Prometheus read it from a rule file.
type RuleText struct {
	Record, Alert, Expr string
	For, KeepFiringFor  time.Duration
	Labels, Annotations map[string]string
}

// Equal tells whether two rules say the same.
func (r RuleText) Equal(o RuleText) bool {
	return r.Record == o.Record && r.Alert == o.Alert && r.Expr == o.Expr && r.For == o.For && r.KeepFiringFor == o.KeepFiringFor &&
		maps.Equal(r.Labels, o.Labels) && maps.Equal(r.Annotations, o.Annotations)
}

// ReadRuleFile reads a rule file as Prometheus would; an error is the first fault.
func ReadRuleFile(content []byte) ([]RuleGroup, error) {
	file, errs := rulefmt.Parse(content, false, model.LegacyValidation, language, slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		return nil, errs[0]
	}
	groups := make([]RuleGroup, 0, len(file.Groups))
	for _, g := range file.Groups {
		out := RuleGroup{Name: g.Name, Interval: time.Duration(g.Interval)}
		for _, r := range g.Rules {
			out.Rules = append(out.Rules, RuleText{
				Record: r.Record, Alert: r.Alert, Expr: r.Expr, For: time.Duration(r.For), KeepFiringFor: time.Duration(r.KeepFiringFor),
				Labels: r.Labels, Annotations: r.Annotations,
			})
		}
		groups = append(groups, out)
	}
	return groups, nil
}
