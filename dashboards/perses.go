package dashboards

import (
	"slices"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/upheld-sla/upheld/dashboards/perses"
	"github.com/upheld-sla/upheld/sla"
)

// PersesOverview is the overview as a dashboard of a Perses project.
func (o Options) PersesOverview(agreements []*sla.Agreement, project string) ([]byte, error) {
	return o.overview(agreements).perses(project)
}

// PersesOfAgreement makes an agreement's boards as dashboards of a Perses project.
func (o Options) PersesOfAgreement(a *sla.Agreement, project string) ([]Board, error) {
	return encodeAll(a, o.ofAgreement(a), func(b *board) ([]byte, error) { return b.perses(project) })
}

func (b *board) perses(project string) ([]byte, error) {
	b.Panels = slices.DeleteFunc(b.grid.panels, func(p dashboard.PanelOrRowPanel) bool {
		return p.Panel != nil && p.Panel.Type == "heatmap" // Perses cannot draw it from these buckets
	})
	return perses.Encode(b.Dashboard, project)
}
