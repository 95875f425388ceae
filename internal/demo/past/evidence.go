package past

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

// evidenceLength is how far back there is evidence. A closed period of 30 days may have
// ended a month ago, and the time before it shows whether an outage began in it.
const evidenceLength = 65 * 24 * time.Hour

// Evidence is the evidence for reports of the past.
func (p *Past) Evidence() verdict.Evidence {
	e := verdict.Evidence{Conditions: map[string]sla.Spans{}, Sources: []string{Source}}
	for _, l := range p.agreement.Levels {
		if _, made := l.Indicator.(*sla.Composite); !made {
			place := verdict.Place{Stretches: p.stretches(l)}
			e.Levels = append(e.Levels, verdict.LevelEvidence{Level: l.ID, Groups: []verdict.GroupEvidence{{Places: []verdict.Place{place}}}})
		}
	}
	return e
}

// stretches are the measurements of a level: for a level by time as long as its bad
// share stays the same, for others at most five minutes.
func (p *Past) stretches(l *sla.ServiceLevel) []verdict.Stretch {
	of := levelOf(l)
	faults := of.faults(p)
	from := p.start.Add(-evidenceLength)
	edges := map[time.Time]bool{from: true, p.start: true}
	for _, f := range faults {
		edges[f.From], edges[f.To] = true, true
	}
	if !l.Aggregation.ByTime() {
		for _, at := range times(from.Add(step), p.start, step) {
			edges[at] = true
		}
	}
	var all []verdict.Stretch
	for _, span := range between(edges, from, p.start) {
		total := of.perSecond * span.To.Sub(span.From).Seconds()
		bad := of.perSecond * seconds(faults, span.From, span.To)
		all = append(all, verdict.Stretch{From: span.From, To: span.To, State: verdict.Known, Total: math.Round(total), Bad: math.Round(bad)})
	}
	return all
}

// between returns the spans from each edge to the next, in [from, to].
func between(edges map[time.Time]bool, from, to time.Time) []sla.Span {
	at := slices.SortedFunc(maps.Keys(edges), time.Time.Compare)
	var all []sla.Span
	for i := 1; i < len(at); i++ {
		if !at[i-1].Before(from) && !at[i].After(to) {
			all = append(all, sla.Span{From: at[i-1], To: at[i]})
		}
	}
	return all
}
