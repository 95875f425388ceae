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

// truthTable feeds a composite the states of its components, one combination
// after the other, and asks what the whole is then and whether what it is bad by
// is laid to somebody.
type truthTable struct {
	l     *tested
	of    *sla.Composite
	lines []map[*sla.Component]float64 // 0 good, 1 bad, NaN unknown
}

// mostLines bounds the combinations: each component alone has four.
const mostLines = 40

// newTruthTable is nil for what is no composite.
func newTruthTable(l *tested) *truthTable {
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
				break // the same whichever it is
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

// tableFeed is the interval of samples of a truth table: states are read from the
// last minutes, in which there must be several.
const tableFeed = 15 * time.Second

// counters are what the components are fed, nil where they are no simple series,
// or might count each other's: then their states are fed.
func (t *truthTable) counters() map[*sla.Component][]fed {
	all, names := map[*sla.Component][]fed{}, map[string]bool{}
	for _, x := range t.of.Component {
		l := &tested{ServiceLevel: x.Level}
		if all[x] = feeds(l); all[x] == nil {
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
			all = append(all, input(t.l.named(metricnames.ComponentBad, metricnames.Component, x.Label), t.values(x, fed{gauge: true, of: func(bad float64) float64 { return bad }})))
		}
		for _, f := range counters[x] {
			all = append(all, input(f.series, t.values(x, f)))
		}
	}
	return all
}

// values feed a component's series the samples of the three minutes before each
// line is looked at, from which its state is read.
func (t *truthTable) values(x *sla.Component, f fed) string {
	const samples, every = int(3 * time.Minute / tableFeed), int(step / tableFeed)
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

func (t *truthTable) asked() []Asked {
	var all []Asked
	for i, line := range t.lines {
		i++ // there is no rate at the beginning
		whole, known := t.whole(line)
		m := t.l.named(metricnames.SlotBad)
		blamed := Asked{Expr: fmt.Sprintf("round(sum(%s) * %s)", t.l.named(metricnames.BlameSlot), number(scale)), At: at(i), Samples: []Sample{}, about: t.l.named(metricnames.BlameSlot)}
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

// whole is how bad the composite is. Nothing is scraped in these tests, so what is
// unknown is not seen, and counts by no policy.
func (t *truthTable) whole(line map[*sla.Component]float64) (bad float64, known bool) {
	least, most := badness(t.of.Tree, line, 0), badness(t.of.Tree, line, 1)
	share := 1 - (most - least)
	return least / share, share > 1e-9
}

// badness of a node if everything unknown below it is as bad as said.
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
		return all[0] // no line lasts long enough to have gone on to another
	}
	if n.Weighted() {
		return weighted
	}
	slices.Sort(all)
	return all[n.Least()-1] // so many are no worse
}
