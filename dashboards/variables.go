package dashboards

import (
	"fmt"
	"slices"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// Template variables, named like the labels that they choose values of.
const (
	varDatasource = "datasource"
	varSLA        = metricnames.SLA
	varService    = metricnames.Service
	varSLO        = metricnames.SLO
	varPeriod     = metricnames.Period
)

// datasource is what every panel, query and variable reads from.
func datasource() *common.DataSourceRef {
	return &common.DataSourceRef{Type: cog.ToPtr("prometheus"), Uid: cog.ToPtr("${" + varDatasource + "}")}
}

func datasourceVariable() dashboard.VariableModel {
	return dashboard.VariableModel{
		Type:  dashboard.VariableTypeDatasource,
		Name:  varDatasource,
		Label: cog.ToPtr("Data source"),
		Query: &dashboard.StringOrMap{String: cog.ToPtr("prometheus")},
	}
}

func (b *board) variables(all ...dashboard.VariableModel) {
	b.Templating.List = append(b.Templating.List, all...)
}

// valuesVariable offers the values that a label has among the selector's levels. Any
// number can be chosen; initially all are.
func valuesVariable(label, title string, of selector) dashboard.VariableModel {
	v := oneVariable(label, title, of.series(metricnames.TargetRatio))
	all := func(text string) dashboard.StringOrArrayOfString {
		return dashboard.StringOrArrayOfString{ArrayOfString: []string{text}}
	}
	v.Current = &dashboard.VariableOption{Selected: cog.ToPtr(true), Text: all("All"), Value: all("$__all")}
	v.Multi, v.IncludeAll, v.AllValue = cog.ToPtr(true), cog.ToPtr(true), cog.ToPtr(".+")
	return v
}

// oneVariable offers the values of a label among series, one at a time.
func oneVariable(label, title, series string) dashboard.VariableModel {
	query := fmt.Sprintf("label_values(%s, %s)", series, label)
	return dashboard.VariableModel{
		Type:       dashboard.VariableTypeQuery,
		Name:       label,
		Label:      &title,
		Query:      &dashboard.StringOrMap{String: &query},
		Datasource: datasource(),
		Multi:      cog.ToPtr(false),
		IncludeAll: cog.ToPtr(false),
		Refresh:    cog.ToPtr(dashboard.VariableRefreshOnTimeRangeChanged),
		Sort:       cog.ToPtr(dashboard.VariableSortAlphabeticalCaseInsensitiveAsc),
	}
}

// maxNamed is how many names a variable's query lists; with more levels it offers all.
const maxNamed = 50

// choosesOneOf lets variables choose one of the levels, and one of its periods. The
// initial range is the first level's period.
func (b *board) choosesOneOf(a *sla.Agreement, levels []*sla.ServiceLevel) {
	own := choose(eq(metricnames.SLA, a.Name))
	var services, slos []string
	for _, l := range levels {
		services, slos = append(services, l.ID.Service), append(slos, l.ID.SLO)
	}
	named := func(s selector, label string, names []string) selector {
		slices.Sort(names)
		if names = slices.Compact(names); len(levels) == len(a.Levels) || len(names) > maxNamed {
			return s
		}
		return s.with(oneOf(label, names))
	}
	service := own.with(is(metricnames.Service, varService))
	level := service.with(is(metricnames.SLO, varSLO))
	b.variables(
		oneVariable(varService, "Service", named(own, metricnames.Service, services).series(metricnames.TargetRatio)),
		oneVariable(varSLO, "Service level", named(service, metricnames.SLO, slos).series(metricnames.TargetRatio)),
		oneVariable(varPeriod, "Period", level.series(metricnames.BudgetRemaining)))
	if len(levels) > 0 {
		b.Time.From = rangeOf(levels[0].Period)
	}
}
