package dashboards

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/upheld-sla/upheld/internal/metricnames"
)

// Template variables, named like the labels that they choose values of.
const (
	varDatasource = "datasource"
	varSLA        = metricnames.SLA
	varService    = metricnames.Service
	varSLO        = metricnames.SLO
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

// valuesVariable offers the values that a label has among the levels that the
// selector chooses: any number of them, all at first.
func valuesVariable(label, title string, of selector) dashboard.VariableModel {
	query := fmt.Sprintf("label_values(%s, %s)", of.series(metricnames.TargetRatio), label)
	all := func(text string) dashboard.StringOrArrayOfString {
		return dashboard.StringOrArrayOfString{ArrayOfString: []string{text}}
	}
	return dashboard.VariableModel{
		Type:       dashboard.VariableTypeQuery,
		Name:       label,
		Label:      &title,
		Query:      &dashboard.StringOrMap{String: &query},
		Datasource: datasource(),
		Current:    &dashboard.VariableOption{Selected: cog.ToPtr(true), Text: all("All"), Value: all("$__all")},
		Multi:      cog.ToPtr(true),
		IncludeAll: cog.ToPtr(true),
		AllValue:   cog.ToPtr(".+"),
		Refresh:    cog.ToPtr(dashboard.VariableRefreshOnTimeRangeChanged),
		Sort:       cog.ToPtr(dashboard.VariableSortAlphabeticalCaseInsensitiveAsc),
	}
}

func dashboardLink(title, url string) dashboard.DashboardLink {
	return dashboard.DashboardLink{
		Title: title, Type: dashboard.DashboardLinkTypeLink, Icon: "dashboard",
		Url: &url, Tags: []string{}, KeepTime: true, IncludeVars: true, // the data source, too
	}
}

// taggedLink is a menu of all generated dashboards.
func taggedLink(title string) dashboard.DashboardLink {
	return dashboard.DashboardLink{
		Title: title, Type: dashboard.DashboardLinkTypeDashboards, Icon: "external link",
		Tags: []string{tag}, AsDropdown: true, KeepTime: true, IncludeVars: true,
	}
}
