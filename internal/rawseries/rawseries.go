// Package rawseries imagines the raw series that a level counts: simple ones that its
// queries select, and how they change while a share of the events is bad. Tests of
// rules and simulations use them as input. It knows queries and names of series, and
// nothing about time.
package rawseries

import (
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// NameLabel is the label that holds a series' name.
const NameLabel = "__name__"

// Series is one series that a level counts.
type Series struct {
	Metric promql.Metric
	Gauge  bool
	// Of is how much a counter counts for each event, or the value of a gauge, while
	// this share of the events is bad.
	Of   func(bad float64) float64
	Born bool // it appears with its first event, like an error series
}

// Of returns the raw series that the level's indicator counts; nil if these are not
// simple.
func Of(l *sla.ServiceLevel) []Series {
	switch ind := l.Indicator.(type) {
	case *sla.Probe:
		return probe(l.ID, ind, good, bad)
	case *sla.SharedProbe:
		return probe(ind.Of, ind.Probe, good, bad)
	case *sla.ProbeLatency:
		return append(probe(ind.Of, ind.Probe, everything, nothing), Series{
			Metric: probeMetric(metricnames.ProbeWithin, ind.Of, ind.Probe, metricnames.Threshold, rulegen.FormatSeconds(ind.Threshold)), Of: good,
		})
	case *sla.Events:
		return events(ind)
	case *sla.HistogramLatency:
		return histogram(ind)
	case *sla.Blackbox:
		if m, ok := Only(ind.Success); ok {
			return []Series{{Metric: m, Gauge: true, Of: good}}
		}
	}
	return nil
}

func everything(float64) float64 { return 1 }
func nothing(float64) float64    { return 0 }
func good(bad float64) float64   { return 1 - bad }
func bad(bad float64) float64    { return bad }

// Only is an example of a series that a query with one selector selects.
func Only(q sla.Query) (promql.Metric, bool) {
	s := Selectors(q)
	if len(s) != 1 {
		return nil, false
	}
	return s[0].Example()
}

// Selectors returns the selectors of a query; none if it cannot be parsed.
func Selectors(q sla.Query) []promql.Selector {
	e, err := promql.Parse(q.Text)
	if err != nil {
		return nil
	}
	return e.Reads()
}

// Count is how many of the selectors select a series.
func Count(all []promql.Selector, m promql.Metric) int {
	n := 0
	for _, s := range all {
		if s.Matches(m) {
			n++
		}
	}
	return n
}

// Location is the location label of the probes.
const Location = "here"

func probeMetric(name string, of sla.ID, p *sla.Probe, label, value string) promql.Metric {
	return promql.Metric{
		metricnames.SLA: of.SLA, metricnames.Service: of.Service, metricnames.SLO: of.SLO,
		NameLabel: name, metricnames.Target: p.Check.Target(), metricnames.Location: Location, label: value,
	}
}

// probe are the counters of a probe's results.
func probe(of sla.ID, p *sla.Probe, good, bad func(float64) float64) []Series {
	return []Series{
		{Metric: probeMetric(metricnames.ProbeResults, of, p, metricnames.Outcome, metricnames.Good), Of: good},
		{Metric: probeMetric(metricnames.ProbeResults, of, p, metricnames.Outcome, metricnames.Bad), Of: bad},
	}
}

func histogram(h *sla.HistogramLatency) []Series {
	if h.Good.Text != "" {
		return nil // an example of the total need not be one of the good series
	}
	m, ok := Only(h.Histogram)
	if !ok {
		return nil
	}
	return buckets(m, h)
}

// buckets are the series of a histogram that has the base name m.
func buckets(m promql.Metric, h *sla.HistogramLatency) []Series {
	name := m[NameLabel]
	bound, _ := sla.HistogramBound(name, h.Unit, h.Threshold)
	return []Series{
		{Metric: m.With(promql.Metric{NameLabel: name + "_count"}), Of: everything},
		{Metric: m.With(promql.Metric{NameLabel: name + "_bucket", "le": bound.String()}), Of: good},
	}
}

// events returns one series that only the total counts, and one that also counts as
// bad, or good; nil if no such series are found.
func events(e *sla.Events) []Series {
	total, counted, share, rest := Selectors(e.Total), Selectors(e.Bad), bad, good
	if e.Bad.Text == "" {
		counted, share, rest = Selectors(e.Good), good, bad
	}
	if len(total) == 0 || len(counted) == 0 {
		return nil
	}
	of, ok := counted[0].Example()
	if !ok {
		return nil
	}
	if m, ok := total[0].Example(); ok && m[NameLabel] == of[NameLabel] { // one counter whose labels differ
		of = m.With(of)
	}
	other, ok := total[0].Example(counted...)
	inTotal := Count(total, of) == 1
	if !inTotal {
		rest = everything // the other series is not part of the total
	}
	fits := ok && Count(counted, of) == 1 && Count(total, other) == 1 && Count(counted, other) == 0 && Count(total, of) <= 1
	if !fits {
		return nil
	}
	return []Series{{Metric: other, Of: rest}, {Metric: of, Of: share, Born: e.Bad.Text != ""}}
}
