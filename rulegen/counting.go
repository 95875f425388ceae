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
	of   sla.ID // the level whose probe is counted, unless the indicator names another
	into source // the series that it is counted into
}

// totalRule records the total, described by the text what. Every term counts, and
// there is no sample only if no term has one.
func (c counting) totalRule(e promql.Expr, what string) Rule {
	return c.counts(c.record(c.into.total, e), what)
}

// badRule records the bad part, described by the text what.
func (c counting) badRule(e promql.Expr, what string) Rule {
	return c.counts(c.record(c.into.bad, e), what)
}

func (c counting) total() promql.Expr { return c.recorded(c.into.total).Now() }

// orZero is e, or 0 for each group that has a total: the error series of a
// service that never failed does not exist yet, which must count as 0 and not
// make everything unknown.
func (c counting) orZero(e promql.Expr) promql.Expr {
	return promql.OrOn(e, promql.Mul(promql.Num(zero), c.total()), c.groupLabels()...)
}

// badFromRest records bad as total - good, never negative: the two are scraped
// together but extrapolated separately.
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

// admitted limits the first series that a level records to the groups there is room
// for, so that no number of label values makes the level record more than its limit.
// A known group stays and new ones get the room that is left, so that which groups
// are measured does not change with their traffic. present are the groups that exist
// now: looking at one moment costs little beside counting over a window.
//
// The limit of a rule group would not do: it fails the whole rule, so with one value
// too many nobody's promise would be measured.
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

// ofAdmitted is e for the groups that have a total.
func (c counting) ofAdmitted(e promql.Expr) promql.Expr {
	if !c.grouped() {
		return e
	}
	return promql.AndOn(e, c.total(), c.groupLabels()...)
}

// without selects those series of a whole that have no series of the part with
// the same labels, apart from some, at the beginning or at the end of the
// window. For example, a target that keeps its labels when it gets other buckets
// has a count over the whole window, and the new bucket in only a part of it.
func (c counting) without(whole, part promql.Selector, but ...string) promql.Expr {
	alone := func(whole, part promql.Expr) promql.Expr { return promql.UnlessIgnoring(whole, part, but...) }
	return promql.Or(alone(whole.Now(), part.Now()), alone(whole.Offset(c.span()), part.Offset(c.span())))
}

// sumOfRates is the rate of a counter, or of the sum of several, by group.
func (c counting) sumOfRates(q sla.Query) (promql.Expr, sla.Findings) {
	selectors, findings := counterSelectors(q)
	if findings.HasErrors() {
		return promql.Expr{}, findings
	}
	return c.scan(sumOfCounters(selectors, c.rate, c.groupLabels())), findings
}

// sumOfCounters applies a function to each counter, and sums the results by group. A label
// tells several counters apart before they are joined, because "a or b" would drop series of
// b that have the labels of one of a, and a + b would be empty while one of them does not
// exist yet.
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

// looks records a bad share that is looked at once a minute, at its end, and
// described by the text what.
func (c counting) looks(bad promql.Expr, what string) []Rule {
	bad = c.atCut(bad)
	judged := c.recorded(c.into.bad).Now()
	return []Rule{
		c.limitsGroups(c.about(c.record(c.into.bad, c.admitted(bad, promql.Group(bad, c.groupLabels()...))), what)),
		c.about(c.record(c.into.total, is1(judged)), "1 while that has an answer."),
	}
}
