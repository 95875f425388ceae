package sla

import (
	"fmt"
	"slices"
	"time"
)

// Recovery is what is promised about outages and about coming back from them.
type Recovery struct {
	Objectives []RecoveryObjective
	Methods    []RecoveryMethod
	Pos        Position
}

// RecoveryMetric is what an objective of recovery limits.
type RecoveryMetric string

// The metrics.
const (
	TimeToRestore       RecoveryMetric = "time_to_restore"
	TimeBetweenFailures RecoveryMetric = "time_between_failures"
	OutageCount         RecoveryMetric = "outage_count"
	LongestOutage       RecoveryMetric = "longest_outage"
	RecoveryPoint       RecoveryMetric = "recovery_point"
	RestoredBackupAge   RecoveryMetric = "restored_backup_age"
)

// Statistic says for which outages an objective holds.
type Statistic string

// The statistics.
const (
	EachOutage     Statistic = "each"
	MeanOfOutages  Statistic = "mean"
	ShareOfOutages Statistic = "share"
)

// Statistics are all statistics.
var Statistics = []Statistic{EachOutage, MeanOfOutages, ShareOfOutages}

// RecoveryMetricFacets is everything that is known about a metric.
type RecoveryMetricFacets struct {
	Name       RecoveryMetric
	Counts     bool        // the limit is a number; otherwise a duration
	AtLeast    bool        // the value must not be below the limit; otherwise not above it
	Queries    bool        // the value comes from a query; otherwise from outages
	Statistics []Statistic // the first is the default; nil: there is nothing to choose
	Words      string
	Doc        string // for the reference
}

// recoveryMetrics is the table of all metrics.
var recoveryMetrics = []RecoveryMetricFacets{
	{TimeToRestore, false, false, false, Statistics, "time to restore", "from the start of an outage to its end"},
	{TimeBetweenFailures, false, true, false, nil, "mean time between failures", "agreed time that was not down, divided by the number of outages"},
	{OutageCount, true, false, false, nil, "number of outages", "how many outages ended in the period"},
	{LongestOutage, false, false, false, nil, "longest outage", "the longest outage that ended in the period"},
	{RecoveryPoint, false, false, true, nil, "data that would be lost", "how old the last recoverable state was, at worst: the greatest value of `age` in the period"},
	{RestoredBackupAge, false, false, true, nil, "age of the last restored backup", "how old the last backup was that was restored to prove it: the greatest value of `age` in the period"},
}

// RecoveryMetrics are all metrics.
func RecoveryMetrics() []RecoveryMetric {
	all := make([]RecoveryMetric, len(recoveryMetrics))
	for i, m := range recoveryMetrics {
		all[i] = m.Name
	}
	return all
}

// Facets is everything that is known about the metric.
func (m RecoveryMetric) Facets() RecoveryMetricFacets {
	for _, f := range recoveryMetrics {
		if f.Name == m {
			return f
		}
	}
	return RecoveryMetricFacets{}
}

// Doc says what the metric is, for the reference.
func (m RecoveryMetric) Doc() string { return m.Facets().Doc }

// RecoveryObjective is one limit. An outage counts in the period in which it ends, with
// all of its elapsed time.
type RecoveryObjective struct {
	Metric    RecoveryMetric
	Statistic Statistic     // of TimeToRestore
	Percent   Decimal       // of ShareOfOutages: at least so many of the outages
	Limit     time.Duration // inclusive: exactly the limit is kept
	Count     int           // the limit of OutageCount
	Age       Query         // seconds, for metrics with a query
	Pos       Position
}

// LimitWords is the limit: "4h", "3".
func (o RecoveryObjective) LimitWords() string {
	if o.Metric.Facets().Counts {
		return NewDecimal(int64(o.Count), 1).String()
	}
	return FormatDuration(o.Limit)
}

// Words say what is promised: "each outage is restored within 4h".
func (o RecoveryObjective) Words() string {
	limit := o.LimitWords()
	switch {
	case o.Statistic == EachOutage:
		return "each outage is restored within " + limit
	case o.Statistic == ShareOfOutages:
		return o.Percent.String() + " % of outages are restored within " + limit
	case o.Statistic == MeanOfOutages:
		return "mean time to restore at most " + limit
	case o.Metric.Facets().AtLeast:
		return o.Metric.Facets().Words + " at least " + limit
	}
	return o.Metric.Facets().Words + " at most " + limit
}

// LimitsEachOutage returns whether the objective is against any single outage that
// lasts longer than the limit.
func (o RecoveryObjective) LimitsEachOutage() bool {
	return o.Metric == LongestOutage || o.Statistic == EachOutage || o.Statistic == ShareOfOutages
}

// NamedObjective is an objective with its name in alerts and series: the metric, with a
// number from the second objective of the metric on: "recovery_point-2".
type NamedObjective struct {
	RecoveryObjective
	Name string
}

// named are the chosen objectives, with their names.
func (r *Recovery) named(choose func(RecoveryObjective) bool) []NamedObjective {
	if r == nil {
		return nil
	}
	var all []NamedObjective
	seen := map[RecoveryMetric]int{}
	for _, o := range r.Objectives {
		name := string(o.Metric)
		if seen[o.Metric]++; seen[o.Metric] > 1 {
			name = fmt.Sprintf("%s-%d", name, seen[o.Metric])
		}
		if choose(o) {
			all = append(all, NamedObjective{o, name})
		}
	}
	return all
}

// EachOutage are the objectives that limit each single outage.
func (r *Recovery) EachOutage() []NamedObjective { return r.named(RecoveryObjective.LimitsEachOutage) }

// Ages are the objectives that limit an age, which a query returns.
func (r *Recovery) Ages() []NamedObjective {
	return r.named(func(o RecoveryObjective) bool { return o.Metric.Facets().Queries })
}

// RecoveryMethod is how the service comes back in a scenario.
type RecoveryMethod struct {
	Scenario      string
	Method        string
	RTO           time.Duration // to be back
	RPO           time.Duration // of data that may be lost
	HasRPO        bool          // RPO is given; it may be 0
	LastExercised Date          // the zero Date: never
	ExerciseEvery int           // days; 0: it need not be exercised
	Pos           Position
}

// ExerciseDue is the day by which the method must be exercised again. due is false if it
// need not be. A method that was never exercised is due from the day on which the
// agreement takes effect, or at once.
func (m RecoveryMethod) ExerciseDue(effective Date) (by Date, due bool) {
	if m.ExerciseEvery == 0 {
		return Date{}, false
	}
	from := m.LastExercised
	if from.IsZero() {
		from = effective
	}
	if from.IsZero() {
		return Date{}, true
	}
	return from.add(m.ExerciseEvery), true
}

// HasRecovery returns whether the level promises anything about its outages.
func (l *ServiceLevel) HasRecovery() bool { return l.Recovery != nil && len(l.Recovery.Objectives) > 0 }

// FromOutages returns the objectives whose value comes from outages.
func (r *Recovery) FromOutages() []RecoveryObjective {
	if r == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(r.Objectives), func(o RecoveryObjective) bool { return o.Metric.Facets().Queries })
}
