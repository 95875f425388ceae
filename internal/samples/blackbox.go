package samples

import (
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

// blackbox reads the gauge of a blackbox_exporter's probes. A sample is a state: it
// holds until the next one, or for one scrape interval if none follows.
func (l *load) blackbox(b *sla.Blackbox) ([]group, error) {
	selectors, err := selectorsOf(b.Success)
	if err != nil {
		return nil, err
	}
	gauges := map[string]*gauge{}
	for _, s := range selectors {
		l.reads = append(l.reads, s.Matchers())
		series := 0
		for t, to := l.from-before, l.to+after; t < to; {
			until := blockEnd(t, to, series)
			all, err := l.source.Select(l.ctx, s.Matchers(), t, until)
			if err != nil {
				return nil, err
			}
			for _, s := range all {
				l.gauge(gauges, s)
			}
			t, series = until, len(all)
			l.progress(float64(t-l.from+before) / float64(to-l.from+before))
		}
	}
	return l.ofGauges(gauges), nil
}

// gauge is one series of a probe's success.
type gauge struct {
	labels   labels.Labels
	last     int64
	share    float64 // bad, of the last sample
	begun    bool
	distance distance
	known    []verdict.Stretch
}

func (l *load) gauge(gauges map[string]*gauge, s Series) {
	b := labels.NewBuilder(s.Labels)
	b.Del(model.MetricNameLabel)
	key := b.Labels().String()
	g := gauges[key]
	if g == nil {
		g = &gauge{labels: b.Labels()}
		gauges[key] = g
	}
	if job := s.Labels.Get(model.JobLabel); !slices.Contains(l.jobs, job) {
		l.jobs = append(l.jobs, job)
	}
	for i, t := range s.T {
		if i < len(s.V) && counts(s.V[i]) && (!g.begun || t > g.last) {
			g.next(t, 1-min(s.V[i], 1))
		}
	}
}

// next takes a sample. The state before it held until now, unless there was a gap.
func (g *gauge) next(t int64, share float64) {
	if g.begun {
		d := t - g.last
		gap := g.distance.gap(d)
		first := g.distance.count == 0
		g.distance.add(d)
		until := t
		switch {
		case gap:
			until = g.last + g.distance.usual
		case first: // no interval is known yet
			until = min(t, g.last+recently)
		}
		g.known = appendShare(g.known, g.last, until, 1, g.share)
	}
	g.last, g.share, g.begun = t, share, true
}

func (l *load) ofGauges(gauges map[string]*gauge) []group {
	order := make([]*gauge, 0, len(gauges))
	for _, g := range gauges {
		if g.begun && g.distance.usual > 0 {
			g.known = appendShare(g.known, g.last, g.last+g.distance.usual, 1, g.share)
		}
		order = append(order, g)
	}
	slices.SortFunc(order, func(a, b *gauge) int { return labels.Compare(a.labels, b.labels) })
	var groups []group
	for _, g := range order {
		key := l.keyOf(g.labels)
		i := slices.IndexFunc(groups, func(of group) bool { return slices.Equal(of.key, key) })
		if i < 0 {
			i = len(groups)
			groups = append(groups, group{key: key})
		}
		p := place{labels: g.labels.Map(), stretches: g.known}
		for _, name := range l.level.GroupBy.Labels {
			delete(p.labels, name)
		}
		for _, s := range g.known {
			p.observed = extended(p.observed, s.From.UnixMilli(), s.To.UnixMilli())
		}
		groups[i].places = append(groups[i].places, p)
		l.seen = sla.Union(append(l.seen, p.observed...)...)
	}
	return groups
}
