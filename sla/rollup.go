package sla

// Rollup is a set of levels that are summarised together: those whose label By has the
// Value, or those of an agreement.
type Rollup struct {
	By    string // a label name, or rollupAgreement
	Value string
}

// rollupAgreement is the By of the rollup of an agreement.
const rollupAgreement = "agreement"

// AtRisk is the remaining share of the budget below which a level counts as at risk.
var AtRisk = NewDecimal(1, 4)

// Rollups returns the rollups that the level is in.
func (l *ServiceLevel) Rollups() []Rollup {
	if len(l.RollupLabels) == 0 {
		return nil
	}
	all := []Rollup{{rollupAgreement, l.ID.SLA}}
	for _, label := range l.RollupLabels {
		if value := l.Labels[label]; value != "" {
			all = append(all, Rollup{label, value})
		}
	}
	return all
}
