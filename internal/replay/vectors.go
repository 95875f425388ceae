package replay

import (
	"context"
	"math"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
)

// evaluation is one evaluation of a group.
type evaluation struct {
	wall int64 // when it happens, in nanoseconds
	t    int64 // of its query and of its samples, in milliseconds
	left int   // how many evaluations the process has left, including this one
}

func (e evaluation) time() time.Time { return time.Unix(0, e.wall).UTC() }

// column is a series of a rule's result.
type column struct {
	metric labels.Labels
	target *target // the series of a recording rule for it, nil until it is known
}

// row is the value of a column at an evaluation.
type row struct {
	column *column
	f      float64
	h      *histogram.FloatHistogram // instead of f
}

// vectors are the values of a rule's expression at the evaluations of its group, which
// are requested in order of time. An error is about that evaluation.
type vectors interface {
	at(ctx context.Context, e evaluation) ([]row, error)
	close()
}

// instants evaluates a rule as a server does, with a query for each evaluation.
type instants struct {
	world *World
	rules []*rule // all rules, by index
	rule  *rule
}

// viewOf is the view of a rule at an evaluation.
func viewOf(w *World, all []*rule, r *rule, wall int64) view {
	return view{w, rawUntil(wall), func(writer uint32) int64 { return r.sees(all[writer], wall) }}
}

func (v *instants) at(ctx context.Context, e evaluation) ([]row, error) {
	result, err := v.world.instant(ctx, viewOf(v.world, v.rules, v.rule, e.wall), v.rule.expr, time.UnixMilli(e.t))
	if err != nil {
		return nil, err
	}
	rows := make([]row, len(result))
	for i, s := range result {
		rows[i] = row{&column{metric: s.Metric}, s.F, s.H}
	}
	return rows, nil
}

func (*instants) close() {}

// ranges evaluates a rule with range queries over pieces of its past. If a query fails,
// it tries half the piece, until only the failing evaluation is left.
type ranges struct {
	world       *World
	rule        *rule
	expr        string
	speculation *speculation // nil if everything that it reads is complete
	round       int          // of the speculation, when the piece was evaluated
	recorder    *recorder    // of a recording rule
	readsItself bool
	until       int64 // the time of the piece's last evaluation, in milliseconds
	steps       int   // of the next piece
	most        int   // steps of a piece
	query       promql.Query
	matrix      promql.Matrix
	cols        []column
	next        []cursor
	rows        []row
}

// cursor is the position of the next evaluation in a series of the matrix.
type cursor struct{ float, histogram int }

// pointsPerQuery bounds the memory of a range query: 16 bytes for each point of the
// selected series, at each evaluation.
const pointsPerQuery = 2_000_000

func newRanges(w *World, r *rule, expr string, s *speculation) *ranges {
	selected := 1
	for _, read := range r.reads {
		selected += len(w.matching(read.matchers))
	}
	most := max(pointsPerQuery/selected, 100)
	return &ranges{world: w, rule: r, expr: expr, speculation: s, steps: most, most: most, until: math.MinInt64}
}

func (v *ranges) at(ctx context.Context, e evaluation) ([]row, error) {
	if e.t > v.until || v.speculation != nil && v.round != v.speculation.round {
		if err := v.load(ctx, e); err != nil {
			return nil, err
		}
	}
	v.rows = v.rows[:0]
	for i := range v.matrix {
		s, c := &v.matrix[i], &v.next[i]
		switch {
		case c.float < len(s.Floats) && s.Floats[c.float].T == e.t:
			v.rows = append(v.rows, row{&v.cols[i], s.Floats[c.float].F, nil})
			c.float++
		case c.histogram < len(s.Histograms) && s.Histograms[c.histogram].T == e.t:
			v.rows = append(v.rows, row{&v.cols[i], 0, s.Histograms[c.histogram].H})
			c.histogram++
		}
	}
	return v.rows, nil
}

// load evaluates the piece that begins with e.
func (v *ranges) load(ctx context.Context, e evaluation) error {
	v.close()
	most := min(v.steps, e.left)
	if v.speculation != nil {
		window := (v.speculation.window(e.t) - e.t) * int64(time.Millisecond)
		most = min(most, int(window/v.rule.group.interval)+1)
	}
	steps := most
	for ; ; steps /= 2 {
		err := v.evaluate(ctx, e, steps)
		if err == nil {
			break
		}
		if steps == 1 || ctx.Err() != nil {
			v.steps = 1
			return err
		}
	}
	if steps < most || 2*steps > v.steps {
		v.steps = min(2*steps, v.most)
	}
	v.until = v.last(e, steps)
	v.cols = make([]column, len(v.matrix))
	v.next = make([]cursor, len(v.matrix))
	for i, s := range v.matrix {
		v.cols[i].metric = s.Metric
	}
	v.speculate(e)
	return nil
}

// speculate makes the rest of the piece the guess that other rules of the component
// read.
func (v *ranges) speculate(e evaluation) {
	s := v.speculation
	if s == nil || v.recorder == nil || !v.recorder.expect(v.matrix, v.cols, e.t, v.until) {
		return
	}
	s.changed(e.t)
	if !v.readsItself {
		v.round = s.round
		s.until = max(s.until, v.until)
	}
}

// last is the time of the last of several evaluations.
func (v *ranges) last(e evaluation, steps int) int64 {
	return e.t + int64(steps-1)*v.rule.group.interval/int64(time.Millisecond)
}

func (v *ranges) evaluate(ctx context.Context, e evaluation, steps int) error {
	interval := time.Duration(v.rule.group.interval)
	first := time.UnixMilli(e.t)
	if v.speculation != nil {
		v.speculation.extend(v.last(e, steps))
		v.round = v.speculation.round
	}
	q, err := v.world.engine.NewRangeQuery(ctx, v.world, nil, v.expr, first, first.Add(time.Duration(steps-1)*interval), interval)
	if err != nil {
		return err
	}
	result := q.Exec(ctx)
	if result.Err != nil {
		q.Close()
		return result.Err
	}
	if v.matrix, err = result.Matrix(); err != nil {
		q.Close()
		return err
	}
	v.query = q
	return nil
}

// close gives the memory of the piece back to the engine.
func (v *ranges) close() {
	if v.query != nil {
		v.query.Close()
		v.query, v.matrix = nil, nil
	}
	v.until = math.MinInt64
}
