package rulegen

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// What users write: queries, and findings about them.

func counterSelectors(q sla.Query) ([]promql.Selector, sla.Findings) {
	const remedy = `write the counter's selector alone, like http_requests_total{job="api"}, or a sum of such (a + b); rate and sum are added by the generator`
	expr, findings := parsed(q)
	if findings.HasErrors() {
		return nil, findings
	}
	selectors, err := expr.Selectors()
	if err != nil {
		return nil, sla.Findings{queryError(q, "not-a-selector", "", err, remedy)}
	}
	for _, s := range selectors {
		if s.Name() != "" && strings.HasPrefix(s.Name(), "sla:") {
			findings = append(findings, sla.Finding{
				Severity: sla.Error, Rule: "not-a-counter", Pos: q.Pos,
				Message: fmt.Sprintf("%s is a series that upheld records, not a counter", s.Name()), Remedy: remedy,
			})
		}
	}
	return selectors, findings
}

// parsed is a query as an expression, or the reason why it is not one.
func parsed(q sla.Query) (promql.Expr, sla.Findings) {
	expr, err := promql.Parse(q.Text)
	if err == nil {
		return expr, nil
	}
	if at, ok := errors.AsType[*promql.ParseError](err); ok && at.TooLarge {
		return expr, sla.Findings{queryError(q, "query-size", "", err, "select several series by one selector with =~, or have a rule of your own record a part of it")}
	}
	return expr, sla.Findings{queryError(q, "promql-syntax", "not valid PromQL: ", err, "correct the expression")}
}

func queryError(q sla.Query, rule, prefix string, err error, remedy string) sla.Finding {
	f := sla.Finding{Severity: sla.Error, Rule: rule, Pos: q.Pos, Message: prefix + err.Error(), Remedy: remedy}
	if at, ok := errors.AsType[*promql.ParseError](err); ok {
		f.Pos = q.At(at.Offset)
		if at.Instead != "" {
			f.Remedy = "write " + at.Instead
		}
	}
	return f
}

// countedOf are the selectors of a query; none if it has a mistake, which is
// reported where the query is read.
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

// boundLabels tell apart the series of one distribution, which count the same
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

// contradictions finds selectors that no series can fulfil, and those that
// occur in a sum twice.
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

// recoveryQueries are findings about the queries of recovery objectives; the rules that
// read these do not repeat them. Objectives that levels have from the agreement are
// checked once.
func recoveryQueries(a *sla.Agreement) (findings sla.Findings) {
	var done []*sla.Recovery
	for _, l := range a.Levels {
		if l.Recovery == nil || slices.Contains(done, l.Recovery) {
			continue
		}
		done = append(done, l.Recovery)
		for _, o := range l.Recovery.Objectives {
			if o.Metric.Facets().Queries {
				_, fs := parsed(o.Age)
				findings = append(findings, fs...)
			}
		}
	}
	return findings
}
