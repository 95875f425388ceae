package dashboards

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/table"
)

// columns fill a table: the labels in this order under new names, and then a column for
// each expression. Other labels are left out.
func (p *panel) columns(rename map[string]string, labels []string, columns []column) *panel {
	hide := map[string]bool{"Time": true}
	order := map[string]int{}
	for i, label := range labels {
		order[label] = i
	}
	for i, c := range columns {
		p.column(c.expr)
		field := "Value #" + refID(i)
		if len(columns) == 1 {
			field = "Value" // Grafana numbers values only if there are several queries
		}
		if c.name == "" {
			hide[field] = true
			continue
		}
		rename[field] = c.name
		order[field] = len(order)
	}
	return p.organize(rename, hide, order)
}

// organize renames, hides and orders the columns of a table.
func (p *panel) organize(rename map[string]string, hide map[string]bool, order map[string]int) *panel {
	p.Transformations = []dashboard.DataTransformerConfig{
		{Id: "merge", Options: map[string]any{}},
		{Id: "organize", Options: map[string]any{"renameByName": rename, "excludeByName": hide, "indexByName": order}},
	}
	return p
}

// sortedBy sorts a table by a column.
func (p *panel) sortedBy(column string, descending bool) *panel {
	p.Options.(*table.Options).SortBy = []common.TableSortByFieldState{{DisplayName: column, Desc: cog.ToPtr(descending)}}
	return p
}
