package perses

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	grafanatable "github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// last is the calculation of stats and gauges.
const last = "last-number"

var below = legend{Position: "bottom", Mode: "list"}

// pluginOf converts a panel to a chart.
func pluginOf(p *dashboard.Panel) (kinded, error) {
	of := p.FieldConfig.Defaults
	switch p.Type {
	case "stat":
		steps, err := thresholdsOf(of.Thresholds)
		if err != nil {
			return kinded{}, err
		}
		mappings, err := mappingsOf(of.Mappings)
		if err != nil {
			return kinded{}, err
		}
		f, err := formatOf(of.Unit, of.Decimals)
		return kinded{"StatChart", statChart{Calculation: last, Format: f, Thresholds: steps, Mappings: mappings}}, err
	case "gauge":
		steps, err := thresholdsOf(of.Thresholds)
		if err != nil {
			return kinded{}, err
		}
		f, err := formatOf(of.Unit, of.Decimals)
		return kinded{"GaugeChart", gaugeChart{Calculation: last, Format: f, Thresholds: steps, Max: of.Max}}, err
	case "timeseries":
		return timeSeries(p)
	case "state-timeline":
		mappings, err := mappingsOf(of.Mappings)
		return kinded{"StatusHistoryChart", statusHistory{below, mappings}}, err
	case "table":
		return tableOf(p)
	}
	return kinded{}, fmt.Errorf("a panel of type %s", p.Type)
}

func timeSeries(p *dashboard.Panel) (kinded, error) {
	of := p.FieldConfig.Defaults
	custom, ok := of.Custom.(*timeseries.FieldConfig)
	if !ok {
		return kinded{}, fmt.Errorf("custom options of type %T", of.Custom)
	}
	f, err := formatOf(of.Unit, of.Decimals)
	if err != nil {
		return kinded{}, err
	}
	steps, err := thresholdsOf(of.Thresholds)
	if err != nil {
		return kinded{}, err
	}
	if steps != nil {
		steps.DefaultColor = "" // lines only
	}
	look := visual{Display: "line", LineWidth: 1.25}
	if custom.DrawStyle != nil && *custom.DrawStyle == common.GraphDrawStyleBars {
		look.Display = "bar"
	}
	if custom.FillOpacity != nil {
		look.AreaOpacity = *custom.FillOpacity / 100
	}
	if custom.Stacking != nil && custom.Stacking.Mode != nil && *custom.Stacking.Mode != common.StackingModeNone {
		look.Stack = "all"
	}
	low := cmp.Or(of.Min, custom.AxisSoftMin)
	return kinded{"TimeSeriesChart", timeSeriesChart{Legend: below, YAxis: yAxis{Format: f, Min: low, Max: of.Max}, Thresholds: steps, Visual: look, QuerySettings: colors(p)}}, nil
}

// colors are the settings of queries whose only series has a fixed colour.
func colors(p *dashboard.Panel) []querySetting {
	var all []querySetting
	for i, target := range p.Targets {
		q, _ := target.(prometheus.Dataquery)
		for _, o := range p.FieldConfig.Overrides {
			if o.Matcher.Options != *orEmpty(q.LegendFormat) {
				continue
			}
			for _, set := range o.Properties {
				if c, ok := set.Value.(dashboard.FieldColor); ok && c.FixedColor != nil {
					all = append(all, querySetting{i, "fixed", palette(*c.FixedColor)})
				}
			}
		}
	}
	return all
}

// tableOf joins the queries by their shared labels, and shows columns in the order and
// under the names that the transformations of the panel set.
func tableOf(p *dashboard.Panel) (kinded, error) {
	options, ok := organize(p)
	if !ok {
		return kinded{}, fmt.Errorf("a table whose columns are not organized")
	}
	order, rename := options.order, options.rename
	out := table{Density: "compact"}
	var joined []any
	formats, err := columnFormats(p)
	if err != nil {
		return kinded{}, err
	}
	sorted := sorting(p)
	for _, name := range slices.SortedFunc(maps.Keys(order), func(a, b string) int { return cmp.Compare(order[a], order[b]) }) {
		header := rename[name]
		if !strings.HasPrefix(name, "Value") && len(p.Targets) > 1 {
			out.Transforms = append(out.Transforms, kinded{"MergeIndexedColumns", map[string]any{"column": name}})
			if name != onlyOfInfo && !options.isHidden(header) {
				joined = append(joined, name)
			}
		}
		if options.isHidden(header) {
			out.ColumnSettings = append(out.ColumnSettings, columnSetting{Name: name, Hide: true})
			continue
		}
		out.ColumnSettings = append(out.ColumnSettings, columnSetting{Name: column(name), Header: header, Format: formats[header], Sort: sorted[header]})
	}
	if len(joined) > 0 {
		out.Transforms = append(out.Transforms, kinded{"JoinByColumnValue", map[string]any{"columns": joined}})
	}
	for _, name := range slices.Sorted(maps.Keys(options.hide)) {
		out.ColumnSettings = append(out.ColumnSettings, columnSetting{Name: column(name), Hide: true})
	}
	return kinded{"Table", out}, nil
}

// onlyOfInfo is a label that only one of a table's queries has, so rows are not joined
// by it.
const onlyOfInfo = "period"

