package promql

import (
	"errors"
	"fmt"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/upheld-sla/upheld/internal/querysize"
)

// The rules must run on Prometheus 2.42 and later, Thanos, Mimir and VictoriaMetrics,
// so experimental syntax is refused in input and output.
var language = parser.NewParser(parser.Options{})

// Prove prints e on one line, and proves that the text means e: it parses the text,
// which also checks types, and compares the trees. An error is a bug of the generator,
// not a user's mistake.
func (e Expr) Prove() (string, error) {
	if e.node == nil {
		return e.proven("")
	}
	return e.proven(e.node.String())
}

// proven returns the text if it means e.
func (e Expr) proven(text string) (string, error) {
	if e.node == nil {
		return "", errors.New("empty expression")
	}
	back, err := language.ParseExpr(text)
	if err != nil {
		return "", fmt.Errorf("printed %q, which does not parse: %w", text, err)
	}
	if !same(e.node, back) {
		return "", fmt.Errorf("printed %q, which means another expression", text)
	}
	return text, nil
}

// ParseError is a syntax or type error in PromQL that a user wrote.
type ParseError struct {
	Offset  int // in bytes from the start of the text
	Message string
	Instead string // what to write instead, as PromQL, if known
	// TooLarge is set if only the size is wrong.
	TooLarge bool
}

// Error is the message without the place.
func (e *ParseError) Error() string { return e.Message }

// Parse reads a user's PromQL; an error is a *ParseError. Conditions on bucket bounds,
// le="5000", match every spelling of the number.
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

// WithSuffix is the selector, at the same place, for the metric name with a suffix, and
// with further matchers.
func (s Selector) WithSuffix(suffix string, more ...Matcher) Selector {
	longer := Series(s.Name()+suffix, append(s.matchers(), more...)...)
	longer.vector.PosRange = s.vector.PosRange
	return longer
}

// MatchesLabel reports whether the selector has a condition on the label.
func (s Selector) MatchesLabel(label string) bool {
	return slices.ContainsFunc(s.vector.LabelMatchers, func(m *labels.Matcher) bool { return m.Name == label })
}

// CheckTemplate finds mistakes that Prometheus would refuse in a label or annotation of
// an alert, which are templates.
func CheckTemplate(text string) error {
	rule := rulefmt.Rule{Alert: "Alert", Expr: "1", Annotations: map[string]string{"text": text}}
	for _, err := range rule.Validate(rulefmt.RuleNode{}, model.LegacyValidation, language) {
		return &err
	}
	return nil
}
