package dashboards

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// state is how each level is now, of a level with groups its worst one.
func (s selector) state() string {
	return fmt.Sprintf("max by (%s) (%s)", byLevel, s.series(metricnames.ServiceState))
}

// stateMapping names the states as pages, alerts and the terminal do.
func stateMapping() dashboard.ValueMapping {
	names := map[string]dashboard.ValueMappingResult{}
	for _, s := range sla.States() {
		names[fmt.Sprint(s.Code())] = shown(s.Words(), stateColor(s), int32(s.Code()))
	}
	return values(names)
}

// stateColor is the colour of a state. What is none of good and bad is neutral where
// that is meant, and has a colour of its own where nobody knows.
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

// serviceStatePanel is how levels were over time: the worst state of each step.
func serviceStatePanel(of selector, legend string) *panel {
	p := statePanel("State", "How each service level was: the worst state of each step of the graph.")
	p.FieldConfig.Defaults.Mappings = []dashboard.ValueMapping{stateMapping()}
	return p.query(fmt.Sprintf("max by (%s) (%s)", of.by(), worst(of.series(metricnames.ServiceState))), legend).noValue("no service level is evaluated")
}

// inStateColor writes a table's cell as the name of a state, in its colour.
func inStateColor() []property {
	return append([]property{{Id: "mappings", Value: []dashboard.ValueMapping{stateMapping()}}}, inColor(thresholds(colorText))...)
}
