package sla

// MissingData is what missing time counts as: the server scraped what measures
// the level, and had no result.
type MissingData string

// The policies. Excluded is the zero value: such time is in neither sum, and
// lowers the coverage.
const (
	MissingExcluded MissingData = ""
	MissingBad      MissingData = "bad"
	MissingGood     MissingData = "good"
)

// CountsMissing tells whether a level can have a policy for missing data: it must
// count time, of a whole and not of groups, and by no tree that has its own.
func (l *ServiceLevel) CountsMissing() bool {
	return l.Aggregation.ByTime() && !HasUnknownPolicy(l.Indicator) && len(l.GroupBy.Labels) == 0
}

// HasUnknownPolicy tells whether an indicator has a policy of its own for what is
// unknown, as a composite has.
func HasUnknownPolicy(i Indicator) bool { return traitsOf(i).unknown }
