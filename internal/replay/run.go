package replay

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// Run evaluates rule files over the past, and leaves what they record in the world. It
// uses all processors that runtime.GOMAXPROCS allows. Result.Errors has the rules that
// failed at an evaluation. An error is about a file (name:line:column: message), the
// plan, a series that the world already has, or the context.
func (w *World) Run(ctx context.Context, p Plan) (*Result, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	groups, err := load(p)
	if err != nil {
		return nil, err
	}
	graph := newGraph(groups, func(m []*labels.Matcher) bool { return len(w.matching(m)) > 0 })
	r := &run{world: w, plan: p, graph: graph, result: &Result{}, failed: map[uint32]*RuleError{}}
	for _, rule := range graph.rules {
		r.total += rule.group.evaluations()
	}
	if err := r.all(ctx, graph.components()); err != nil {
		return nil, err
	}
	if err := r.describe(ctx); err != nil {
		return nil, err
	}
	return r.sorted(), nil
}

// run is one Run.
type run struct {
	world *World
	plan  Plan
	graph *graph
	total int // evaluations of rules

	mu       sync.Mutex // of the fields below
	done     int
	result   *Result
	episodes []*episode
	failed   map[uint32]*RuleError // by rule
}

// all runs the components in parallel, each after those that it needs.
func (r *run) all(ctx context.Context, components []*component) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	waits := make([]int, len(components))
	needed := make([][]int, len(components))
	ready := make(chan int, len(components))
	for i, c := range components {
		waits[i] = len(c.needs)
		for _, n := range c.needs {
			needed[n] = append(needed[n], i)
		}
		if waits[i] == 0 {
			ready <- i
		}
	}
	if len(components) == 0 {
		return nil
	}
	var mu sync.Mutex
	left := len(components)
	if left == 0 {
		close(ready)
	}
	finish := func(i int) {
		mu.Lock()
		defer mu.Unlock()
		if left--; left == 0 {
			close(ready)
			return
		}
		for _, n := range needed[i] {
			if waits[n]--; waits[n] == 0 {
				ready <- n
			}
		}
	}
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := range ready {
				if ctx.Err() == nil {
					if err := r.component(ctx, components[i]); err != nil {
						cancel(err)
					}
				}
				finish(i)
			}
		})
	}
	workers.Wait()
	return context.Cause(ctx)
}

// member is a rule of a component that is run.
type member interface {
	// restart is a restart of the server's process; first is false after the server was
	// away.
	restart(first bool)
	// evaluate is one evaluation of the rule. An error ends the run.
	evaluate(ctx context.Context, e evaluation) error
	// finish is called after the last evaluation, also if the run was canceled.
	finish()
}

// component evaluates rules in order of time, and the rules of a group in their order.
func (r *run) component(ctx context.Context, c *component) error {
	together := map[*rule]bool{}
	for _, rule := range c.rules {
		together[rule] = true
	}
	var groups []*playing
	guesses := r.speculation(c.rules, together)
	for _, rule := range c.rules {
		if len(groups) == 0 || groups[len(groups)-1].group != rule.group {
			groups = append(groups, &playing{group: rule.group, life: -1})
		}
		m := r.member(rule, r.vectors(rule, together, guesses), guesses)
		defer m.finish()
		last := groups[len(groups)-1]
		last.members = append(last.members, m)
	}
	for _, g := range groups {
		g.skip()
	}
	evaluated := 0
	for {
		first := soonest(groups)
		if first == nil {
			break
		}
		if err := first.evaluate(ctx); err != nil {
			return err
		}
		evaluated += len(first.members)
		if evaluated >= 10_000 {
			r.progress(evaluated)
			evaluated = 0
		}
	}
	r.progress(evaluated)
	return ctx.Err()
}

// readsOwn returns the selectors of a rule that select what the component records.
func (r *run) readsOwn(of *rule, together map[*rule]bool) [][]*labels.Matcher {
	var own [][]*labels.Matcher
	for _, read := range of.reads {
		if slices.ContainsFunc(r.graph.writersOf(read), func(w *rule) bool { return together[w] }) {
			own = append(own, read.matchers)
		}
	}
	return own
}

// speculation returns the speculation of a component. It is nil unless one of its rules
// is a range query that reads what they record.
func (r *run) speculation(rules []*rule, together map[*rule]bool) *speculation {
	var reads [][]*labels.Matcher
	for _, rule := range rules {
		if _, ok := r.graph.ranged(rule); ok {
			reads = append(reads, r.readsOwn(rule, together)...)
		}
	}
	if len(reads) == 0 {
		return nil
	}
	return newSpeculation(rules, reads)
}

