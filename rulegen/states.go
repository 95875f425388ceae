package rulegen

import (
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// states spreads what is looked at in each minute over five.
func (c compiler) states() []Rule {
	rules := c.spread(c.recorded(metricnames.SlotBad).Now(), nil)
	if of, ok := c.level.Indicator.(*sla.Composite); ok {
		rules = append(append(rules, c.tree(of).blames()...), c.divergence(of)...)
	}
	return rules
}

// condition is bad while the condition does not hold. There is one look a
// minute, so the total of a minute is 1 wherever there is an answer.
func (c compiler) condition(q sla.Query) ([]Rule, sla.Findings) {
	expr, holds, findings := truth(q, c.groupLabels()...)
	if findings.HasErrors() {
		return nil, findings
	}
	findings = append(c.groupsOf(q, expr.TruthLoses), filtered(q, notBad, expr.Filters(c.groupLabels()...))...)
	return c.looks(promql.Sub(promql.Num(one), holds)), findings
}

// notBad is what follows where a condition or a value of a level has no answer.
const notBad = "the level is unknown, and not bad"

// filtered finds comparisons that drop series where they should answer: a total
// outage, in which they drop all, would be unknown and not bad. It is an error
// where another form says the same and answers, so that nothing is lost by it;
// elsewhere leaving out may be what is meant. so says what follows of having no
// answer.
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

// truth reads a user's condition; holds is 1 while it does for every series that
// it compares, 0 while it does not, and nothing while there is none.
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

// countsOfAnswers finds counts of what a comparison answers by bool. They are
// errors: they count all series, so a total outage reads as good, and nothing is
// lost by the other form.
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

// takenOver is a bad share that the user has calculated; what is no number is unknown.
func (c compiler) takenOver(q sla.Query) ([]Rule, sla.Findings) {
	expr, findings := shareOf(q)
	if findings.HasErrors() {
		return nil, findings
	}
	known := promql.Ge(expr, promql.Num(zero)) // drops NaN
	findings = append(c.groupsOf(q, expr.Loses), filtered(q, notBad, expr.ValueFilters(c.groupLabels()...))...)
	return c.looks(promql.ClampMax(promql.Avg(known, c.groupLabels()...), one)), findings
}

// looks records a share of bad that is looked at once a minute, at its end.
func (c compiler) looks(bad promql.Expr) []Rule {
	bad = c.atCut(bad)
	judged := c.recorded(c.into.bad).Now()
	return []Rule{
		c.record(c.into.bad, c.admitted(bad, promql.Group(bad, c.groupLabels()...))),
		c.totalRule(promql.Add(promql.Mul(promql.Num(zero), judged), promql.Num(one))),
	}
}

// blackbox averages a gauge that is 1 for a probe that succeeded. Scrapes that
// failed have no sample, so they are unknown and not bad.
func (c compiler) blackbox(q sla.Query) ([]Rule, sla.Findings) {
	selectors, findings := counterSelectors(q)
	if findings.HasErrors() {
		return nil, findings
	}
	if len(selectors) > 1 {
		return nil, sla.Findings{{
			Severity: sla.Error, Rule: "not-a-selector", Pos: q.Pos,
			Message: "a blackbox level reads one selector, not a sum", Remedy: "give each its own service level, or select both with =~",
		}}
	}
	good := c.atCut(promql.Avg(selectors[0].AvgOverTime(c.into.window), c.groupLabels()...))
	return []Rule{
		c.totalRule(c.admitted(promql.Add(promql.Mul(promql.Num(zero), good), promql.Num(one)), c.present(selectors[0]))),
		c.badFromRest(good),
	}, findings
}

// native counts the requests of a native histogram above the threshold. Without
// requests the fraction is NaN, which the comparison drops. Its rates are
// extrapolated in minutes and slots too: old servers have no differences of
// histograms.
func (c compiler) native(n *sla.NativeLatency) ([]Rule, sla.Findings) {
	s, findings := histogramSelector(n.Histogram)
	if findings.HasErrors() {
		return nil, findings
	}
	fine, more := c.goodOf(s, n.Good)
	if findings = append(findings, more...); findings.HasErrors() {
		return nil, findings
	}
	bound, more := c.boundOf(n.Histogram, s, n.Unit, n.Threshold)
	if findings = append(findings, more...); findings.HasErrors() {
		return nil, findings
	}
	rate := func(s promql.Selector) promql.Expr { return promql.Sum(s.Rate(c.into.window), c.groupLabels()...) }
	within := promql.Mul(promql.HistogramFraction(zero, bound, rate(fine)), promql.HistogramCount(rate(fine)))
	total := c.atCut(promql.HistogramCount(rate(s)))
	if n.Good.Text != "" {
		none := promql.Mul(promql.Num(zero), promql.HistogramCount(rate(fine))) // which is known without traffic too
		good := promql.OrOn(promql.Ge(within, promql.Num(zero)), none, c.groupLabels()...)
		return c.countedByGood(total, c.atCut(good), fine), findings
	}
	good := c.atCut(promql.Ge(within, promql.Num(zero)))
	return []Rule{c.totalRule(c.admitted(total, c.present(s))), c.badFromRest(c.orZero(good))}, findings
}
