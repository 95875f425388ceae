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

// bounds hold whatever the failures of the components have to do with each other.
func bounds(n *Node) (low, high Decimal) {
	if n.Leaf() {
		promised := n.Component.Level.TargetRatio()
		return promised, promised
	}
	lows, highs := make([]Decimal, len(n.Members)), make([]Decimal, len(n.Members))
	for i, m := range n.Members {
		lows[i], highs[i] = bounds(m)
	}
	if n.Weighted() {
		for i, w := range n.Weights {
			low, high = low.Add(lows[i].Mul(w)), high.Add(highs[i].Mul(w))
		}
		return low, high
	}
	k, one, switching := n.Least(), NewDecimal(1, 1), n.Failover.Share()
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