// vectors returns a rule's vectors: from range queries, unless these would see too
// much.
func (r *run) vectors(rule *rule, together map[*rule]bool, guesses *speculation) vectors {
	expr, ok := r.graph.ranged(rule)
	if !ok {
		return &instants{r.world, r.graph.rules, rule}
	}
	if guesses != nil && len(r.readsOwn(rule, together)) == 0 {
		guesses = nil
	}
	return newRanges(r.world, rule, expr, guesses)
}

func (r *run) member(rule *rule, v vectors, guesses *speculation) member {
	recorder := newRecorder(r.world, rule)
	if guesses != nil {
		recorder.speculation, recorder.alone = guesses, !r.graph.related[rule.index]
		guesses.recorders = append(guesses.recorders, recorder)
		if v, ok := v.(*ranges); ok && rule.alert == nil {
			recorder.expects = true
			v.recorder, v.readsItself = recorder, slices.Contains(r.graph.writers[rule.index], rule)
		}
	}
	if rule.alert != nil {
		return &alerting{run: r, rule: rule, vectors: v, recorder: recorder, tracked: map[uint64]*tracked{}}
	}
	return &recording{run: r, rule: rule, vectors: v, recorder: recorder}
}

func (r *run) progress(evaluated int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done += evaluated
	if r.plan.Progress != nil && evaluated > 0 {
		r.plan.Progress(r.done, r.total)
	}
}

// fail notes that a rule failed at an evaluation.
func (r *run) fail(rule *rule, at time.Time, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f, ok := r.failed[rule.index]
	if !ok {
		f = &RuleError{Rule: rule.Rule, Err: err, First: at}
		r.failed[rule.index] = f
	}
	f.Last = at
	f.Count++
}

// sorted is the result in the order of Result.
func (r *run) sorted() *Result {
	for _, rule := range r.graph.rules {
		if f, ok := r.failed[rule.index]; ok {
			r.result.Errors = append(r.result.Errors, *f)
		}
	}
	slices.SortFunc(r.episodes, func(a, b *episode) int {
		return cmp.Or(a.Pending.Compare(b.Pending), strings.Compare(a.Rule.File, b.Rule.File), strings.Compare(a.Rule.Group, b.Rule.Group),
			cmp.Compare(a.Rule.Index, b.Rule.Index), labels.Compare(a.Labels, b.Labels))
	})
	for _, e := range r.episodes {
		r.result.Episodes = append(r.result.Episodes, e.Episode)
	}
	return r.result
}

// playing is a group during its evaluations.
type playing struct {
	group      *group
	members    []member
	life, step int // of the next evaluation
}

// skip goes to the next process with evaluations, if this one has no more.
func (p *playing) skip() {
	for p.life < 0 || p.life < len(p.group.lives) && p.step >= p.group.lives[p.life].n {
		p.life, p.step = p.life+1, 0
		if p.life < len(p.group.lives) {
			for _, m := range p.members {
				m.restart(p.life == 0)
			}
		}
	}
}

// soonest is the group with the next evaluation, nil if there is none.
func soonest(groups []*playing) *playing {
	var first *playing
	for _, g := range groups {
		if g.life < len(g.group.lives) && (first == nil || g.wall() < first.wall()) {
			first = g
		}
	}
	return first
}

func (p *playing) wall() int64 { return p.group.wall(p.life, p.step) }

func (p *playing) evaluate(ctx context.Context) error {
	wall := p.wall()
	e := evaluation{wall: wall, t: p.group.stamp(wall), left: p.group.lives[p.life].n - p.step}
	for _, m := range p.members {
		if err := m.evaluate(ctx, e); err != nil {
			return err
		}
	}
	p.step++
	p.skip()
	return nil
}

// recording is a recording rule.
type recording struct {
	run      *run
	rule     *rule
	vectors  vectors
	recorder *recorder
}

func (r *recording) restart(bool) { r.recorder.restart() }

func (r *recording) evaluate(ctx context.Context, e evaluation) error {
	defer r.recorder.verify(e.t)
	rows, err := r.vectors.at(ctx, e)
	if err == nil {
		err = r.recorder.check(rows)
	}
	if err != nil {
		return r.run.failure(ctx, r.rule, e, err)
	}
	refused, err := r.recorder.write(rows, e.t)
	if refused != nil {
		r.run.fail(r.rule, e.time(), refused)
	}
	return err
}

func (r *recording) finish() {
	r.vectors.close()
	r.recorder.forget()
}

// failure notes that an evaluation failed, unless the context was canceled.
func (r *run) failure(ctx context.Context, rule *rule, e evaluation, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", rule.Name, ctx.Err())
	}
	r.fail(rule, e.time(), err)
	return nil
}
