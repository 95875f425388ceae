package rulegen

import (
	"fmt"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Which component caused a composite's bad time. The blame for a slot is handed
// down the tree from the whole to the components. Every node divides it equally
// among its bad members, so that all shares sum to the whole.
//
// Blame is recorded only where there is some: while all is well, which is nearly
// always, it costs nothing, and its sums over a period read what little there is.

// blames record how much of every slot each component caused, and how much of
// that counts by the composite's contract.
func (t tree) blames() []Rule {
	var rules []Rule
	parts := weightedTop(t.Tree, one)
	for _, p := range parts {
		rules = append(rules, t.part(p, len(parts) > 1)...)
	}
	rules = append(rules, t.blameOfSlot())
	if t.Masked() {
		kept := t.recorded(t.keptMask()).Now()
		rules = append(rules, t.record(metricnames.BlameCounted, some(promql.MulLeft(t.recorded(metricnames.BlameSlot).Now(), kept, nil, nil))).
			says("How much of the last minute's bad time each component caused, where failures count."))
	}
	slots := promql.Num(sla.NewDecimal(int64(sla.BaseWindow), int64(t.interval)))
	return append(rules, t.record(metricnames.BlameRate, promql.Div(t.recorded(t.blamed()).SumOverTime(t.samples(sla.BaseWindow)), slots)).
		says("Bad seconds per second that each component caused, of the last 5m.").says("%s", t.evaluationsIn(sla.BaseWindow)))
}

// blamed names the series of the minutes' blame that counts by the contract.
func (l level) blamed() string {
	if l.Masked() {
		return metricnames.BlameCounted
	}
	return metricnames.BlameSlot
}

// blameOfSlot adds up the parts. Blame ends without a last 0, so what was recorded
// before a restart, or by another tree, can be visible for some minutes beside
// what is recorded now. So the sum is scaled to the badness of the slot; usually
// the factor is 1.
func (t tree) blameOfSlot() Rule {
	parts := t.recorded(metricnames.PartBlame).Now()
	scale := promql.Div(promql.Sum(t.recorded(t.source().bad).Now()), promql.Sum(parts))
	return t.record(metricnames.BlameSlot, some(promql.MulLeft(promql.Sum(parts, metricnames.Component, metricnames.How), scale, nil, nil))).
		says("How much of the last minute's bad time each component caused, alone or with others: all together cause all of it.")
}

// part is a node where the weighted top of a tree ends, with its weight in the
// whole: only its own components can cause the bad time of this weight.
type part struct {
	*sla.Node
	weight sla.Decimal
}

func weightedTop(n *sla.Node, weight sla.Decimal) []part {
	if !n.Weighted() {
		return []part{{n, weight}}
	}
	var parts []part
	for i, m := range n.Members {
		parts = append(parts, weightedTop(m, weight.Mul(n.Weights[i]))...)
	}
	return parts
}

// part divides the bad time of a part among its components.
func (t tree) part(p part, several bool) []Rule {
	whole := t.recorded(t.source().bad).Now()
	var weightOf []string
	if several {
		weightOf = []string{fmt.Sprintf("%s = its weight in the whole", inRules(p.weight)), hardlyWords}
		// What a slot leaves out as unknown has no part in its badness.
		badness := promql.Sum(t.at(node(t.Tree.Path), assume(t.decided())))
		own := promql.Mul(promql.Num(p.weight), promql.Sum(t.at(node(p.Path), assume(t.decided()))))
		whole = promql.Mul(promql.Sum(whole), promql.Div(own, promql.ClampMin(badness, hardly)))
	} else {
		whole = promql.Sum(whole)
	}
	var direct []Rule
	rest := whole
	for _, a := range t.assumptions {
		if a.works == nil || !p.FailsAlone(a.works) {
			continue
		}
		mended := promql.Sum(t.at(node(p.Path), assume(a.label)))
		fixed := promql.LeBool(mended, promql.Num(zero))
		direct = append(direct, t.record(metricnames.PartBlame, some(promql.Mul(whole, fixed)),
			metricnames.Part, p.Path+" "+a.works.Label, metricnames.Component, a.works.Label, metricnames.How, metricnames.Alone).
			says("What of the bad time of node %s %s caused alone: all of it while the node would be good if only that component worked.", t.nameOf(p.Node), a.works.Label).
			saysAll(weightOf))
		rest = promql.Mul(rest, promql.Sub(promql.Num(one), fixed))
	}
	rules := append(direct, t.record(metricnames.NodeBlame, some(rest), blameLabels(p.Node)...).
		says("Blame of node %s: its part of the last minute's bad time.", t.nameOf(p.Node)).saysAll(weightOf))
	rules = append(rules, t.handDown(p.Node)...)
	return append(rules, t.sharesOf(p)...)
}

// some is e where it is above 0.
func some(e promql.Expr) promql.Expr { return promql.Gt(e, promql.Num(zero)) }

func blameLabels(n *sla.Node) []string {
	labels := []string{metricnames.Node, n.Path}
	if n.Leaf() {
		labels = append(labels, metricnames.Component, n.Component.Label)
	}
	return labels
}

// handDown divides the blame of a node among its members, down to the components.
func (t tree) handDown(n *sla.Node) []Rule {
	if n.Leaf() {
		return nil
	}
	rules := operatorOf(n).handDown(t, n)
	for _, m := range n.Members {
		rules = append(rules, t.handDown(m)...)
	}
	return rules
}

// sharesOf adds up the blame that each component of a part was handed, and
// records whether the component caused all of it alone.
func (t tree) sharesOf(p part) []Rule {
	below := promql.Re(metricnames.Node, literal(p.Path)+"([.].+)?")
	shares := promql.Sum(t.recorded(metricnames.NodeBlame, below, promql.Re(metricnames.Component, ".+")).Now(), metricnames.Component)
	all := promql.ClampMin(promql.Sum(t.recorded(metricnames.NodeBlame, node(p.Path)).Now()), hardly)
	alone := promql.GeBool(promql.DivLeft(shares, all), promql.Num(almostAll))
	record := func(how string, e promql.Expr) Rule {
		return t.record(metricnames.PartBlame, some(e), metricnames.Part, p.Path, metricnames.How, how)
	}
	words := []string{inRules(almostAll) + ": all of it, as exactly as sums can tell", hardlyWords}
	return []Rule{
		record(metricnames.Alone, promql.Mul(shares, alone)).
			says("What of the bad time of node %s a component caused alone: it has all of the blame.", t.nameOf(p.Node)).saysAll(words),
		record(metricnames.WithOthers, promql.Mul(shares, promql.Sub(promql.Num(one), alone))).
			says("What of the bad time of node %s each component caused with others.", t.nameOf(p.Node)).saysAll(words),
	}
}

// blameOfBudget records the share of a period's budget that each component has
// spent: its share of the bad time, times the share of the budget that is
// spent.
func blameOfBudget(p period) []Rule {
	spent := promql.Sub(promql.Num(one), p.figure(metricnames.BudgetRemaining).Now())
	per := promql.Div(spent, promql.Gt(p.figure(metricnames.BadPeriod).Now(), promql.Num(zero)))
	return []Rule{p.record(metricnames.BlameBudget, promql.MulLeft(p.figure(metricnames.BlameTally.Sum).Now(), per, p.joinLabels(), nil)).
		says("Share of the budget of %s that each component has spent: what it caused of the bad time, of what is spent.", p.of.Words())}
}
