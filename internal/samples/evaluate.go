package samples

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	engine "github.com/prometheus/prometheus/promql"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
)

// evaluation evaluates expressions over raw samples with Prometheus' engine. It does so
// in this process for every source, so that all sources agree. It reads one unit of the
// clock's time after another, so memory holds the samples of one unit.
type evaluation struct {
	source   Source
	scrapes  *scrapes
	from, to int64
	byMinute bool // at the end of each clock minute, as the rules do
}

// result gets the value of an expression in [from, to).
type result func(of labels.Labels, from, to int64, value float64)

const (
	unitLength  = 6 * hour
	defaultGrid = 15 * second
	longestGrid = minute
)

// run evaluates an expression whose values are shares or yes and no, and returns the
// jobs of the series that it reads.
func (e evaluation) run(ctx context.Context, expr promql.Expr, take result, progress func(float64)) (jobs []string, err error) {
	text, err := expr.Prove()
	if err != nil {
		return nil, err
	}
	ng := engine.NewEngine(engine.EngineOpts{
		Logger: slog.New(slog.DiscardHandler), MaxSamples: math.MaxInt32, Timeout: time.Hour,
		EnableAtModifier: true, EnableNegativeOffset: true, Parser: promql.Language(),
		NoStepSubqueryIntervalFn: func(int64) int64 { return minute },
	})
	defer ng.Close()
	for t := floor(e.from, unitLength); t < e.to; t += unitLength {
		u := &unit{evaluation: e, engine: ng, text: text, from: max(t, e.from), to: min(t+unitLength, e.to)}
		if err := u.evaluate(ctx, take); err != nil {
			return nil, err
		}
		for _, job := range u.jobs {
			if !slices.Contains(jobs, job) {
				jobs = append(jobs, job)
			}
		}
		progress(float64(u.to-e.from) / float64(e.to-e.from))
	}
	slices.Sort(jobs)
	return jobs, nil
}

// unit is one unit of time of an evaluation.
type unit struct {
	evaluation
	engine   *engine.Engine
	text     string
	from, to int64
	inputs   []input
	jobs     []string
}

// input is what one selector of the expression reads.
type input struct {
	matchers []*labels.Matcher
	from, to int64 // both inclusive, as in the engine
	series   []Series
}

// evaluate passes the values of the expression in the unit to take.
func (u *unit) evaluate(ctx context.Context, take result) error {
	first, last, step := u.from-longestGrid, u.to, defaultGrid
	if u.byMinute {
		step = minute
	}
	// The engine says which series it will read, and for which time.
	if _, err := u.query(ctx, &recorder{of: u}, first, last, step); err != nil {
		return err
	}
	if err := u.fetch(ctx); err != nil {
		return err
	}
	holds := func(t int64) (from, to int64) { return t, t + step }
	if u.byMinute {
		first, last = u.from+minute, u.to
		holds = func(t int64) (from, to int64) { return t - minute, t }
	} else {
		var begin int64
		begin, step = u.grid()
		first = begin + floor(u.from-begin, step)
	}
	matrix, err := u.query(ctx, &store{of: u}, first, last, step)
	if err != nil {
		return err
	}
	for _, s := range matrix {
		for _, p := range s.Floats {
			from, to := holds(p.T)
			if from, to = max(from, u.from), min(to, u.to); from < to && !math.IsNaN(p.F) {
				take(s.Metric, from, to, p.F)
			}
		}
	}
	return nil
}

func (u *unit) query(ctx context.Context, from queryable, first, last, step int64) (engine.Matrix, error) {
	opts := engine.NewPrometheusQueryOpts(false, 0)
	q, err := u.engine.NewRangeQuery(ctx, from, opts, u.text, at(first), at(last), time.Duration(step)*time.Millisecond)
	if err != nil {
		return nil, err
	}
	defer q.Close()
	r := q.Exec(ctx)
	if r.Err != nil {
		return nil, fmt.Errorf("%s: %w", u.text, r.Err)
	}
	matrix, err := r.Matrix()
	if err != nil {
		return nil, err
	}
	all := make(engine.Matrix, len(matrix))
	for i, s := range matrix { // Close takes the points back
		all[i] = engine.Series{Metric: s.Metric, Floats: slices.Clone(s.Floats)}
	}
	return all, nil
}

// fetch reads the samples that the selectors need. Some sources lack the markers with
// which a server ends a series, as its HTTP API does; fetch derives them from the
// scrapes of the target.
func (u *unit) fetch(ctx context.Context) error {
	ups := map[string]map[target][]int64{}
	for i := range u.inputs {
		in := &u.inputs[i]
		all, err := u.source.Select(ctx, in.matchers, in.from, in.to+1)
		if err != nil {
			return err
		}
		for at, s := range all {
			job := s.Labels.Get(model.JobLabel)
			if !slices.Contains(u.jobs, job) {
				u.jobs = append(u.jobs, job)
			}
			if job == "" || s.Labels.Get(model.MetricNameLabel) == metricnames.Up {
				continue
			}
			key := fmt.Sprintf("%s %d %d", job, in.from, in.to)
			if ups[key] == nil {
				if ups[key], err = u.scraped(ctx, job, in.from, in.to+1); err != nil {
					return err
				}
			}
			all[at] = withMarkers(s, ups[key][targetOf(s.Labels)])
		}
		in.series = all
	}
	return nil
}

// scraped are the times at which the targets of a job were scraped.
func (u *unit) scraped(ctx context.Context, job string, from, to int64) (map[target][]int64, error) {
	all, err := u.source.Select(ctx, promql.Series(metricnames.Up, promql.Eq(model.JobLabel, job)).Matchers(), from, to)
	if err != nil {
		return nil, err
	}
	times := map[target][]int64{}
	for _, s := range all {
		times[targetOf(s.Labels)] = s.T
	}
	return times, nil
}

// withMarkers ends a series at the first scrape without it. If a series' samples have
// other times than the scrapes, the engine's lookback ends it.
func withMarkers(s Series, scrapes []int64) Series {
	var ends []int64
	j := 0
	for i, t := range s.T {
		for j < len(scrapes) && scrapes[j] < t {
			j++
		}
		if j+1 >= len(scrapes) || scrapes[j] != t {
			continue
		}
		if next := scrapes[j+1]; i+1 == len(s.T) || s.T[i+1] > next {
			ends = append(ends, next)
		}
	}
	if len(ends) == 0 {
		return s
	}
	marks := Series{Labels: s.Labels, T: ends, V: make([]float64, len(ends))}
	for i := range marks.V {
		marks.V[i] = math.Float64frombits(value.StaleNaN)
	}
	if s.H != nil {
		return s // the engine's lookback ends it
	}
	return merged(s, marks)
}

// grid is the grid on which the times of all samples of the unit lie, so that
// evaluations miss no change: the greatest common divisor of their differences. If that
// is less than a second it is 15 s.
func (u *unit) grid() (begin, step int64) {
	found := false
	for _, in := range u.inputs {
		for _, s := range in.series {
			for _, t := range s.within(u.from, u.to).T {
				if !found {
					begin, found = t, true
				}
				step = divisor(step, t-begin)
			}
		}
	}
	if step < second {
		return floor(u.from, defaultGrid), defaultGrid
	}
	for n := int64(1); n <= step/second; n++ {
		if step%n == 0 && step/n <= longestGrid {
			return begin, max(step/n, second)
		}
	}
	return begin, step
}

// divisor is the greatest common divisor.
func divisor(a, b int64) int64 {
	if b < 0 {
		b = -b
	}
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
