package serve

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/promql"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/web"
	"github.com/upheld-sla/upheld/sla"
)

// histories are the histories of every level. More levels get coarser steps. Levels
// whose days are shown need none.
func (src *source) histories(ctx context.Context, agreements []*sla.Agreement, days map[sla.ID][]web.Day) (map[sla.ID][]web.Point, error) {
	levels := 1
	for _, a := range agreements {
		for _, l := range a.Levels {
			if len(days[l.ID]) == 0 {
				levels++
			}
		}
	}
	if levels == 1 {
		return nil, nil
	}
	return src.history(ctx, "", min(historySteps, max(historyPoints/levels, int(historySpan/(5*time.Minute)))))
}

// history is the good share over the last hour, of the selected levels.
func (src *source) history(ctx context.Context, selector string, steps int) (map[sla.ID][]web.Point, error) {
	query := "1 - " + metricnames.ErrorRatio + "5m" + selector
	step := max(historySpan/time.Duration(steps), src.s.RulesInterval).Truncate(time.Second)
	end := time.Now().Truncate(step)
	start := end.Add(-historySpan)
	opts := promql.NewPrometheusQueryOpts(false, max(step, 2*src.s.RulesInterval))
	q, err := src.s.engine.NewRangeQuery(ctx, src.s.db, opts, query, start, end, step)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", query, err)
	}
	defer q.Close()
	matrix, err := q.Exec(ctx).Matrix()
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", query, err)
	}
	byLevel := map[sla.ID][]web.Point{}
	for _, s := range matrix {
		known := make(map[int64]float64, len(s.Floats))
		for _, p := range s.Floats {
			known[p.T] = p.F
		}
		var points []web.Point
		for at := start; !at.After(end); at = at.Add(step) {
			v, ok := known[at.UnixMilli()]
			points = append(points, web.Point{At: at, Good: web.Figure{Value: v, Known: ok}})
		}
		id := idOf(s.Metric)
		byLevel[id] = worse(byLevel[id], points)
	}
	return byLevel, nil
}

// queries are the queries behind the figures of a level's page.
func queries(l *sla.ServiceLevel) []web.Query {
	of := matchers(l.ID)
	var all []web.Query
	for _, p := range l.Periods() {
		period := fmt.Sprintf("%s, %s=%q", of, metricnames.Period, p)
		all = append(all,
			web.Query{Title: "Achieved over " + p.Words(), Expr: fmt.Sprintf("1 - %s{%s}", metricnames.ErrorPeriod, period)},
			web.Query{Title: "Budget left of " + p.Words(), Expr: fmt.Sprintf("%s{%s}", metricnames.BudgetRemaining, period)})
	}
	return append(all,
		web.Query{Title: "Bad share over 5m", Expr: fmt.Sprintf("%s5m{%s}", metricnames.ErrorRatio, of)},
		web.Query{Title: "Bad share over 1h", Expr: fmt.Sprintf("%s1h{%s}", metricnames.ErrorRatio, of)})
}
