package rulegen

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Rules of composites. Every node of the tree is recorded in every slot under
// several assumptions, which the label assume tells apart: everything unknown is
// good, everything unknown is bad, and a certain component works. Where the first
// two agree the state is known, whatever the unknown components are: Kleene's
// three-valued logic. docs/composites.md has the formulas.

func ofComposite(of *sla.Composite) indicator {
	return indicator{
		count:      func(c counting) ([]Rule, sla.Findings) { return newTree(c.level, of).rules() },
		whole:      func(l level) (promql.Expr, []string) { return newTree(l, of).whole() },
		measured:   metricnames.ComponentBad, // what its policy makes of unknown components is no measurement
		components: func(l level) []counting { return newTree(l, of).components() },
		tallies:    []metricnames.Tally{metricnames.BlameTally},
		ofMinutes: func(l level) []Rule {
			t := newTree(l, of)
			return append(t.blames(), t.divergence()...)
		},
		ofPeriod: blameOfBudget,
		trail:    longestSlot(of),
		tell:     tellComponents,
		why:      burning.blameWords,
	}
}

// tree makes the rules of one composite.
type tree struct {
	level
	*sla.Composite
	assumptions []assumption
}

// assumption is a world in which the tree is evaluated.
type assumption struct {
	label string
	// unknown is what an unknown component counts as; works is the component
	// that is assumed good, if any.
	unknown sla.Decimal
	works   *sla.Component
	// other is the opposite assumption, by which a failover counts how long members have
	// been bad.
	other string
}

func newTree(l level, of *sla.Composite) tree {
	t := tree{level: l, Composite: of, assumptions: []assumption{
		{label: metricnames.UnknownGood, unknown: zero, other: metricnames.UnknownBad},
		{label: metricnames.UnknownBad, unknown: one, other: metricnames.UnknownGood},
	}}
	decided := t.assumptions[0]
	if of.Unknown == sla.UnknownBad {
		decided = t.assumptions[1]
	}
	for _, x := range of.Component {
		// A component in several places of the tree cannot be judged place by
		// place.
		if x.Leaves > 1 && of.Tree.FailsAlone(x) {
			t.assumptions = append(t.assumptions, assumption{label: works(x), unknown: decided.unknown, works: x, other: decided.other})
		}
	}
	return t
}

func works(x *sla.Component) string { return x.Label + " works" }

// decided is the assumption that the composite's policy makes: unknown is bad,
// or else good. If the policy leaves unknown time out, that time is neither.
func (t tree) decided() string {
	if t.Unknown == sla.UnknownBad {
		return metricnames.UnknownBad
	}
	return metricnames.UnknownGood
}

// rules record the states of all components and of every node, and from them the
// badness of the slot.
func (t tree) rules() ([]Rule, sla.Findings) {
	var rules []Rule
	var findings sla.Findings
	for _, x := range t.Component {
		more, wrong := t.stateOf(x.Level, x.Label, x.DownAbove, componentState)
		rules, findings = append(rules, more...), append(findings, wrong...)
		if countsUnknown(t.Composite) {
			rules = append(rules, t.componentMissing(x, more)...)
		}
	}
	more, wrong := t.endToEnd()
	if findings = append(findings, wrong...); findings.HasErrors() {
		return nil, findings
	}
	rules = append(append(rules, t.downSince()), more...)
	rules = append(rules, t.nodes(t.Tree, "", sla.UnknownExcluded)...)
	return append(rules, t.record(t.source().bad, t.slot()).says("How bad the last whole minute was, by node %s.", t.nameOf(t.Tree)).saysAll(t.slotWords())), findings
}

// at selects the badness of nodes.
func (t tree) at(more ...promql.Matcher) promql.Expr {
	return t.recorded(metricnames.NodeBad, more...).Now()
}

func node(path string) promql.Matcher    { return promql.Eq(metricnames.Node, path) }
func parent(path string) promql.Matcher  { return promql.Eq(metricnames.Parent, path) }
func assume(label string) promql.Matcher { return promql.Eq(metricnames.Assume, label) }

