package verdict_test

import (
	"math/big"
	"slices"
)

// sixteenths is the scale of the badness of nodes: weights are quarters, twice.
const sixteenths = 16

// reach is the least and the greatest that the badness of a node can be.
type reach struct{ low, high int }

// composite is the state of a level that is made of others.
func (j *judging) composite() {
	components := make([][]int, len(j.places)) // states; bad is 3
	for c := range j.places {
		components[c] = j.component(c)
	}
	past := map[*drawnNode][]reach{}
	for i := range j.n {
		now := make([]int, len(components))
		for c := range components {
			now[c] = components[c][i]
		}
		whole := j.reachOf(j.tree, now, past)
		var used []int
		for _, c := range j.tree.leaves() {
			used = append(used, now[c])
		}
		j.slotOfWhole(i, whole, used)
	}
}

// leaves are the components below a node.
func (n *drawnNode) leaves() []int {
	if n.op == "leaf" {
		return []int{n.leaf}
	}
	var all []int
	for _, m := range n.members {
		all = append(all, m.leaves()...)
	}
	return all
}

const componentDown = 3

func (j *judging) slotOfWhole(i int, whole reach, now []int) {
	seen := !slices.Contains(now, stepUnseen) || j.mutated("policies hold for what was not seen")
	known := sixteenths - (whole.high - whole.low)
	switch {
	case j.unknown != "excluded" && seen && j.unknown == "bad":
		j.is[i], j.share[i] = stepKnown, big.NewRat(int64(whole.high), sixteenths)
	case j.unknown != "excluded" && seen:
		j.is[i], j.share[i] = stepKnown, big.NewRat(int64(whole.low), sixteenths)
	case known > 0 && j.mutated("unknown weights count as good"):
		j.is[i], j.share[i] = stepKnown, big.NewRat(int64(whole.low), sixteenths)
	case known > 0:
		j.is[i], j.share[i] = stepKnown, big.NewRat(int64(whole.low), int64(known))
	case !slices.Contains(now, stepUnseen):
		j.is[i] = stepMissing
	}
}

// component is the state of a component at each step.
func (j *judging) component(c int) []int {
	states := make([]int, j.n)
	if j.kinds[c] == "condition" {
		for i, p := range j.places[c] {
			states[i] = p.is
			if p.is == stepKnown && p.total == 0 {
				states[i] = stepMissing
			}
			if p.is == stepKnown && p.bad > 0 {
				states[i] = componentDown
			}
		}
		return states
	}
	limit := map[string]int{"events": 50, "bad_minute": j.threshold}[j.kinds[c]]
	if j.mutated("components are down above a quarter") {
		limit = 25
	}
	for i := 0; i < j.n; i += 3 {
		is, total, bad := 0, 0, 0
		for k := i; k < min(i+3, j.n); k++ {
			p := j.places[c][k]
			is = max(is, p.is)
			if p.is == stepKnown {
				total, bad = total+p.total, bad+p.bad
			}
		}
		if is == stepKnown && total > 0 && (bad*100 > limit*total || bad*100 == limit*total && j.mutated("components are down at the limit")) {
			is = componentDown
		}
		for k := i; k < min(i+3, j.n); k++ {
			states[k] = is
		}
	}
	return states
}

func (j *judging) reachOf(n *drawnNode, now []int, past map[*drawnNode][]reach) reach {
	var r reach
	var low, high []int
	for _, m := range n.members {
		of := j.reachOf(m, now, past)
		low, high = append(low, of.low), append(high, of.high)
	}
	switch {
	case n.op == "leaf":
		r = j.leafReach(now[n.leaf])
	case n.failover > 0:
		r = j.failingOver(n, low, high, past)
	default:
		r = reach{j.combine(n, low), j.combine(n, high)}
	}
	past[n] = append(past[n], r)
	return r
}

func (j *judging) leafReach(state int) reach {
	switch {
	case state == componentDown:
		return reach{sixteenths, sixteenths}
	case state == stepKnown, j.mutated("unknown components are good"):
		return reach{0, 0}
	case j.mutated("unknown components are bad"):
		return reach{sixteenths, sixteenths}
	}
	return reach{0, sixteenths}
}

func (j *judging) combine(n *drawnNode, of []int) int {
	sorted := slices.Sorted(slices.Values(of))
	switch n.op {
	case "any":
		return sorted[0]
	case "atLeast":
		if j.mutated("one more must work") {
			return sorted[min(n.k, len(sorted)-1)]
		}
		return sorted[n.k-1]
	case "weighted":
		sum := 0
		for i, bad := range of {
			sum += n.weights[i] * bad / 4
		}
		return sum
	}
	if j.mutated("all is as good as the best") {
		return sorted[0]
	}
	return sorted[len(sorted)-1]
}

// failingOver: bad if all are, and while the first ones are, up to the one that serves,
// unless they have been so in each of as many steps before as switching takes.
func (j *judging) failingOver(n *drawnNode, low, high []int, past map[*drawnNode][]reach) reach {
	takes := n.failover
	if j.mutated("failing over takes no time") {
		takes = 0
	}
	if j.mutated("failing over takes a step more") {
		takes++
	}
	r := reach{slices.Min(low), slices.Min(high)}
	for first := 1; first < len(n.members); first++ {
		switchedAtBest, switchedAtWorst := true, true
		for back := 1; back <= takes; back++ {
			then := reach{sixteenths, sixteenths}
			for _, m := range n.members[:first] {
				all := past[m]
				was := reach{0, sixteenths}
				if at := len(all) - 1 - back; at >= 0 {
					was = all[at]
				}
				then = reach{min(then.low, was.low), min(then.high, was.high)}
			}
			switchedAtBest, switchedAtWorst = switchedAtBest && then.high > 0, switchedAtWorst && then.low > 0
		}
		if !switchedAtBest {
			r.low = max(r.low, slices.Min(low[:first]))
		}
		if !switchedAtWorst || slices.Min(low[:first]) == 0 {
			r.high = max(r.high, slices.Min(high[:first]))
		}
	}
	return r
}
