package verdict

import (
	"cmp"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// operator is how a node combines the badness of its members, and how it divides blame
// among them. Package sla has what the rest of the program knows of operators.
type operator struct {
	name     sla.Operator
	combine  func(n *sla.Node, bad []sla.Decimal) sla.Decimal
	handDown func(t *tree, n *sla.Node) []sla.Decimal // weights of the members, with any sum
}

// operators is the table of all operators that combine members.
var operators = []operator{
	{sla.OpAll, worstOf, (*tree).byBadness},
	{sla.OpAny, bestOf, (*tree).byBadnessOrTurn},
	{sla.OpAtLeast, kthBest, (*tree).byBadness},
	{sla.OpWeighted, meanByWeight, (*tree).byWeight},
	{sla.OpJourney, worstOf, (*tree).byBadness},
}

// operatorOf returns the operator of a node. A test demands a line for each operator
// that the model knows.
func operatorOf(n *sla.Node) operator {
	return operators[slices.IndexFunc(operators, func(o operator) bool { return o.name == n.Op })]
}

func worstOf(_ *sla.Node, bad []sla.Decimal) sla.Decimal { return slices.MaxFunc(bad, sla.Decimal.Cmp) }

func bestOf(_ *sla.Node, bad []sla.Decimal) sla.Decimal { return slices.MinFunc(bad, sla.Decimal.Cmp) }

func kthBest(n *sla.Node, bad []sla.Decimal) sla.Decimal {
	sorted := slices.SortedFunc(slices.Values(bad), sla.Decimal.Cmp)
	return sorted[n.K-1]
}

func meanByWeight(n *sla.Node, bad []sla.Decimal) sla.Decimal {
	var mean sla.Decimal
	for i, b := range bad {
		mean = mean.Add(n.Weights[i].Mul(b))
	}
	return mean
}

// byBadness divides blame by how bad the members are: in equal shares if each is either
// up or down.
func (t *tree) byBadness(n *sla.Node) []sla.Decimal { return t.membersAt(n, t.decided()) }

func (t *tree) byWeight(n *sla.Node) []sla.Decimal {
	weights := t.membersAt(n, t.decided())
	for i := range weights {
		weights[i] = weights[i].Mul(n.Weights[i])
	}
	return weights
}

// byBadnessOrTurn divides blame by badness, too. If failing over takes time, a member's
// share is as bad as it and all members before it are at once.
func (t *tree) byBadnessOrTurn(n *sla.Node) []sla.Decimal {
	if !failsOver(n) {
		return t.byBadness(n)
	}
	weights := make([]sla.Decimal, len(n.Members))
	for i := range weights {
		weights[i] = t.firstBad(n, i+1, t.decided())
	}
	return weights
}

// blamed is a component's share of a bad moment.
type blamed struct{ alone, withOthers sla.Decimal }

// blameSpan says how much each component, by its index, is to blame for a bad time. All
// shares add up to bad.
type blameSpan struct {
	from, to int64
	bad      sla.Decimal
	by       []blamed
}

// blame divides the badness of the moment that was evaluated.
func (t *tree) blame(whole sla.Decimal) []blamed {
	by := make([]blamed, len(t.Component))
	decided := t.decided()
	for _, p := range weightedTop(t.Tree, one) {
		own := p.weight.Mul(t.bad[p.Node][decided])
		if own.Sign() == 0 {
			continue
		}
		t.blamePart(p.Node, whole.Mul(own).Quo(t.bad[t.Tree][decided]), by)
	}
	return by
}

// weightedPart is a node below the weighted operators at the top of a tree, and its
// weight in the whole.
type weightedPart struct {
	*sla.Node
	weight sla.Decimal
}

func weightedTop(n *sla.Node, weight sla.Decimal) []weightedPart {
	if !n.Weighted() {
		return []weightedPart{{n, weight}}
	}
	var parts []weightedPart
	for i, m := range n.Members {
		parts = append(parts, weightedTop(m, weight.Mul(n.Weights[i]))...)
	}
	return parts
}

// blamePart divides the bad time of a part: all of it to a component whose repair alone
// would have been enough, else down the tree.
func (t *tree) blamePart(n *sla.Node, whole sla.Decimal, by []blamed) {
	for a, as := range t.assumptions {
		if as.works != nil && n.FailsAlone(as.works) && t.bad[n][a].Sign() == 0 {
			own := &by[t.component[as.works]]
			own.alone = own.alone.Add(whole)
			return
		}
	}
	shares := make([]sla.Decimal, len(by))
	t.handDown(n, whole, shares)
	for i, share := range shares {
		switch {
		case share.Sign() == 0:
		case share.Cmp(whole) == 0:
			by[i].alone = by[i].alone.Add(share)
		default:
			by[i].withOthers = by[i].withOthers.Add(share)
		}
	}
}

func (t *tree) handDown(n *sla.Node, blame sla.Decimal, shares []sla.Decimal) {
	if n.Leaf() {
		i := t.component[n.Component]
		shares[i] = shares[i].Add(blame)
		return
	}
	weights := operatorOf(n).handDown(t, n)
	var all sla.Decimal
	for _, w := range weights {
		all = all.Add(w)
	}
	for i, m := range n.Members {
		if weights[i].Sign() > 0 {
			t.handDown(m, blame.Mul(weights[i]).Quo(all), shares)
		}
	}
}

// blame returns how much of the bad time that counts each component of a composite
// caused.
func (b *ledger) blame() []Blame {
	result := []Blame{}
	c, ok := b.level.Indicator.(*sla.Composite)
	if !ok {
		return result
	}
	caused := make([]struct{ alone, withOthers sum }, len(c.Component))
	next := 0
	for _, p := range b.pieces {
		if p.counted.bad.Sign() == 0 {
			continue
		}
		for ; next < len(b.blames) && b.blames[next].to <= p.from; next++ {
		}
		for i := next; i < len(b.blames) && b.blames[i].from < p.to; i++ {
			s := b.blames[i]
			length := min(s.to, p.to) - max(s.from, p.from)
			scale := p.weighed(p.counted.bad).Quo(s.bad)
			for j, by := range s.by {
				caused[j].alone.addShare(length, by.alone.Mul(scale))
				caused[j].withOthers.addShare(length, by.withOthers.Mul(scale))
			}
		}
	}
	for i, x := range c.Component {
		if all := caused[i]; !all.alone.isZero() || !all.withOthers.isZero() {
			result = append(result, Blame{x.Label, inSeconds(all.alone.value()), inSeconds(all.withOthers.value())})
		}
	}
	return result
}

// causeOf names the components that are to blame for a composite's outage.
func (b *ledger) causeOf(from, to int64) string {
	if cause := b.causes(sla.Span{From: instant(from), To: instant(to)}); cause != "" {
		return cause
	}
	c, ok := b.level.Indicator.(*sla.Composite)
	if !ok {
		return unknownCause
	}
	down := make([]bool, len(c.Component))
	first, _ := slices.BinarySearchFunc(b.blames, from, func(s blameSpan, from int64) int { return cmp.Compare(s.to, from+1) })
	for i := first; i < len(b.blames) && b.blames[i].from < to; i++ {
		for j, by := range b.blames[i].by {
			down[j] = down[j] || by.alone.Sign() > 0 || by.withOthers.Sign() > 0
		}
	}
	var names []string
	for i, x := range c.Component {
		if down[i] {
			names = append(names, x.Label)
		}
	}
	if names == nil {
		return unknownCause
	}
	return strings.Join(names, ", ")
}
