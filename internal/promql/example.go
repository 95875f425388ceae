package promql

import (
	"fmt"
	"maps"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// Metric is the labels of one series, including its name as "__name__".
type Metric map[string]string

// String is the series as PromQL writes it: name{label="value"}, or {__name__="na.me"}
// if the name cannot be written bare.
func (m Metric) String() string {
	var b strings.Builder
	bare := model.LegacyValidation.IsValidMetricName(m[labels.MetricName])
	if bare {
		b.WriteString(m[labels.MetricName])
	}
	separator := "{"
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if name == labels.MetricName && bare {
			continue
		}
		label := name
		if !model.LegacyValidation.IsValidLabelName(name) {
			label = strconv.Quote(name)
		}
		fmt.Fprintf(&b, "%s%s=%q", separator, label, m[name])
		separator = ", "
	}
	if separator != "{" {
		b.WriteString("}")
	}
	return b.String()
}

// With adds labels to the series.
func (m Metric) With(more Metric) Metric {
	all := maps.Clone(m)
	maps.Copy(all, more)
	return all
}

// Matches reports whether the selector selects the series.
func (s Selector) Matches(m Metric) bool {
	for _, matcher := range s.vector.LabelMatchers {
		if !matcher.Matches(m[matcher.Name]) {
			return false
		}
	}
	return true
}

// Example is a series that the selector selects and the others do not; false if none is
// found, which does not mean that there is none.
func (s Selector) Example(not ...Selector) (Metric, bool) {
	byLabel := map[string][]*labels.Matcher{}
	for _, m := range s.vector.LabelMatchers {
		byLabel[m.Name] = append(byLabel[m.Name], m)
	}
	series := Metric{}
	for label, ms := range byLabel {
		value, ok := matching(ms, nil)
		if !ok {
			return nil, false
		}
		if value != "" {
			series[label] = value
		}
	}
	for _, other := range not {
		if other.Matches(series) && !evade(series, byLabel, other) {
			return nil, false
		}
	}
	return series, series[labels.MetricName] != "" && !slices.ContainsFunc(not, func(o Selector) bool { return o.Matches(series) })
}

// evade changes one label of the series so that the other selector misses it.
func evade(series Metric, own map[string][]*labels.Matcher, other Selector) bool {
	for _, m := range other.vector.LabelMatchers {
		if m.Name == labels.MetricName {
			continue
		}
		if value, ok := matching(own[m.Name], m); ok {
			if value == "" {
				delete(series, m.Name)
			} else {
				series[m.Name] = value
			}
			return true
		}
	}
	return false
}

// matching returns a value that all matchers match and that not, if there is one, does
// not. It tries values like status codes first, since people count those.
func matching(ms []*labels.Matcher, not *labels.Matcher) (string, bool) {
	var candidates []string
	for _, m := range ms {
		switch m.Type {
		case labels.MatchEqual:
			candidates = append(candidates, m.Value)
		case labels.MatchRegexp:
			if re, err := syntax.Parse(m.Value, syntax.Perl|syntax.DotNL); err == nil {
				candidates = append(candidates, examples(re)...)
			}
		}
	}
	for _, value := range append(candidates, "200", "500", "x", "") {
		fits := not == nil || !not.Matches(value)
		for _, m := range ms {
			fits = fits && m.Matches(value)
		}
		if fits {
			return value, true
		}
	}
	return "", false
}

// maxExamples bounds how many texts are tried for one regular expression.
const maxExamples = 20

// examples returns some texts that a regular expression of a usual kind matches. The
// caller must try them.
func examples(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		return []string{string(re.Rune)}
	case syntax.OpCharClass:
		if len(re.Rune) > 0 {
			return []string{string(re.Rune[0])}
		}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return []string{"0"}
	case syntax.OpCapture, syntax.OpPlus:
		return examples(re.Sub[0])
	case syntax.OpRepeat:
		var all []string
		for _, one := range examples(re.Sub[0]) {
			all = append(all, strings.Repeat(one, max(re.Min, 0)))
		}
		return all
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			all = append(all, examples(sub)...)
		}
		return all
	case syntax.OpConcat:
		all := []string{""}
		for _, sub := range re.Sub {
			var longer []string
			for _, begun := range all {
				for _, more := range examples(sub) {
					longer = append(longer, begun+more)
				}
			}
			all = longer[:min(len(longer), maxExamples)]
		}
		return all
	}
	return []string{""} // for parts that may be empty, or match no text
}

// Reads are the selectors in an expression.
func (e Expr) Reads() []Selector {
	var all []Selector
	parser.Inspect(e.node, func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok {
			all = append(all, Selector{v})
		}
		return nil
	})
	return all
}

// OutOfNothing reports whether an expression may have samples while none of its
// selectors finds any.
func (e Expr) OutOfNothing() bool {
	found := e.node.Type() != parser.ValueTypeVector
	parser.Inspect(e.node, func(n parser.Node, _ []parser.Node) error {
		if c, ok := n.(*parser.Call); ok {
			switch c.Func.Name {
			case "vector", "absent", "absent_over_time", "time", "scalar":
				found = true
			}
			found = found || len(c.Args) == 0
		}
		return nil
	})
	return found
}
