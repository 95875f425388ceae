package verdict_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

// drawnGroup is what was measured of a further group.
type drawnGroup struct{ places [][]measured }

// drawnPromise is the target of a group, or of all others.
type drawnPromise struct {
	group    string // "" for all
	target   string
	required bool
}

// nobody is a group that has to be there and of which nothing was measured.
const nobody = "nobody"

func (w *world) drawGroups(r *rand.Rand) {
	if w.tree != nil || r.IntN(4) > 0 {
		return
	}
	for range 1 + r.IntN(2) {
		g := drawnGroup{}
		for range w.places {
			g.places = append(g.places, w.drawHistory(r, w.method != "time", len(w.places) == 1))
		}
		w.groups = append(w.groups, g)
	}
	for range r.IntN(4) {
		w.promises = append(w.promises, drawnPromise{group: pick(r, "g0", "g1", "g1", ""), target: pick(r, "40", "60", "85", "97")})
	}
	if r.IntN(3) == 0 {
		w.promises = append(w.promises, drawnPromise{group: nobody, target: "50", required: true})
	}
}

// judgeAll judges each group of a level, or the level itself.
func (w *world) judgeAll(mutation string) []outcome {
	if w.groups == nil {
		return []outcome{w.judge(mutation)}
	}
	names, places := []string{"g0"}, [][][]measured{w.places}
	for i, g := range w.groups {
		names, places = append(names, fmt.Sprint("g", i+1)), append(places, g.places)
	}
	for _, p := range w.promises {
		if p.required && mutation != "groups that must be there are left out" {
			names, places = append(names, nobody), append(places, [][]measured{make([]measured, len(w.places[0]))})
		}
	}
	var all []outcome
	for i, name := range names {
		group := *w
		group.places, group.target = places[i], w.promiseTo(name, mutation)
		if name == nobody {
			group.locations = []string{"?"}
		}
		all = append(all, group.judge(mutation))
	}
	return all
}

func (w *world) promiseTo(group, mutation string) string {
	target := w.target
	for _, p := range w.promises {
		if p.group != "" && p.group != group || mutation == "all groups have the level's target" {
			continue
		}
		if target = p.target; mutation != "the last promise that matches holds" {
			break
		}
	}
	return target
}

// groupEvidence is what was measured of all groups, whose promises the level gets.
func (w *world) groupEvidence(l *sla.ServiceLevel) []verdict.GroupEvidence {
	all := []verdict.GroupEvidence{w.placesOf(w.places)}
	for _, g := range w.groups {
		all = append(all, w.placesOf(g.places))
	}
	if w.groups == nil {
		return all
	}
	l.GroupBy.Labels = []string{"tenant"}
	for i := range all {
		all[i].Labels = map[string]string{"tenant": fmt.Sprint("g", i)}
	}
	for _, p := range w.promises {
		t := sla.GroupTarget{Match: map[string]string{}, Target: sla.MustDecimal(p.target), Required: p.required}
		if p.group != "" {
			t.Match["tenant"] = p.group
		}
		l.GroupBy.Targets = append(l.GroupBy.Targets, t)
	}
	return all
}

func (w *world) placesOf(places [][]measured) verdict.GroupEvidence {
	g := verdict.GroupEvidence{}
	for i, p := range places {
		g.Places = append(g.Places, verdict.Place{Labels: map[string]string{"location": w.locations[i], "target": fmt.Sprint(i)}, Stretches: w.stretches(p, w.method == "time")})
	}
	return g
}
