package sla

import (
	"cmp"
	"fmt"
	"slices"
)

// Prediction is what a composite's availability comes to if every component is
// exactly as good as its target. All figures are ratios, and exact.
type Prediction struct {
	// Independent is the availability if components fail independently of each
	// other. What is in the tree more than once, and what is declared to be
	// shared, fails as one.
	Independent Decimal
	// Low and High bound it whatever the failures have to do with each other
	// (Fréchet; for k of n: Rüger, "Das maximale Signifikanzniveau des Tests:
	// Lehne H0 ab, wenn k unter n gegebenen Tests zur Ablehnung führen", 1978).
	Low, High Decimal
	Parts     []Part // one for each component, in their order
	Shared    []Part // one for each declared shared dependency
}

// Part is one component in a prediction.
type Part struct {
	Label     string
	Promised  Decimal // its target as a ratio
	IfPerfect Decimal // of the composite if this one never failed
	IfDown    Decimal // of the composite while this one is down
	worth     Decimal // what of Promised is its own doing, and not that of shared dependencies
	depends   Decimal // the availability of its shared dependencies
}

// Gain is by how much the composite would be better if the part never failed.
func (p Part) Gain(of Prediction) Decimal { return p.IfPerfect.Sub(of.Independent) }

// Needs is what the part would have to promise, all others as they are, for the
// composite to reach a target; ok is false if it cannot alone.
func (p Part) Needs(target Decimal) (ratio Decimal, ok bool) {
	spread := p.IfPerfect.Sub(p.IfDown)
	if spread.Sign() <= 0 || p.IfPerfect.Cmp(target) <= 0 { // nobody can promise 100 %
		return Decimal{}, false
	}
	return clamp(target.Sub(p.IfDown).Quo(spread)).Mul(p.depends), true
}

// Weakest is the part whose failures cost the composite most.
func (p Prediction) Weakest() Part {
	return slices.MaxFunc(slices.Concat(p.Parts, p.Shared), func(a, b Part) int { return a.Gain(p).Cmp(b.Gain(p)) })
}

// Predict reckons with the targets of the components. It is an error if the
// components are entangled in more ways than can be worked through.
func (c *Composite) Predict() (Prediction, error) {
	p := c.predictor()
	independent, err := p.mean(c.Tree)
	if err != nil {
		return Prediction{}, err
	}
	result := Prediction{Independent: independent}
	result.Low, result.High = bounds(c.Tree)
	for i, v := range p.variables {
		part := Part{Label: v.label, Promised: v.promised, worth: v.worth, depends: v.depends}
		p.steps = 0
		p.fixed[i] = up
		if part.IfPerfect, err = p.mean(c.Tree); err != nil {
			return Prediction{}, err
		}
		p.fixed[i] = down
		if part.IfDown, err = p.mean(c.Tree); err != nil {
			return Prediction{}, err
		}
		delete(p.fixed, i)
		if i < len(c.Component) {
			result.Parts = append(result.Parts, part)
		} else {
			result.Shared = append(result.Shared, part)
		}
	}
	return result, nil
}

// factor is something that is up or down as one, independently of all others.
type factor struct {
	label                    string
	promised, worth, depends Decimal
}

type setting int

const (
	up setting = iota + 1
	down
)

// predictor works out a tree. Variables that are in several members of a node
// are conditioned on: the node is worked out with the variable up and with it
// down, and the two are weighed, so that nothing is multiplied twice.
type predictor struct {
	variables []factor
	needs     map[*Component][]int // the variables that must all be up for a component to be up
	fixed     map[int]setting
	steps     int
}

// maxSteps bounds the work of a prediction; each variable that is shared at the
// same place doubles it.
const maxSteps = 1 << 14

