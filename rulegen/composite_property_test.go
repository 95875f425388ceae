package rulegen_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/sla"
)

// Composites of any shape over any histories, against the words of
// docs/composites.md. Nothing of the model is used here: trees are drawn, written
// as a specification, and reckoned with by themselves.

// drawn is a node: a component, an operator, or a composite of its own with a
// policy for what is unknown.
type drawn struct {
	op       string // "", all, any, atLeast, weighted, journey
	name     string // of a component
	members  []*drawn
	k        int
	weights  []string
	failover int // minutes, of any
	policy   sla.UnknownPolicy
	level    string // of a composite that is a level of its own
}

var drawnWeights = map[int][][]string{2: {{"0.25", "0.75"}, {"0.6", "0.4"}}, 3: {{"0.5", "0.3", "0.2"}, {"0.125", "0.125", "0.75"}}}

// kinds are what a node may be: below a failover nothing is in between up and
// down, and below a policy for what is unknown nothing fails over.
type kinds struct {
	ops      []string
	failover bool
}

var (
	anyKind   = kinds{[]string{"all", "any", "atLeast", "journey", "any", "weighted"}, true}
	upOrDown  = kinds{anyKind.ops[:5], true}
	momentary = kinds{anyKind.ops[:4], false}
)

// draw draws a node and what is below it.
func draw(r *rand.Rand, components []string, depth int, of kinds) *drawn {
	if depth == 0 || depth < 3 && r.IntN(4) == 0 {
		return &drawn{name: components[r.IntN(len(components))]}
	}
	n := &drawn{op: of.ops[r.IntN(len(of.ops))]}
	if n.op == "any" && of.failover && r.IntN(2) == 0 {
		n.failover, of = 1+r.IntN(3), upOrDown
	}
	count := 2 + r.IntN(2)
	for range count {
		n.members = append(n.members, draw(r, components, depth-1, of))
	}
	n.k = 1 + r.IntN(count)
	n.weights = drawnWeights[count][r.IntN(len(drawnWeights[count]))]
	return n
}

// text is a node as a member has it.
func (n *drawn) text() string {
	if n.level != "" {
		return n.level
	}
	if n.op == "" {
		return n.name + "/up"
	}
	return "{" + n.operator() + "}"
}

func (n *drawn) operator() string {
	var list []string
	for i, m := range n.members {
		switch n.op {
		case "journey":
			list = append(list, fmt.Sprintf("{step: s%d, needs: %s}", i, m.text()))
		case "weighted":
			list = append(list, fmt.Sprintf("{weight: %q, needs: %s}", n.weights[i], m.text()))
		default:
			list = append(list, m.text())
		}
	}
	members := "[" + strings.Join(list, ", ") + "]"
	switch {
	case n.op == "atLeast":
		return fmt.Sprintf("atLeast: {k: %d, of: %s}", n.k, members)
	case n.op == "weighted":
		return "weighted: {of: " + members + "}"
	case n.failover > 0:
		return fmt.Sprintf("any: %s, failover: %dm", members, n.failover)
	}
	return n.op + ": " + members
}

// bounds are the least and the greatest that the badness of a node can be in a
// slot, whatever the unknown is; past has the slots, the last one the present.
type bounds struct{ low, high float64 }

func (n *drawn) bounds(past []map[string]state) bounds {
	if n.op == "" {
		return [...]bounds{stateUp: {0, 0}, stateDown: {1, 1}, stateUnknown: {0, 1}}[past[len(past)-1][n.name]]
	}
	var low, high []float64
	for _, m := range n.members {
		b := m.bounds(past)
		low, high = append(low, b.low), append(high, b.high)
	}
	b := bounds{n.combine(low), n.combine(high)}
	if n.failover > 0 {
		b = n.failingOver(past, low, high)
	}
	switch n.policy {
	case sla.UnknownGood:
		b.high = b.low
	case sla.UnknownBad:
		b.low = b.high
	}
	return b
}

func (n *drawn) combine(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	switch n.op {
	case "any":
		return sorted[0]
	case "atLeast": // as good as the k-th best
		return sorted[n.k-1]
	case "weighted":
		sum := 0.0
		for i, bad := range of {
			weight, err := strconv.ParseFloat(n.weights[i], 64)
			if err != nil {
				panic(err)
			}
			sum += weight * bad
		}
		return sum
	}
	return sorted[len(sorted)-1]
}

