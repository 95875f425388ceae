package rulegen

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// promises are what a level promises, as rules record and compare it: one number,
// or one for each group where groups have targets of their own.
type promises struct{ level }

// constants record what the level promises, and a description of it as labels.
func (pr promises) constants() []Rule {
	l := pr.level
	info := pr.labels(infoIndicator, l.Indicator.Kind(), metricnames.Period, pr.periodNames(), infoUnit, unitOf(l),
		infoTarget, l.Target.String(), infoObjective, l.Objective.String())
	if l.Impact != "" {
		info[infoImpact] = l.Impact
	}
	for _, k := range slices.Sorted(maps.Keys(l.Labels)) {
		info[infoPrefix+k] = l.Labels[k]
	}
	described := Rule{Record: metricnames.LevelInfo, Expr: promql.Vector(one), Labels: info}.says("What the level promises, as labels.")
	if pr.grouped() {
		info[infoGroupBy] = strings.Join(pr.groupLabels(), ",")
		return []Rule{
			pr.seenGroups(),
			pr.record(metricnames.TargetRatio, pr.promised(func(t sla.GroupTarget) sla.Decimal { return t.Target })).
				says("The target share of each group.").says("%s", pr.promisedWords(func(t sla.GroupTarget) sla.Decimal { return t.Target })),
			pr.record(metricnames.ObjectiveRatio, pr.promised(func(t sla.GroupTarget) sla.Decimal { return t.Objective })).
				says("The objective of each group, which alerts follow.").says("%s", pr.promisedWords(func(t sla.GroupTarget) sla.Decimal { return t.Objective })),
			pr.worstGroups(),
			described,
		}
	}
	return []Rule{
		pr.record(metricnames.TargetRatio, promql.Vector(l.TargetRatio())).
			says("The target share: %s = %s %%", inRules(l.TargetRatio()), l.Target),
		pr.record(metricnames.ObjectiveRatio, promql.Vector(l.ObjectiveRatio())).
			says("The objective, which alerts follow: %s = %s %%", inRules(l.ObjectiveRatio()), l.Objective),
		described,
	}
}

// unitOf is what the sums of the level count.
func unitOf(l level) string {
	if l.Aggregation.Counts() == sla.CountsEvents {
		return "events"
	}
	return "seconds"
}

// periodNames are the names of a level's periods, joined by commas.
func (l level) periodNames() string {
	var names []string
	for _, p := range l.Periods() {
		names = append(names, p.String())
	}
	return strings.Join(names, ",")
}

// seenGroups records the groups that the level has: 1 for one with data, 0 for
// one that only figures of a period or a window still have.
func (pr promises) seenGroups() Rule {
	zeroOf := func(e promql.Expr) promql.Expr { return promql.Mul(promql.Num(zero), e) }
	e := promql.Add(zeroOf(pr.recorded(metricnames.TotalRate).Now()), promql.Num(one))
	// Looks back over three evaluations of the second layer, so that no group is missed between two.
	const evaluations = 3
	last := func(s promql.Selector) promql.Expr { // without the label of the period, which no join has
		return zeroOf(promql.Sum(s.LastOverTime(evaluations*secondLayer*pr.interval), pr.joinLabels()...))
	}
	e = promql.OrOn(e, last(pr.recorded(metricnames.TotalPeriod)), pr.joinLabels()...)
	if slices.ContainsFunc(pr.Periods(), func(p sla.Period) bool { return p.Calendar != "" }) { // which forgets everything at its end, and windows do not
		short, long := pr.windowLengths()
		longest := slices.Max(slices.Concat(short, long))
		e = promql.OrOn(e, last(pr.recorded(ratioName(longest))), pr.joinLabels()...)
	}
	return pr.record(metricnames.GroupSeen, e).
		says("1 for each group with data, 0 for one that only figures of the period, or of a window, still have.")
}

// worstGroups records the groups that burn their budgets fastest now, of those
// that burn too fast. All alerts of an outage list them, and each evaluation
// expands the list for every alert: so a rule finds them once.
func (pr promises) worstGroups() Rule {
	ratio := pr.recorded(ratioName(sla.BaseWindow)).Now()
	rate := promql.Div(ratio, pr.objectiveBudget())
	if pr.ownTargets() {
		rate = promql.DivManyOn(ratio, pr.objectiveBudget(), pr.joinLabels()...)
	}
	worst := pr.record(metricnames.GroupWorst, promql.TopK(mostListed, promql.Gt(rate, promql.Num(one)))).
		says("The %d groups that burn their budget fastest now, of those that burn it faster than allowed.", mostListed)
	if pr.ownTargets() {
		return worst
	}
	return worst.says("%s", budgetWords(pr.ObjectiveBudget(), pr.Objective))
}

// budgetWords explain a budget.
func budgetWords(budget, percent sla.Decimal) string {
	return fmt.Sprintf("%s = 1 - %s %%", inRules(budget), percent)
}

// promisedWords explain the constants of promised.
func (pr promises) promisedWords(value func(sla.GroupTarget) sla.Decimal) string {
	var words []string
	for _, t := range pr.Promises() {
		words = append(words, fmt.Sprintf("%s = %s %%", inRules(value(t).Quo(hundred)), value(t)))
	}
	return firstOf(words)
}

