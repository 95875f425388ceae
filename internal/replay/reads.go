package replay

import (
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// read is a selector of a rule's expression.
type read struct {
	matchers []*labels.Matcher
	// reach is up to when it reads, in milliseconds after the query's time: 0, or
	// less if it has an offset.
	reach int64
	// pinned is whether an @ sets its time, which the end of a range query would be,
	// or which may be in the future.
	pinned bool
}

// readsOf are the selectors of an expression.
func readsOf(expr parser.Expr) []read {
	var all []read
	parser.Inspect(expr, func(n parser.Node, path []parser.Node) error {
		selector, ok := n.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		offset := selector.OriginalOffset
		r := read{matchers: selector.LabelMatchers, pinned: selector.Timestamp != nil || selector.StartOrEnd != 0}
		for _, above := range path {
			if sub, ok := above.(*parser.SubqueryExpr); ok {
				offset += sub.OriginalOffset
				r.pinned = r.pinned || sub.Timestamp != nil || sub.StartOrEnd != 0
			}
		}
		r.reach = -offset.Milliseconds()
		all = append(all, r)
		return nil
	})
	return all
}

// output is a metric that a rule writes, with the labels that are known before.
// A label with an empty value is known to be absent.
type output struct {
	name  string
	known map[string]string
}

const (
	alertMetric    = "ALERTS"
	forStateMetric = "ALERTS_FOR_STATE"
)

// outputsOf are the metrics that a rule writes; all is whether templates of its
// labels query.
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

// mayHold is whether matchers may select a series of the output.
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

// mayEqual is whether two outputs may be of the same series.
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

// sees is up to when a rule sees what another recorded, at one of its own
// evaluations, in milliseconds.
func (r *rule) sees(other *rule, wall int64) int64 {
	latest, ok := other.group.latest(wall, r.seesAtOnce(other))
	if !ok {
		return -1 << 62
	}
	return other.group.stamp(latest)
}

// seesAtOnce is whether a rule sees what another records at the same moment.
func (r *rule) seesAtOnce(other *rule) bool {
	if r.group == other.group {
		return other.index < r.index
	}
	return other.group.index < r.group.index
}

// rawUntil is up to when a rule sees raw samples, in milliseconds.
func rawUntil(wall int64) int64 { return wall / int64(time.Millisecond) }
