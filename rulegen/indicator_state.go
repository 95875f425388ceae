package rulegen

import (
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// States that are looked at: conditions, and shares that somebody else has calculated.

func ofCondition(i *sla.Condition) indicator {
	return indicator{count: func(c counting) ([]Rule, sla.Findings) { return c.condition(i.Expr) }}
}

func ofRatio(i *sla.Ratio) indicator {
	return indicator{count: func(c counting) ([]Rule, sla.Findings) { return c.takenOver(i.Bad) }}
}

// condition is bad while the condition does not hold. It is looked at once a
// minute, so the total of a minute is 1 wherever there is an answer.
func (c counting) condition(q sla.Query) ([]Rule, sla.Findings) {
	expr, holds, findings := truth(q, c.groupLabels()...)
	if findings.HasErrors() {
		return nil, findings
	}
	findings = append(c.groupsOf(q, expr.TruthLoses), filtered(q, notBad, expr.Filters(c.groupLabels()...))...)
	return c.looks(promql.Sub(promql.Num(one), holds), "1 if the condition did not hold "+looked(c)+", 0 if it did."), findings
}

// notBad is the consequence where a condition or a value of a level has no answer.
const notBad = "the level is unknown, and not bad"

// filtered finds comparisons that drop series where they should answer. In a
// total outage they drop all, and the level would be unknown and not bad. It is
// an error if another form means the same and always answers; elsewhere
// dropping may be intended. so says what follows from having no answer.
func filtered(q sla.Query, so string, filters []promql.Filter) sla.Findings {
	var findings sla.Findings
	for _, f := range filters {
		found := sla.Finding{
			Severity: sla.Warning, Rule: "hidden-outage", Pos: q.At(f.Offset), Message: f.Message + "; " + f.When + " " + so,
			Remedy: "compare by bool, which answers 0 instead of dropping; time that is not to count is excluded by spec.exclusions",
		}
		switch {
		case f.Certain:
			found.Severity, found.Remedy = sla.Error, "write "+f.Instead
		case f.Instead != "":
			found.Remedy = "write " + f.Instead + "; if such time is not to count, exclude it by spec.exclusions"
		}
		findings = append(findings, found)
	}
	return findings
}

// truth reads a user's condition. holds is 1 while it is true for every series
// that it compares, 0 while it is not, and has no sample while there is no
// series.
func truth(q sla.Query, by ...string) (expr, holds promql.Expr, findings sla.Findings) {
	if expr, findings = parsed(q); findings.HasErrors() {
		return expr, holds, findings
	}
	holds, err := expr.Truth(by...)
	if err != nil {
		return expr, holds, sla.Findings{queryError(q, "not-a-condition", "", err,
			"write comparisons of series with numbers or other series, joined by and / or, like queue_age_seconds < 60")}
	}
	return expr, holds, countsOfAnswers(q, expr)
}

// shareOf reads an expression whose series are shares that somebody else has
// calculated.
func shareOf(q sla.Query) (promql.Expr, sla.Findings) {
	expr, findings := parsed(q)
	if findings.HasErrors() {
		return expr, findings
	}
	if !expr.IsVector() {
		return promql.Expr{}, sla.Findings{{
			Severity: sla.Error, Rule: "not-a-ratio", Pos: q.Pos,
			Message: "this is a number or a range, and no series", Remedy: "write an expression whose series are shares from 0 to 1",
		}}
	}
	return expr, countsOfAnswers(q, expr)
}

// takenOver is a bad share that the user has calculated; NaN is unknown.
func (c counting) takenOver(q sla.Query) ([]Rule, sla.Findings) {
	expr, findings := shareOf(q)
	if findings.HasErrors() {
		return nil, findings
	}
	known := promql.Ge(expr, promql.Num(zero)) // drops NaN
	findings = append(c.groupsOf(q, expr.Loses), filtered(q, notBad, expr.ValueFilters(c.groupLabels()...))...)
	return c.looks(promql.ClampMax(promql.Avg(known, c.groupLabels()...), one), "the bad share "+looked(c)+", as it is calculated elsewhere."), findings
}

// countsOfAnswers finds counts of what a comparison with bool answers. They
// count every series, whatever its answer, so a total outage reads as good. They
// are errors, since the other form loses nothing.
func countsOfAnswers(q sla.Query, expr promql.Expr) sla.Findings {
	var findings sla.Findings
	for _, c := range expr.CountsOfAnswers() {
		remedy := "add the answers up by sum, or leave the comparison out to count all series"
		if c.Instead != "" {
			remedy = "write " + c.Instead + "; to count all series, leave the comparison out"
		}
		findings = append(findings, sla.Finding{Severity: sla.Error, Rule: "count-of-answers", Pos: q.At(c.Offset), Message: c.Message, Remedy: remedy})
	}
	return findings
}
