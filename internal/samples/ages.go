package samples

import (
	"fmt"
	"math"
	"slices"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

// ages returns the greatest value in the period of each query in an objective of
// recovery, read at the end of each clock minute.
func (l *load) ages() ([]verdict.Age, error) {
	if l.level.Recovery == nil {
		return nil, nil
	}
	var all []verdict.Age
	for _, o := range l.level.Recovery.Objectives {
		read := func(a verdict.Age) bool { return a.Query == o.Age.Text }
		if !o.Metric.Facets().Queries || slices.ContainsFunc(all, read) {
			continue
		}
		age, err := l.age(o.Age)
		if err != nil {
			return nil, fmt.Errorf("age of %s: %w", o.Metric, err)
		}
		all = append(all, age)
	}
	return all, nil
}

// age is the greatest value of a query. While the query has none, the age grows by a
// second each second, as every age does.
func (l *load) age(q sla.Query) (verdict.Age, error) {
	expr, err := promql.Parse(q.Text)
	if err != nil {
		return verdict.Age{}, err
	}
	a := verdict.Age{Query: q.Text}
	greatest, possible := math.Inf(-1), math.Inf(-1)
	last, value := int64(math.MinInt64), 0.0 // the last minute that had a value
	gap := func(until int64) {
		if until = min(until, l.end); last != math.MinInt64 && until > max(last, l.start) {
			possible = max(possible, value+float64(until-last)/float64(second))
		}
	}
	take := func(_ labels.Labels, from, to int64, v float64) {
		if last == math.MinInt64 && from > l.start {
			a.Late = true
		}
		if from > last {
			gap(to)
		}
		last, value = to, v
		if l.start < to && to <= l.end {
			greatest = max(greatest, v)
		}
	}
	e := evaluation{source: l.source, scrapes: l.scrapes, from: l.from, to: l.to, byMinute: true}
	if _, err := e.run(l.ctx, promql.Max(expr), take, func(float64) {}); err != nil {
		return a, err
	}
	gap(l.end)
	if math.IsInf(greatest, 0) || math.IsInf(possible, 1) {
		return a, nil
	}
	a.Measured, a.Greatest, a.Possible = true, inMilliseconds(greatest), inMilliseconds(max(greatest, possible))
	return a, nil
}

// inMilliseconds is a number of seconds, rounded up to the millisecond of samples.
func inMilliseconds(seconds float64) sla.Decimal {
	return sla.NewDecimal(int64(math.Ceil(math.Round(seconds*1e6)/1e3)), 1000)
}