// promised is a promise for every seen group: a value of the target that holds
// for it.
func (pr promises) promised(value func(sla.GroupTarget) sla.Decimal) promql.Expr {
	var e promql.Expr
	for i, t := range pr.Promises() {
		var match []promql.Matcher
		for _, label := range slices.Sorted(maps.Keys(t.Match)) {
			match = append(match, promql.Eq(label, t.Match[label]))
		}
		one := promql.Add(promql.Mul(promql.Num(zero), pr.recorded(metricnames.GroupSeen, match...).Now()), promql.Num(value(t).Quo(hundred)))
		if i == 0 {
			e = one
		} else {
			e = promql.OrOn(e, one, pr.joinLabels()...)
		}
	}
	return e
}

// ownTargets reports whether groups of the level have targets of their own, so
// that a threshold is not one number.
func (pr promises) ownTargets() bool { return len(pr.GroupBy.Targets) > 0 }

// targetBudget and objectiveBudget are what is allowed to be bad: a number, or
// one for each group where groups have targets of their own.
func (pr promises) targetBudget() promql.Expr {
	return pr.budget(metricnames.TargetRatio, pr.TargetBudget())
}

func (pr promises) objectiveBudget() promql.Expr {
	return pr.budget(metricnames.ObjectiveRatio, pr.ObjectiveBudget())
}

func (pr promises) budget(recorded string, number sla.Decimal) promql.Expr {
	if !pr.ownTargets() {
		return promql.Num(number)
	}
	return promql.Sub(promql.Num(one), pr.recorded(recorded).Now())
}

// perBudget is the bad share of a period over the share that is allowed.
func (pr promises) perBudget(ratio promql.Expr) promql.Expr {
	if !pr.ownTargets() {
		return promql.Div(ratio, pr.targetBudget())
	}
	return promql.DivManyOn(ratio, pr.targetBudget(), pr.joinLabels()...)
}

// threshold is the bad share at which a tier of the level fires.
func (pr promises) threshold(t sla.Tier) sla.Decimal {
	threshold, _ := pr.reachable(t, pr.ObjectiveBudget())
	return threshold
}

// strictest is the lowest threshold of a tier for any group of the level.
func (pr promises) strictest(t sla.Tier) sla.Decimal {
	least := pr.threshold(t)
	for _, p := range pr.GroupBy.Targets {
		if threshold, _ := pr.reachable(t, p.ObjectiveBudget()); threshold.Cmp(least) < 0 {
			least = threshold
		}
	}
	return least
}

// reachable is the tier's threshold for a budget, lowered to what a total outage
// in service reaches.
func (pr promises) reachable(t sla.Tier, budget sla.Decimal) (threshold sla.Decimal, adapted bool) {
	return t.ThresholdWithin(pr.alertShare(), budget)
}

// thresholdOf is what the bad share of a window must exceed for a tier to burn.
func (pr promises) thresholdOf(t sla.Tier) promql.Expr {
	if !pr.ownTargets() {
		return promql.Num(pr.threshold(t))
	}
	e := promql.Mul(pr.objectiveBudget(), promql.Num(t.Factor))
	for _, p := range pr.Promises() {
		if _, adapted := pr.reachable(t, p.ObjectiveBudget()); adapted {
			return promql.ClampMax(e, sla.MaxThreshold.Quo(pr.alertShare()))
		}
	}
	return e
}

// thresholdWords explain the threshold of a tier, and half of it if that is a number
// too.
func (pr promises) thresholdWords(t sla.Tier) (words []string, ofHalf string) {
	ceiling := inRules(sla.MaxThreshold.Quo(pr.alertShare()))
	reaches := fmt.Sprintf("%s: what an outage reaches", ceiling)
	if share := pr.alertShare(); share.Cmp(one) != 0 {
		reaches = fmt.Sprintf("%s = %s / %s: what an outage within service hours reaches", ceiling, inRules(sla.MaxThreshold), inRules(share))
	}
	if pr.ownTargets() {
		words = []string{inRules(t.Factor) + ": how many times faster than the objective of the group allows"}
		for _, p := range pr.Promises() {
			if _, adapted := pr.reachable(t, p.ObjectiveBudget()); adapted {
				return append(words, reaches), ""
			}
		}
		return words, ""
	}
	threshold, adapted := pr.reachable(t, pr.ObjectiveBudget())
	ofHalf = fmt.Sprintf("%s = %s / 2", inRules(threshold.Mul(half)), inRules(threshold))
	if adapted {
		return []string{fmt.Sprintf("%s, since %s x (1 - %s %%) is more", reaches, t.Factor, pr.Objective)}, ofHalf
	}
	return []string{fmt.Sprintf("%s = %s x (1 - %s %%): so many times faster than the objective allows", inRules(threshold), t.Factor, pr.Objective)}, ofHalf
}

// promiseWords say in an alert what the objective, or the target, of its group
// is, and what that allows: as numbers, or as queries if groups have their own.
func (pr promises) promiseWords(recorded string, percent sla.Decimal) (promise, allows string) {
	if !pr.ownTargets() {
		return percent.String() + "%", hundred.Sub(percent).String() + "%"
	}
	id := pr.ID
	matchers := fmt.Sprintf(`%s=%q,%s=%q,%s=%q`, metricnames.SLA, id.SLA, metricnames.Service, id.Service, metricnames.SLO, id.SLO)
	var more, arguments strings.Builder
	for _, label := range pr.groupLabels() {
		more.WriteString("," + label + "=%q")
		arguments.WriteString(" $labels." + label)
	}
	ask := func(query, format string) string {
		return fmt.Sprintf("{{ with printf `%s` %s | query }}{{ . | first | value | printf `%s` }}%%{{ end }}",
			fmt.Sprintf(query, recorded+"{"+matchers+more.String()+"}"), strings.TrimSpace(arguments.String()), format)
	}
	return ask("100 * %s", "%.8g"), ask("100 - 100 * %s", "%.3g")
}
