package dashboards

import (
	"fmt"
	"slices"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/gauge"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// Colours, by their names in Grafana's palette, so that themes apply.
const (
	colorGood    = "green"
	colorWarn    = "yellow"
	colorWorse   = "orange"
	colorBad     = "red"
	colorNeutral = "blue"
	colorUnknown = "purple"
	colorText    = "text"
)

// Units of Grafana.
const (
	unitRatio     = units.PercentUnit
	unitSeconds   = units.Seconds
	unitRequests  = units.RequestsPerSecond
	unitPerMinute = units.CountsPerMinute
	unitNumber    = units.Short
	unitPercent   = units.Percent
	unitMinutes   = units.Minutes
	unitFactor    = "suffix:x"
	unitHours     = "suffix: h" // with the unit "hours", Grafana shows weeks
)

// panel is a Grafana panel under construction.
type panel struct{ dashboard.Panel }

func newPanel(kind, title, description string, options any) *panel {
	p := &panel{}
	p.Type = kind
	p.PluginVersion = cog.ToPtr(pluginVersion)
	p.Title, p.Description = &title, &description
	p.Datasource = datasource()
	p.Options = options
	p.FieldConfig = &dashboard.FieldConfigSource{Overrides: []dashboard.DashboardFieldConfigSourceOverrides{}}
	return p
}

func statPanel(title, description string) *panel {
	o := stat.NewOptions()
	o.Orientation = common.VizOrientationAuto // if empty, Grafana draws only the first of several values
	o.GraphMode = common.BigValueGraphModeNone
	o.ReduceOptions.Calcs = []string{"lastNotNull"}
	return newPanel("stat", title, description, o)
}

func gaugePanel(title, description string) *panel {
	o := gauge.NewOptions()
	o.Orientation = common.VizOrientationAuto
	o.ReduceOptions.Calcs = []string{"lastNotNull"}
	return newPanel("gauge", title, description, o)
}

func timePanel(title, description string) *panel {
	o := timeseries.NewOptions()
	o.Legend = legend()
	o.Tooltip = common.VizTooltipOptions{Mode: common.TooltipDisplayModeMulti, Sort: common.SortOrderDescending}
	p := newPanel("timeseries", title, description, o)
	p.FieldConfig.Defaults.Custom = &timeseries.FieldConfig{
		DrawStyle:   cog.ToPtr(common.GraphDrawStyleLine),
		LineWidth:   cog.ToPtr(1.0),
		FillOpacity: cog.ToPtr(0.0), // overlapping fills give colours that are in no legend
		ShowPoints:  cog.ToPtr(common.VisibilityModeNever),
		AxisSoftMin: cog.ToPtr(0.0),
	}
	p.FieldConfig.Defaults.Color = &dashboard.FieldColor{Mode: dashboard.FieldColorModeIdPaletteClassic}
	return p
}

func statePanel(title, description string) *panel {
	o := statetimeline.NewOptions()
	o.ShowValue = common.VisibilityModeNever
	o.Legend = legend()
	o.Tooltip = common.VizTooltipOptions{Mode: common.TooltipDisplayModeSingle, Sort: common.SortOrderNone}
	p := newPanel("state-timeline", title, description, o)
	p.FieldConfig.Defaults.Custom = &statetimeline.FieldConfig{LineWidth: cog.ToPtr[uint32](0), FillOpacity: cog.ToPtr[uint32](80)}
	p.FieldConfig.Defaults.Mappings = []dashboard.ValueMapping{values(map[string]dashboard.ValueMappingResult{
		fmt.Sprint(alertQuiet):   shown("quiet", colorGood, 0),
		fmt.Sprint(alertPending): shown("pending", colorWarn, 1),
		fmt.Sprint(alertTicket):  shown("ticket", colorWorse, 2),
		fmt.Sprint(alertPage):    shown("page", colorBad, 3),
	})}
	return p.minStep(evaluation)
}

func tablePanel(title, description string) *panel {
	o := table.NewOptions()
	o.CellHeight = cog.ToPtr(common.TableCellHeightSm)
	o.Footer = nil
	p := newPanel("table", title, description, o)
	p.FieldConfig.Defaults.Custom = &table.FieldConfig{
		Align:       common.FieldTextAlignmentAuto,
		CellOptions: &common.TableCellOptions{TableAutoCellOptions: common.NewTableAutoCellOptions()},
		Filterable:  cog.ToPtr(true),
	}
	return p
}

func legend() common.VizLegendOptions {
	return common.VizLegendOptions{
		DisplayMode: common.LegendDisplayModeList, Placement: common.LegendPlacementBottom, ShowLegend: true, Calcs: []string{},
	}
}

// query adds an expression over the time range; legend names its series, with {{label}}
// for the value of a label.
func (p *panel) query(expr, legend string) *panel {
	return p.target(prometheus.Dataquery{Expr: expr, LegendFormat: &legend, Range: cog.ToPtr(true)})
}

// now adds an expression for only the end of the time range.
func (p *panel) now(expr, legend string) *panel {
	if o, ok := p.Options.(*stat.Options); ok && len(p.Targets) == 1 {
		o.TextMode = common.BigValueTextModeValueAndName // even if only one of them has a value
	}
	return p.target(prometheus.Dataquery{Expr: expr, LegendFormat: &legend, Instant: cog.ToPtr(true), Range: cog.ToPtr(false)})
}

// column adds an expression whose labels and value become columns of a table.
func (p *panel) column(expr string) *panel {
	return p.target(prometheus.Dataquery{
		Expr: expr, Format: cog.ToPtr(prometheus.PromQueryFormatTable), Instant: cog.ToPtr(true), Range: cog.ToPtr(false),
	})
}

func (p *panel) target(q prometheus.Dataquery) *panel {
	q.RefId = cog.ToPtr(refID(len(p.Targets)))
	q.Datasource = datasource()
	q.EditorMode = cog.ToPtr(prometheus.QueryEditorModeCode)
	p.Targets = append(p.Targets, q)
	return p
}

// refID names a panel's queries: A, B, ... Z, AA, AB.
func refID(index int) string {
	const letters = 26
	if index >= letters {
		return refID(index/letters-1) + refID(index%letters)
	}
	return string(rune('A' + index))
}

// minStep is the shortest interval for the panel's rates.
func (p *panel) minStep(interval string) *panel {
	p.Interval = &interval
	return p
}

// unit sets how values are printed; with decimals below 0 Grafana decides.
func (p *panel) unit(unit string, decimals int) *panel {
	p.FieldConfig.Defaults.Unit = &unit
	if decimals >= 0 {
		p.FieldConfig.Defaults.Decimals = cog.ToPtr(float64(decimals))
	}
	return p
}

// noValue sets the text for panels without data.
func (p *panel) noValue(text string) *panel {
	p.FieldConfig.Defaults.NoValue = &text
	return p
}

// atMost sets an upper bound of the values, which Grafana's axis would otherwise
// exceed.
func (p *panel) atMost(high float64) *panel {
	p.FieldConfig.Defaults.Max = &high
	return p
}

func (p *panel) between(low, high float64) *panel {
	p.FieldConfig.Defaults.Min, p.FieldConfig.Defaults.Max = &low, &high
	return p
}

// step is a threshold: from its value upwards the colour applies.
type step struct {
	from  float64
	color string
}

// lowest is below all values.
const lowest = -1e9

// thresholds colour values, beginning with the colour of the lowest ones. Stats and
// gauges colour the value, graphs draw dashed lines.
func (p *panel) thresholds(base string, steps ...step) *panel {
	config := thresholds(base, steps...)
	if custom, ok := p.FieldConfig.Defaults.Custom.(*timeseries.FieldConfig); ok {
		config.Steps = slices.Delete(config.Steps, 1, 2) // otherwise a line is drawn there
		custom.ThresholdsStyle = &common.GraphThresholdsStyleConfig{Mode: common.GraphThresholdsStyleModeDashed}
	} else {
		p.FieldConfig.Defaults.Color = &dashboard.FieldColor{Mode: dashboard.FieldColorModeIdThresholds}
	}
	p.FieldConfig.Defaults.Thresholds = &config
	return p
}

// thresholds begin with a neutral colour below all values. Grafana gives the first
// colour to panels without a value, which must look neither good nor bad.
func thresholds(base string, steps ...step) dashboard.ThresholdsConfig {
	config := dashboard.ThresholdsConfig{Mode: dashboard.ThresholdsModeAbsolute, Steps: []dashboard.Threshold{
		{Color: colorText}, {Value: cog.ToPtr(float64(lowest)), Color: base},
	}}
	for _, s := range steps {
		config.Steps = append(config.Steps, dashboard.Threshold{Value: cog.ToPtr(s.from), Color: s.color})
	}
	return config
}

// setExpr replaces the expression of a query.
func setExpr(p *panel, index int, expr string) {
	q := p.Targets[index].(prometheus.Dataquery)
	q.Expr = expr
	p.Targets[index] = q
}

// softMax makes a graph reach at least that high.
func (p *panel) softMax(v float64) *panel {
	p.FieldConfig.Defaults.Custom.(*timeseries.FieldConfig).AxisSoftMax = &v
	return p
}

// anyMinimum lets a graph begin at its lowest value instead of 0, since shares near 100
// % would all look the same.
func (p *panel) anyMinimum() *panel {
	p.FieldConfig.Defaults.Custom.(*timeseries.FieldConfig).AxisSoftMin = nil
	return p
}

// dashed draws the line of that name dashed: it is a promise or a forecast, not a
// measurement.
func (p *panel) dashed(name string) *panel {
	return p.override(name, property{Id: "custom.lineStyle", Value: map[string]any{"fill": "dash", "dash": []int{8, 6}}})
}

// withNames shows the name of a stat's value even if there is only one.
func (p *panel) withNames() *panel {
	p.Options.(*stat.Options).TextMode = common.BigValueTextModeValueAndName
	return p
}

// stacked draws bars on top of each other.
func (p *panel) stacked() *panel {
	custom := p.FieldConfig.Defaults.Custom.(*timeseries.FieldConfig)
	custom.DrawStyle = cog.ToPtr(common.GraphDrawStyleBars)
	custom.FillOpacity = cog.ToPtr(80.0)
	custom.Stacking = &common.StackingConfig{Mode: cog.ToPtr(common.StackingModeNormal), Group: cog.ToPtr("A")}
	return p
}

func values(options map[string]dashboard.ValueMappingResult) dashboard.ValueMapping {
	return dashboard.ValueMapping{ValueMap: &dashboard.ValueMap{Type: dashboard.MappingTypeValueToText, Options: options}}
}

// shown says how to show a mapped value; index orders the mappings.
func shown(text, color string, index int32) dashboard.ValueMappingResult {
	return dashboard.ValueMappingResult{Text: &text, Color: &color, Index: &index}
}

// shades colours all series in shades of one colour, since none of them is better than
// the others.
func (p *panel) shades(color string) *panel {
	p.FieldConfig.Defaults.Color = &dashboard.FieldColor{Mode: dashboard.FieldColorModeIdShades, FixedColor: &color}
	return p
}

// hidden hides a column of a table that only the links of other columns use.
func (p *panel) hidden(name string) *panel {
	return p.override(name, property{Id: "custom.hidden", Value: true})
}

// property is one setting of an override.
type property = dashboard.DynamicConfigValue

// override changes settings of the field or series with that name.
func (p *panel) override(name string, properties ...property) *panel {
	p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, dashboard.DashboardFieldConfigSourceOverrides{
		Matcher: dashboard.MatcherConfig{Id: "byName", Options: name}, Properties: properties,
	})
	return p
}

// colored gives the series with that name a fixed colour.
func (p *panel) colored(name, color string) *panel {
	return p.override(name, property{Id: "color", Value: dashboard.FieldColor{Mode: dashboard.FieldColorModeIdFixed, FixedColor: &color}})
}
