package rulegen

import (
	"maps"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// rollups record the level's budget and weight once for each set of levels that
// it is in, so that combining them needs no join on labels of users.
func rollups(l level) []Rule {
	budget := promql.Min(l.remaining(l.Period))
	var rules []Rule
	for _, r := range l.Rollups() {
		of := []string{metricnames.By, r.By, metricnames.Value, r.Value}
		rules = append(rules,
			l.record(metricnames.RollupLevelBudget, budget, of...).
				says("The remaining budget of %s, for the rollup by %s.", l.Period.Words(), r.By),
			l.record(metricnames.RollupLevelWeight, promql.Add(promql.Mul(promql.Num(zero), budget), promql.Num(l.RollupWeight)), of...).
				says("The weight of the level, %s, while its budget is known.", inRules(l.RollupWeight)))
	}
	return rules
}

// rollupGroup combines the levels of an agreement; nothing if none asks for it,
// or if an earlier level has added it.
func rollupGroup(l level, shared map[string]bool) []Group {
	name := GroupPrefix + l.ID.SLA + ":rollup"
	if len(l.Rollups()) == 0 || shared[name] {
		return nil
	}
	shared[name] = true
	labels := map[string]string{metricnames.SLA: l.ID.SLA}
	maps.Copy(labels, l.extra)
	record := func(name string, e promql.Expr, words string) Rule {
		own := maps.Clone(labels)
		return Rule{Record: name, Expr: e, Labels: own}.says("%s", words)
	}
	// Other groups record them every five intervals; two of these are looked
	// at, so that none is missed.
	last := func(name string) promql.Expr {
		own := append([]promql.Matcher{promql.Eq(metricnames.SLA, l.ID.SLA)}, extraMatchers(l.extra)...)
		return promql.Series(name, own...).LastOverTime(2 * secondLayer * l.interval)
	}
	by := []string{metricnames.By, metricnames.Value}
	each := append([]string{metricnames.Service, metricnames.SLO}, by...)
	budget, weight := last(metricnames.RollupLevelBudget), last(metricnames.RollupLevelWeight)
	count := promql.Count(budget, by...)
	return []Group{{Name: name, Interval: secondLayer * l.interval, shared: true, age: secondAge(l.interval), Rules: []Rule{
		record(metricnames.RollupWorst, promql.Min(budget, by...), "The least remaining budget of each set of levels."),
		record(metricnames.RollupWeighted, promql.Div(promql.Sum(promql.MulLeft(budget, weight, each, nil), by...), promql.Sum(weight, by...)),
			"The mean remaining budget of each set of levels, by weight."),
		record(metricnames.RollupLevels, count, "How many levels of each set have a known budget."),
		record(metricnames.RollupAtRisk, promql.OrOn(promql.Count(promql.Lt(budget, promql.Num(sla.AtRisk)), by...), promql.Mul(promql.Num(zero), count), by...),
			"How many levels of each set have less than "+inRules(sla.AtRisk)+" of their budget left."),
	}}}
}