// failingOver: bad if all are; and while the first ones are, up to the one that
// serves, unless they have been so in each of as many slots before as switching
// takes. It is least bad if what is unknown now is good, and was bad before.
func (n *drawn) failingOver(past []map[string]state, low, high []float64) bounds {
	all := func(of []float64) float64 { return slices.Min(of) }
	b := bounds{all(low), all(high)}
	for first := 1; first < len(n.members); first++ {
		switchedAtBest, switchedAtWorst := len(past) > n.failover, len(past) > n.failover
		for back := 1; back <= n.failover && len(past) > n.failover; back++ {
			var then bounds
			for i, m := range n.members[:first] {
				if was := m.bounds(past[:len(past)-back]); i == 0 {
					then = was
				} else {
					then = bounds{min(then.low, was.low), min(then.high, was.high)}
				}
			}
			switchedAtBest, switchedAtWorst = switchedAtBest && then.high > 0, switchedAtWorst && then.low > 0
		}
		if !switchedAtBest {
			b.low = max(b.low, all(low[:first]))
		}
		if !switchedAtWorst || all(low[:first]) == 0 { // it may have become bad just now
			b.high = max(b.high, all(high[:first]))
		}
	}
	return b
}

// slot is the badness of a whole by its policy, and whether it is known.
func (n *drawn) slot(past []map[string]state) (bad float64, known bool) {
	b := n.bounds(past)
	if left := 1 - (b.high - b.low); left > 1e-9 {
		return b.low / left, true
	}
	return 0, false
}

// related are histories that have to do with each other: the first is drawn, and
// of the others some fail with it, some while it does not, some later, some on
// their own; nothing is known of each for some minutes.
func related(r *rand.Rand, components []string, minutes int) history {
	h := history{}
	for _, c := range components {
		states := make([]state, minutes)
		for m := r.IntN(8); m < minutes; m += 3 + r.IntN(8) {
			for length := 1 + r.IntN(5); length > 0 && m < minutes; length-- {
				states[m] = stateDown
				m++
			}
		}
		h[c] = states
	}
	first := h[components[0]]
	for i, c := range components[1:] {
		lag := 1 + r.IntN(4)
		for m := range minutes {
			switch i % 4 {
			case 0:
				h[c][m] = first[m]
			case 1: // one of the two outages at a time
				if first[m] == stateDown {
					h[c][m] = stateUp
				}
			case 2:
				h[c][m] = first[max(0, m-lag)]
			}
		}
	}
	for _, c := range components {
		for range 1 + r.IntN(3) {
			from, length := r.IntN(minutes), 1+r.IntN(4)
			for m := from; m < min(from+length, minutes); m++ {
				h[c][m] = stateUnknown
			}
		}
	}
	return h
}

// drawnSpec is an agreement of conditions and composites of them.
func drawnSpec(components []string, wholes, inner []*drawn) string {
	var b strings.Builder
	b.WriteString("apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: shop}\nspec:\n  alerting: {enabled: false}\n  serviceLevels:\n")
	for _, c := range components {
		fmt.Fprintf(&b, "    - {name: up, service: %s, target: \"50\", indicator: {condition: {expr: 'up_%[1]s > 0'}}}\n", c)
	}
	composite := func(name string, n *drawn) {
		fmt.Fprintf(&b, "    - {name: %s, target: \"50\", indicator: {composite: {%s, unknown: %s}}}\n", name, n.operator(), n.policy)
	}
	for _, n := range inner {
		composite(strings.TrimPrefix(n.level, "shop/"), n)
	}
	for i, n := range wholes {
		composite(fmt.Sprintf("whole-%d", i), n)
	}
	return b.String()
}

func TestCompositesOverAnyHistory(t *testing.T) {
	t.Parallel()
	testsize.Skip(t, "composites over a history; their shapes in single slots are always tried")
	components := []string{"a", "b", "c", "d", "e", "f"}
	var seen slotsSeen
	for seed := range uint64(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 33))
			policy := func() sla.UnknownPolicy { return sla.UnknownPolicies[r.IntN(len(sla.UnknownPolicies))] }
			inner := draw(r, components, 2, momentary)
			for inner.op == "" {
				inner = draw(r, components, 2, momentary)
			}
			inner.policy, inner.level = policy(), "shop/inner"
			var wholes []*drawn
			for i := range 5 {
				n := draw(r, components, 3, anyKind)
				n.policy = policy()
				if last := len(n.members) - 1; i%2 == 0 && n.failover == 0 {
					n.members[last] = inner
				}
				wholes = append(wholes, n)
			}
			compareDrawn(t, drawnSpec(components, wholes, []*drawn{inner}), wholes, related(r, components, 30), &seen)
		})
	}
	if seen.bad < seen.all/10 || seen.bad > seen.all*9/10 || seen.unknown == 0 || seen.partly == 0 {
		t.Errorf("too much alike to prove anything: %+v", seen)
	}
}

// slotsSeen counts what the slots that were compared are like.
type slotsSeen struct{ all, bad, partly, unknown int }

