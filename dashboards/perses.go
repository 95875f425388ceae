package dashboards

import (
	"github.com/upheld-sla/upheld/dashboards/perses"
	"github.com/upheld-sla/upheld/sla"
)

// PersesOverview is the overview as a dashboard of a Perses project.
func PersesOverview(agreements []*sla.Agreement, project string) ([]byte, error) {
	return perses.Encode(overview(agreements), project)
}

// PersesAgreement is an agreement's dashboard as one of a Perses project.
func PersesAgreement(a *sla.Agreement, project string) ([]byte, error) {
	return perses.Encode(agreement(a), project)
}
