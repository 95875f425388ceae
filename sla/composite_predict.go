package sla

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
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

// Predict works out what the targets of the components come to. Large composites,
// whose fractions would take seconds, are worked out in floating point, to 15
// places. It is an error if the components are entangled in more ways than can be
// worked through.
func (c *Composite) Predict() (Prediction, error) {
	if p, err := predict(c, func(d Decimal) Decimal { return d }, func(d Decimal) Decimal { return d }, maxExactWork); err == nil {
		return p, nil
	}
	return predict(c, func(d Decimal) approx { return approx(d.Float64()) }, approx.decimal, maxWork)
}

// predict works with numbers of one kind, and at most so much work.
func predict[N number[N]](c *Composite, from func(Decimal) N, to func(N) Decimal, work int) (Prediction, error) {
	p := newPredictor(c, from, work)
	independent, err := p.mean(c.Tree)
	if err != nil {
		return Prediction{}, err
	}
	result := Prediction{Independent: to(independent)}
	result.Low, result.High = bounds(c.Tree)
	for i, v := range p.variables {
		part := Part{Label: v.label, Promised: v.promised, worth: v.worth, depends: v.depends}
		for _, s := range []struct {
			setting setting
			gives   *Decimal
		}{{up, &part.IfPerfect}, {down, &part.IfDown}} {
			p.fixed[i] = s.setting
			mean, err := p.mean(c.Tree)
			if err != nil {
				return Prediction{}, err
			}
			*s.gives = to(mean)
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

// number is what a prediction calculates with: exact decimals, or approx.
type number[N any] interface {
	Add(N) N
	Sub(N) N
	Mul(N) N
	Cmp(N) int
	Sign() int
}

// approx is a number to about 15 places, whose arithmetic takes the same time
// however often it is multiplied.
type approx float64

func (a approx) Add(b approx) approx { return a + b }
func (a approx) Sub(b approx) approx { return a - b }
func (a approx) Mul(b approx) approx { return a * b }
func (a approx) Cmp(b approx) int    { return cmp.Compare(a, b) }
func (a approx) Sign() int           { return cmp.Compare(a, 0) }

func (a approx) decimal() Decimal {
	return MustDecimal(strconv.FormatFloat(float64(a), 'f', 15, 64))
}

// What a prediction may cost, in nodes that are visited and numbers that are
// multiplied. Exact fractions grow with every factor, to microseconds each.
const (
	maxExactWork = 5_000
	maxWork      = 40_000_000
)

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
type predictor[N number[N]] struct {
	variables []factor
	worth     []N                  // of the variables
	needs     map[*Component][]int // the variables that must all be up for a component to be up
	fixed     map[int]setting
	from      func(Decimal) N
	one       N
	work      int // that is left
}

// spend is an error once the work is used up: each variable that is shared at the
// same place doubles it.
func (p *predictor[N]) spend(work int) error {
	if p.work -= work; p.work < 0 {
		return fmt.Errorf("its components are entangled in too many ways to work out: more than %d steps", maxWork)
	}
	return nil
}

func newPredictor[N number[N]](c *Composite, from func(Decimal) N, work int) *predictor[N] {
	p := &predictor[N]{needs: map[*Component][]int{}, fixed: map[int]setting{}, from: from, one: from(NewDecimal(1, 1)), work: work}
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
	for _, v := range p.variables {
		p.worth = append(p.worth, from(v.worth))
	}
	return p
}

// outcome is a value that a node may have, and how likely it has it.
type outcome[N number[N]] struct{ value, chance N }

// outcomes are those of a node, ascending by value; the chances sum to 1.
type outcomes[N number[N]] []outcome[N]

func (o outcomes[N]) mean() N {
	var sum N
	for _, x := range o {
		sum = sum.Add(x.value.Mul(x.chance))
	}
	return sum
}

// atLeast is the chance of a value of v or more.
func (o outcomes[N]) atLeast(v N) N {
	var sum N
	for _, x := range o {
		if x.value.Cmp(v) >= 0 {
			sum = sum.Add(x.chance)
		}
	}
	return sum
}

// merged is o in order, with equal values as one.
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

// mean is the expected goodness of a node. That of a weighted one is the sum of
// its members', whatever they have to do with each other.
func (p *predictor[N]) mean(n *Node) (N, error) {
	if n.Op != OpWeighted {
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
	if n.Op == OpLevel {
		return p.ofLeaf(n), nil
	}
	if v, ok, err := p.entangled(n); err != nil {
		return nil, err
	} else if ok {
		return p.conditioned(n, v)
	}
	members := make([]outcomes[N], len(n.Members))
	for i, m := range n.Members {
		var err error
		if members[i], err = p.outcomes(m); err != nil {
			return nil, err
		}
	}
	if n.Op == OpWeighted {
		return p.sumOf(members, n.Weights)
	}
	return p.kthBest(members, n.least(), p.from(n.Failover.Share()))
}

// ofLeaf are the outcomes of a component, which is up while all that it needs is.
func (p *predictor[N]) ofLeaf(n *Node) outcomes[N] {
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

// entangled is the variable that most members of a node share, if they do.
func (p *predictor[N]) entangled(n *Node) (int, bool, error) {
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

// conditioned works a node out with a variable up and with it down.
func (p *predictor[N]) conditioned(n *Node, v int) (outcomes[N], error) {
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

// kthBest is the k-th best of independent members, less the share of time that
// switching takes.
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
	var above, zero N // above is the chance of more than the value
	for _, v := range slices.Backward(values) {
		chances := make([]N, len(members))
		for i, m := range members {
			chances[i] = m.atLeast(v)
		}
		least := atLeastSo(chances, k, p.one)
		if v.Sign() > 0 {
			least = p.clamp(least.Sub(switching))
		}
		result = append(result, outcome[N]{v, least.Sub(above)})
		above = least
	}
	return append(result, outcome[N]{zero, p.one.Sub(above)}).merged(), nil
}

// clamp is n, but neither below 0 nor above 1.
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
	var sum Decimal // of all but the r likeliest
	for _, c := range sorted {
		sum = sum.Add(c)
	}
	most := NewDecimal(1, 1)
	for r := range k {
		if bound := sum.Quo(NewDecimal(int64(k-r), 1)); bound.Cmp(most) < 0 {
			most = bound
		}
		sum = sum.Sub(sorted[len(sorted)-1-r])
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
