package statuspage

import (
	"context"
	"maps"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// past is what was measured of an agreement's public levels.
type past struct {
	agreement *sla.Agreement
	from, to  time.Time
	tallies   map[sla.ID][]Tally
	outages   map[sla.ID][]Span
}

// chunk is how much of the past a query reads, so that no query is large.
const chunk = 7 * 24 * time.Hour

// gather reads what was measured from one time to another.
func gather(ctx context.Context, source Source, a *sla.Agreement, from, to time.Time) (*past, error) {
	p := &past{agreement: a, from: from, to: to, tallies: map[sla.ID][]Tally{}}
	step := stepOf(a.Location(), to)
	for at := from; at.Before(to); at = at.Add(chunk) {
		end := at.Add(chunk)
		if end.After(to) {
			end = to
		}
		tallies, err := source.Tallies(ctx, a, at, end, step)
		if err != nil {
			return nil, err
		}
		p.add(tallies)
	}
	if rest := (to.Sub(from) % step).Truncate(time.Second); rest > 0 { // the current, unfinished step
		tallies, err := source.Tallies(ctx, a, to.Add(-rest), to, rest)
		if err != nil {
			return nil, err
		}
		p.add(tallies)
	}
	return p, nil
}

func (p *past) add(tallies map[sla.ID][]Tally) {
	for id, more := range tallies {
		p.tallies[id] = append(p.tallies[id], more...)
	}
}

// with joins a past and what came after it.
func (p *past) with(later *past) *past {
	both := &past{agreement: p.agreement, from: p.from, to: later.to, tallies: map[sla.ID][]Tally{}}
	both.add(p.tallies)
	both.add(later.tallies)
	return both
}

// clip removes everything that the agreement's page may not show, whatever the source
// has returned.
func (p *past) clip() {
	public := map[sla.ID]bool{}
	for _, l := range p.agreement.StatusPage.Levels {
		public[l.Level] = true
	}
	maps.DeleteFunc(p.tallies, func(id sla.ID, _ []Tally) bool { return !public[id] })
	maps.DeleteFunc(p.outages, func(id sla.ID, _ []Span) bool { return !public[id] })
}

// archive holds what was measured up to the last midnight, and is read once a day.
type archive map[string]*past

// past is what was measured up to now. Until settled after midnight, rules may still
// record samples from before it.
func (a archive) past(ctx context.Context, source Source, of *sla.Agreement, now time.Time) (*past, error) {
	const settled = 30 * time.Minute
	zone := of.Location()
	from := daysAgo(sla.StatusPageDays-1, zone, now)
	until := daysAgo(0, zone, now.Add(-settled))
	kept := a[of.Name]
	if kept == nil || kept.agreement != of || !kept.to.Equal(until) || !kept.from.Equal(from) {
		var err error
		if kept, err = gather(ctx, source, of, from, until); err != nil {
			return nil, err
		}
		a[of.Name] = kept
	}
	today, err := gather(ctx, source, of, until, now)
	if err != nil {
		return nil, err
	}
	all := kept.with(today)
	if all.outages, err = source.Outages(ctx, of, from); err != nil {
		return nil, err
	}
	all.clip()
	return all, nil
}
