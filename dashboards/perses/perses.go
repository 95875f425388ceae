// Package perses converts the generated Grafana dashboards to the format of Perses: the
// same panels, queries, variables and rows, as far as Perses has them. It reads only
// what package dashboards has built. An option or kind of panel that it cannot convert
// is an error and never left out silently, unless docs/dashboards.md lists it.
package perses

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

// Encode returns the dashboard as an object of a Perses project, indented, with a
// newline at its end.
func Encode(d *dashboard.Dashboard, project string) ([]byte, error) {
	out := document{
		Kind: "Dashboard", Metadata: metadata{Name: *d.Uid, Project: project},
		Spec: spec{
			Display:  display{Name: *d.Title, Description: *d.Description},
			Panels:   map[string]panel{},
			Duration: strings.TrimPrefix(d.Time.From, "now-"), RefreshInterval: *d.Refresh,
		},
	}
	for _, v := range d.Templating.List {
		if v.Type == dashboard.VariableTypeDatasource {
			continue // Perses uses the project's default one
		}
		variable, err := variableOf(v)
		if err != nil {
			return nil, fmt.Errorf("dashboard %q, variable %s: %w", *d.Uid, v.Name, err)
		}
		out.Spec.Variables = append(out.Spec.Variables, variable)
	}
	for _, l := range d.Links {
		if uid, ok := strings.CutPrefix(*orEmpty(l.Url), "/d/"); ok {
			out.Spec.Links = append(out.Spec.Links, map[string]string{"name": l.Title, "url": "/projects/" + project + "/dashboards/" + uid})
		}
	}
	if err := out.Spec.place(d.Panels); err != nil {
		return nil, fmt.Errorf("dashboard %q: %w", *d.Uid, err)
	}
	text, err := json.MarshalIndent(out, "", "  ")
	return append(text, '\n'), err
}

func orEmpty(s *string) *string {
	if s == nil {
		return new(string)
	}
	return s
}

// variableOf converts a variable to a list of the values of a label.
func variableOf(v dashboard.VariableModel) (kinded, error) {
	series, label, ok := cutLast(strings.TrimSuffix(strings.TrimPrefix(*v.Query.String, "label_values("), ")"), ", ")
	if v.Type != dashboard.VariableTypeQuery || !ok {
		return kinded{}, fmt.Errorf("it is no list of the values of a label")
	}
	return kinded{"ListVariable", listVariable{
		Name: v.Name, Display: display{Name: *v.Label}, DefaultValue: []string{"$__all"}, AllowAllValue: true, AllowMultiple: true,
		CustomAllValue: *orEmpty(v.AllValue), Sort: "alphabetical-ci-asc",
		Plugin: kinded{"PrometheusLabelValuesVariable", labelValues{LabelName: label, Matchers: []string{series}}},
	}}, nil
}

func cutLast(text, separator string) (before, after string, found bool) {
	i := strings.LastIndex(text, separator)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(separator):], true
}

// place makes the panels and a grid for those above the first row, and one for each row.
func (s *spec) place(all []dashboard.PanelOrRowPanel) error {
	now := &grid{}
	grids := []*grid{now}
	add := func(p *dashboard.Panel) error {
		out, err := panelOf(p)
		if err != nil {
			return fmt.Errorf("panel %q: %w", *p.Title, err)
		}
		key := fmt.Sprintf("p%d", *p.Id)
		s.Panels[key] = out
		now.Items = append(now.Items, gridItem{
			X: p.GridPos.X, Y: p.GridPos.Y, Width: p.GridPos.W, Height: p.GridPos.H, Content: map[string]string{"$ref": "#/spec/panels/" + key},
		})
		return nil
	}
	for _, p := range all {
		if p.Panel != nil {
			if err := add(p.Panel); err != nil {
				return err
			}
			continue
		}
		now = &grid{Display: &gridDisplay{Title: *p.RowPanel.Title, Collapse: collapse{Open: !p.RowPanel.Collapsed}}}
		grids = append(grids, now)
		for _, inside := range p.RowPanel.Panels {
			if err := add(&inside); err != nil {
				return err
			}
		}
	}
	for _, g := range grids {
		if len(g.Items) == 0 {
			continue
		}
		top := g.Items[0].Y
		for i := range g.Items {
			g.Items[i].Y -= top
		}
		s.Layouts = append(s.Layouts, kinded{"Grid", g})
	}
	return nil
}

func panelOf(p *dashboard.Panel) (panel, error) {
	plugin, err := pluginOf(p)
	if err != nil {
		return panel{}, err
	}
	out := panelSpec{Display: display{Name: *p.Title, Description: *orEmpty(p.Description)}, Plugin: plugin}
	for _, target := range p.Targets {
		q, ok := target.(prometheus.Dataquery)
		if !ok {
			return panel{}, fmt.Errorf("a query of type %T", target)
		}
		legend := strings.NewReplacer("{{ ", "{{", " }}", "}}").Replace(*orEmpty(q.LegendFormat))
		out.Queries = append(out.Queries, kinded{"TimeSeriesQuery", pluginSpec{kinded{"PrometheusTimeSeriesQuery", query{
			Query: q.Expr, SeriesNameFormat: legend, MinStep: *orEmpty(p.Interval),
		}}}})
	}
	return panel{Kind: "Panel", Spec: out}, nil
}
