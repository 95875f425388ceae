package spec

import (
	"slices"

	"github.com/upheld-sla/upheld/sla"
)

// Limits of recovery.
const (
	maxRecoveryObjectives = 20
	maxRecoveryMethods    = 50
)

var recoverySection = &section{
	name: "recovery",
	doc:  "What is promised about coming back after a failure: limits of outages, and the methods with their exercises. An outage counts in the period in which it ends, with all of its time. [Recovery](recovery.md) has what is recorded of it, and the alerts.",
	fields: []field{
		{key: "objectives", typ: valueType{name: "list of mappings", sample: "[{metric: time_to_restore, le: 4h}]", sections: []*section{recoveryObjectiveSection}, shape: listOf}, doc: "What is promised."},
		{key: "methods", typ: valueType{name: "list of mappings", sample: "[{scenario: node_loss, method: failover, rto: 15m}]", sections: []*section{recoveryMethodSection}, shape: listOf}, doc: "How the service comes back, by scenario."},
	},
}

var recoveryObjectiveSection = &section{
	name: "a recovery objective",
	doc:  "One limit. Exactly the limit is kept.",
	fields: []field{
		{key: "metric", typ: oneOf(namesOf(sla.RecoveryMetrics())...), required: true, doc: docOf(sla.RecoveryMetrics())},
		{key: "statistic", typ: oneOf(namesOf(sla.Statistics)...), def: "each", doc: "With `time_to_restore`: `each` outage, the `mean` of them, or a `share` of them. Without an outage there is no mean, and nothing is broken."},
		{key: "percent", typ: valueType{name: "decimal in quotes, percent", sample: `"95"`, scalars: decimalType.scalars}, doc: "With `share`: at least so many of the outages, in per cent."},
		{key: "le", typ: valueType{name: "duration, or whole number", sample: "4h", scalars: []schema{durationType.scalars[0], {"type": "integer", "minimum": 0, "maximum": maxCount}}}, doc: "At most: a duration, or a number of outages."},
		{key: "ge", typ: durationType, example: "30d", doc: "At least, for `time_between_failures`."},
		{key: "age", typ: queryType, example: "time() - backup_completed_timestamp_seconds", doc: "For `recovery_point` and `restored_backup_age`: an instant query whose value is the age in seconds. Of several series the greatest counts."},
	},
	oneOf: [][]string{{"le", "ge"}},
}

var recoveryMethodSection = &section{
	name: "a recovery method",
	doc:  "How the service comes back in a scenario. `check` and the alert `SLARecoveryExerciseOverdue` say when an exercise is overdue.",
	fields: []field{
		{key: "scenario", typ: textType, required: true, example: "site_loss", doc: "What has failed."},
		{key: "method", typ: textType, required: true, example: "restore_from_backup", doc: "What is done."},
		{key: "rto", typ: durationType, example: "4h", doc: "The longest time until the service is back (recovery time objective)."},
		{key: "rpo", typ: durationType, example: "1h", doc: "The age of the state that comes back, at most (recovery point objective); `0s` if nothing is lost."},
		{key: "lastExercised", typ: fullDateType, example: `"2026-08-20"`, doc: "When it was last tried out."},
		{key: "exerciseEvery", typ: durationType, example: "180d", doc: "How often it must be tried out, in whole days. Without `lastExercised` counted from `metadata.effectiveFrom`; without both it is overdue."},
	},
}

// parseRecovery parses the recovery of a level or an agreement.
func parseRecovery(v value) (*sla.Recovery, bool) {
	o := v.object(recoverySection)
	if o == nil {
		return nil, false
	}
	if len(o.given("objectives", "methods")) == 0 {
		o.missing("recovery promises nothing", "add objectives or methods")
		return nil, false
	}
	r := &sla.Recovery{Pos: v.d.pos(v.key)}
	items, _, _ := read(o, "objectives", limitedList(maxRecoveryObjectives))
	for _, item := range items {
		item.name = "a recovery objective"
		if x := item.object(recoveryObjectiveSection); x != nil {
			if objective, ok := decodeRecoveryObjective(x); ok {
				r.Objectives = append(r.Objectives, objective)
			}
		}
	}
	items, _, _ = read(o, "methods", limitedList(maxRecoveryMethods))
	for _, item := range items {
		item.name = "a recovery method"
		if x := item.object(recoveryMethodSection); x != nil {
			r.Methods = append(r.Methods, decodeRecoveryMethod(x))
		}
	}
	return r, true
}

