package samples

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

// States are the values of expressions: conditions, ratios, weights. Each is evaluated
// on the grid of its samples, and holds until the next evaluation.

// condition is bad while the condition does not hold.
func (l *load) condition(c *sla.Condition) ([]group, error) {
	expr, err := promql.Parse(c.Expr.Text)
	if err != nil {
		return nil, err
	}
	holds, err := expr.Truth(l.level.GroupBy.Labels...)
	if err != nil {
		return nil, err
	}
	return l.states(promql.Sub(promql.Num(sla.NewDecimal(1, 1)), holds))
}

// ratio is as bad as the mean of its series.
func (l *load) ratio(r *sla.Ratio) ([]group, error) {
	expr, err := promql.Parse(r.Bad.Text)
	if err != nil {
		return nil, err
	}
	return l.states(share(expr, l.level.GroupBy.Labels...))
}

// share is the mean of series of shares. NaN and negative values are unknown.
func share(expr promql.Expr, by ...string) promql.Expr {
	known := promql.Ge(expr, promql.Num(sla.NewDecimal(0, 1)))
	return promql.ClampMax(promql.Avg(known, by...), sla.NewDecimal(1, 1))
}

// weight is the share by which bad minutes count: the value at their end, as in the
// rules.
func (l *load) weight() ([]verdict.Weight, error) {
	expr, err := promql.Parse(l.level.Slots.Weight.Text)
	if err != nil {
		return nil, err
	}
	var all []verdict.Weight
	take := func(_ labels.Labels, from, to int64, value float64) {
		if from < l.from || to > l.to {
			return
		}
		exact, err := sla.ParseDecimal(strconv.FormatFloat(value, 'f', -1, 64))
		if err != nil { // nobody agreed on as many digits as a float has
			exact = sla.NewDecimal(int64(math.Round(value*1e12)), 1e12)
		}
		w := verdict.Weight{From: at(from), To: at(to), Share: exact}
		if n := len(all) - 1; n >= 0 && all[n].To.Equal(w.From) && all[n].Share.Cmp(exact) == 0 {
			all[n].To = w.To
			return
		}
		all = append(all, w)
	}
	e := evaluation{source: l.source, scrapes: l.scrapes, from: l.from, to: l.to, byMinute: true}
	if _, err := e.run(l.ctx, share(expr), take, func(float64) {}); err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b verdict.Weight) int { return a.From.Compare(b.From) })
	return all, nil
}

// held returns the time in which a condition held. Without a value it did not.
func held(ctx context.Context, source Source, scrapes *scrapes, q sla.Query, from, to int64) (sla.Spans, error) {
	expr, err := promql.Parse(q.Text)
	if err != nil {
		return nil, err
	}
	truth, err := expr.Truth()
	if err != nil {
		return nil, err
	}
	var spans sla.Spans
	e := evaluation{source: source, scrapes: scrapes, from: from, to: to}
	_, err = e.run(ctx, truth, func(_ labels.Labels, from, to int64, value float64) {
		if value == 1 {
			spans = extended(spans, from, to)
		}
	}, func(float64) {})
	return sla.Union(spans...).Within(at(from), at(to)), err
}

// states makes a place for each group of an expression for the bad share.
func (l *load) states(bad promql.Expr) ([]group, error) {
	of := map[string]*group{}
	e := evaluation{source: l.source, scrapes: l.scrapes, from: l.from, to: l.to, byMinute: !l.bySeconds()}
	jobs, err := e.run(l.ctx, bad, func(labels labels.Labels, from, to int64, value float64) {
		key := l.keyOf(labels)
		g := of[strings.Join(key, "\xff")]
		if g == nil {
			g = &group{key: key, places: []place{{}}}
			of[strings.Join(key, "\xff")] = g
		}
		p := &g.places[0]
		if l.bySeconds() {
			p.stretches = appendShare(p.stretches, from, to, 1, value)
		} else {
			p.stretches = append(p.stretches, verdict.Stretch{From: at(from), To: at(to), State: verdict.Known, Total: 1, Bad: value})
		}
		p.observed = extended(p.observed, from, to)
	}, l.progress)
	if err != nil {
		return nil, err
	}
	l.jobs = jobs
	for _, s := range bad.Reads() {
		l.reads = append(l.reads, s.Plain().Matchers())
	}
	var groups []group
	for _, g := range of {
		if !l.bySeconds() {
			g.places[0].stretches = cut(g.places[0].stretches, l.cuts)
		}
		l.seen = sla.Union(append(l.seen, g.places[0].observed...)...)
		groups = append(groups, *g)
	}
	slices.SortFunc(groups, func(a, b group) int { return slices.Compare(a.key, b.key) })
	return groups, nil
}

// cut splits stretches at the cuts. Each part counts as one evaluation, since cuts are
// at most a minute apart.
func cut(all []verdict.Stretch, cuts []int64) []verdict.Stretch {
	var parts []verdict.Stretch
	for _, s := range all {
		i, exact := slices.BinarySearch(cuts, s.From.UnixMilli())
		if exact {
			i++
		}
		for ; i < len(cuts) && cuts[i] < s.To.UnixMilli(); i++ {
			part := s
			part.To, s.From = at(cuts[i]), at(cuts[i])
			parts = append(parts, part)
		}
		parts = append(parts, s)
	}
	return parts
}
