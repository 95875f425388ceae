package metricnames

// Labels of rollups.
const (
	By    = "by"    // the label by which levels are put together, or `agreement`
	Value = "value" // its value
)

// Recorded series of rollups. Those of levels carry `sla`, `service`, `slo`, `by` and
// `value`, those of sets `sla`, `by` and `value`.
const (
	RollupLevelBudget = "sla:rollup_level:budget_remaining"    // the remaining budget of the level's first period; of groups the worst
	RollupLevelWeight = "sla:rollup_level:weight"              // what the level weighs, while its budget is known
	RollupWorst       = "sla:rollup:budget_remaining_worst"    // the least of the set
	RollupWeighted    = "sla:rollup:budget_remaining_weighted" // the mean by weight
	RollupLevels      = "sla:rollup:levels"                    // how many levels have a known budget
	RollupAtRisk      = "sla:rollup:levels_at_risk"            // how many of them have less than a quarter left
)