func (c *Composite) predictor() *predictor {
	p := &predictor{needs: map[*Component][]int{}, fixed: map[int]setting{}}
	for i, x := range c.Component {
		promised := x.Level.TargetRatio()
		p.variables = append(p.variables, factor{x.Label, promised, promised, NewDecimal(1, 1)})
		p.needs[x] = []int{i}
	}
	for _, d := range c.Shared {
		shared := slices.IndexFunc(c.Component, func(x *Component) bool { return d.Level != nil && x.Level == d.Level })
		if shared < 0 {
			ratio := d.Availability.Quo(hundred)
			p.variables = append(p.variables, factor{d.Name, ratio, ratio, NewDecimal(1, 1)})
			shared = len(p.variables) - 1
		}
		for i, x := range c.Component {
			if i == shared || !slices.Contains(d.Affects, x.Level.ID) {
				continue
			}
			p.needs[x] = append(p.needs[x], shared)
			// What a component promises holds for its users, who need the
			// dependency too: its own part is what is left.
			v := &p.variables[i]
			v.depends = v.depends.Mul(p.variables[shared].promised)
			v.worth = clamp(v.promised.Quo(v.depends))
		}
	}
	return p
}

// outcome is a value that a node may have, and how likely it has it.
type outcome struct{ value, chance Decimal }

// outcomes are those of a node, ascending by value; the chances sum to 1.
type outcomes []outcome

func (o outcomes) mean() Decimal {
	var sum Decimal
	for _, x := range o {
		sum = sum.Add(x.value.Mul(x.chance))
	}
	return sum
}

// atLeast is the chance of a value of v or more.
func (o outcomes) atLeast(v Decimal) Decimal {
	var sum Decimal
	for _, x := range o {
		if x.value.Cmp(v) >= 0 {
			sum = sum.Add(x.chance)
		}
	}
	return sum
}

// merged is o in order, with equal values as one.
func (o outcomes) merged() outcomes {
	slices.SortStableFunc(o, func(a, b outcome) int { return a.value.Cmp(b.value) })
	var m outcomes
	for _, x := range o {
		if n := len(m); n > 0 && m[n-1].value.Cmp(x.value) == 0 {
			m[n-1].chance = m[n-1].chance.Add(x.chance)
		} else if x.chance.Sign() > 0 {
			m = append(m, x)
		}
	}
	return m
}

// mean is the expected goodness of a node. That of a weighted one is the sum of
// its members', whatever they have to do with each other.
func (p *predictor) mean(n *Node) (Decimal, error) {
	if n.Op != OpWeighted {
		o, err := p.outcomes(n)
		return o.mean(), err
	}
	var sum Decimal
	for i, m := range n.Members {
		mean, err := p.mean(m)
		if err != nil {
			return sum, err
		}
		sum = sum.Add(mean.Mul(n.Weights[i]))
	}
	return sum, nil
}

func (p *predictor) outcomes(n *Node) (outcomes, error) {
	if p.steps++; p.steps > maxSteps {
		return nil, fmt.Errorf("its components are entangled in too many ways to work out: more than %d cases", maxSteps)
	}
	if n.Op == OpLevel {
		chance := NewDecimal(1, 1)
		for _, v := range p.needs[n.Component] {
			switch p.fixed[v] {
			case down:
				return outcomes{{Decimal{}, NewDecimal(1, 1)}}, nil
			case up:
			default:
				chance = chance.Mul(p.variables[v].worth)
			}
		}
		return outcomes{{Decimal{}, NewDecimal(1, 1).Sub(chance)}, {NewDecimal(1, 1), chance}}.merged(), nil
	}
	if v, ok := p.entangled(n); ok {
		return p.conditioned(n, v)
	}
	members := make([]outcomes, len(n.Members))
	for i, m := range n.Members {
		var err error
		if members[i], err = p.outcomes(m); err != nil {
			return nil, err
		}
	}
	if n.Op == OpWeighted {
		return sumOf(members, n.Weights)
	}
	return kthBest(members, n.least(), n.Failover.Share()), nil
}

// entangled is the variable that most members of a node share, if they do.
func (p *predictor) entangled(n *Node) (int, bool) {
	in := map[int]int{}
	for _, m := range n.Members {
		seen := map[int]bool{}
		for _, leaf := range m.Leaves() {
			for _, v := range p.needs[leaf.Component] {
				if p.fixed[v] == 0 && !seen[v] {
					seen[v] = true
					in[v]++
				}
			}
		}
	}
	most := -1
	for v, times := range in {
		if times > 1 && (most < 0 || cmp.Or(cmp.Compare(times, in[most]), cmp.Compare(most, v)) > 0) {
			most = v
		}
	}
	return most, most >= 0
}

