package web

import (
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Member is a place in the tree of a composite: a component, or an operator over
// the members below it.
type Member struct {
	Name     string // of a step or a weighted member, may be empty
	Title    string // the component, or how the members below are combined
	Depth    int    // 0 is the composite itself
	Of       sla.ID // the component's level; zero for an operator
	State    sla.State
	Since    time.Time // since when a component is down; zero if it is not
	Failures []Failure // of a component that is down, newest first, bounded
	// Alone and WithOthers are the shares of the period's budget that a component
	// has spent; not known if it has spent none.
	Alone, WithOthers Figure
}

type memberView struct {
	Name, Title string
	Depth       int
	Path        string // of its level's page, may be empty
	State       mark
	Since       stamp
	Alone       string
	WithOthers  string
}

func newMembers(members []Member, c clock) []memberView {
	var views []memberView
	for _, m := range members {
		v := memberView{Name: m.Name, Title: m.Title, Depth: min(m.Depth, 6), Path: pathOf(m), State: stateMark(m.State), Since: c.stamp(m.Since)}
		if m.Alone.Known {
			v.Alone = percent(m.Alone.Value)
		}
		if m.WithOthers.Known {
			v.WithOthers = percent(m.WithOthers.Value)
		}
		views = append(views, v)
	}
	return views
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