// slot is the badness of the whole by the policy for missing data. If the policy
// leaves unknown components out, or the server did not see one of them, only the
// known weights count.
func (t tree) slot() promql.Expr {
	if t.Unknown == sla.UnknownExcluded {
		return t.knownPart()
	}
	seen := promql.Count(promql.Or(t.recorded(metricnames.ComponentBad).Now(), t.recorded(metricnames.ComponentMissing).Now()))
	return promql.Or(promql.AndOn(t.wholeUnder(t.decided()), promql.Ge(seen, number(int64(len(t.Component))))), t.knownPart())
}

// wholeUnder is the badness of the whole under an assumption.
func (t tree) wholeUnder(label string) promql.Expr {
	return promql.Sum(t.at(node(t.Tree.Path), assume(label)))
}

// whole is how bad the whole is as far as that is known, whatever a policy makes of the
// rest.
func (t tree) whole() (bad promql.Expr, words []string) {
	if t.Unknown == sla.UnknownExcluded {
		return t.recorded(t.source().bad).Now(), nil
	}
	return t.knownPart(), []string{hardlyWords}
}

// knownPart is the badness of the known part of the whole.
func (t tree) knownPart() promql.Expr {
	good, bad := t.wholeUnder(metricnames.UnknownGood), t.wholeUnder(metricnames.UnknownBad)
	known := promql.Sub(promql.Num(one), promql.Sub(bad, good))
	return promql.Div(good, promql.Gt(known, promql.Num(hardly)))
}

// slotWords say how a slot counts unknown components.
func (t tree) slotWords() []string {
	words := []string{"What is unknown and changes nothing is left out; where it could change the state, only the weights that are known count.", hardlyWords}
	if t.Unknown != sla.UnknownExcluded {
		words[0] = fmt.Sprintf("What is unknown counts as %s if all %d components are known or missing; else only the weights that are known count.", t.Unknown, len(t.Component))
	}
	return words
}

const hardlyWords = "0.000000000001 is less than any weight, and keeps the divisor above 0."

// hardly is less than any weight, and more than the rounding errors of their sums.
var hardly = sla.NewDecimal(1, 1_000_000_000_000)

// nodes records a node after its members. policy says what missing components
// below it count as; it is that of the inner composite that they belong to.
func (t tree) nodes(n *sla.Node, above string, policy sla.UnknownPolicy) []Rule {
	if n.Unknown == sla.UnknownGood || n.Unknown == sla.UnknownBad {
		policy = n.Unknown
	}
	labels := []string{metricnames.Node, n.Path, metricnames.Parent, above}
	if above == "" {
		labels = labels[:2]
	}
	if n.Leaf() {
		labels = append(labels, metricnames.Component, n.Component.Label)
		return []Rule{t.record(metricnames.NodeBad, t.leaf(n, policy), labels...).
			says("Node %s: 1 if it is down, 0 if not, and for each assumption if it is unknown.", t.nameOf(n))}
	}
	var rules []Rule
	for _, m := range n.Members {
		rules = append(rules, t.nodes(m, n.Path, policy)...)
	}
	if failsOver(n) {
		return append(rules, t.failover(n, labels)...)
	}
	by := operatorOf(n)
	return append(rules, t.record(metricnames.NodeBad, by.combine(t, n), labels...).says("Node %s: %s.", t.nameOf(n), by.words(n)))
}

// nameOf is a node for people: "1.2, any of (pay/a, pay/b)".
func (t tree) nameOf(n *sla.Node) string {
	const enough = 80
	var name strings.Builder
	var add func(*sla.Node)
	add = func(n *sla.Node) {
		name.WriteString(n.Title())
		for i, m := range n.Members {
			name.WriteString([]string{" (", ", "}[min(i, 1)])
			if name.Len() > enough && i+1 < len(n.Members) {
				fmt.Fprintf(&name, "%d more", len(n.Members)-i)
				break
			}
			add(m)
		}
		if len(n.Members) > 0 {
			name.WriteString(")")
		}
	}
	add(n)
	return n.Path + ", " + name.String()
}

// union is a or b; a may still be empty. The labels of the two differ.
func union(a, b promql.Expr) promql.Expr {
	if a.IsZero() {
		return b
	}
	return promql.Or(a, b)
}