// column is Perses' name of a Grafana column: "value #2" is from the second query.
func column(name string) string {
	switch {
	case name == "Time":
		return "timestamp"
	case name == "Value":
		return "value"
	case strings.HasPrefix(name, "Value #"):
		index := 0
		for _, letter := range strings.TrimPrefix(name, "Value #") {
			index = index*26 + int(letter-'A') + 1
		}
		return fmt.Sprintf("value #%d", index)
	}
	return name
}

// organized are the columns of a table.
type organized struct {
	order  map[string]int
	rename map[string]string
	hide   map[string]bool
	hidden []string // headers
}

func (o organized) isHidden(header string) bool { return slices.Contains(o.hidden, header) }

func organize(p *dashboard.Panel) (organized, bool) {
	var o organized
	for _, t := range p.Transformations {
		options, ok := t.Options.(map[string]any)
		if t.Id != "organize" || !ok {
			continue
		}
		o.order, _ = options["indexByName"].(map[string]int)
		o.rename, _ = options["renameByName"].(map[string]string)
		o.hide, _ = options["excludeByName"].(map[string]bool)
	}
	for _, override := range p.FieldConfig.Overrides {
		for _, set := range override.Properties {
			if set.Id == "custom.hidden" || set.Id == "custom.hideFrom" {
				o.hidden = append(o.hidden, fmt.Sprint(override.Matcher.Options))
			}
		}
	}
	return o, len(o.order) > 0
}

// columnFormats are the formats by column name.
func columnFormats(p *dashboard.Panel) (map[string]*format, error) {
	all := map[string]*format{}
	for _, o := range p.FieldConfig.Overrides {
		var unit *string
		decimals := p.FieldConfig.Defaults.Decimals
		for _, set := range o.Properties {
			switch v := set.Value.(type) {
			case string:
				if set.Id == "unit" {
					unit = &v
				}
			case float64:
				if set.Id == "decimals" {
					decimals = &v
				}
			}
		}
		if unit == nil {
			unit = p.FieldConfig.Defaults.Unit
		}
		if unit == nil && decimals == nil {
			continue
		}
		f, err := formatOf(unit, decimals)
		if err != nil {
			return nil, err
		}
		all[fmt.Sprint(o.Matcher.Options)] = &f
	}
	return all, nil
}

func sorting(p *dashboard.Panel) map[string]string {
	all := map[string]string{}
	if o, ok := p.Options.(*grafanatable.Options); ok {
		for _, by := range o.SortBy {
			all[by.DisplayName] = "asc"
			if by.Desc != nil && *by.Desc {
				all[by.DisplayName] = "desc"
			}
		}
	}
	return all
}

// unitOf returns Perses' name of a unit that dashboards use. A unit that Perses lacks
// becomes a plain number, and is named in the title or the legend.
func unitOf(grafana string) (string, bool) {
	switch grafana {
	case units.PercentUnit:
		return "percent-decimal", true
	case units.Percent:
		return "percent", true
	case units.Seconds:
		return "seconds", true
	case units.Minutes:
		return "minutes", true
	case units.RequestsPerSecond:
		return "requests/sec", true
	case "", "none", units.Short, units.CountsPerMinute, "suffix:x", "suffix: h":
		return "decimal", true
	}
	return "", false
}

func formatOf(unit *string, decimals *float64) (format, error) {
	name, ok := unitOf(*orEmpty(unit))
	if !ok {
		return format{}, fmt.Errorf("the unit %q", *unit)
	}
	f := format{Unit: name}
	if decimals != nil {
		places := int(*decimals)
		f.DecimalPlaces = &places
	}
	return f, nil
}

// palette returns Grafana's colours by name, as in its light theme.
func palette(name string) string {
	colors := map[string]string{
		"green": "#299c46", "yellow": "#e0b400", "orange": "#ff780a", "red": "#e02f44", "blue": "#3274d9", "purple": "#a352cc", "text": "#6e7687",
	}
	if c, ok := colors[name]; ok {
		return c
	}
	return name
}

func thresholdsOf(config *dashboard.ThresholdsConfig) (*thresholds, error) {
	if config == nil {
		return nil, nil
	}
	if config.Mode != dashboard.ThresholdsModeAbsolute {
		return nil, fmt.Errorf("thresholds of mode %s", config.Mode)
	}
	out := &thresholds{Steps: []thresholdStep{}}
	for _, s := range config.Steps {
		if s.Value == nil {
			out.DefaultColor = palette(s.Color)
			continue
		}
		out.Steps = append(out.Steps, thresholdStep{*s.Value, palette(s.Color)})
	}
	return out, nil
}

func mappingsOf(all []dashboard.ValueMapping) ([]kinded, error) {
	var out []kinded
	for _, m := range all {
		if m.ValueMap == nil {
			return nil, fmt.Errorf("a mapping that is not of values")
		}
		options := m.ValueMap.Options
		for _, value := range slices.SortedFunc(maps.Keys(options), func(a, b string) int { return cmp.Compare(*options[a].Index, *options[b].Index) }) {
			shown := options[value]
			out = append(out, kinded{"Value", mapping{value, mappedResult{*shown.Text, palette(*orEmpty(shown.Color))}}})
		}
	}
	return out, nil
}
