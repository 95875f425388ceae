package rulegen

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// operator is what rules need to know about an operator of composites; sla has
// the rest.
type operator struct {
	name sla.Operator
	// combine is the badness of a node, from the badness of its members.
	combine func(tree, *sla.Node) promql.Expr
	words   func(*sla.Node) string // says how bad that is
	// handDown divides the blame of a node among its members.
	handDown func(tree, *sla.Node) []Rule
}

// operators is the table of all operators.
var operators = []operator{
	{sla.OpAll, tree.worst, asBadAs("worst member"), tree.byBadness},
	{sla.OpAny, tree.best, asBadAs("best member"), tree.byBadnessOrTurn},
	{sla.OpAtLeast, tree.kthBest, func(n *sla.Node) string { return fmt.Sprintf("as bad as the worst of its %d best members", n.K) }, tree.byBadness},
	{sla.OpWeighted, tree.mean, weightWords, tree.byWeight},
	{sla.OpJourney, tree.worst, asBadAs("worst step"), tree.byBadness},
}

func asBadAs(member string) func(*sla.Node) string {
	return func(*sla.Node) string { return "as bad as its " + member }
}

func weightWords(n *sla.Node) string {
	var weights []string
	for i, m := range n.Members {
		name := m.Name
		if name == "" {
			name = m.Title()
		}
		weights = append(weights, inRules(n.Weights[i])+" of "+name)
	}
	return "the mean of its members by weight, " + firstOf(weights)
}

// operatorOf is the operator of a node. A test makes sure that the table has a
// line for each that the model knows.
func operatorOf(n *sla.Node) operator {
	return operators[slices.IndexFunc(operators, func(o operator) bool { return o.name == n.Op })]
}

func (t tree) worst(n *sla.Node) promql.Expr {
	return promql.Max(t.at(parent(n.Path)), metricnames.Assume)
}

func (t tree) best(n *sla.Node) promql.Expr {
	return promql.Min(t.at(parent(n.Path)), metricnames.Assume)
}

func (t tree) kthBest(n *sla.Node) promql.Expr {
	return promql.Max(promql.BottomK(int64(n.K), t.at(parent(n.Path)), metricnames.Assume), metricnames.Assume)
}

func (t tree) mean(n *sla.Node) promql.Expr {
	var terms promql.Expr
	for i, m := range n.Members {
		terms = union(terms, promql.Mul(promql.Num(n.Weights[i]), t.at(node(m.Path))))
	}
	return promql.Sum(terms, metricnames.Assume)
}

// blame is the blame that a node was handed.
func (t tree) blame(n *sla.Node) promql.Expr {
	return promql.Sum(t.recorded(metricnames.NodeBlame, node(n.Path)).Now())
}

// byBadness divides blame in proportion to the members' badness: equally if
// each is either up or down.
func (t tree) byBadness(n *sla.Node) []Rule {
	members := t.at(parent(n.Path), assume(t.decided()))
	per := promql.Div(t.blame(n), promql.ClampMin(promql.Sum(members), hardly))
	return []Rule{t.record(metricnames.NodeBlame, some(promql.MulLeft(members, per, nil, nil)), metricnames.Parent, n.Path).
		says("Blame of the members of node %s: its own, by how bad each is.", t.nameOf(n)).says(hardlyWords)}
}

// byWeight divides blame in proportion to weight times badness.
func (t tree) byWeight(n *sla.Node) []Rule {
	of := assume(t.decided())
	per := promql.Div(t.blame(n), promql.ClampMin(promql.Sum(t.at(node(n.Path), of)), hardly))
	var rules []Rule
	for i, m := range n.Members {
		own := promql.Mul(promql.Num(n.Weights[i]), promql.Sum(t.at(node(m.Path), of)))
		rules = append(rules, t.record(metricnames.NodeBlame, some(promql.Mul(own, per)), blameLabels(m)...).
			says("Blame of node %s: its share of that of node %s, by weight and how bad it is.", t.nameOf(m), n.Path).
			says("%s = its weight", inRules(n.Weights[i])).says(hardlyWords))
	}
	return rules
}

// byBadnessOrTurn divides blame by turn if switching to the next member takes
// time: each member has a share as far as it and all members before it are bad.
func (t tree) byBadnessOrTurn(n *sla.Node) []Rule {
	if !failsOver(n) {
		return t.byBadness(n)
	}
	first := func(more ...promql.Matcher) promql.Expr {
		return promql.Sum(t.recorded(metricnames.FirstBad, append([]promql.Matcher{node(n.Path), assume(t.decided())}, more...)...).Now())
	}
	per := promql.Div(t.blame(n), promql.ClampMin(first(), hardly))
	var rules []Rule
	for i, m := range n.Members {
		rules = append(rules, t.record(metricnames.NodeBlame, some(promql.Mul(first(promql.Eq(metricnames.Members, strconv.Itoa(i+1))), per)), blameLabels(m)...).
			says("Blame of node %s: its share of that of node %s, as far as it and the members before it are bad.", t.nameOf(m), n.Path).says(hardlyWords))
	}
	return rules
}

// failsOver reports whether it takes time to go on to the next member of a node.
func failsOver(n *sla.Node) bool { return n.Failover.Time > 0 && len(n.Members) > 1 }