// leaf is the state of a component under each assumption: the known state, else
// what the policy makes of a missing one, else what is assumed.
func (t tree) leaf(n *sla.Node, policy sla.UnknownPolicy) promql.Expr {
	of := promql.Eq(metricnames.Component, n.Component.Label)
	state := promql.Sum(t.recorded(metricnames.ComponentBad, of).Now())
	if policy == sla.UnknownBad || policy == sla.UnknownGood {
		counts := zero
		if policy == sla.UnknownBad {
			counts = one
		}
		state = promql.Or(state, promql.Mul(promql.Sum(t.recorded(metricnames.ComponentMissing, of).Now()), promql.Num(counts)))
	}
	var e promql.Expr
	for _, a := range t.assumptions {
		bad := promql.Or(state, promql.Vector(a.unknown))
		if a.works == n.Component {
			bad = promql.Vector(zero)
		}
		e = union(e, promql.SetLabel(bad, metricnames.Assume, a.label))
	}
	return e
}

// failover records an operator any whose switch to the next member takes time.
// While the first i members are bad the next one serves, except in the slots
// that switching takes, counted from when all of them became bad.
func (t tree) failover(n *sla.Node, labels []string) []Rule {
	var rules []Rule
	for i := range n.Members {
		rules = append(rules, t.record(metricnames.FirstBad, promql.Min(t.at(anyNode(n.Members[:i+1]), parent(n.Path)), metricnames.Assume),
			metricnames.Node, n.Path, metricnames.Members, strconv.Itoa(i+1)).
			says("Node %s: 1 while its first %d members are bad.", t.nameOf(n), i+1))
	}
	slots := t.slotsOf(n.Failover.Time)
	for _, a := range t.assumptions {
		first := func(i int, label string) promql.Selector {
			return t.recorded(metricnames.FirstBad, node(n.Path), promql.Eq(metricnames.Members, strconv.Itoa(i)), assume(label))
		}
		last := len(n.Members)
		terms := promql.SetLabel(promql.Sum(first(last, a.label).Now()), metricnames.Members, strconv.Itoa(last))
		for i := 1; i < last; i++ {
			switched := promql.Sum(t.always(metricnames.FirstBad, slots+1, node(n.Path), promql.Eq(metricnames.Members, strconv.Itoa(i)), assume(a.other)))
			switching := promql.Mul(promql.Sum(first(i, a.label).Now()), promql.Sub(promql.Num(one), switched))
			terms = union(terms, promql.SetLabel(switching, metricnames.Members, strconv.Itoa(i)))
		}
		rules = append(rules, t.record(metricnames.NodeBad, promql.Max(terms), append([]string{metricnames.Assume, a.label}, labels...)...).
			says("Node %s: 1 while all members are bad, and while it goes on to the next one, which takes %s.", t.nameOf(n), sla.FormatDuration(n.Failover.Time)).
			saysAll(alwaysWords(slots+1)))
	}
	return rules
}

// anyNode matches some nodes.
func anyNode(nodes []*sla.Node) promql.Matcher {
	if len(nodes) == 1 {
		return node(nodes[0].Path)
	}
	paths := make([]string, len(nodes))
	for i, n := range nodes {
		paths[i] = literal(n.Path)
	}
	return promql.Re(metricnames.Node, strings.Join(paths, "|"))
}

// literal is a path as a regular expression.
func literal(path string) string { return strings.ReplaceAll(path, ".", "[.]") }

// downSince records since when each component that is down has been down: the
// time recorded last if it was down in its last state too, else now. Both are
// looked for over a day, so that a server that was away for less does not begin
// again.
func (t tree) downSince() Rule {
	down := promql.Gt(t.recorded(metricnames.ComponentBad).Now(), promql.Num(zero))
	before := promql.Gt(t.recorded(metricnames.ComponentBad).Ago(t.interval).LastOverTime(sinceWithin), promql.Num(zero))
	since := promql.AndOn(t.recorded(metricnames.DownSince).LastOverTime(sinceWithin), promql.AndOn(down, before, metricnames.Component), metricnames.Component)
	begun := promql.Add(promql.Mul(promql.Num(zero), down), promql.Time())
	return t.record(metricnames.DownSince, promql.OrOn(since, begun, metricnames.Component)).
		says("Since when each component has been down, in Unix seconds: as recorded before, or now if it was not down before.")
}
