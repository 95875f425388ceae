package rulegen

import (
	"fmt"
	"slices"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Events that the service itself counts.

func ofEvents(e *sla.Events) indicator {
	what, counted := "bad", e.Bad
	if e.Bad.Text == "" {
		what, counted = "good", e.Good
	}
	return indicator{
		count:     func(c counting) ([]Rule, sla.Findings) { return c.events(e) },
		increases: func(c counting) countable { return countableEvents(c, counted, e) },
		lint:      func() sla.Findings { return lintCounts(what, counted, e.Total) },
		saysGood:  e.Good.Text != "", exceeds: e.Good.Text != "",
	}
}

// events counts the service's own events.
func (c counting) events(e *sla.Events) ([]Rule, sla.Findings) {
	counted := e.Bad
	if counted.Text == "" {
		counted = e.Good
	}
	total, findings := c.sumOfRates(e.Total)
	sum, more := c.sumOfRates(counted)
	if findings = append(findings, more...); findings.HasErrors() {
		return nil, findings
	}
	selectors := func(q sla.Query) []promql.Selector {
		all, _ := counterSelectors(q) // which has been read without an error
		return all
	}
	if e.Bad.Text == "" {
		return append(c.countedByGood(total, sum, "good events per second", selectors(e.Good)...), c.excess()...), findings
	}
	total = c.admitted(total, c.present(selectors(e.Total)...))
	return []Rule{
		c.limitsGroups(c.totalRule(total, "all events per second")),
		c.badRule(c.orZero(c.ofAdmitted(sum)), "bad events per second").says("0 while there is no series of them."),
	}, findings
}

// countableEvents are the counters of the service's own events, and of the part that
// is counted: bad or good.
func countableEvents(c counting, part sla.Query, e *sla.Events) countable {
	all, of := countedOf(e.Total), countedOf(part)
	return countable{all: all, restBad: e.Bad.Text == "", sums: func(by func(promql.Selector) promql.Expr) (total, part promql.Expr) {
		return sumOfCounters(all, by, c.groupLabels()), sumOfCounters(of, by, c.groupLabels())
	}}
}

// leastExcess is how much the rates of two series of the same events may differ,
// since each is extrapolated by itself; mostExcess bounds the excess where the
// total is almost 0.
var leastExcess, mostExcess = sla.NewDecimal(1, 100), sla.NewDecimal(1000, 1)

// excess records by what share of the total good events exceed it, while they do.
func (c counting) excess() []Rule {
	names := c.ofGood()
	if names.rate != metricnames.GoodRate {
		return nil // a component's, which its own rules record
	}
	more := promql.Sub(promql.Div(c.recorded(names.rate).Now(), c.total()), promql.Num(one))
	return []Rule{c.record(metricnames.Excess, promql.Gt(promql.ClampMax(more, mostExcess), promql.Num(leastExcess))).
		says("By what share good events exceed all events, if they do: the two selectors then do not count the same.").
		says("%s: rates are not more exact than 1 %%. %s bounds it where there are hardly any events.", inRules(leastExcess), inRules(mostExcess))}
}

// lintCounts compares what is counted, which is bad or good, with the total.
func lintCounts(what string, counted, total sla.Query) sla.Findings {
	part, all := countedOf(counted), countedOf(total)
	findings := slices.Concat(contradictions(counted, part), contradictions(total, all))
	if len(findings) > 0 || len(part) == 0 || len(all) == 0 {
		return findings
	}
	if covers(part, all) {
		means := map[string]string{"bad": "every event would be bad", "good": "no event could ever be bad"}[what]
		return sla.Findings{{
			Severity: sla.Error, Rule: "same-as-total", Pos: counted.Pos,
			Message: fmt.Sprintf("%s selects everything that total does, so that %s", what, means),
			Remedy:  fmt.Sprintf(`select the events that are %s, like http_requests_total{job="api",code=~"5.."} of all http_requests_total{job="api"}`, what),
		}}
	}
	for _, s := range part {
		findings = append(findings, meets(what, counted, s, all)...)
	}
	return findings
}

// covers reports whether each selector of a total is covered by a selector of the
// part.
func covers(part, all []promql.Selector) bool {
	return !slices.ContainsFunc(all, func(of promql.Selector) bool {
		return !slices.ContainsFunc(part, func(s promql.Selector) bool { return s.Covers(of) })
	})
}
