package sla

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
)

// Prediction is the availability of a composite if every component is exactly as good as
// its target. All figures are exact ratios.
type Prediction struct {
	// Independent is the availability if components fail independently of each other. A
	// component that occurs several times, and a shared dependency, fails as one.
	Independent Decimal
	// Low and High are the bounds of the availability for any dependence between
	// failures (Fréchet; for k of n: Rüger, "Das maximale Signifikanzniveau des Tests:
	// Lehne H0 ab, wenn k unter n gegebenen Tests zur Ablehnung führen", 1978).
	Low, High Decimal
	Parts     []Part // one for each component, in their order
	Shared    []Part // one for each declared shared dependency
}

// Part is one component in a prediction.
type Part struct {
	Label     string
	Promised  Decimal // its target as a ratio
	IfPerfect Decimal // availability of the composite if this one never failed
	IfDown    Decimal // availability of the composite while this one is down
	worth     Decimal // Promised without the failures of shared dependencies
	depends   Decimal // availability of its shared dependencies
}

// Gain is how much better the composite would be if the part never failed.
func (p Part) Gain(of Prediction) Decimal { return p.IfPerfect.Sub(of.Independent) }

// Needs is what the part would have to promise for the composite to reach a target, with
// all others unchanged. ok is false if the part alone cannot do it.
func (p Part) Needs(target Decimal) (ratio Decimal, ok bool) {
	spread := p.IfPerfect.Sub(p.IfDown)
	if spread.Sign() <= 0 || p.IfPerfect.Cmp(target) <= 0 { // 100 % cannot be promised
		return Decimal{}, false
	}
	return clamp(target.Sub(p.IfDown).Quo(spread)).Mul(p.depends), true
}

// Weakest is the part that costs the composite most.
func (p Prediction) Weakest() Part {
	return slices.MaxFunc(slices.Concat(p.Parts, p.Shared), func(a, b Part) int { return a.Gain(p).Cmp(b.Gain(p)) })
}

// Predict calculates the availability that the components' targets give. Large
// composites, whose exact fractions would take seconds, are calculated in floating
// point, to 15 places. It returns an error if too much is shared between components.
func (c *Composite) Predict() (Prediction, error) {
	if p, err := predict(c, func(d Decimal) Decimal { return d }, func(d Decimal) Decimal { return d }, maxExactWork); err == nil {
		return p, nil
	}
	return predict(c, func(d Decimal) approx { return approx(d.Float64()) }, approx.decimal, maxWork)
}

// predict calculates with one kind of number, within a limit of work.
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

// number is a number of a prediction: an exact Decimal, or approx.
type number[N any] interface {
	Add(N) N
	Sub(N) N
	Mul(N) N
	Cmp(N) int
	Sign() int
}

// approx is a number to about 15 places. Its arithmetic always takes the same time.
type approx float64

func (a approx) Add(b approx) approx { return a + b }
func (a approx) Sub(b approx) approx { return a - b }
func (a approx) Mul(b approx) approx { return a * b }
func (a approx) Cmp(b approx) int    { return cmp.Compare(a, b) }
func (a approx) Sign() int           { return cmp.Compare(a, 0) }

func (a approx) decimal() Decimal {
	return MustDecimal(strconv.FormatFloat(float64(a), 'f', 15, 64))
}

// Limits of a prediction, in visited nodes and multiplications. Exact fractions grow
// with every factor, to microseconds for each operation.
const (
	maxExactWork = 5_000
	maxWork      = 40_000_000
)

// factor is a variable that is up or down independently of all others.
type factor struct {
	label                    string
	promised, worth, depends Decimal
}

type setting int

const (
	up setting = iota + 1
	down
)

// predictor evaluates a tree. If several members of a node share a variable, the node is
// evaluated with the variable up and with it down, and the two results are weighed by
// their probabilities. So no variable is multiplied twice.
type predictor[N number[N]] struct {
	variables []factor
	worth     []N                  // by variable
	needs     map[*Component][]int // the variables that must be up for a component to be up
	fixed     map[int]setting
	from      func(Decimal) N
	one       N
	work      int // how much is left
}

// spend returns an error if no work is left. Each variable that is shared at the same
// node doubles the work.
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
			// A component's promise includes the failures of its dependencies, so its
			// own part is the rest.
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

// bounds are valid for any dependence between the failures of the components.
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

// mostLikely is the highest possible probability that at least k of the events happen
// (Rüger 1978): the minimum, over r below k, of the sum of all but the r greatest
// probabilities, divided by k - r; at most 1.
func mostLikely(chances []Decimal, k int) Decimal {
	sorted := slices.SortedFunc(slices.Values(chances), Decimal.Cmp)
	var sum Decimal // of all but the r greatest
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

// clamp limits d to the range from 0 to 1.
func clamp(d Decimal) Decimal {
	if one := NewDecimal(1, 1); d.Cmp(one) > 0 {
		return one
	}
	if d.Sign() < 0 {
		return Decimal{}
	}
	return d
}
