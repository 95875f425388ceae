package rulegen

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Levels with groups. Every recorded series of such a level carries the group
// labels, and every join is on them too; the rest here is which groups there
// are, how many there may be, and what is promised to each.

// AlertGroupLimit fires when a level nears the groups that its limit allows.
const AlertGroupLimit = "SLAGroupLimit"

func (c compiler) grouped() bool { return len(c.groupLabels()) > 0 }

// present is 1 for each group that has a series of the selectors at this moment.
func (c compiler) present(selectors ...promql.Selector) promql.Expr {
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

// presentProbes are the groups of a probe that exporters tell of, by the counter
// that the level reads.
func (c compiler) presentProbes(of sla.ID, metric string, matcher promql.Matcher) promql.Expr {
	if metric != metricnames.ProbeWithin {
		metric, matcher = metricnames.ProbeResults, promql.Eq(metricnames.Outcome, metricnames.Good)
	}
	return c.present(promql.Series(metric, append(identity(of), matcher)...))
}

// groupsOf finds group labels that a user's expression does not have; loses says
// where it drops one.
func (c compiler) groupsOf(q sla.Query, loses func(label string) (at int, lost bool)) sla.Findings {
	var findings sla.Findings
	for _, label := range c.groupLabels() {
		if at, lost := loses(label); lost {
			findings = append(findings, sla.Finding{
				Severity: sla.Error, Rule: "lost-group", Pos: q.At(at),
				Message: fmt.Sprintf("the level %q is grouped by %q, and this part of its expression drops that label", c.level.ID.SLO, label),
				Remedy:  "keep the label: add it to by (…) or on (…)",
			})
		}
	}
	return findings
}

// admitted cuts what is counted first of a level down to the groups that there
// is room for, so that no number of label values makes the level record more
// than its limit. Whoever is seen already stays, newcomers take the room that is
// left: which groups are measured does not change with their traffic. present
// are the groups that there are; it is looked at for one moment, which is a
// small part of what counting over a window costs.
//
// The limit of a rule group would be no bound to live with: it fails the whole
// rule, and with one value too many nobody's promise would be measured.
func (c compiler) admitted(e, present promql.Expr) promql.Expr {
	if !c.grouped() {
		return e
	}
	by := c.groupLabels()
	const seen = 2 // above the 1 of a newcomer; a group that is both has 3
	known := promql.Add(promql.Mul(promql.Num(zero), c.recorded(metricnames.GroupSeen).Now()), number(seen))
	rank := promql.Sum(promql.Or(present, known), by...)
	return promql.AndOn(e, promql.TopK(int64(c.level.GroupBy.Limit), rank), by...)
}

// ofAdmitted is what e has of the groups that have a total.
func (c compiler) ofAdmitted(e promql.Expr) promql.Expr {
	if !c.grouped() {
		return e
	}
	return promql.AndOn(e, c.total(), c.groupLabels()...)
}

// seenGroups record the groups that the level has: 1 for one with data, 0 for
// one that is only in the figures of the period, or of a window, still.
func (c compiler) seenGroups() Rule {
	zeroOf := func(e promql.Expr) promql.Expr { return promql.Mul(promql.Num(zero), e) }
	e := promql.Add(zeroOf(c.recorded(metricnames.TotalRate).Now()), promql.Num(one))
	// The second tier is looked at over three of its evaluations, so that no group is missed between two.
	const evaluations = 3
	last := func(s promql.Selector) promql.Expr { // without the label of the period, which no join has
		return zeroOf(promql.Sum(s.LastOverTime(evaluations*secondTier*c.interval), c.joinLabels()...))
	}
	e = promql.OrOn(e, last(c.recorded(metricnames.TotalPeriod)), c.joinLabels()...)
	if slices.ContainsFunc(c.level.Periods(), func(p sla.Period) bool { return p.Calendar != "" }) { // which forgets everything at its end, and windows do not
		short, long := c.windows()
		longest := slices.Max(slices.Concat(short, long))
		e = promql.OrOn(e, last(c.recorded(ratioName(longest))), c.joinLabels()...)
	}
	return c.record(metricnames.GroupSeen, e)
}

// mostTold is how many groups an alert lists.
const mostTold = 5

// worstGroups record the groups that burn their budgets fastest now, of those
// that burn more than they may. All alerts of an outage list them, and each
// evaluation expands the list for every alert: so they are found once, by a rule.
func (c compiler) worstGroups() Rule {
	ratio := c.recorded(ratioName(sla.BaseWindow)).Now()
	rate := promql.Div(ratio, c.objectiveBudget())
	if c.ownTargets() {
		rate = promql.DivManyOn(ratio, c.objectiveBudget(), c.joinLabels()...)
	}
	return c.record(metricnames.GroupWorst, promql.TopK(mostTold, promql.Gt(rate, promql.Num(one))))
}

// tellGroups lists the worst groups in an alert of one of them: people are
// notified once of all.
func (c compiler) tellGroups(r Rule) {
	if !c.grouped() || r.Alert != AlertBudgetBurn {
		return
	}
	var words []string
	for _, label := range c.groupLabels() {
		words = append(words, fmt.Sprintf(`%s {{ or .Labels.%s "(none)" }}`, label, label))
	}
	r.Annotations["worst_groups"] = fmt.Sprintf("{{ range query %q }}%s burns {{ printf `%%.3g` .Value }} times too fast. {{ else }}No group burns its budget now.{{ end }}",
		promql.SortDesc(c.recorded(metricnames.GroupWorst).Now()).String(), strings.Join(words, ", "))
}

// promised is a promise for every group that is seen: value of the target that
// holds for it.
func (c compiler) promised(value func(sla.GroupTarget) sla.Decimal) promql.Expr {
	var e promql.Expr
	for i, t := range c.level.Promises() {
		var match []promql.Matcher
		for _, label := range slices.Sorted(maps.Keys(t.Match)) {
			match = append(match, promql.Eq(label, t.Match[label]))
		}
		one := promql.Add(promql.Mul(promql.Num(zero), c.recorded(metricnames.GroupSeen, match...).Now()), promql.Num(value(t).Quo(hundred)))
		if i == 0 {
			e = one
		} else {
			e = promql.OrOn(e, one, c.joinLabels()...)
		}
	}
	return e
}

// ownTargets tells whether groups of the level have targets of their own, so
// that a threshold is not one number.
func (c compiler) ownTargets() bool { return len(c.level.GroupBy.Targets) > 0 }

// targetBudget and objectiveBudget are what is allowed to be bad: a number, or
// one for each group where groups have targets of their own.
func (c compiler) targetBudget() promql.Expr {
	return c.budget(metricnames.TargetRatio, c.level.TargetBudget())
}

func (c compiler) objectiveBudget() promql.Expr {
	return c.budget(metricnames.ObjectiveRatio, c.level.ObjectiveBudget())
}

func (c compiler) budget(recorded string, number sla.Decimal) promql.Expr {
	if !c.ownTargets() {
		return promql.Num(number)
	}
	return promql.Sub(promql.Num(one), c.recorded(recorded).Now())
}

// thresholdOf a tier is what the bad share of a window must exceed.
func (c compiler) thresholdOf(t sla.Tier) promql.Expr {
	if !c.ownTargets() {
		return promql.Num(c.threshold(t))
	}
	e := promql.Mul(c.objectiveBudget(), promql.Num(t.Factor))
	for _, p := range c.level.Promises() {
		if _, adapted := c.reachable(t, p.ObjectiveBudget()); adapted {
			return promql.ClampMax(e, sla.MaxThreshold.Quo(c.alertShare()))
		}
	}
	return e
}

// leastFactor is the burn rate at which a tier fires, the lowest where it is
// adapted for some groups.
func (c compiler) leastFactor(t sla.Tier) sla.Decimal {
	least := t.Factor
	for _, p := range c.level.Promises() {
		threshold, _ := c.reachable(t, p.ObjectiveBudget())
		if factor := threshold.Quo(p.ObjectiveBudget()); factor.Cmp(least) < 0 {
			least = factor
		}
	}
	return least
}

// perBudget is a bad share of a period over what is allowed of it.
func (c compiler) perBudget(ratio promql.Expr) promql.Expr {
	if !c.ownTargets() {
		return promql.Div(ratio, c.targetBudget())
	}
	return promql.DivManyOn(ratio, c.targetBudget(), c.joinLabels()...)
}

// groupWords name the group in alerts: ` of tenant acme`.
func (c compiler) groupWords() string {
	var words []string
	for _, label := range c.groupLabels() {
		words = append(words, fmt.Sprintf(`%s {{ or $labels.%s "(none)" }}`, label, label))
	}
	if len(words) == 0 {
		return ""
	}
	return " of " + strings.Join(words, ", ")
}

// promiseWords say in an alert what the objective, or the target, of its group
// is, and what that allows: in numbers, or asked for where groups have their own.
func (c compiler) promiseWords(recorded string, percent sla.Decimal) (promise, allows string) {
	if !c.ownTargets() {
		return percent.String() + "%", hundred.Sub(percent).String() + "%"
	}
	id := c.level.ID
	matchers := fmt.Sprintf(`%s=%q,%s=%q,%s=%q`, metricnames.SLA, id.SLA, metricnames.Service, id.Service, metricnames.SLO, id.SLO)
	var more, arguments strings.Builder
	for _, label := range c.groupLabels() {
		more.WriteString("," + label + "=%q")
		arguments.WriteString(" $labels." + label)
	}
	ask := func(query, format string) string {
		return fmt.Sprintf("{{ with printf `%s` %s | query }}{{ . | first | value | printf `%s` }}%%{{ end }}",
			fmt.Sprintf(query, recorded+"{"+matchers+more.String()+"}"), strings.TrimSpace(arguments.String()), format)
	}
	return ask("100 * %s", "%.8g"), ask("100 - 100 * %s", "%.3g")
}

// required are the groups that must always have data.
func (c compiler) required() []sla.GroupTarget {
	return slices.DeleteFunc(slices.Clone(c.level.GroupBy.Targets), func(t sla.GroupTarget) bool { return !t.Required })
}

// lostGroups are the groups that must have data and have none, as labels.
func (c compiler) lostGroups() promql.Expr {
	var lost promql.Expr
	for _, t := range c.required() {
		match := make([]promql.Matcher, 0, len(c.groupLabels()))
		for _, label := range c.groupLabels() {
			match = append(match, promql.Eq(label, t.Match[label]))
		}
		if gone := promql.Absent(c.recorded(metricnames.TotalRate, match...)); lost.IsZero() {
			lost = gone
		} else {
			lost = promql.Or(lost, gone)
		}
	}
	return lost
}

// withGroupsLost adds to what fires when the level as a whole has no data the
// groups that must have some and have none. One rule tells of all: several of a
// name with the same labels would be a duplicate to linters, and a group's value
// may be no label of a rule, where Prometheus would expand it as a template.
func (c compiler) withGroupsLost(whole promql.Expr) promql.Expr {
	lost := c.lostGroups()
	if lost.IsZero() {
		return whole
	}
	return promql.Or(whole, promql.UnlessOn(lost, whole))
}

// lostGroupWords name the group that is lost, if the alert is not of all.
func (c compiler) lostGroupWords() string {
	if len(c.required()) == 0 {
		return ""
	}
	return fmt.Sprintf("{{ if $labels.%s }}%s{{ end }}", c.groupLabels()[0], c.groupWords())
}

// longestPeriod is the one that forgets a group last.
func (c compiler) longestPeriod() sla.Period {
	return slices.MaxFunc(c.level.Periods(), func(a, b sla.Period) int { return cmp.Compare(a.Longest(), b.Longest()) })
}

// groupsNearLimit is when a level has so many groups, in percent of its limit,
// that somebody should look.
const groupsNearLimit = 80

// groupLimit fires before newcomers are turned away.
func (c compiler) groupLimit(n sla.Notice) Rule {
	limit := int64(c.level.GroupBy.Limit)
	near := promql.Gt(promql.Count(c.recorded(metricnames.GroupSeen).Now()), promql.Num(sla.NewDecimal(limit*groupsNearLimit, 100)))
	return c.notice(AlertGroupLimit, n, near, map[string]string{
		"summary": fmt.Sprintf("%s has {{ $value }} of at most %d groups", c.name(), limit),
		"description": fmt.Sprintf("It is grouped by %s. At %d groups a new one finds no room: it is in no figure and no alert until the limit is raised, "+
			"or until the period of %s has forgotten a group that left. Look whether the new values are what they should be, then raise groupBy.limit.",
			strings.Join(c.groupLabels(), ", "), limit, c.longestPeriod().Words()),
	})
}
