package sla

// GroupBy makes one promise for each value of labels: a level with it has as
// many budgets as there are groups. The zero GroupBy is a level without groups.
type GroupBy struct {
	Labels []string // of the measured series, at least one; in the order of the source
}
