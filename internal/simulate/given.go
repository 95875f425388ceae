package simulate

import (
	"fmt"
	"math"

	"github.com/prometheus/prometheus/model/value"

	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// given is a series that the scenario itself defines.
type given struct {
	metric promql.Metric
	values []promql.GivenValue
	step   int64 // milliseconds from value to value
}

func (s *stage) readGiven() error {
	for _, g := range s.scenario.Series {
		m, err := promql.ParseMetric(g.Series)
		if err != nil {
			return &Problem{Pos: g.Pos, Rule: "bad-series", Message: fmt.Sprintf("the series %q cannot be read: %v", g.Series, err), Remedy: `write it like name{label="value"}`}
		}
		values, err := promql.ParseValues(g.Values)
		if err != nil {
			return &Problem{Pos: g.ValuesPos, Rule: "bad-series", Message: fmt.Sprintf("the values %q cannot be read: %v", g.Values, err), Remedy: "write them as in tests for promtool, like 0+10x40 or 1 1 0 _x5"}
		}
		every := g.Every
		if every == 0 {
			every = s.scrape
		}
		s.given = append(s.given, given{m, values, every.Milliseconds()})
	}
	return nil
}

// samples returns the samples of the series as scrapes find them.
func (g given) samples(s *stage, sc *scrapes) *givenSamples {
	return &givenSamples{sc, g, s.at.UnixMilli()}
}

type givenSamples struct {
	*scrapes
	given
	at int64 // of the first value
}

func (g *givenSamples) Len() int { return g.n }

// At is the value at a scrape. Where there is none it is a staleness marker.
func (g *givenSamples) At(i int) (int64, float64) {
	ms, gone := g.time(i)
	k := 0
	if ms > g.at {
		k = min(int((ms-g.at)/g.step), len(g.values)-1)
	}
	if v := g.values[k]; !gone && !v.Omitted && !v.Stale {
		return ms, v.Value
	}
	return ms, math.Float64frombits(value.StaleNaN)
}

// givenTo returns the given series that a level's rules read.
func (s *stage) givenTo(l *sla.ServiceLevel) (all []given) {
	for _, g := range s.given {
		for _, sel := range s.plans[l.ID].reads {
			if sel.Matches(g.metric) {
				all = append(all, g)
				break
			}
		}
	}
	return all
}
