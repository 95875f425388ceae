package ruletest

import (
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// What tests feed the kinds of indicators: raw series, or the states of a
// composite's components.

// composite is the level's indicator if that is one, else nil.
func (l *tested) composite() *sla.Composite {
	of, _ := l.Indicator.(*sla.Composite)
	return of
}

// countersOf are the raw series of the level's indicator.
func countersOf(l *tested) []fed {
	var all []fed
	scale := l.scale()
	everything, good, bad := scaled(everything, scale), scaled(good, scale), scaled(bad, scale)
	switch ind := l.Indicator.(type) {
	case *sla.Probe:
		all = probe(l.ID, ind, good, bad)
	case *sla.SharedProbe:
		all = probe(ind.Of, ind.Probe, good, bad)
	case *sla.ProbeLatency:
		all = append(probe(ind.Of, ind.Probe, everything, nothing), fed{
			series: probeSeries(metricnames.ProbeWithin, ind.Of, ind.Probe, metricnames.Threshold, rulegen.FormatSeconds(ind.Threshold)), of: good,
		})
	case *sla.Events:
		all = events(ind)
	case *sla.HistogramLatency:
		all = histogram(ind)
	case *sla.Blackbox:
		if m, ok := only(ind.Success); ok {
			all = []fed{{series: m, gauge: true, of: func(bad float64) float64 { return 1 - bad }}}
		}
	}
	return l.ofGroup(all)
}

func scaled(of func(float64) float64, scale float64) func(float64) float64 {
	return func(bad float64) float64 { return of(bad) * scale }
}

func everything(float64) float64 { return perSample }
func nothing(float64) float64    { return 0 }
func good(bad float64) float64   { return (1 - bad) * perSample }
func bad(bad float64) float64    { return bad * perSample }

// only is an example of what a query of one selector selects.
func only(q sla.Query) (promql.Metric, bool) {
	s := selectors(q)
	if len(s) != 1 {
		return nil, false
	}
	return s[0].Example()
}

func selectors(q sla.Query) []promql.Selector {
	e, err := promql.Parse(q.Text)
	if err != nil {
		return nil
	}
	return e.Reads()
}

func probeSeries(name string, of sla.ID, p *sla.Probe, more ...string) promql.Metric {
	m := identity(of, nil).With(promql.Metric{nameLabel: name, metricnames.Target: p.Check.Target(), metricnames.Location: "here"})
	m[more[0]] = more[1]
	return m
}

// probe feeds the results of a probe.
func probe(of sla.ID, p *sla.Probe, good, bad func(float64) float64) []fed {
	return []fed{
		{series: probeSeries(metricnames.ProbeResults, of, p, metricnames.Outcome, metricnames.Good), of: good},
		{series: probeSeries(metricnames.ProbeResults, of, p, metricnames.Outcome, metricnames.Bad), of: bad},
	}
}

func histogram(h *sla.HistogramLatency) []fed {
	if h.Good.Text != "" {
		return nil // what is good need not be an example of the whole
	}
	m, ok := only(h.Histogram)
	if !ok {
		return nil
	}
	name := m[nameLabel]
	bound, _ := rulegen.Bound(name, h.Unit, h.Threshold)
	return []fed{
		{series: m.With(promql.Metric{nameLabel: name + "_count"}), of: everything},
		{series: m.With(promql.Metric{nameLabel: name + "_bucket", "le": bound.String()}), of: good},
	}
}

// events feeds one series that is counted in the total alone and one that is
// counted as bad, or good. nil if there are none that the selectors count so.
func events(e *sla.Events) []fed {
	total, counted, share, rest := selectors(e.Total), selectors(e.Bad), bad, good
	if e.Bad.Text == "" {
		counted, share, rest = selectors(e.Good), good, bad
	}
	if len(total) == 0 || len(counted) == 0 {
		return nil
	}
	of, ok := counted[0].Example()
	if !ok {
		return nil
	}
	if m, ok := total[0].Example(); ok && m[nameLabel] == of[nameLabel] { // one counter with labels
		of = m.With(of)
	}
	other, ok := total[0].Example(counted...)
	inTotal := count(total, of) == 1
	if !inTotal {
		rest = everything // what is counted apart is not a part of this series
	}
	fits := ok && count(counted, of) == 1 && count(total, other) == 1 && count(counted, other) == 0 && count(total, of) <= 1
	if !fits {
		return nil
	}
	return []fed{{series: other, of: rest}, {series: of, of: share, born: e.Bad.Text != ""}}
}

// count is how many of the selectors select a series.
func count(all []promql.Selector, m promql.Metric) int {
	n := 0
	for _, s := range all {
		if s.Matches(m) {
			n++
		}
	}
	return n
}
