package replay

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// component is a set of rules that are evaluated together, evaluation by evaluation in
// order of time, because each depends on each or they may write the same series. Most
// components have one rule. Everything else that the rules read is complete before.
type component struct {
	rules []*rule
	needs []int // components that are complete before
}

// graph says which rules write the series that a rule reads.
type graph struct {
	related []bool // whether a rule may write the same series as another; known once the families are
	rules   []*rule
	byName  map[string][]*rule // writers
	writers [][]*rule          // of the series that each rule's expression reads
	mu      sync.Mutex         // of slacks
	slacks  map[slackKey]int64
	raw     func([]*labels.Matcher) bool // whether there are raw series of a selector
}

type slackKey struct {
	reader, writer int // groups
	atOnce         bool
}

func newGraph(groups []*group, raw func([]*labels.Matcher) bool) *graph {
	g := &graph{raw: raw, byName: map[string][]*rule{}, slacks: map[slackKey]int64{}}
	for _, gr := range groups {
		for _, r := range gr.rules {
			g.rules = append(g.rules, r)
			for _, o := range r.writes {
				g.byName[o.name] = append(g.byName[o.name], r)
			}
		}
	}
	g.writers = make([][]*rule, len(g.rules))
	for _, r := range g.rules {
		seen := map[*rule]bool{}
		for _, read := range r.reads {
			for _, w := range g.writersOf(read) {
				if !seen[w] {
					seen[w] = true
					g.writers[r.index] = append(g.writers[r.index], w)
				}
			}
		}
	}
	return g
}

// writersOf returns the rules that may write series of a selector.
func (g *graph) writersOf(r read) []*rule {
	among := g.rules
	if name := fixedName(r.matchers); name != "" {
		among = g.byName[name]
	}
	var all []*rule
	for _, w := range among {
		if slices.ContainsFunc(w.writes, func(o output) bool { return o.mayHold(r.matchers) }) {
			all = append(all, w)
		}
	}
	return all
}

// ranged returns an expression for range queries: at each evaluation it sees what the
// rule would have seen. It is the rule's own expression if that never reads samples
// that are too new. If it reads samples that the rule itself, or a later rule of the
// group, records at the same moment, the expression hides them. ok is false if there is
// none.
func (g *graph) ranged(r *rule) (string, bool) {
	hide := map[int]bool{}
	for i, read := range r.reads {
		reach := r.group.reach(read)
		if read.pinned || reach > r.group.offset/int64(time.Millisecond) {
			return "", false
		}
		writers := g.writersOf(read)
		if !slices.ContainsFunc(writers, func(w *rule) bool { return reach >= g.slack(r, w) }) {
			continue
		}
		if read.hides == cannotHide || slices.ContainsFunc(writers, func(w *rule) bool { return w.group != r.group || w.index < r.index }) {
			return "", false
		}
		if read.hides == byRange && g.raw(read.matchers) {
			return "", false // it would hide raw samples, too
		}
		hide[i] = true
	}
	if len(hide) == 0 {
		return r.expr, true
	}
	expr, err := hidden(r, hide)
	return expr, err == nil
}

func (g *graph) slack(reader, writer *rule) int64 {
	key := slackKey{reader.group.index, writer.group.index, reader.seesAtOnce(writer)}
	g.mu.Lock()
	defer g.mu.Unlock()
	slack, ok := g.slacks[key]
	if !ok {
		slack = reader.group.slack(writer.group.timeline, key.atOnce)
		g.slacks[key] = slack
	}
	return slack
}

// components returns the components of all rules, each after those that it needs.
func (g *graph) components() []*component {
	nodes := g.families()
	nodeOf := make([]int, len(g.rules))
	for i, n := range nodes {
		for _, r := range n {
			nodeOf[r.index] = i
		}
	}
	needs := make([][]int, len(nodes))
	for i, n := range nodes {
		seen := map[int]bool{}
		for _, r := range n {
			for _, w := range g.needed(r) {
				if to := nodeOf[w.index]; !seen[to] {
					seen[to] = true
					needs[i] = append(needs[i], to)
				}
			}
		}
	}
	var all []*component
	of := make([]int, len(nodes))
	for i, scc := range stronglyConnected(needs) {
		c := &component{}
		for _, n := range scc {
			of[n] = i
			c.rules = append(c.rules, nodes[n]...)
		}
		slices.SortFunc(c.rules, func(a, b *rule) int { return cmp.Compare(a.index, b.index) })
		before := map[int]bool{}
		for _, n := range scc {
			for _, to := range needs[n] {
				if of[to] != i {
					before[of[to]] = true
				}
			}
		}
		c.needs = slices.Sorted(maps.Keys(before))
		all = append(all, c)
	}
	return all
}

