package emit

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/prometheus/common/model"

	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/rulegen"
)

// longExpr is the length above which an expression is written as a block, as one
// with several operands always is.
const longExpr = 80

// prove is the text of the rule's expression, and whether it is written as a block. It
// fails if Prometheus would refuse the rule, or read another expression.
func (r *RuleWriter) prove(rule *rulegen.Rule) (expr string, block bool, err error) {
	recording := rule.Record != ""
	switch {
	case recording == (rule.Alert != ""):
		return "", false, errors.New("a rule either records or is an alert")
	case recording && !model.LegacyValidation.IsValidMetricName(rule.Record):
		return "", false, fmt.Errorf("%q is no name of a metric", rule.Record)
	case recording && (rule.For != 0 || rule.KeepFiringFor != 0 || len(rule.Annotations) > 0):
		return "", false, errors.New("a recording rule neither waits nor has annotations")
	}
	for _, texts := range []map[string]string{rule.Labels, rule.Annotations} {
		for name, text := range texts {
			switch {
			case !model.LegacyValidation.IsValidLabelName(name) || name == model.MetricNameLabel:
				return "", false, fmt.Errorf("%q is no name of a label", name)
			case !utf8.ValidString(text):
				return "", false, fmt.Errorf("%q is no UTF-8", text)
			case !recording && isTemplate(text):
				if err := r.opts.Templates.check(text); err != nil {
					return "", false, err
				}
			}
		}
	}
	expr, joins, err := r.layout.Prove(rule.Expr)
	return expr, joins || len(expr) > longExpr, err
}

// Templates are texts of alerts that Prometheus accepts as templates. Levels have
// many in common, so each is checked once. Several goroutines can use it.
type Templates struct{ good sync.Map }

func (t *Templates) check(text string) error {
	if _, known := t.good.Load(text); known {
		return nil
	}
	if err := promql.CheckTemplate(text); err != nil {
		return err
	}
	t.good.Store(text, true)
	return nil
}

// isTemplate reports whether Prometheus expands a text when an alert fires.
func isTemplate(s string) bool { return strings.Contains(s, "{{") }
