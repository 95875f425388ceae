package sla

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Composite is good while a combination of other levels is: what the customer of
// a service feels that is made of several systems. Slot by slot the states of its
// components are combined, so that outages that overlap count once and
// redundancy counts where it helped.
type Composite struct {
	Root      *Node // as it was written: levels of any kind are its leaves
	Unknown   UnknownPolicy
	Shared    []SharedDependency
	EndToEnd  *EndToEnd // nil if no probe of the whole is named
	Alerts    ComponentAlerts
	Tree      *Node        // Root with every composite in it in the place of its level, once references are resolved
	Component []*Component // the levels that Tree is made of, each once, in the order in which they first appear
	agreement string       // whose composite it is
}

// UnknownPolicy is what a slot counts as in which nobody knows whether the
// composite was good.
type UnknownPolicy string

// The policies.
const (
	UnknownExcluded UnknownPolicy = "excluded" // neither good nor bad
	UnknownBad      UnknownPolicy = "bad"      // what is not known to be good is bad
	UnknownGood     UnknownPolicy = "good"     // what is not known to be bad is good
)

// UnknownPolicies are all policies, the default first.
var UnknownPolicies = []UnknownPolicy{UnknownExcluded, UnknownBad, UnknownGood}

// ComponentAlerts is what the composite does to the alerts of its components.
type ComponentAlerts string

// What may be done to them.
const (
	AlertsLinked      ComponentAlerts = "linked"      // a label names the composite
	AlertsInhibited   ComponentAlerts = "inhibited"   // linked, and silent while the composite's own alert fires
	AlertsIndependent ComponentAlerts = "independent" // nothing
)

// AllComponentAlerts are all choices, the default first.
var AllComponentAlerts = []ComponentAlerts{AlertsLinked, AlertsInhibited, AlertsIndependent}

// Node is a part of a composite.
type Node struct {
	Op       Operator
	Path     string // "1.2" is the second member of the first member, set in a Tree
	Name     string // of a journey's step, of a weighted member; else empty
	Members  []*Node
	K        int       // of OpAtLeast
	Weights  []Decimal // of OpWeighted: one for each member, 1 in all
	Failover Failover  // of OpAny
	Pos      Position

	// Of OpLevel, and in a Tree of a node that stands for another composite.
	Of        ID
	DownAbove Decimal       // percent of a slot's events from which on the level is down; 0 if nothing was said
	Level     *ServiceLevel // once references are resolved
	Unknown   UnknownPolicy // of that composite

	Component *Component // of a leaf in a Tree
}

// Failover is what it costs to go on to the next member of an OpAny, in their
// order. The zero value is none.
type Failover struct {
	Time     time.Duration
	Expected Decimal // switches in 30 days, for the prediction
}

// DefaultFailovers is how many switches in 30 days are reckoned with.
var DefaultFailovers = NewDecimal(1, 1)

// Share is the share of all time that switching is expected to take.
func (f Failover) Share() Decimal {
	return Seconds(f.Time).Mul(f.Expected).Quo(Seconds(referencePeriod))
}

// SharedDependency is what several components need, though it is no member
// itself: a DNS service, a region.
type SharedDependency struct {
	Name         string
	Of           ID // a level, or zero
	Level        *ServiceLevel
	Availability Decimal // percent: the level's target, or what was given
	Affects      []ID
	AffectsPos   []Position
	Pos          Position
}

// EndToEnd is a level that measures the composite as a customer does, to hold
// the model against.
type EndToEnd struct {
	Of        ID
	Level     *ServiceLevel
	DownAbove Decimal
	Above     Decimal // percentage points by which it may be worse than the composite
	Over      time.Duration
	Notice    *Notice // nil if nobody is told
	Pos       Position
}

// DefaultDivergenceOver is an hour, because the two see an outage up to a minute
// apart.
const DefaultDivergenceOver = time.Hour

// DefaultDivergenceAbove is in percentage points: three minutes of an hour.
var DefaultDivergenceAbove = NewDecimal(5, 1)

// Component is a level that a composite is made of.
type Component struct {
	Level     *ServiceLevel
	Label     string  // "service/level", with the agreement before it if that is another
	DownAbove Decimal // percent
	Leaves    int     // how often it is in the tree
}

// DefaultDownAbove is the share of bad events in a slot, in percent, above which
// a component is down in it.
var DefaultDownAbove = NewDecimal(50, 1)

// Kind is "composite".
func (*Composite) Kind() string { return "composite" }

// Aggregations of composites: by time, slot by slot.
func (*Composite) Aggregations() []Aggregation { return []Aggregation{Time} }

// Queries is none: the components have them.
func (*Composite) Queries() []Query { return nil }

func (*Composite) traits() traits {
	return traits{looked: true, whole: true, unknown: true, aggregation: "by time: bad minutes over known minutes"}
}

