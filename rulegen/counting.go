package rulegen

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// counting counts the indicator of a level into two series.
type counting struct {
	level
	of   sla.ID // the level whose probe is counted, if one is and no other is named
	into source // what is counted into
}

// totalRule records the total, which is what; every term of it counts, and it has no
// sample only if no term has one.
func (c counting) totalRule(e promql.Expr, what string) Rule {
	return c.counts(c.record(c.into.total, e), what)
}

// badRule records what is bad.
func (c counting) badRule(e promql.Expr, what string) Rule {
	return c.counts(c.record(c.into.bad, e), what)
}

func (c counting) total() promql.Expr { return c.recorded(c.into.total).Now() }

// orZero is e, or 0 while there is a total, group by group: a series that was
// not born yet, as the error series of a service that never failed, counts
// nothing rather than making everything unknown.
func (c counting) orZero(e promql.Expr) promql.Expr {
	return promql.OrOn(e, promql.Mul(promql.Num(zero), c.total()), c.groupLabels()...)
}

// badFromRest records bad as total - good, never negative: the two are scraped
// at once but extrapolated apart.
func (c counting) badFromRest(good promql.Expr, what string) Rule {
	return c.badRule(promql.ClampMin(promql.SubOn(c.total(), good, c.groupLabels()...), zero), what)
}

// present is 1 for each group that has a series of the selectors at this moment.
func (c counting) present(selectors ...promql.Selector) promql.Expr {
	var union promql.Expr
	for i, s := range selectors {
		groups := promql.Group(s.Now(), c.groupLabels()...)
		if i == 0 {
			union = groups
		} else {
			union = promql.Or(union, groups)
		}
	}
	return union
}

// groupsOf finds group labels that a user's expression does not have; loses says
// where it drops one.
func (c counting) groupsOf(q sla.Query, loses func(label string) (at int, lost bool)) sla.Findings {
	var findings sla.Findings
	for _, label := range c.groupLabels() {
		if at, lost := loses(label); lost {
			findings = append(findings, sla.Finding{
				Severity: sla.Error, Rule: "lost-group", Pos: q.At(at),
				Message: fmt.Sprintf("the level %q is grouped by %q, and this part of its expression drops that label", c.ID.SLO, label),
				Remedy:  "keep the label: add it to by (…) or on (…)",
			})
		}
	}
	return findings
}

// admitted cuts what is counted first of a level down to the groups that there
// is room for, so that no number of label values makes the level record more
// than its limit. A group that is seen already stays, newcomers take the room that is
// left: which groups are measured does not change with their traffic. present
// are the groups that there are; it is looked at for one moment, which is a
// small part of what counting over a window costs.
//
// The limit of a rule group would be no bound to live with: it fails the whole
// rule, and with one value too many nobody's promise would be measured.
func (c counting) admitted(e, present promql.Expr) promql.Expr {
	if !c.grouped() {
		return e
	}
	by := c.groupLabels()
	const seen = 2 // above the 1 of a newcomer; a group that is both has 3
	known := promql.Add(promql.Mul(promql.Num(zero), c.recorded(metricnames.GroupSeen).Now()), number(seen))
	rank := promql.Sum(promql.Or(present, known), by...)
	return promql.AndOn(e, promql.TopK(int64(c.GroupBy.Limit), rank), by...)
}

// ofAdmitted is what e has of the groups that have a total.
func (c counting) ofAdmitted(e promql.Expr) promql.Expr {
	if !c.grouped() {
		return e
	}
	return promql.AndOn(e, c.total(), c.groupLabels()...)
}

// without are the series of a whole that have no part beside them, with the same
// labels but for some, where the window begins, or where it ends. A target that
// keeps its labels when it is given other bounds has a count over the whole of a
// window and the bucket in a part of it.
func (c counting) without(whole, part promql.Selector, but ...string) promql.Expr {
	alone := func(whole, part promql.Expr) promql.Expr { return promql.UnlessIgnoring(whole, part, but...) }
	return promql.Or(alone(whole.Now(), part.Now()), alone(whole.Offset(c.span()), part.Offset(c.span())))
}

// sumOfRates is the rate of a counter, or of the sum of several, without
// labels.
func (c counting) sumOfRates(q sla.Query) (promql.Expr, sla.Findings) {
	selectors, findings := counterSelectors(q)
	if findings.HasErrors() {
		return promql.Expr{}, findings
	}
	return c.scan(sumOfCounters(selectors, c.rate, c.groupLabels())), findings
}

// sumOfCounters is the sum of what is made of counters, by groups. Several are told apart by
// a label before they are joined, because "a or b" would drop what of b has the
// labels of a, and a + b would be empty where one of them is not born yet.
func sumOfCounters(selectors []promql.Selector, of func(promql.Selector) promql.Expr, groups []string) promql.Expr {
	if len(selectors) == 1 {
		return promql.Sum(of(selectors[0]), groups...)
	}
	tag := "term"
	for slices.Contains(groups, tag) {
		tag += "_"
	}
	var union promql.Expr
	for i, s := range selectors {
		term := promql.SetLabel(promql.Sum(of(s), groups...), tag, strconv.Itoa(i+1))
		if i == 0 {
			union = term
		} else {
			union = promql.Or(union, term)
		}
	}
	return promql.Sum(union, groups...)
}

// looks records a share of bad, which is what, that is looked at once a minute, at its
// end.
func (c counting) looks(bad promql.Expr, what string) []Rule {
	bad = c.atCut(bad)
	judged := c.recorded(c.into.bad).Now()
	return []Rule{
		c.limitsGroups(c.about(c.record(c.into.bad, c.admitted(bad, promql.Group(bad, c.groupLabels()...))), what)),
		c.about(c.record(c.into.total, is1(judged)), "1 while that has an answer."),
	}
}
