package sla

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Composite combines other levels: it is what a customer sees of a service that consists
// of several systems. The states of the components are combined slot by slot, so that
// overlapping outages count once and redundancy counts where it helped.
type Composite struct {
	Root      *Node // as written; its leaves are levels of any kind
	Unknown   UnknownPolicy
	Shared    []SharedDependency
	EndToEnd  *EndToEnd // nil if there is none
	Alerts    ComponentAlerts
	Tree      *Node        // Root with composites in place of their levels, set by Resolve
	Component []*Component // the levels of Tree, each once, in order of appearance
	agreement string       // name of its agreement
}

// UnknownPolicy is what a slot counts as if it is unknown whether the composite was
// good.
type UnknownPolicy string

// The policies.
const (
	UnknownExcluded UnknownPolicy = "excluded" // neither good nor bad
	UnknownBad      UnknownPolicy = "bad"      // bad
	UnknownGood     UnknownPolicy = "good"     // good
)

// UnknownPolicies are all policies, the default first.
var UnknownPolicies = []UnknownPolicy{UnknownExcluded, UnknownBad, UnknownGood}

// ComponentAlerts says how a composite changes the alerts of its components.
type ComponentAlerts string

// The choices.
const (
	AlertsLinked      ComponentAlerts = "linked"      // they get the label composite
	AlertsInhibited   ComponentAlerts = "inhibited"   // linked, and do not begin to fire while the composite's own alert fires
	AlertsIndependent ComponentAlerts = "independent" // unchanged
)

// AllComponentAlerts are all choices, the default first.
var AllComponentAlerts = []ComponentAlerts{AlertsLinked, AlertsInhibited, AlertsIndependent}

// Node is a node of a composite's tree.
type Node struct {
	Op       Operator
	Path     string // "1.2" is the second member of the first member; set in Tree
	Name     string // of a step or a weighted member; otherwise ""
	Members  []*Node
	K        int       // of OpAtLeast
	Weights  []Decimal // of OpWeighted: one for each member, with the sum 1
	Failover Failover  // of OpAny
	Pos      Position

	// Of OpLevel, and in Tree of a node that replaces a composite.
	Of        ID
	DownAbove Decimal       // percent of bad events in a slot above which the level is down; 0 if not given
	Level     *ServiceLevel // once references are resolved
	Unknown   UnknownPolicy // of that composite

	Component *Component // of a leaf in Tree
}

// Failover is the cost of switching to the next member of an OpAny. The zero value is no
// cost.
type Failover struct {
	Time     time.Duration
	Expected Decimal // how many in 30 days, for the prediction
}

// DefaultFailovers is how many failovers are expected in 30 days by default.
var DefaultFailovers = NewDecimal(1, 1)

// Share is the expected share of all time that failovers take.
func (f Failover) Share() Decimal {
	return Seconds(f.Time).Mul(f.Expected).Quo(Seconds(referencePeriod))
}

// SharedDependency is something that several components depend on but that is no member:
// a DNS service, a region.
type SharedDependency struct {
	Name         string
	Of           ID // a level, or zero
	Level        *ServiceLevel
	Availability Decimal // percent: the level's target, or the given value
	Affects      []ID
	AffectsPos   []Position
	Pos          Position
}

// EndToEnd is a level that measures the whole as a customer does, to compare the
// composite with.
type EndToEnd struct {
	Of        ID
	Level     *ServiceLevel
	DownAbove Decimal
	Above     Decimal // percentage points that it may be worse than the composite
	Over      time.Duration
	Notice    *Notice // nil: no alert
	Pos       Position
}

// DefaultDivergenceOver is an hour, because the two may see an outage up to a minute
// apart.
const DefaultDivergenceOver = time.Hour

// DefaultDivergenceAbove is in percentage points: 5 are three minutes of an hour.
var DefaultDivergenceAbove = NewDecimal(5, 1)

// Component is a level in a composite.
type Component struct {
	Level     *ServiceLevel
	Label     string  // "service/level", or "agreement:service/level" of another agreement
	DownAbove Decimal // percent
	Leaves    int     // how often it occurs in the tree
}

// DefaultDownAbove is the percentage of bad events in a slot above which a component is
// down.
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

// Words describes how the members are combined.
func (c *Composite) Words() string { return c.Root.words(c.agreement) }

// words is the node as a formula for people: `all of (web/availability, any of (a/x,
// b/x))`.
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

// Leaves returns the leaves below a node, in order.
func (n *Node) Leaves() []*Node {
	var leaves []*Node
	n.Walk(func(m *Node) {
		if m.Leaf() {
			leaves = append(leaves, m)
		}
	})
	return leaves
}

// maxLeaves limits the leaves of a composite, those of composites in it included.
const maxLeaves = 200

// Resolve sets Tree and Component. Before, every leaf of Root and of the composites in
// it must have its Level, and no composite may contain itself. It reports too many
// leaves, and a component with two values of DownAbove.
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
				at = leaf.Pos // and not a leaf of a composite in it, which is right by itself
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

// Uses returns whether the composite's rules or figures depend on a level.
func (c *Composite) Uses(l *ServiceLevel) bool {
	return slices.ContainsFunc(c.Component, func(x *Component) bool { return x.Level == l }) ||
		c.EndToEnd != nil && c.EndToEnd.Level == l ||
		slices.ContainsFunc(c.Root.Leaves(), func(n *Node) bool { return n.Level == l })
}

// labelIn is the label of a component in the composites of an agreement.
func labelIn(agreement string, id ID) string {
	if id.SLA == agreement {
		return id.Service + "/" + id.SLO
	}
	return id.String()
}

// expand copies a tree, and replaces composites by their trees.
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

// PartOf is a composite that a level is a component of, and how it changes the level's
// alerts.
type PartOf struct {
	Composite ID
	Alerts    ComponentAlerts
	Pages     []string // severities of the composite's pages
	Tickets   []string // severities of its tickets
}
