package ruletest

import (
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// The input of tests for each kind of indicator: raw series, or the states of a
// composite's components.

// composite is the level's indicator if that is one, else nil.
func (l *levelUnderTest) composite() *sla.Composite {
	of, _ := l.Indicator.(*sla.Composite)
	return of
}

// rawSeriesOf are the raw series that the level's indicator counts; nil if it does not
// count simple series.
func rawSeriesOf(l *levelUnderTest) []inputSeries {
	var all []inputSeries
	scale := l.scale()
	everything, good, bad := scaled(everything, scale), scaled(good, scale), scaled(bad, scale)
	switch ind := l.Indicator.(type) {
	case *sla.Probe:
		all = probe(l.ID, ind, good, bad)
	case *sla.SharedProbe:
		all = probe(ind.Of, ind.Probe, good, bad)
	case *sla.ProbeLatency:
		all = append(probe(ind.Of, ind.Probe, everything, nothing), inputSeries{
			series: probeSeries(metricnames.ProbeWithin, ind.Of, ind.Probe, metricnames.Threshold, rulegen.FormatSeconds(ind.Threshold)), of: good,
		})
	case *sla.Events:
		all = events(ind)
	case *sla.HistogramLatency:
		all = histogram(ind)
	case *sla.Blackbox:
		if m, ok := only(ind.Success); ok {
			all = []inputSeries{{series: m, gauge: true, of: func(bad float64) float64 { return 1 - bad }}}
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

// only is an example of the series that a query of one selector selects.
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

// probe are the counters of a probe's results.
func probe(of sla.ID, p *sla.Probe, good, bad func(float64) float64) []inputSeries {
	return []inputSeries{
		{series: probeSeries(metricnames.ProbeResults, of, p, metricnames.Outcome, metricnames.Good), of: good},
		{series: probeSeries(metricnames.ProbeResults, of, p, metricnames.Outcome, metricnames.Bad), of: bad},
	}
}

func histogram(h *sla.HistogramLatency) []inputSeries {
	if h.Good.Text != "" {
		return nil // an example of the whole need not be one of what is good
	}
	m, ok := only(h.Histogram)
	if !ok {
		return nil
	}
	name := m[nameLabel]
	bound, _ := sla.HistogramBound(name, h.Unit, h.Threshold)
	return []inputSeries{
		{series: m.With(promql.Metric{nameLabel: name + "_count"}), of: everything},
		{series: m.With(promql.Metric{nameLabel: name + "_bucket", "le": bound.String()}), of: good},
	}
}

// events are one series that only the total counts, and one that is counted as bad,
// or good; nil if no such series are found.
func events(e *sla.Events) []inputSeries {
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
		rest = everything // the other series is not part of the total
	}
	fits := ok && count(counted, of) == 1 && count(total, other) == 1 && count(counted, other) == 0 && count(total, of) <= 1
	if !fits {
		return nil
	}
	return []inputSeries{{series: other, of: rest}, {series: of, of: share, born: e.Bad.Text != ""}}
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
