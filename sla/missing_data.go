package sla

// MissingData is what missing time counts as: time in which the server scraped the
// level's job but has no result.
type MissingData string

// The policies. MissingExcluded is the zero value: the time is neither good nor bad, and
// lowers the coverage.
const (
	MissingExcluded MissingData = ""
	MissingBad      MissingData = "bad"
	MissingGood     MissingData = "good"
)

// CountsMissing returns whether a level can have a policy for missing data: it must
// count time, have no groups and be no composite, which has its own policy.
func (l *ServiceLevel) CountsMissing() bool {
	return l.Aggregation.ByTime() && !HasUnknownPolicy(l.Indicator) && len(l.GroupBy.Labels) == 0
}

// HasUnknownPolicy returns whether an indicator has its own policy for unknown slots, as
// a composite has.
func HasUnknownPolicy(i Indicator) bool { return traitsOf(i).unknown }
