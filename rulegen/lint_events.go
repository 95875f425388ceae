package rulegen

import (
	"fmt"
	"slices"

	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// lintEvents finds counts that cannot be what is meant, by the selectors alone.
func (c compiler) lintEvents() sla.Findings {
	switch i := c.level.Indicator.(type) {
	case *sla.Events:
		if i.Bad.Text != "" {
			return lintCounts("bad", i.Bad, i.Total)
		}
		return lintCounts("good", i.Good, i.Total)
	case *sla.HistogramLatency:
		return lintOfHistogram(i.Good, i.Histogram)
	case *sla.NativeLatency:
		return lintOfHistogram(i.Good, i.Histogram)
	}
	return nil
}

// countedOf are the selectors of a query, none if it has a mistake, which is
// reported where it is read.
func countedOf(q sla.Query) []promql.Selector {
	if q.Text == "" {
		return nil
	}
	selectors, findings := counterSelectors(q)
	if findings.HasErrors() {
		return nil
	}
	return selectors
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

// boundLabels tell parts of one distribution apart, which are counts of the same
// events: those of le="0.3" are among those of le="+Inf".
var boundLabels = []string{"le", "quantile"}

// meets finds a selector that has nothing in common with any of a total of the
// same metric. Other metrics may count the same events under other labels.
func meets(what string, q sla.Query, s promql.Selector, all []promql.Selector) sla.Findings {
	apart, severity := "", sla.Error
	for _, of := range all {
		if s.Name() == "" || of.Name() != s.Name() {
			return nil
		}
		if apart = s.Apart(of, boundLabels...); apart == "" {
			return nil
		}
		if of.Literal(apart) { // which may be a sum that the service makes itself: code="all"
			severity = sla.Warning
		}
	}
	return sla.Findings{{
		Severity: severity, Rule: "not-of-total", Pos: q.At(s.Place()),
		Message: fmt.Sprintf("no %s event can be one of the total: no series of %s has a %q that both select", what, s.Name(), apart),
		Remedy:  fmt.Sprintf("let total select all events, good and bad, whatever their %q", apart),
	}}
}

// lintOfHistogram compares the series of a histogram whose requests may be good with all.
func lintOfHistogram(good, histogram sla.Query) sla.Findings {
	part, all := countedOf(good), countedOf(histogram)
	findings := slices.Concat(contradictions(good, part), contradictions(histogram, all))
	if len(findings) == 0 && len(part) == 1 && len(all) > 0 {
		findings = meets("good", good, part[0], all)
	}
	return findings
}

// contradictions finds selectors that no series can fulfil, and those that are
// in a sum twice.
func contradictions(q sla.Query, selectors []promql.Selector) sla.Findings {
	var findings sla.Findings
	for i, s := range selectors {
		if label := s.Apart(s); label != "" {
			findings = append(findings, sla.Finding{
				Severity: sla.Error, Rule: "selects-nothing", Pos: q.At(s.Place()),
				Message: fmt.Sprintf("no series can be selected: no %q fulfils all of its conditions", label), Remedy: "take out one of them",
			})
		}
		if slices.ContainsFunc(selectors[:i], s.Same) {
			findings = append(findings, sla.Finding{
				Severity: sla.Error, Rule: "counted-twice", Pos: q.At(s.Place()),
				Message: "this selector stands in the sum twice, so that its events count twice", Remedy: "take one of them out",
			})
		}
	}
	return findings
}

// covers tells whether each selector of a total is covered by one of what is
// counted of it.
func covers(part, all []promql.Selector) bool {
	return !slices.ContainsFunc(all, func(of promql.Selector) bool {
		return !slices.ContainsFunc(part, func(s promql.Selector) bool { return s.Covers(of) })
	})
}