// compareDrawn runs the rules over a history and compares every slot of every
// composite, and holds the blame for it: it sums to the whole, and to what is
// spent, and none falls on what is up.
func compareDrawn(t *testing.T, text string, wholes []*drawn, h history, seen *slotsSeen) {
	t.Helper()
	_, files := compositeLevels(t, text)
	minutes := len(h["a"])
	minute := func(at time.Time) int { return min(int(at.Sub(enginetest.Start)/time.Minute), minutes-1) }
	// Before it all are up and scraped, so that what is unknown is missing.
	w := enginetest.NewAt(t, enginetest.Start.Add(-settled), 15*time.Second, func(at time.Time) []enginetest.Sample {
		samples := []enginetest.Sample{{Series: "up", Value: 1}}
		for c, states := range h {
			if at.Before(enginetest.Start) {
				samples = append(samples, enginetest.Sample{Series: "up_" + c, Value: 1})
				continue
			}
			if s := states[minute(at)]; s != stateUnknown {
				samples = append(samples, enginetest.Sample{Series: "up_" + c, Value: float64(1 - s)})
			}
		}
		return samples
	})
	w.Load(files...)
	w.Run(settled)
	past := make([][]map[string]state, len(wholes))
	for i := range minutes - 1 {
		w.Run(time.Minute)
		now := readSlots(w)
		for j, n := range wholes {
			slo := fmt.Sprintf("whole-%d", j)
			states := map[string]state{}
			for c := range h {
				// The last minute that ended fifteen seconds ago is looked at, at its end.
				if ended := now.evaluated[slo].Add(-15 * time.Second).Truncate(time.Minute); !ended.Before(enginetest.Start) {
					states[c] = h[c][minute(ended)]
				} else {
					states[c] = stateUp
				}
			}
			past[j] = append(past[j], states)
			want, known := n.slot(past[j])
			got, has := now.bad[slo]
			if known != has || known && math.Abs(got-want) > 1e-9 {
				t.Fatalf("minute %d of %s: bad %v (recorded: %v), want %v (known: %v) of %v\n{%s, unknown: %s}\n%s", i, slo, got, has, want, known, states, n.operator(), n.policy, text)
			}
			if seen.all++; !known {
				seen.unknown++
				continue
			}
			sum := 0.0
			for c, share := range now.blame[slo] {
				if sum += share; states[c] == stateUp || share < 0 {
					t.Errorf("minute %d of %s: %s is up and blamed for %v\n%s", i, slo, c, share, text)
				}
			}
			if math.Abs(sum-want) > 1e-9 {
				t.Errorf("minute %d of %s: %v is blamed of %v\n%s", i, slo, sum, want, text)
			}
			if want > 0 {
				seen.bad++
			}
			if want > 0 && want < 1 {
				seen.partly++
			}
		}
	}
	w.Run(20 * time.Minute) // so that everything has come into the second tier
	for j := range wholes {
		compareSpent(t, w, fmt.Sprintf("whole-%d", j), text)
	}
}

// slotsNow is what was recorded last of the composites, by the name of their level.
type slotsNow struct {
	bad       map[string]float64
	blame     map[string]map[string]float64 // by component
	evaluated map[string]time.Time
}

func readSlots(w *enginetest.World) slotsNow {
	now := slotsNow{map[string]float64{}, map[string]map[string]float64{}, map[string]time.Time{}}
	for _, s := range w.Query(`sla:slot:bad{service="shop"}`) {
		now.bad[s.Metric.Get("slo")] = s.F
	}
	for _, s := range w.Query(`sla:blame:slot{service="shop"}`) {
		slo := s.Metric.Get("slo")
		if now.blame[slo] == nil {
			now.blame[slo] = map[string]float64{}
		}
		now.blame[slo][strings.TrimSuffix(s.Metric.Get("component"), "/up")] += s.F
	}
	for _, s := range w.Query(`timestamp(sla:composite_node:bad{node="1",assume="unknown_good",service="shop"})`) {
		now.evaluated[s.Metric.Get("slo")] = time.UnixMilli(int64(math.Round(s.F * 1000)))
	}
	return now
}

// compareSpent holds the blame of the period to what was bad, and to what is spent.
func compareSpent(t *testing.T, w *enginetest.World, slo, text string) {
	t.Helper()
	of := func(name string) float64 {
		return w.Value(fmt.Sprintf(`sum(%s{service="shop",slo=%q}) or vector(0)`, name, slo))
	}
	if blamed, all := of("sla:blame:sum_period"), of("sla:bad:sum_period"); math.Abs(blamed-all) > 1e-6*max(1, all) {
		t.Errorf("%s: %v s are blamed of %v s\n%s", slo, blamed, all, text)
	}
	if blamed, spent := of("sla:blame:budget_ratio_period"), 1-of("sla:budget_remaining:ratio_period"); math.Abs(blamed-spent) > 1e-9 {
		t.Errorf("%s: %v of the budget is blamed, %v is spent\n%s", slo, blamed, spent, text)
	}
}
