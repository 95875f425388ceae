package rulegen_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// compositeSpec is an agreement with a condition of each component, and a
// composite of them.
func compositeSpec(components []string, composite, more string) string {
	var b strings.Builder
	b.WriteString("apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: shop}\nspec:\n  serviceLevels:\n")
	for _, c := range components {
		fmt.Fprintf(&b, "    - {name: up, service: %s, target: \"50\", alerting: {enabled: false}, indicator: {condition: {expr: 'up_%s > 0'}}}\n", c, c)
	}
	b.WriteString(more)
	fmt.Fprintf(&b, "    - {name: whole, service: shop, target: \"50\", alerting: {enabled: false}, indicator: {composite: {%s}}}\n", composite)
	return b.String()
}

func compositeLevels(t testing.TB, text string) (*sla.Agreement, [][]byte) {
	t.Helper()
	agreements, findings := spec.LoadText("shop.yaml", text)
	if err := findings.Err(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var files [][]byte
	for _, a := range agreements {
		plan, findings := rulegen.Compile(a, rulegen.Options{})
		if err := findings.Err(); err != nil {
			t.Fatal(err)
		}
		file, err := emit.Prometheus(plan)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return agreements[0], files
}

// settled is how long components are measured until a composite knows by what.
const settled = 12 * time.Minute

// state is that of a component in a slot.
type state int

const (
	stateUp state = iota
	stateDown
	stateUnknown
)

// history is the state of each component by minute since the start.
type history map[string][]state

// outages draws outages, correlated ones among them: with a chance every
// component fails along with the first.
func outages(r *rand.Rand, components []string, minutes int, unknown bool) history {
	h := history{}
	for i, c := range components {
		states := make([]state, minutes)
		for m := 0; m < minutes; {
			length := 1 + r.IntN(8)
			s := state(r.IntN(2))
			if unknown && r.IntN(5) == 0 {
				s = stateUnknown
			}
			for range length {
				if m < minutes {
					states[m] = s
					if i > 0 && r.IntN(3) == 0 && h[components[0]][m] == stateDown {
						states[m] = stateDown
					}
				}
				m++
			}
		}
		h[c] = states
	}
	return h
}

// reference calculates a composite slot by slot from its definition, without
// anything of the generator.
type reference struct {
	tree    *sla.Node
	unknown sla.UnknownPolicy
	states  []map[*sla.Component]state // by slot
	assumed []resolved                 // of the slots, where histories are completed
}

// resolved are the states of a slot with unknowns as a completion has them.
type resolved map[*sla.Component]bool // down

// completions are all ways in which the unknown states of a slot may be.
func completions(states map[*sla.Component]state) []resolved {
	all := []resolved{{}}
	for c, s := range states {
		var next []resolved
		for _, r := range all {
			for _, down := range []bool{false, true} {
				if s == stateUp && down || s == stateDown && !down {
					continue
				}
				copied := resolved{c: down}
				maps.Copy(copied, r)
				next = append(next, copied)
			}
		}
		all = next
	}
	return all
}

// badness is that of a node in slot i, by sorting its members. Failover needs
// the slots before, so it is only for histories without unknowns.
func (f reference) badness(n *sla.Node, i int, down resolved) float64 {
	if n.Op == sla.OpLevel {
		if down[n.Component] {
			return 1
		}
		return 0
	}
	var of []float64
	weighted := 0.0
	for j, m := range n.Members {
		of = append(of, f.badness(m, i, down))
		if n.Op == sla.OpWeighted {
			weighted += n.Weights[j].Float64() * of[j]
		}
	}
	if n.Op == sla.OpWeighted {
		return weighted
	}
	if n.Failover.Time > 0 {
		return f.failover(n, i, of)
	}
	slices.Sort(of)
	switch n.Op {
	case sla.OpAny:
		return of[0]
	case sla.OpAtLeast:
		return of[n.K-1]
	}
	return of[len(of)-1]
}

// failover: bad if all are, or if not as many slots have passed as switching
// takes since the first members, up to the one that serves now, have been bad.
func (f reference) failover(n *sla.Node, i int, of []float64) float64 {
	leading := 0
	for leading < len(of) && of[leading] > 0 {
		leading++
	}
	if leading == 0 {
		return 0
	}
	if leading == len(of) {
		return 1
	}
	slots := int(math.Ceil(n.Failover.Time.Minutes()))
	for back := 1; back <= slots; back++ {
		if i-back < 0 {
			return 1
		}
		then := resolved(nil)
		if then = completions(f.states[i-back])[0]; f.assumed != nil {
			then = f.assumed[i-back]
		}
		for _, m := range n.Members[:leading] {
			if f.badness(m, i-back, then) == 0 {
				return 1
			}
		}
	}
	return 0
}

// slot is the badness of the whole and whether it is known.
func (f reference) slot(i int) (bad float64, known bool) {
	low, high := math.Inf(1), math.Inf(-1)
	f.histories(i, 0, func(f reference) {
		b := f.badness(f.tree, i, f.assumed[i])
		low, high = min(low, b), max(high, b)
	})
	switch {
	case f.unknown == sla.UnknownBad:
		return high, true
	case f.unknown == sla.UnknownGood:
		return low, true
	case 1-(high-low) < 1e-9:
		return 0, false
	}
	return low / (1 - (high - low)), true
}

// histories completes the states of slot i, and with failover of the three before
// it, in every way.
func (f reference) histories(i, back int, use func(reference)) {
	if f.assumed == nil {
		f.assumed = make([]resolved, i+1)
	}
	for _, c := range completions(f.states[i-back]) {
		f.assumed = slices.Clone(f.assumed)
		f.assumed[i-back] = c
		if back < 3 && back < i && hasFailover(f.tree) {
			f.histories(i, back+1, use)
		} else {
			use(f)
		}
	}
}

// blame is what each component caused of a slot, alone and with others.
func (f reference) blame(i int) (alone, shared map[*sla.Component]float64) {
	alone, shared = map[*sla.Component]float64{}, map[*sla.Component]float64{}
	down := resolved{}
	for c, s := range f.states[i] {
		down[c] = s == stateDown || s == stateUnknown && f.unknown == sla.UnknownBad
	}
	whole, known := f.slot(i)
	if !known || whole == 0 {
		return alone, shared
	}
	scale := whole / f.badness(f.tree, i, down)
	f.parts(f.tree, i, scale, down, alone, shared)
	return alone, shared
}

func (f reference) parts(n *sla.Node, i int, weight float64, down resolved, alone, shared map[*sla.Component]float64) {
	if n.Op == sla.OpWeighted {
		for j, m := range n.Members {
			f.parts(m, i, weight*n.Weights[j].Float64(), down, alone, shared)
		}
		return
	}
	bad := f.badness(n, i, down)
	if bad == 0 {
		return
	}
	for c := range down { // necessary and enough
		only, mended := resolved{c: true}, resolved{}
		for k, v := range down {
			mended[k] = v && k != c
		}
		if down[c] && !hasFailover(n) && f.badness(n, i, only) > 0 && f.badness(n, i, mended) == 0 {
			alone[c] += weight * bad
			return
		}
	}
	shares := map[*sla.Component]float64{}
	f.handDown(n, i, weight*bad, down, shares)
	for c, s := range shares {
		if s > 0.9999999*weight*bad {
			alone[c] += s
		} else {
			shared[c] += s
		}
	}
}

func hasFailover(n *sla.Node) (has bool) {
	n.Walk(func(m *sla.Node) { has = has || m.Failover.Time > 0 })
	return has
}

func (f reference) handDown(n *sla.Node, i int, amount float64, down resolved, shares map[*sla.Component]float64) {
	if n.Op == sla.OpLevel {
		shares[n.Component] += amount
		return
	}
	parts, sum, leading := make([]float64, len(n.Members)), 0.0, 1.0
	for j, m := range n.Members {
		parts[j] = f.badness(m, i, down)
		if n.Op == sla.OpWeighted {
			parts[j] *= n.Weights[j].Float64()
		}
		if n.Failover.Time > 0 {
			leading = min(leading, parts[j])
			parts[j] = leading
		}
		sum += parts[j]
	}
	for j, m := range n.Members {
		if parts[j] > 0 {
			f.handDown(m, i, amount*parts[j]/sum, down, shares)
		}
	}
}

// compareSlots runs a composite over a history and compares every slot, and at
// the end all blame, with the reference.
func compareSlots(t *testing.T, text string, h history) {
	t.Helper()
	a, files := compositeLevels(t, text)
	level := a.Levels[len(a.Levels)-1]
	composite := level.Indicator.(*sla.Composite)
	minute := func(at time.Time) int { return int(at.Sub(enginetest.Start) / time.Minute) }
	// Before it all are up and scraped, so that what is unknown is missing.
	w := enginetest.NewAt(t, enginetest.Start.Add(-settled), 15*time.Second, func(at time.Time) []enginetest.Sample {
		samples := []enginetest.Sample{{Series: "up", Value: 1}}
		for c, states := range h {
			if at.Before(enginetest.Start) {
				samples = append(samples, enginetest.Sample{Series: "up_" + c, Value: 1})
				continue
			}
			if s := states[min(minute(at), len(states)-1)]; s != stateUnknown {
				samples = append(samples, enginetest.Sample{Series: "up_" + c, Value: float64(1 - s)})
			}
		}
		return samples
	})
	w.Load(files...)
	w.Run(settled)
	f := reference{tree: composite.Tree, unknown: composite.Unknown}
	unknown := false
	for _, states := range h {
		unknown = unknown || slices.Contains(states, stateUnknown)
	}
	minutes := len(h[strings.Split(composite.Component[0].Label, "/")[0]])
	w.Foresee(time.Duration(minutes-1) * time.Minute)
	for i := range minutes - 1 {
		w.Run(time.Minute)
		at := evaluatedAt(w)
		states := map[*sla.Component]state{}
		for _, x := range composite.Component {
			states[x] = h[x.Level.ID.Service][minute(at.Truncate(15*time.Second))]
		}
		f.states = append(f.states, states)
		want, known := f.slot(i)
		got := w.Query(`sla:slot:bad{service="shop"}`)
		switch {
		case known != (len(got) == 1):
			t.Fatalf("slot %d: known %v, but %v\n%s", i, known, got, text)
		case known && math.Abs(got[0].F-want) > 1e-9:
			t.Fatalf("slot %d: bad %v, want %v in %v\n%s", i, got[0].F, want, describe(states), text)
		}
		if !known {
			continue
		}
		sum := 0.0
		recorded, all := map[string]float64{}, 0.0
		for _, s := range w.Query(`sla:blame:slot{service="shop"}`) {
			recorded[s.Metric.Get("component")+" "+s.Metric.Get("how")] = s.F
			all += s.F
		}
		if math.Abs(all-want) > 1e-9 {
			t.Fatalf("slot %d: %v is blamed of %v", i, all, want)
		}
		if hasFailover(composite.Tree) && unknown {
			continue // which member it was hangs on how long the first has been down
		}
		alone, shared := f.blame(i)
		for _, x := range composite.Component {
			sum += alone[x] + shared[x]
			for how, want := range map[string]float64{"alone": alone[x], "with_others": shared[x]} {
				if got := recorded[x.Label+" "+how]; math.Abs(got-want) > 1e-9 {
					t.Fatalf("slot %d: %s caused %v %s, want %v in %v\n%s", i, x.Label, got, how, want, describe(states), text)
				}
			}
		}
		if math.Abs(sum-want) > 1e-9 {
			t.Fatalf("slot %d: the reference blames %v of %v", i, sum, want)
		}
	}
	w.Run(20 * time.Minute) // so that everything has come into the second tier
	near := func(what string, got, want float64) {
		if math.Abs(got-want) > 1e-6*max(1, want) {
			t.Errorf("%s: %v, want %v\n%s", what, got, want, text)
		}
	}
	sums := func(name string) float64 {
		return w.Value(fmt.Sprintf(`sum(%s{sla="shop",service="shop"}) or vector(0)`, name))
	}
	near("blame of the period", sums("sla:blame:sum_period"), sums("sla:bad:sum_period"))
	if sums("sla:bad:sum_period") > 0 {
		near("blame of the budget", sums("sla:blame:budget_ratio_period"), 1-sums("sla:budget_remaining:ratio_period"))
	}
}

func describe(states map[*sla.Component]state) string {
	var words []string
	for c, s := range states {
		words = append(words, c.Label+" "+[]string{"up", "down", "unknown"}[s])
	}
	slices.Sort(words)
	return strings.Join(words, ", ")
}

// evaluatedAt is when the composite's rules were last evaluated.
func evaluatedAt(w *enginetest.World) time.Time {
	for _, s := range w.Query(`timestamp(sla:composite_node:bad{node="1",assume="unknown_good"})`) {
		return time.UnixMilli(int64(math.Round(s.F * 1000)))
	}
	return w.Now()
}

// TestCompositeSlots compares composites of every shape with the reference, over
// outages that overlap, coincide and miss each other, with unknown states.
func TestCompositeSlots(t *testing.T) {
	t.Parallel()
	type shape struct {
		composite string
		unknown   bool
	}
	for name, tc := range testsize.Cases(t, map[string]shape{
		"all":                        {"all: [a/up, b/up, c/up]", true},
		"any":                        {"any: [a/up, b/up]", true},
		"two of three":               {"atLeast: {k: 2, of: [a/up, b/up, c/up]}", true},
		"journey":                    {"journey: [{step: x, needs: a/up}, {step: y, needs: {any: [b/up, c/up]}}]", true},
		"nested":                     {"all: [a/up, {any: [b/up, {all: [c/up, d/up]}]}]", true},
		"unknown is bad":             {"all: [a/up, {any: [b/up, c/up]}], unknown: bad", true},
		"unknown is good":            {"all: [a/up, {any: [b/up, c/up]}], unknown: good", true},
		"weighted":                   {`weighted: {of: [{weight: "0.5", needs: a/up}, {weight: "0.3", needs: {any: [b/up, c/up]}}, {weight: "0.2", needs: {all: [a/up, d/up]}}]}`, true},
		"weighted inside":            {`all: [a/up, {weighted: {normalize: true, of: [{weight: "1", needs: b/up}, {weight: "2", needs: c/up}]}}]`, false},
		"dependency in both members": {"any: [{all: [a/up, b/up]}, {all: [a/up, c/up]}]", true},
		"dependency of weights":      {`weighted: {of: [{weight: "0.5", needs: {all: [a/up, b/up]}}, {weight: "0.5", needs: {any: [{all: [a/up, c/up]}, {all: [a/up, d/up]}]}}]}`, true},
		"failover":                   {"any: [a/up, b/up], failover: 2m", false},
		"failover, unknown states":   {"any: [a/up, b/up], failover: 2m", true},
		"failover, unknown is bad":   {"any: [a/up, {all: [b/up, c/up]}], failover: 1m, unknown: bad", true},
		"failover of three":          {"all: [d/up, {any: [a/up, b/up, c/up], failover: 90s}]", false},
	}, "two of three", "journey", "unknown is good", "dependency of weights", "failover, unknown is bad", "failover of three") {
		t.Run(name, func(t *testing.T) {
			components := []string{"a", "b", "c", "d"}
			seed := uint64(len(name)*7919 + int(name[0]))
			h := outages(rand.New(rand.NewPCG(seed, 1)), components, 40, tc.unknown)
			compareSlots(t, compositeSpec(components, tc.composite, ""), h)
		})
	}
}

// TestCompositesOfAnyShape draws trees.
func TestCompositesOfAnyShape(t *testing.T) {
	t.Parallel()
	components := []string{"a", "b", "c", "d", "e"}
	for seed := range testsize.Of(uint64(2), 6) {
		r := rand.New(rand.NewPCG(seed, 2))
		shape := strings.TrimSuffix(strings.TrimPrefix(drawShape(r, components, 3), "{"), "}")
		policy := sla.UnknownPolicies[r.IntN(len(sla.UnknownPolicies))]
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			compareSlots(t, compositeSpec(components, shape+", unknown: "+string(policy), ""), outages(r, components, 25, true))
		})
	}
}