// Words say how the members are combined.
func (c *Composite) Words() string { return c.Root.words(c.agreement) }

// words are the node as a formula for people: `all of (web/availability, any of (a/x, b/x))`.
func (n *Node) words(agreement string) string {
	if n.Leaf() {
		return labelIn(agreement, n.Of)
	}
	words := make([]string, len(n.Members))
	for i, m := range n.Members {
		words[i] = m.words(agreement)
		if n.Weighted() {
			words[i] = n.Weights[i].String() + " × " + words[i]
		}
		if m.Name != "" {
			words[i] = m.Name + ": " + words[i]
		}
	}
	if n.Failover.Time > 0 {
		return "any of (" + strings.Join(words, ", ") + "; " + n.failoverWords() + ")"
	}
	return n.Title() + " (" + strings.Join(words, ", ") + ")"
}

// Walk calls visit for the node and all below it, parents first.
func (n *Node) Walk(visit func(*Node)) {
	visit(n)
	for _, m := range n.Members {
		m.Walk(visit)
	}
}

// Leaves are the levels below a node, in order.
func (n *Node) Leaves() []*Node {
	var leaves []*Node
	n.Walk(func(m *Node) {
		if m.Leaf() {
			leaves = append(leaves, m)
		}
	})
	return leaves
}

// maxLeaves is how many leaves a composite may have once the composites in it
// are put in their places.
const maxLeaves = 200

// Resolve makes Tree and Component once every leaf of Root, and of the
// composites in it, has its Level and no composite is in itself. Mistakes are
// told with their places: too many leaves, or a component that is down above one
// share here and above another there.
func (c *Composite) Resolve(own *ServiceLevel) Findings {
	c.Tree, c.Component, c.agreement = nil, nil, own.ID.SLA
	leaves := 0
	tree := expand(c.Root, &leaves)
	if leaves > maxLeaves {
		return Findings{{
			Severity: Error, Rule: "composite-size", Pos: own.Pos,
			Message: fmt.Sprintf("the composite %q has more than %d leaves once the composites in it are put in their places", own.ID.SLO, maxLeaves),
			Remedy:  "combine fewer levels",
		}}
	}
	tree.number("1")
	var findings Findings
	for _, leaf := range tree.Leaves() {
		down := leaf.DownAbove
		if down.Sign() == 0 {
			down = DefaultDownAbove
		}
		i := slices.IndexFunc(c.Component, func(x *Component) bool { return x.Level == leaf.Level })
		if i < 0 {
			c.Component, i = append(c.Component, &Component{Level: leaf.Level, Label: labelIn(own.ID.SLA, leaf.Level.ID), DownAbove: down}), len(c.Component)
		}
		leaf.Component = c.Component[i]
		leaf.Component.Leaves++
		if leaf.Component.DownAbove.Cmp(down) != 0 {
			at := own.Pos
			if slices.ContainsFunc(c.Root.Leaves(), func(n *Node) bool { return n.Pos == leaf.Pos }) {
				at = leaf.Pos // and not within a composite in it, which by itself is right
			}
			findings = append(findings, Finding{
				Severity: Error, Rule: "composite-down-above", Pos: at,
				Message: fmt.Sprintf("in the composite %q the component %s is down above %s %% in one place and above %s %% in another",
					own.ID.SLO, leaf.Component.Label, leaf.Component.DownAbove, down),
				Remedy: "give it the same downAbove everywhere",
			})
		}
	}
	if len(findings) == 0 {
		c.Tree = tree
	}
	return findings
}

// labelIn names a level as the composites of an agreement call it.
func labelIn(agreement string, id ID) string {
	if id.SLA == agreement {
		return id.Service + "/" + id.SLO
	}
	return id.String()
}

// expand copies a tree with the trees of composites in the places of their
// levels.
func expand(n *Node, leaves *int) *Node {
	copied := *n
	copied.Members = nil
	if n.Leaf() {
		inner, ok := n.Level.Indicator.(*Composite)
		if !ok {
			*leaves++
			return &copied
		}
		if *leaves > maxLeaves {
			return &copied
		}
		tree := expand(inner.Root, leaves)
		tree.Of, tree.Level, tree.Unknown, tree.Pos = n.Level.ID, n.Level, inner.Unknown, n.Pos
		if tree.Name == "" {
			tree.Name = n.Name
		}
		return tree
	}
	for _, m := range n.Members {
		copied.Members = append(copied.Members, expand(m, leaves))
	}
	return &copied
}

func (n *Node) number(path string) {
	n.Path = path
	for i, m := range n.Members {
		m.number(fmt.Sprintf("%s.%d", path, i+1))
	}
}

// PartOf is a composite that a level is a component of, and what it does to the
// level's alerts.
type PartOf struct {
	Composite ID
	Alerts    ComponentAlerts
	Pages     []string // severities of the composite's alerts that wake somebody
	Tickets   []string // and of its others
}
