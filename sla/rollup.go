package sla

// Rollup is a set of levels that is looked at together: those whose label By has
// a Value, or those of an agreement.
type Rollup struct {
	By    string // a label, or rollupAgreement
	Value string
}

// rollupAgreement is the By of the levels of one agreement.
const rollupAgreement = "agreement"

// AtRisk is the share of its budget below which a level counts as at risk.
var AtRisk = NewDecimal(1, 4)

// Rollups are the sets that the level is in, none if its agreement asks for none.
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
