package spec

import (
	"slices"

	"github.com/upheld-sla/upheld/sla"
)

// readRollupWeight reads the level's weight in rollups.
func (d *levelDraft) readRollupWeight(at value) {
	weight, ok := at.decimal()
	switch {
	case !ok:
	case weight.Sign() <= 0:
		at.error("bad-weights", at.quoted()+" is not above 0", `write e.g. "3", or leave it out`)
	default:
		d.level.RollupWeight = weight
	}
}

// warnUnusedRollups warns of rollup labels that no level has.
func warnUnusedRollups(labels []value, a *sla.Agreement) {
	known := map[string]bool{}
	var names []string
	for _, l := range a.Levels {
		for label := range l.Labels {
			if !known[label] {
				known[label], names = true, append(names, label)
			}
		}
	}
	slices.Sort(names)
	for _, at := range labels {
		if known[at.node.Value] {
			continue
		}
		remedy := "give levels the label, under labels, or leave it out"
		if near := Nearest(at.node.Value, names); near != "" {
			remedy = "did you mean " + quote(near) + "?"
		}
		at.warn("unused-rollup", "no level has the label "+quote(at.node.Value)+", so nothing is put together by it", remedy)
	}
}