// conditioned works a node out with a variable up and with it down.
func (p *predictor) conditioned(n *Node, v int) (outcomes, error) {
	defer delete(p.fixed, v)
	var all outcomes
	for _, s := range []struct {
		setting setting
		chance  Decimal
	}{{up, p.variables[v].worth}, {down, NewDecimal(1, 1).Sub(p.variables[v].worth)}} {
		p.fixed[v] = s.setting
		o, err := p.outcomes(n)
		if err != nil {
			return nil, err
		}
		for _, x := range o {
			all = append(all, outcome{x.value, x.chance.Mul(s.chance)})
		}
	}
	return all.merged(), nil
}

// kthBest is the k-th best of independent members, less the share of time that
// switching takes.
func kthBest(members []outcomes, k int, switching Decimal) outcomes {
	var values []Decimal
	for _, m := range members {
		for _, x := range m {
			values = append(values, x.value)
		}
	}
	slices.SortFunc(values, Decimal.Cmp)
	values = slices.CompactFunc(values, func(a, b Decimal) bool { return a.Cmp(b) == 0 })
	var result outcomes
	above := Decimal{} // the chance of more than the value
	for _, v := range slices.Backward(values) {
		chances := make([]Decimal, len(members))
		for i, m := range members {
			chances[i] = m.atLeast(v)
		}
		least := atLeastSo(chances, k)
		if v.Sign() > 0 {
			least = clamp(least.Sub(switching))
		}
		result = append(result, outcome{v, least.Sub(above)})
		above = least
	}
	result = append(result, outcome{Decimal{}, NewDecimal(1, 1).Sub(above)})
	return result.merged()
}

// sumOf is the weighted sum of independent members.
func sumOf(members []outcomes, weights []Decimal) (outcomes, error) {
	sum := outcomes{{Decimal{}, NewDecimal(1, 1)}}
	for i, m := range members {
		var next outcomes
		for _, a := range sum {
			for _, b := range m {
				next = append(next, outcome{a.value.Add(b.value.Mul(weights[i])), a.chance.Mul(b.chance)})
			}
		}
		if sum = next.merged(); len(sum) > maxSteps/4 {
			return nil, fmt.Errorf("a weighted part inside another has too many members to work out")
		}
	}
	return sum, nil
}

// bounds hold whatever the failures of the components have to do with each other.
func bounds(n *Node) (low, high Decimal) {
	if n.Op == OpLevel {
		promised := n.Component.Level.TargetRatio()
		return promised, promised
	}
	lows, highs := make([]Decimal, len(n.Members)), make([]Decimal, len(n.Members))
	for i, m := range n.Members {
		lows[i], highs[i] = bounds(m)
	}
	if n.Op == OpWeighted {
		for i, w := range n.Weights {
			low, high = low.Add(lows[i].Mul(w)), high.Add(highs[i].Mul(w))
		}
		return low, high
	}
	k, one, switching := n.least(), NewDecimal(1, 1), n.Failover.Share()
	for i := range lows {
		lows[i] = one.Sub(lows[i])
	}
	// Fewer than k good is the same as at least n-k+1 bad.
	low = one.Sub(mostLikely(lows, len(lows)-k+1))
	return clamp(low.Sub(switching)), clamp(mostLikely(highs, k).Sub(switching))
}

// mostLikely is the highest chance that at least k of events with these chances
// happen at once (Rüger 1978): the least, over r below k, of the sum of all but
// the r likeliest, over k - r; 1 at most.
func mostLikely(chances []Decimal, k int) Decimal {
	sorted := slices.SortedFunc(slices.Values(chances), Decimal.Cmp)
	most := NewDecimal(1, 1)
	for r := range k {
		var sum Decimal
		for _, c := range sorted[:len(sorted)-r] {
			sum = sum.Add(c)
		}
		if bound := sum.Quo(NewDecimal(int64(k-r), 1)); bound.Cmp(most) < 0 {
			most = bound
		}
	}
	return most
}

// clamp is d, but neither below 0 nor above 1.
func clamp(d Decimal) Decimal {
	if one := NewDecimal(1, 1); d.Cmp(one) > 0 {
		return one
	}
	if d.Sign() < 0 {
		return Decimal{}
	}
	return d
}