// needed returns the rules whose series a rule reads.
func (g *graph) needed(r *rule) []*rule {
	if r.all {
		return g.rules
	}
	return g.writers[r.index]
}

// families returns sets of rules that may write the same series. If two write a sample
// at the same time, the storage keeps the first.
func (g *graph) families() [][]*rule {
	parent := make([]uint32, len(g.rules))
	for i := range parent {
		parent[i] = uint32(i)
	}
	root := func(i uint32) uint32 {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	for _, name := range slices.Sorted(maps.Keys(g.byName)) {
		for _, kin := range g.kin(name) {
			for _, r := range kin[1:] {
				a, b := root(kin[0].index), root(r.index)
				parent[max(a, b)] = min(a, b)
			}
		}
	}
	members := map[uint32][]*rule{}
	for _, r := range g.rules {
		members[root(r.index)] = append(members[root(r.index)], r)
	}
	var all [][]*rule
	g.related = make([]bool, len(g.rules))
	for _, first := range slices.Sorted(maps.Keys(members)) {
		all = append(all, members[first])
		for _, r := range members[first] {
			g.related[r.index] = len(members[first]) > 1
		}
	}
	return all
}

// kin returns sets of writers of a metric: the first of a set may write the same series
// as each of the others. Rules whose known labels have the same names but other values
// are never compared one by one, as there may be thousands.
func (g *graph) kin(name string) [][]*rule {
	same := map[string][]*rule{}   // with the same known labels
	shapes := map[string][]*rule{} // one rule for each of these, by the labels' names
	var sets [][]*rule
	of := func(r *rule) output {
		return r.writes[slices.IndexFunc(r.writes, func(o output) bool { return o.name == name })]
	}
	for _, r := range g.byName[name] {
		known := of(r).known
		names := slices.Sorted(maps.Keys(known))
		var values strings.Builder
		for _, n := range names {
			values.WriteString(n + "\xff" + known[n] + "\xff")
		}
		if same[values.String()] == nil {
			shape := strings.Join(names, "\xff")
			shapes[shape] = append(shapes[shape], r)
		}
		same[values.String()] = append(same[values.String()], r)
	}
	sets = slices.AppendSeq(sets, maps.Values(same))
	ordered := slices.Sorted(maps.Keys(shapes))
	for i, a := range ordered {
		for _, b := range ordered[i+1:] {
			for _, x := range shapes[a] {
				for _, y := range shapes[b] {
					if of(x).mayEqual(of(y)) {
						sets = append(sets, []*rule{x, y})
					}
				}
			}
		}
	}
	return sets
}

// stronglyConnected returns the strongly connected components of a graph (Tarjan), each
// after those that its edges lead to.
func stronglyConnected(edges [][]int) [][]int {
	t := tarjan{edges: edges, index: make([]int, len(edges)), low: make([]int, len(edges)), on: make([]bool, len(edges))}
	for v := range edges {
		if t.index[v] == 0 {
			t.visit(v)
		}
	}
	return t.found
}

type tarjan struct {
	edges      [][]int
	index, low []int // from 1
	on         []bool
	stack      []int
	count      int
	found      [][]int
}

func (t *tarjan) visit(v int) {
	t.count++
	t.index[v], t.low[v], t.on[v] = t.count, t.count, true
	t.stack = append(t.stack, v)
	for _, to := range t.edges[v] {
		if t.index[to] == 0 {
			t.visit(to)
			t.low[v] = min(t.low[v], t.low[to])
		} else if t.on[to] {
			t.low[v] = min(t.low[v], t.index[to])
		}
	}
	if t.low[v] != t.index[v] {
		return
	}
	at := slices.Index(t.stack, v)
	scc := slices.Clone(t.stack[at:])
	t.stack = t.stack[:at]
	for _, w := range scc {
		t.on[w] = false
	}
	t.found = append(t.found, scc)
}
