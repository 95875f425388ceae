package web

import (
	"strconv"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Member is a node in the tree of a composite: a component, or an operator over the
// members below it.
type Member struct {
	Name     string // of a step or a weighted member, may be empty
	Title    string // the component, or how the members below are combined
	Depth    int    // 0 is the composite itself
	Weight   Figure // within the operator above it, if that has weights
	Of       sla.ID // the component's level; zero for an operator
	State    sla.State
	Since    time.Time // since when a component is down; zero if it is not
	Failures []Failure // of a component that is down, newest first, bounded
	// Alone and WithOthers are the shares of the period's budget that a component
	// has spent; not known if it has spent none.
	Alone, WithOthers Figure
}

// nodeView is a node in the tree, with the nodes below it.
type nodeView struct {
	Name, Title string
	Path        string // of its level's page, may be empty
	State       mark
	Since       stamp
	Weight      string // within the operator above it: "40 %"
	Working     string // of an operator: "1 of 2 up"
	Spent       string // of the budget of the composite
	Members     []*nodeView
}

// newTree returns the tree of a composite: its root, or nothing.
func newTree(members []Member, c clock) []*nodeView {
	var roots []*nodeView
	var path []*nodeView // from the root to the last node
	for _, m := range members {
		v := &nodeView{Name: m.Name, Title: m.Title, Path: pathOf(m), State: stateMark(m.State), Since: c.stamp(m.Since), Spent: spentWords(m)}
		if m.Weight.Known {
			v.Weight = percent(m.Weight.Value)
		}
		depth := min(max(m.Depth, 0), len(path))
		if path = append(path[:depth], v); depth == 0 {
			roots = append(roots, v)
		} else {
			path[depth-1].Members = append(path[depth-1].Members, v)
		}
	}
	for _, v := range roots {
		v.count()
	}
	return roots
}

// count says for each operator how many of its members are up.
func (v *nodeView) count() {
	up := 0
	for _, m := range v.Members {
		if m.count(); m.State == stateMark(sla.StateUp) {
			up++
		}
	}
	if len(v.Members) > 0 {
		v.Working = strconv.Itoa(up) + " of " + strconv.Itoa(len(v.Members)) + " up"
	}
}

// spentWords says how much of the budget a component has spent.
func spentWords(m Member) string {
	alone, others := m.Alone.Value, m.WithOthers.Value // unknown values are 0
	switch {
	case alone+others <= noise:
		return ""
	case others <= noise:
		return percent(alone) + " of the budget spent, all of it alone"
	case alone <= noise:
		return percent(others) + " of the budget spent, always together with others"
	}
	return percent(alone+others) + " of the budget spent, " + percent(alone) + " alone"
}

// compositeLink is a link to a composite that a level is a component of.
type compositeLink struct{ Name, Path string }

func newCompositeLinks(l *sla.ServiceLevel) []compositeLink {
	var views []compositeLink
	for _, p := range l.PartOf {
		views = append(views, compositeLink{p.Composite.Service + " / " + p.Composite.SLO, levelPath(p.Composite)})
	}
	return views
}
