package replay

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// read is a selector of a rule's expression.
type read struct {
	matchers []*labels.Matcher
	// offset is how far before the query's time it reads, in milliseconds.
	offset int64
	// step and shift are those of the outermost subquery around it, in milliseconds, 0
	// without one: the subquery is evaluated at multiples of step, up to shift before
	// the query.
	step, shift int64
	// pinned is whether an @ sets its time: such a time may lie in the future, and
	// end() would be the end of the range query.
	pinned bool
	// hides is how to hide from it what is recorded at the query's own time.
	hides hiding
}

// hiding is how to change a selector so that it does not read samples of the query's
// own time. A rule does not see these if it records them itself, or a rule after it
// does.
type hiding int

const (
	cannotHide hiding = iota
	byRange           // x[5m] becomes x[4m59s999ms] offset 1ms, with the same samples
	byMarker          // a matcher asks for what the selector sees one evaluation later
)

// boundless are functions that only depend on the samples in a range, wherever it
// begins and ends.
var boundless = []string{
	"avg_over_time", "changes", "count_over_time", "last_over_time", "max_over_time", "min_over_time",
	"present_over_time", "quantile_over_time", "resets", "stddev_over_time", "stdvar_over_time", "sum_over_time",
}

// selectorsOf passes the selectors of an expression to found, with the nodes around
// them, always in the same order.
func selectorsOf(expr parser.Expr, found func(s *parser.VectorSelector, around []parser.Node)) {
	parser.Inspect(expr, func(n parser.Node, path []parser.Node) error {
		if s, ok := n.(*parser.VectorSelector); ok {
			found(s, path)
		}
		return nil
	})
}

// readsOf are the selectors of an expression.
func readsOf(expr parser.Expr) []read {
	var all []read
	selectorsOf(expr, func(s *parser.VectorSelector, around []parser.Node) {
		offset := s.OriginalOffset
		r := read{matchers: s.LabelMatchers, pinned: s.Timestamp != nil || s.StartOrEnd != 0}
		for _, above := range around {
			if sub, ok := above.(*parser.SubqueryExpr); ok {
				offset += sub.OriginalOffset
				r.pinned = r.pinned || sub.Timestamp != nil || sub.StartOrEnd != 0
				if r.step == 0 {
					r.step, r.shift = cmp.Or(sub.Step, defaultInterval).Milliseconds(), sub.OriginalOffset.Milliseconds()
				}
			}
		}
		r.offset = offset.Milliseconds()
		if r.offset == 0 && r.step == 0 && !r.pinned {
			r.hides = hidingOf(around)
		}
		all = append(all, r)
	})
	return all
}

// hidingOf is how to hide samples from a selector without an offset and outside of
// subqueries.
func hidingOf(around []parser.Node) hiding {
	above := func(i int) parser.Node {
		if i > len(around) {
			return nil
		}
		return around[len(around)-i]
	}
	called := func(n parser.Node) string {
		if call, ok := n.(*parser.Call); ok {
			return call.Func.Name
		}
		return ""
	}
	if _, ok := above(1).(*parser.MatrixSelector); ok {
		if slices.Contains(boundless, called(above(2))) {
			return byRange
		}
		return cannotHide
	}
	for i := 1; above(i) != nil; i++ { // timestamp() would show that a sample was shifted, and absent() shows the matchers
		if _, ok := above(i).(*parser.ParenExpr); ok {
			continue
		}
		if name := called(above(i)); name == "timestamp" || name == "absent" {
			return cannotHide
		}
		break
	}
	return byMarker
}

// marker is the label of the matcher that hides what is recorded at the query's own
// time. Its value is the interval of the evaluations, in milliseconds.
const marker = "__recorded_before__"

// hidden returns the rule's expression in which the selectors in hide, by their order,
// do not see samples of the query's own time.
func hidden(r *rule, hide map[int]bool) (string, error) {
	parsed, err := language.ParseExpr(r.expr)
	if err != nil {
		return "", err
	}
	interval := strconv.FormatInt(r.group.interval/int64(time.Millisecond), 10)
	i := 0
	selectorsOf(parsed, func(s *parser.VectorSelector, around []parser.Node) {
		if hide[i] {
			switch r.reads[i].hides {
			case byRange:
				around[len(around)-1].(*parser.MatrixSelector).Range -= time.Millisecond
				s.OriginalOffset = time.Millisecond
			case byMarker:
				s.LabelMatchers = append(s.LabelMatchers, labels.MustNewMatcher(labels.MatchEqual, marker, interval))
			}
		}
		i++
	})
	return parsed.String(), nil
}

// output is a metric that a rule writes, with the labels that are known beforehand. A
// label with an empty value is known to be absent.
type output struct {
	name  string
	known map[string]string
}

const (
	alertMetric    = "ALERTS"
	forStateMetric = "ALERTS_FOR_STATE"
)

// outputsOf returns the metrics that a rule writes. all is whether templates of its
// labels contain queries.
func outputsOf(r *rule) (outputs []output, all bool) {
	known := map[string]string{}
	r.labels.Range(func(l labels.Label) {
		switch {
		case r.alert == nil || !strings.Contains(l.Value, "{{"):
			known[l.Name] = l.Value
		case strings.Contains(l.Value, "query"):
			all = true
		}
	})
	if r.alert == nil {
		return []output{{r.Name, known}}, false
	}
	known[labels.AlertName] = r.Name
	return []output{{alertMetric, known}, {forStateMetric, known}}, all
}

// mayHold returns whether matchers may select a series of the output.
func (o output) mayHold(matchers []*labels.Matcher) bool {
	for _, m := range matchers {
		if m.Name == labels.MetricName {
			if !m.Matches(o.name) {
				return false
			}
		} else if v, ok := o.known[m.Name]; ok && !m.Matches(v) {
			return false
		}
	}
	return true
}

// mayEqual returns whether two outputs may be of the same series.
func (o output) mayEqual(other output) bool {
	if o.name != other.name {
		return false
	}
	for name, v := range o.known {
		if also, ok := other.known[name]; ok && also != v {
			return false
		}
	}
	return true
}

// sees is the time, in milliseconds, up to which a rule sees another rule's samples at
// one of its own evaluations.
func (r *rule) sees(other *rule, wall int64) int64 {
	latest, ok := other.group.latest(wall, r.seesAtOnce(other))
	if !ok {
		return -1 << 62
	}
	return other.group.stamp(latest)
}

// seesAtOnce returns whether a rule sees what another records at the same moment.
func (r *rule) seesAtOnce(other *rule) bool {
	if r.group == other.group {
		return other.index < r.index
	}
	return other.group.index < r.group.index
}

// rawUntil is the time up to which a rule sees raw samples, in milliseconds.
func rawUntil(wall int64) int64 { return wall / int64(time.Millisecond) }
