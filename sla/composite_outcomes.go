package sla

import (
	"cmp"
	"slices"
)

// outcome is a possible value of a node and its probability.
type outcome[N number[N]] struct{ value, chance N }

// outcomes are the outcomes of a node, ascending by value. The probabilities sum to 1.
type outcomes[N number[N]] []outcome[N]

func (o outcomes[N]) mean() N {
	var sum N
	for _, x := range o {
		sum = sum.Add(x.value.Mul(x.chance))
	}
	return sum
}

// atLeast is the probability of a value of v or more.
func (o outcomes[N]) atLeast(v N) N {
	var sum N
	for _, x := range o {
		if x.value.Cmp(v) >= 0 {
			sum = sum.Add(x.chance)
		}
	}
	return sum
}

// merged sorts the outcomes and adds up equal values.
func (o outcomes[N]) merged() outcomes[N] {
	slices.SortStableFunc(o, func(a, b outcome[N]) int { return a.value.Cmp(b.value) })
	var m outcomes[N]
	for _, x := range o {
		if n := len(m); n > 0 && m[n-1].value.Cmp(x.value) == 0 {
			m[n-1].chance = m[n-1].chance.Add(x.chance)
		} else if x.chance.Sign() > 0 {
			m = append(m, x)
		}
	}
	return m
}

// mean is the expected value of a node. For a weighted node it is the weighted sum of
// its members' means, even if they depend on each other.
func (p *predictor[N]) mean(n *Node) (N, error) {
	if !n.Weighted() {
		o, err := p.outcomes(n)
		return o.mean(), err
	}
	var sum N
	for i, m := range n.Members {
		mean, err := p.mean(m)
		if err != nil {
			return sum, err
		}
		sum = sum.Add(mean.Mul(p.from(n.Weights[i])))
	}
	return sum, nil
}

func (p *predictor[N]) outcomes(n *Node) (outcomes[N], error) {
	if err := p.spend(1); err != nil {
		return nil, err
	}
	if n.Leaf() {
		return p.leafOutcomes(n), nil
	}
	if v, ok, err := p.sharedVariable(n); err != nil {
		return nil, err
	} else if ok {
		return p.conditionOn(n, v)
	}
	members := make([]outcomes[N], len(n.Members))
	for i, m := range n.Members {
		var err error
		if members[i], err = p.outcomes(m); err != nil {
			return nil, err
		}
	}
	if n.Weighted() {
		return p.sumOf(members, n.Weights)
	}
	return p.kthBest(members, n.Least(), p.from(n.Failover.Share()))
}

// leafOutcomes are the outcomes of a component, which is up while everything it needs is
// up.
func (p *predictor[N]) leafOutcomes(n *Node) outcomes[N] {
	var zero N
	chance := p.one
	for _, v := range p.needs[n.Component] {
		switch p.fixed[v] {
		case down:
			return outcomes[N]{{zero, p.one}}
		case up:
		default:
			chance = chance.Mul(p.worth[v])
		}
	}
	return outcomes[N]{{zero, p.one.Sub(chance)}, {p.one, chance}}.merged()
}

// sharedVariable is the variable that most members of a node share. ok is false if they
// share none.
func (p *predictor[N]) sharedVariable(n *Node) (int, bool, error) {
	in := map[int]int{}
	for _, m := range n.Members {
		seen := map[int]bool{}
		leaves := m.Leaves()
		if err := p.spend(10 * len(leaves)); err != nil {
			return 0, false, err
		}
		for _, leaf := range leaves {
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
	return most, most >= 0, nil
}

// conditionOn evaluates a node with a variable up and with it down, and combines the
// two.
func (p *predictor[N]) conditionOn(n *Node, v int) (outcomes[N], error) {
	defer delete(p.fixed, v)
	var all outcomes[N]
	worth := p.worth[v]
	for _, s := range []struct {
		setting setting
		chance  N
	}{{up, worth}, {down, p.one.Sub(worth)}} {
		p.fixed[v] = s.setting
		o, err := p.outcomes(n)
		if err != nil {
			return nil, err
		}
		for _, x := range o {
			all = append(all, outcome[N]{x.value, x.chance.Mul(s.chance)})
		}
	}
	return all.merged(), nil
}

// kthBest is the k-th best of independent members, minus the share of time that
// failovers take.
func (p *predictor[N]) kthBest(members []outcomes[N], k int, switching N) (outcomes[N], error) {
	var values []N
	for _, m := range members {
		for _, x := range m {
			values = append(values, x.value)
		}
	}
	all := len(values)
	slices.SortFunc(values, N.Cmp)
	values = slices.CompactFunc(values, func(a, b N) bool { return a.Cmp(b) == 0 })
	counted := min(k, len(members)-k+1)
	if err := p.spend(len(values) * (all + len(members)*counted)); err != nil {
		return nil, err
	}
	var result outcomes[N]
	var above, zero N // above is the probability of a greater value
	for _, v := range slices.Backward(values) {
		chances := make([]N, len(members))
		for i, m := range members {
			chances[i] = m.atLeast(v)
		}
		least := chanceOfAtLeast(chances, k, p.one)
		if v.Sign() > 0 {
			least = p.clamp(least.Sub(switching))
		}
		result = append(result, outcome[N]{v, least.Sub(above)})
		above = least
	}
	return append(result, outcome[N]{zero, p.one.Sub(above)}).merged(), nil
}

// clamp limits n to the range from 0 to 1.
func (p *predictor[N]) clamp(n N) N {
	var zero N
	if n.Sign() < 0 {
		return zero
	}
	if n.Cmp(p.one) > 0 {
		return p.one
	}
	return n
}

// sumOf is the weighted sum of independent members.
func (p *predictor[N]) sumOf(members []outcomes[N], weights []Decimal) (outcomes[N], error) {
	var zero N
	sum := outcomes[N]{{zero, p.one}}
	for i, m := range members {
		if err := p.spend(len(sum) * len(m)); err != nil {
			return nil, err
		}
		weight := p.from(weights[i])
		var next outcomes[N]
		for _, a := range sum {
			for _, b := range m {
				next = append(next, outcome[N]{a.value.Add(b.value.Mul(weight)), a.chance.Mul(b.chance)})
			}
		}
		sum = next.merged()
	}
	return sum, nil
}
