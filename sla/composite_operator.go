package sla

import "fmt"

// Operator is how a node combines the states of its members.
type Operator string

// The operators. A state is 1 (good) or 0 (bad), and between them only for weighted
// nodes and above.
const (
	OpLevel    Operator = "level"    // a leaf: the state of a level
	OpAll      Operator = "all"      // as good as the worst member
	OpAny      Operator = "any"      // as good as the best member
	OpAtLeast  Operator = "atLeast"  // as good as the K-th best member
	OpWeighted Operator = "weighted" // the mean of the members by their weights
	OpJourney  Operator = "journey"  // ordered steps that must all work
)

// operator is an operator with everything that the model knows about it. Its rules are
// in rulegen.
type operator struct {
	name  Operator
	title func(*Node) string // describes the node, for people
	least func(*Node) int    // how many members must be good
}

// operators is the table of all operators except OpLevel.
var operators = []operator{
	{OpAll, titled("all of"), allMembers},
	{OpAny, (*Node).anyTitle, func(*Node) int { return 1 }},
	{OpAtLeast, func(n *Node) string { return fmt.Sprintf("at least %d of", n.K) }, func(n *Node) int { return n.K }},
	{OpWeighted, titled("weighted"), allMembers},
	{OpJourney, titled("journey"), allMembers},
}

func titled(text string) func(*Node) string { return func(*Node) string { return text } }

func allMembers(n *Node) int { return len(n.Members) }

// Operators are all operators that combine members.
func Operators() []Operator {
	var names []Operator
	for _, o := range operators {
		names = append(names, o.name)
	}
	return names
}

func (o Operator) facets() operator {
	for _, f := range operators {
		if f.name == o {
			return f
		}
	}
	return operator{}
}

// Leaf returns whether the node is a level.
func (n *Node) Leaf() bool { return n.Op == OpLevel }

// Weighted returns whether the node is a weighted mean of its members.
func (n *Node) Weighted() bool { return n.Op == OpWeighted }

// Least is how many members must be good for the node to be.
func (n *Node) Least() int { return n.Op.facets().least(n) }

// Title describes the node: "at least 2 of", or for a leaf the component's label.
func (n *Node) Title() string {
	switch {
	case !n.Leaf():
		return n.Op.facets().title(n)
	case n.Component != nil:
		return n.Component.Label
	}
	return n.Of.String()
}

func (n *Node) anyTitle() string {
	if n.Failover.Time > 0 {
		return "any of (" + n.failoverWords() + ")"
	}
	return "any of"
}

func (n *Node) failoverWords() string { return FormatDuration(n.Failover.Time) + " to fail over" }

// FailsAlone returns whether the failure of one component is enough to make the node
// worse.
func (n *Node) FailsAlone(c *Component) bool {
	if n.Leaf() {
		return n.Component == c
	}
	failing := 0
	for _, m := range n.Members {
		if m.FailsAlone(c) {
			failing++
		}
	}
	return failing > len(n.Members)-n.Least()
}
