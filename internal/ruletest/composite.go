package ruletest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// truthTable gives the components of a composite one combination of states after
// another. It checks the composite's state, and that its components account for all of
// its bad time.
type truthTable struct {
	l     *levelUnderTest
	of    *sla.Composite
	lines []map[*sla.Component]float64 // 0 good, 1 bad, NaN unknown
}

// mostLines bounds the combinations: each component alone has four.
const mostLines = 40

// newTruthTable returns nil for a level that is no composite.
func newTruthTable(l *levelUnderTest) *truthTable {
	of := l.composite()
	if of == nil {
		return nil
	}
	t := &truthTable{l: l, of: of}
	unknown := math.NaN()
	for _, s := range []struct{ one, others float64 }{{0, 0}, {1, 0}, {0, 1}, {1, 1}, {unknown, 0}, {unknown, 1}, {1, unknown}, {0, unknown}} {
		for _, x := range of.Component {
			line := map[*sla.Component]float64{}
			for _, y := range of.Component {
				line[y] = s.others
			}
			line[x] = s.one
			if len(t.lines) < mostLines {
				t.lines = append(t.lines, line)
			}
			if s.one == s.others {
				break // the line is the same for every component
			}
		}
	}
	return t
}

func failsOver(n *sla.Node) bool {
	found := false
	n.Walk(func(m *sla.Node) { found = found || m.Failover.Time > 0 })
	return found
}

// tableInterval is the interval of samples. Rules read a state from the last minutes,
// which must contain several samples.
const tableInterval = 15 * time.Second

// counters returns the raw series of the components, or nil if a component has no
// simple series, or if two could count each other's: then their states are the input.
func (t *truthTable) counters() map[*sla.Component][]inputSeries {
	all, names := map[*sla.Component][]inputSeries{}, map[string]bool{}
	for _, x := range t.of.Component {
		l := &levelUnderTest{ServiceLevel: x.Level}
		if all[x] = rawInputs(l); all[x] == nil {
			return nil
		}
		probed := sla.IsProbed(x.Level.Indicator)
		own := map[string]bool{}
		for _, f := range all[x] {
			own[f.series[nameLabel]] = !probed
		}
		for name, shared := range own {
			if shared && names[name] {
				return nil
			}
			names[name] = true
		}
	}
	return all
}

func (t *truthTable) input() []Input {
	var all []Input
	counters := t.counters()
	for _, x := range t.of.Component {
		if counters == nil {
			all = append(all, input(t.l.named(metricnames.ComponentBad, metricnames.Component, x.Label), t.values(x, inputSeries{gauge: true, of: func(bad float64) float64 { return bad }})))
		}
		for _, f := range counters[x] {
			all = append(all, input(f.series, t.values(x, f)))
		}
	}
	return all
}

// values gives a component's series samples in the three minutes before each
// comparison, from which rules read the state.
func (t *truthTable) values(x *sla.Component, f inputSeries) string {
	const samples, every = int(3 * time.Minute / tableInterval), int(step / tableInterval)
	parts := []string{"_"}
	for _, line := range t.lines {
		bad := line[x]
		if math.IsNaN(bad) {
			parts = append(parts, fmt.Sprintf("_x%d", every))
			continue
		}
		parts = append(parts, fmt.Sprintf("_x%d", every-samples))
		if f.gauge {
			parts = append(parts, fmt.Sprintf("%s+0x%d", number(f.of(bad)), samples-1))
		} else {
			parts = append(parts, fmt.Sprintf("0+%sx%d", number(f.of(bad)), samples-1))
		}
	}
	return strings.Join(parts, " ")
}

func (t *truthTable) expectations() []Expectation {
	var all []Expectation
	for i, line := range t.lines {
		i++ // there is no rate at step 0
		whole, known := t.whole(line)
		m := t.l.named(t.l.minuteByMinute())
		blamed := Expectation{Expr: fmt.Sprintf("round(sum(%s) * %s)", t.l.named(metricnames.BlameSlot), number(scale)), At: at(i), Samples: []Sample{}, about: t.l.named(metricnames.BlameSlot)}
		if !known {
			all = append(all, none(m, i), blamed)
			continue
		}
		if whole > 0 {
			blamed.Samples = []Sample{{"{}", math.Round(whole * scale)}}
		}
		all = append(all, rounded(m, i, math.Round(whole*scale)), blamed)
	}
	return all
}

// whole is how bad the composite is. No scrape is recorded in these tests, so no
// policy for unknown states applies.
func (t *truthTable) whole(line map[*sla.Component]float64) (bad float64, known bool) {
	least, most := badness(t.of.Tree, line, 0), badness(t.of.Tree, line, 1)
	share := 1 - (most - least)
	return least / share, share > 1e-9
}

// badness is how bad a node is if everything unknown below it is this bad.
func badness(n *sla.Node, line map[*sla.Component]float64, unknown float64) float64 {
	if n.Leaf() {
		if v := line[n.Component]; !math.IsNaN(v) {
			return v
		}
		return unknown
	}
	all := make([]float64, len(n.Members))
	weighted := 0.
	for i, m := range n.Members {
		all[i] = badness(m, line, unknown)
		if n.Weighted() {
			weighted += n.Weights[i].Float64() * all[i]
		}
	}
	if n.Failover.Time > 0 {
		return all[0] // no line lasts long enough for a failover
	}
	if n.Weighted() {
		return weighted
	}
	slices.Sort(all)
	return all[n.Least()-1] // so many members are at least this good
}
