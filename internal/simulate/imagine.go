package simulate

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/internal/rawseries"
	"github.com/upheld-sla/upheld/sla"
)

// imagined is one raw series: a counter, a gauge or a native histogram.
type imagined struct {
	metric    promql.Metric
	counts    func(bad, slow float64) float64          // of a counter: how much each event adds
	perSecond float64                                  // events, before traffic changes them
	ownRate   bool                                     // traffic does not change them, for example for a probe
	value     func(bad float64, nth, ms int64) float64 // of a gauge: its value at a scrape
	threshold float64                                  // of a native histogram, whose counts returns fast events
}

// imagine makes the raw series that a level counts. If it cannot, it returns a problem.
func (s *stage) imagine(l *sla.ServiceLevel) ([]imagined, *Problem) {
	var all []imagined
	switch ind := l.Indicator.(type) {
	case *sla.Probe, *sla.SharedProbe, *sla.ProbeLatency:
		all = s.probed(l)
	case *sla.HistogramLatency:
		for _, r := range rawseries.OfLatency(ind) {
			of := r.Of
			all = append(all, imagined{metric: r.Metric, counts: func(bad, slow float64) float64 { return of(both(bad, slow)) }, perSecond: s.rate(l)})
		}
	case *sla.NativeLatency:
		all = s.nativeLatency(l, ind)
	case *sla.Blackbox:
		for _, r := range rawseries.Of(l) {
			all = append(all, imagined{metric: r.Metric, value: func(bad float64, nth, _ int64) float64 {
				if falls(nth, bad) {
					return 0
				}
				return 1
			}})
		}
	case *sla.Condition:
		all = searchCondition(ind.Expr.Text)
	case *sla.Ratio:
		all = searchRatio(ind.Bad.Text)
	default:
		for _, r := range rawseries.Of(l) {
			of := r.Of
			all = append(all, imagined{metric: r.Metric, counts: func(bad, _ float64) float64 { return of(bad) }, perSecond: s.rate(l)})
		}
	}
	if all = s.labelled(l, all); all == nil {
		return nil, cannotImagine(l)
	}
	return all, nil
}

// cannotImagine says that no series can be found for a level.
func cannotImagine(l *sla.ServiceLevel) *Problem {
	queries := l.Indicator.Queries()
	pos, text := l.Pos, l.Indicator.Kind()
	if len(queries) > 0 {
		pos, text = queries[0].Pos, queries[0].Text
	}
	return &Problem{
		Pos: pos, Rule: "no-series",
		Message: fmt.Sprintf("no series are found that this would count, for the level %s/%s: %s", l.ID.Service, l.ID.SLO, text),
		Remedy:  "give them in a scenario, under spec.series: [{series: 'name{label=\"value\"}', values: 0+10x40}], or leave the level out",
	}
}

// rate is how many events a second a level has.
func (s *stage) rate(l *sla.ServiceLevel) float64 { return s.traffic(l).Rate.Float64() }

func (s *stage) traffic(l *sla.ServiceLevel) sla.ScenarioTraffic {
	for _, t := range s.scenario.Traffic {
		if len(t.Levels) == 0 || slices.Contains(t.Levels, l.ID) {
			return t
		}
	}
	return sla.ScenarioTraffic{Rate: sla.DefaultTraffic, Shape: sla.ShapeFlat}
}

// exporterJob is the exporter's job in the generated scrape configuration.
const exporterJob = "upheld-exporter"

// probed are the counters of a probe, from as many locations as the level needs.
func (s *stage) probed(l *sla.ServiceLevel) []imagined {
	of, p, _ := l.Probed()
	if p == nil {
		return nil
	}
	var all []imagined
	add := func(r rawseries.Series, counts func(bad, slow float64) float64) {
		for i := range max(1, l.Slots.Quorum) {
			m := r.Metric.With(promql.Metric{metricnames.Job: exporterJob, metricnames.Instance: "exporter:9810"})
			if i > 0 {
				m[metricnames.Location] += "-" + strconv.Itoa(int(i)+1)
				m[metricnames.Instance] = "exporter-" + strconv.Itoa(int(i)+1) + ":9810"
			}
			all = append(all, imagined{metric: m, counts: counts, perSecond: 1 / p.Interval.Seconds(), ownRate: true})
		}
	}
	for _, r := range rawseries.Of(&sla.ServiceLevel{ID: l.ID, Indicator: &sla.SharedProbe{Of: of, Probe: p}}) {
		add(r, func(bad, _ float64) float64 { return r.Of(bad) })
	}
	if _, ok := l.Indicator.(*sla.ProbeLatency); ok {
		series := rawseries.Of(l)
		add(series[len(series)-1], func(bad, slow float64) float64 { return (1 - bad) * (1 - slow) })
	}
	return all
}

func (s *stage) nativeLatency(l *sla.ServiceLevel, ind *sla.NativeLatency) []imagined {
	m, ok := rawseries.Only(ind.Histogram)
	if ok && ind.Good.Text != "" {
		m, ok = rawseries.Narrowed(m, ind.Good)
	}
	if !ok {
		return nil
	}
	bound, _ := sla.HistogramBound(m[rawseries.NameLabel], ind.Unit, ind.Threshold)
	return []imagined{{metric: m, perSecond: s.rate(l), threshold: bound.Float64(), counts: func(bad, slow float64) float64 { return 1 - both(bad, slow) }}}
}

// labelled adds the labels of a scrape and of the level's group to series; nil if the
// rules would then not count them.
func (s *stage) labelled(l *sla.ServiceLevel, all []imagined) []imagined {
	reads := s.plans[l.ID].reads
	more := []promql.Metric{{metricnames.Job: "simulated"}, {metricnames.Instance: "simulated:80"}}
	group := s.group(l)
	for i := range all {
		m := all[i].metric
		moved := m.With(group)
		if rawseries.Count(reads, moved) < rawseries.Count(reads, m) {
			return nil
		}
		m = moved
		for _, label := range more {
			for name := range label {
				if _, has := m[name]; has {
					continue
				}
				if moved := m.With(label); rawseries.Count(reads, moved) >= rawseries.Count(reads, m) {
					m = moved
				}
			}
		}
		all[i].metric = m
	}
	return all
}

// group returns the labels of the level's group that the scenario is about.
func (s *stage) group(l *sla.ServiceLevel) promql.Metric {
	if len(l.GroupBy.Labels) == 0 {
		return nil
	}
	m := promql.Metric{}
	for _, label := range l.GroupBy.Labels {
		m[label] = "simulated"
	}
	if promises := l.Promises(); len(promises) > 0 {
		return m.With(promises[0].Match)
	}
	return m
}
