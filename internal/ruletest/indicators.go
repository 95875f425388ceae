package ruletest

import (
	"github.com/upheld-sla/upheld/internal/rawseries"
	"github.com/upheld-sla/upheld/sla"
)

// The input of tests for each kind of indicator: raw series, or the states of a
// composite's components.

// composite is the level's indicator if it is a composite, else nil.
func (l *levelUnderTest) composite() *sla.Composite {
	of, _ := l.Indicator.(*sla.Composite)
	return of
}

// rawSeriesOf returns the raw series that the level's indicator counts; nil if these
// are not simple.
func rawSeriesOf(l *levelUnderTest) []inputSeries {
	var all []inputSeries
	for _, s := range rawseries.Of(l.ServiceLevel) {
		of := s.Of
		if !s.Gauge {
			of = scaled(scaled(of, perSample), l.scale())
		}
		all = append(all, inputSeries{series: s.Metric, gauge: s.Gauge, of: of, born: s.Born})
	}
	return l.ofGroup(all)
}

func scaled(of func(float64) float64, scale float64) func(float64) float64 {
	return func(bad float64) float64 { return of(bad) * scale }
}
