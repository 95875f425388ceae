package dashboards

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// state is the current state of each level; for a level with groups, of the worst one.
func (s selector) state() string {
	return fmt.Sprintf("max by (%s) (%s)", byLevel, s.series(metricnames.ServiceState))
}

// stateMapping names the states as on pages, in alerts and in the terminal.
func stateMapping() dashboard.ValueMapping {
	names := map[string]dashboard.ValueMappingResult{}
	for _, s := range sla.States() {
		names[fmt.Sprint(s.Code())] = shown(s.Words(), stateColor(s), int32(s.Code()))
	}
	return values(names)
}

// stateColor is the colour of a state. A state that is neither good nor bad is neutral
// if that is intended, and has its own colour if it is unknown.
func stateColor(s sla.State) string {
	switch s.Class() {
	case sla.ClassGood:
		return colorGood
	case sla.ClassWarn:
		return colorWorse
	case sla.ClassBad:
		return colorBad
	}
	if s.NeedsAttention() {
		return colorUnknown
	}
	return colorNeutral
}

// serviceStatePanel shows the states of levels over time: the worst state of each step.
func serviceStatePanel(of selector, legend string) *panel {
	p := statePanel("State", "How each service level was: the worst state of each step of the graph.")
	p.FieldConfig.Defaults.Mappings = []dashboard.ValueMapping{stateMapping()}
	return p.query(fmt.Sprintf("max by (%s) (%s)", of.by(), worst(of.series(metricnames.ServiceState))), legend).noValue("no service level is evaluated")
}

// inStateColor shows a table's cell as the name of a state, in its colour.
func inStateColor() []property {
	return append([]property{{Id: "mappings", Value: []dashboard.ValueMapping{stateMapping()}}}, inColor(thresholds(colorText))...)
}
