package past

import (
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/replay"
	"github.com/upheld-sla/upheld/sla"
)

// increaseSuffix ends the names of the second layer's counts since its last evaluation:
// all longer sums are made from these.
const increaseSuffix = ":increase"

// series are labels with samples.
type series struct {
	labels  labels.Labels
	samples replay.Stored
}

// counted is the time that one series of a level counts.
type counted struct {
	total sla.Spans // if its seconds count
	bad   []fault   // if shares of its seconds count
}

// counts returns a level's increases by their name without the suffix, except blame.
func (p *Past) counts(l *sla.ServiceLevel) map[string]counted {
	from := p.start.Add(-Length)
	all := sla.Union(sla.Span{From: from, To: p.start})
	agreed := l.Agreed(from, p.start)
	excluded := all.Without(agreed)
	bad := levelOf(l).faults(p)
	return map[string]counted{
		"sla:total": {total: agreed}, "sla:bad": {bad: within(bad, agreed)},
		"sla:raw_total": {total: all}, "sla:raw_bad": {bad: bad},
		"sla:excluded_total": {total: excluded}, "sla:excluded_bad": {bad: within(bad, excluded)},
	}
}

// increases returns the series that a level's rules record under a name. There is a
// sample at each of the times, for the time since the previous one.
func (p *Past) increases(l *sla.ServiceLevel, record string, times []time.Time) ([]series, error) {
	of := levelOf(l)
	base := labels.FromStrings(labels.MetricName, record, metricnames.SLA, l.ID.SLA, metricnames.Service, l.ID.Service, metricnames.SLO, l.ID.SLO)
	if record == metricnames.BlameTally.Increase {
		var all []series
		for who, faults := range of.causes(p) {
			b := labels.NewBuilder(base).Set(metricnames.Component, who.component).Set(metricnames.How, who.how)
			all = append(all, series{b.Labels(), amounts(counted{bad: faults}, 1, times, true)})
		}
		return all, nil
	}
	c, ok := p.counts(l)[strings.TrimSuffix(record, increaseSuffix)]
	if !ok {
		return nil, fmt.Errorf("the demo does not know what %s of %s was", record, name(l))
	}
	return []series{{base, amounts(c, of.perSecond, times, false)}}, nil
}

// amounts is what was counted between each time and the previous one. A sparse series
// has no samples that are 0.
func amounts(c counted, perSecond float64, times []time.Time, sparse bool) replay.Stored {
	var all replay.Stored
	for i := 1; i < len(times); i++ {
		v := perSecond * (c.total.Within(times[i-1], times[i]).Total().Seconds() + seconds(c.bad, times[i-1], times[i]))
		if v > 0 || !sparse {
			all = append(all, point(times[i], v))
		}
	}
	return all
}

// shares are the bad shares of five minutes for the graphs of pages: at the times, and
// every minute of the last hour.
func (p *Past) shares(l *sla.ServiceLevel, times []time.Time) series {
	c := p.counts(l)
	of := series{labels: labels.FromStrings(labels.MetricName, metricnames.ErrorRatio+"5m", metricnames.SLA, l.ID.SLA, metricnames.Service, l.ID.Service, metricnames.SLO, l.ID.SLO)}
	add := func(at time.Time) {
		from := at.Add(-sla.BaseWindow)
		if total := c["sla:total"].total.Within(from, at).Total().Seconds(); total > 0 {
			of.samples = append(of.samples, point(at, seconds(c["sla:bad"].bad, from, at)/total))
		}
	}
	hour := p.start.Add(-time.Hour)
	for _, at := range times {
		if at.Before(hour) {
			add(at)
		}
	}
	for at := hour; at.Before(p.start); at = at.Add(time.Minute) {
		add(at)
	}
	return of
}