// drawShape is a tree as a specification has it, without weights, of which only
// the sums are known once something is unknown.
func drawShape(r *rand.Rand, components []string, depth int) string {
	if depth < 3 && (depth == 0 || r.IntN(3) == 0) {
		return components[r.IntN(len(components))] + "/up"
	}
	members := make([]string, 2+r.IntN(2))
	for i := range members {
		members[i] = drawShape(r, components, depth-1)
	}
	list := "[" + strings.Join(members, ", ") + "]"
	switch r.IntN(3) {
	case 0:
		return "{all: " + list + "}"
	case 1:
		return "{any: " + list + "}"
	}
	return fmt.Sprintf("{atLeast: {k: %d, of: %s}}", 1+r.IntN(len(members)), list)
}

// TestCompositeAfterRestarts: no rule fails and the blame sums to the whole when
// the server was away, for a moment and for long, and when the composite changed.
func TestCompositeAfterRestarts(t *testing.T) {
	t.Parallel()
	components := []string{"a", "b", "c"}
	const before = `all: [c/up, {any: [a/up, b/up], failover: 2m}, {atLeast: {k: 1, of: [a/up, c/up]}}]`
	const after = `weighted: {of: [{weight: "0.25", needs: {any: [a/up, b/up], failover: 1m}}, {weight: "0.75", needs: {all: [a/up, c/up, {any: [a/up, b/up]}]}}]}`
	h := outages(rand.New(rand.NewPCG(7, 7)), components, 240, true)
	// Before it all are up and scraped, so that what is unknown is missing.
	w := enginetest.NewAt(t, enginetest.Start.Add(-settled), 15*time.Second, func(at time.Time) []enginetest.Sample {
		samples := []enginetest.Sample{{Series: "up", Value: 1}}
		for c, states := range h {
			if at.Before(enginetest.Start) {
				samples = append(samples, enginetest.Sample{Series: "up_" + c, Value: 1})
				continue
			}
			if s := states[int(at.Sub(enginetest.Start)/time.Minute)]; s != stateUnknown {
				samples = append(samples, enginetest.Sample{Series: "up_" + c, Value: float64(1 - s)})
			}
		}
		return samples
	})
	for i, composite := range []string{before, after} {
		_, files := compositeLevels(t, compositeSpec(components, composite, ""))
		w.Load(files...)
		for _, away := range []time.Duration{0, 30 * time.Second, 4 * time.Minute, 13 * time.Minute} {
			w.Skip(away)
			w.Run(20 * time.Minute)
		}
		bad, blamed := w.Value(`sla:bad:sum_period{service="shop"}`), w.Value(`sum(sla:blame:sum_period)`)
		if math.Abs(bad-blamed) > 1e-6*bad || bad == 0 {
			t.Errorf("after %d reloads %v s are blamed of %v s", i, blamed, bad)
		}
	}
	if nans := w.NaNs(4 * time.Hour); len(nans) > 0 {
		t.Errorf("NaN in %v", nans)
	}
}
