package samples

import (
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

// Columns of probes.
const (
	probeGood = iota
	probeBad
	probeWithin
	probeUntimed
)

// probe reads what exporters counted of the probe that the level of defines. threshold
// is the longest duration of a good probe; if it is 0, the outcome decides.
func (l *load) probe(of sla.ID, p *sla.Probe, threshold time.Duration) ([]group, error) {
	if p == nil {
		return nil, fmt.Errorf("the probe of %s is not known", of)
	}
	probes := probes{load: l, interval: p.Interval.Milliseconds(), timed: threshold > 0, at: map[*copies]*probed{}}
	err := l.count(probeLayout(of, threshold), probes.take, probes.observed)
	if err != nil {
		return nil, err
	}
	return probes.groups(), nil
}

// probeLayout joins the counters of one target and location.
func probeLayout(of sla.ID, threshold time.Duration) layout {
	series := func(name string, more promql.Matcher) []*labels.Matcher {
		return promql.Series(name, promql.Eq(metricnames.SLA, of.SLA), promql.Eq(metricnames.Service, of.Service),
			promql.Eq(metricnames.SLO, of.SLO), more).Matchers()
	}
	column := func(i int) func(labels.Labels) int { return func(labels.Labels) int { return i } }
	byOutcome := func(of labels.Labels) int {
		if of.Get(metricnames.Outcome) == metricnames.Good {
			return probeGood
		}
		return probeBad
	}
	wanted := layout{
		parts: []part{{matchers: series(metricnames.ProbeResults, promql.Re(metricnames.Outcome, metricnames.Good+"|"+metricnames.Bad)), column: byOutcome}},
		apart: []string{model.MetricNameLabel, metricnames.Outcome, metricnames.Threshold},
		needs: probeBad + 1,
	}
	if threshold > 0 {
		limit := promql.Eq(metricnames.Threshold, sla.Seconds(threshold).String())
		wanted.parts = append(wanted.parts,
			part{matchers: series(metricnames.ProbeWithin, limit), column: column(probeWithin)},
			part{matchers: series(metricnames.ProbeUntimed, limit), column: column(probeUntimed)})
		wanted.needs = probeWithin + 1 // exporters that do not know the threshold are left out
	}
	return wanted
}

// probes makes places of the probes of a level.
type probes struct {
	*load
	interval int64
	timed    bool
	at       map[*copies]*probed
	order    []*copies
}

// probed is one place, as one exporter sees it.
type probed struct {
	pieces   *pieces // unless the level counts seconds
	known    []verdict.Stretch
	until    int64 // the time up to which it is decided what is known
	begun    bool
	observed sla.Spans
}

func (p *probes) of(c *copies) *probed {
	at := p.at[c]
	if at == nil {
		at = &probed{}
		if !p.bySeconds() {
			at.pieces = newPieces(p.cuts)
		}
		p.at[c] = at
		p.order = append(p.order, c)
	}
	return at
}

func (p *probes) observed(c *copies, from, to int64) {
	at := p.of(c)
	at.observed = extended(at.observed, from, to)
}

// conclusive returns how many probes of an increment had a known result, and how many
// were bad.
func (p *probes) conclusive(inc increment) (total, bad float64) {
	total, bad = inc.d[probeGood]+inc.d[probeBad], inc.d[probeBad]
	if p.timed {
		total = max(total-inc.d[probeUntimed], 0)
		bad = max(total-inc.d[probeWithin], 0)
	}
	return total, bad
}

func (p *probes) take(c *copies, inc increment) {
	at := p.of(c)
	if !at.begun {
		at.until, at.begun = inc.from, true
	}
	total, bad := p.conclusive(inc)
	if inc.gap && total > 0 {
		p.gaps = append(p.gaps, verdict.Gap{From: span(inc.from, 0).From, To: span(0, inc.to).To, Place: p.placeLabels(c), Total: total, Bad: bad})
	}
	if total == 0 {
		return
	}
	from := at.until
	// A result stands for the interval before it. Up to one and a half more intervals
	// may lack one, since probes and scrapes are not exactly evenly spaced.
	if stands := int64(total * float64(p.interval)); inc.to-from > stands+p.interval*3/2 {
		from = inc.to - stands
	}
	at.until = inc.to
	if at.pieces == nil {
		at.known = appendShare(at.known, from, inc.to, total, bad)
		return
	}
	if inc.gap { // only the time that has results
		inc.from = from
	}
	at.pieces.add(inc, total, bad)
	at.pieces.known = extended(at.pieces.known, from, inc.to)
}

// placeLabels are those of the place: where it was probed from, and what.
func (p *probes) placeLabels(c *copies) map[string]string {
	m := c.labels.Map()
	for _, name := range append([]string{metricnames.SLA, metricnames.Service, metricnames.SLO, model.JobLabel, model.InstanceLabel}, p.level.GroupBy.Labels...) {
		delete(m, name)
	}
	return m
}

func (p *probes) groups() []group {
	slices.SortFunc(p.order, func(a, b *copies) int { return labels.Compare(a.labels, b.labels) })
	var groups []group
	var apart [][]map[string]string
	for _, c := range p.order {
		at, key := p.at[c], p.keyOf(c.labels)
		i := slices.IndexFunc(groups, func(g group) bool { return slices.Equal(g.key, key) })
		if i < 0 {
			i = len(groups)
			groups, apart = append(groups, group{key: key}), append(apart, nil)
		}
		known := at.known
		if at.pieces != nil {
			known = at.pieces.stretches()
		}
		groups[i].places = append(groups[i].places, place{labels: p.placeLabels(c), stretches: known, observed: at.observed})
		apart[i] = append(apart[i], map[string]string{model.JobLabel: c.labels.Get(model.JobLabel), model.InstanceLabel: c.labels.Get(model.InstanceLabel)})
		p.seen = sla.Union(append(p.seen, at.observed...)...)
	}
	for i := range groups {
		groups[i].places = joinPlaces(groups[i].places, apart[i])
	}
	return groups
}

// appendShare adds known time with the bad share bad/total. It extends the last stretch
// if that has the same share and ends at from.
func appendShare(all []verdict.Stretch, from, to int64, total, bad float64) []verdict.Stretch {
	s := span(from, to)
	if n := len(all) - 1; n >= 0 && all[n].To.Equal(s.From) && all[n].Bad*total == bad*all[n].Total {
		all[n].To = s.To
		all[n].Total += total
		all[n].Bad += bad
		return all
	}
	return append(all, verdict.Stretch{From: s.From, To: s.To, State: verdict.Known, Total: total, Bad: bad})
}

// extended adds [from, to) to a set of instants. It mostly follows the last span.
func extended(all sla.Spans, from, to int64) sla.Spans {
	if to <= from {
		return all
	}
	s := span(from, to)
	if n := len(all) - 1; n < 0 || s.From.After(all[n].To) {
		return append(all, s)
	} else if !s.From.Before(all[n].From) {
		if s.To.After(all[n].To) {
			all[n].To = s.To
		}
		return all
	}
	return sla.Union(append(slices.Clone(all), s)...)
}