func decodeRecoveryObjective(o *object) (sla.RecoveryObjective, bool) {
	r := sla.RecoveryObjective{Pos: o.pos()}
	metric, _, ok := read(o, "metric", word(sla.RecoveryMetrics()...))
	r.Metric = metric
	f := metric.Facets()
	statistic, at, given := read(o, "statistic", word(sla.Statistics...))
	switch {
	case given && ok && f.Statistics == nil:
		o.d.errorAt(at.key, "conflicting-keys", "statistic goes with time_to_restore, and this objective is of "+string(metric), "leave it out")
	case given:
		r.Statistic = statistic
	case f.Statistics != nil:
		r.Statistic = f.Statistics[0]
	}
	percent, at, given := read(o, "percent", value.decimal)
	r.Percent = percent
	switch {
	case given && r.Statistic != sla.ShareOfOutages:
		o.d.errorAt(at.key, "conflicting-keys", "percent goes with statistic: share", "leave it out, or write statistic: share")
	case given && (percent.Sign() <= 0 || percent.Cmp(sla.NewDecimal(100, 1)) > 0):
		at.error("bad-value", at.quoted()+" is not above 0 and at most 100", `write the share of outages in per cent, e.g. "95"`)
	case !given && r.Statistic == sla.ShareOfOutages:
		o.missing("a share needs percent", `add percent: "95"`)
	}
	r.Age, at, given = read(o, "age", value.query)
	switch {
	case given && ok && !f.Queries:
		o.d.errorAt(at.key, "conflicting-keys", "age goes with "+either(queriedMetrics())+", and this objective is of "+string(metric), "leave it out")
	case at.node == nil && f.Queries:
		o.missing(string(metric)+" needs age, the query of its value", "add age: "+o.section.field("age").sample())
	}
	return r, ok && readRecoveryLimit(o, &r, f)
}

// readRecoveryLimit reads the limit of an objective, in the direction and unit of its
// metric.
func readRecoveryLimit(o *object, r *sla.RecoveryObjective, f sla.RecoveryMetricFacets) bool {
	key, other := "le", "ge"
	if f.AtLeast {
		key, other = other, key
	}
	if at, given := o.get(other); given {
		o.d.errorAt(at.key, "conflicting-keys", string(r.Metric)+" is limited by "+key+", not by "+other, "write "+key)
		return false
	}
	ok := false
	if f.Counts {
		r.Count, _, ok = read(o, key, func(v value) (int, bool) {
			v.field = nil // whose sample is a duration
			return whole(0, maxCount)(v)
		})
		return ok
	}
	r.Limit, _, ok = read(o, key, value.duration)
	return ok
}

// queriedMetrics are the metrics whose value comes from a query.
func queriedMetrics() []string {
	return slices.DeleteFunc(namesOf(sla.RecoveryMetrics()), func(m string) bool { return !sla.RecoveryMetric(m).Facets().Queries })
}

func decodeRecoveryMethod(o *object) sla.RecoveryMethod {
	m := sla.RecoveryMethod{Pos: o.pos()}
	m.Scenario, _, _ = read(o, "scenario", value.text)
	m.Method, _, _ = read(o, "method", value.text)
	m.RTO, _, _ = read(o, "rto", value.duration)
	m.RPO, _, m.HasRPO = read(o, "rpo", value.durationOrZero)
	m.LastExercised, _, _ = read(o, "lastExercised", parseFullDate)
	m.ExerciseEvery, _, _ = read(o, "exerciseEvery", parseDays)
	return m
}
