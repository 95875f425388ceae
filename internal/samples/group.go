package samples

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

// group is what was measured of one group of a level, at its places.
type group struct {
	key    []string // the values of the group labels
	places []place
}

// place is what one place measured.
type place struct {
	labels    map[string]string
	stretches []verdict.Stretch // known ones, ascending
	// observed is the time in which it had samples, with or without a result.
	observed sla.Spans
}

func compareKeys(a, b []string) int { return slices.Compare(a, b) }

// keyOf are the values of the level's group labels.
func (l *load) keyOf(of labels.Labels) []string {
	key := make([]string, len(l.level.GroupBy.Labels))
	for i, name := range l.level.GroupBy.Labels {
		key[i] = of.Get(name)
	}
	return key
}

// first is the first time at which the group had samples.
func (g group) first() time.Time {
	first := time.Unix(1<<40, 0)
	for _, p := range g.places {
		if len(p.observed) > 0 && p.observed[0].From.Before(first) {
			first = p.observed[0].From
		}
	}
	return first
}

// evidence adds the missing time to the places: the time in which the level was scraped
// but has no samples at all, and the time in which a place has samples but no result.
func (g group) evidence(l *load, missing sla.Spans) []verdict.Place {
	from, to := at(l.from), at(l.to)
	var places []verdict.Place
	for _, p := range g.places {
		var known sla.Spans
		for _, s := range p.stretches {
			known = append(known, sla.Span{From: s.From, To: s.To})
		}
		known = sla.Union(known...)
		lost, since := p.observed, from
		if !l.earlier { // before its first sample nothing is missing
			since = to
			if len(lost) > 0 {
				since = lost[0].From
			}
		}
		lost = sla.Union(append(slices.Clone(lost), missing.Within(since, to)...)...)
		all := clip(p.stretches, from, to)
		for _, s := range lost.Without(known).Within(from, to) {
			all = append(all, verdict.Stretch{From: s.From, To: s.To, State: verdict.Missing})
		}
		slices.SortFunc(all, func(a, b verdict.Stretch) int { return a.From.Compare(b.From) })
		if len(all) > 0 {
			places = append(places, verdict.Place{Labels: p.labels, Stretches: all})
		}
	}
	return places
}

// clip returns the parts of stretches in [from, to). Counts stay as they are: for a
// level that counts seconds they only give a share, and others already end at these
// edges.
func clip(all []verdict.Stretch, from, to time.Time) []verdict.Stretch {
	var in []verdict.Stretch
	for _, s := range all {
		if s.From.Before(from) {
			s.From = from
		}
		if s.To.After(to) {
			s.To = to
		}
		if s.From.Before(s.To) {
			in = append(in, s)
		}
	}
	return in
}

// joinPlaces joins places with the same labels that follow each other, such as
// exporters that replace each other. If two measure at the same time, the later one
// keeps the labels that tell them apart.
func joinPlaces(all []place, apart []map[string]string) []place {
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return cmp.Or(compareLabels(all[i].labels, all[j].labels), begin(all[i]).Compare(begin(all[j])), compareLabels(apart[i], apart[j]))
	})
	var joined []place
	for _, i := range order {
		p := all[i]
		if n := len(joined) - 1; n >= 0 && maps.Equal(joined[n].labels, p.labels) {
			last := &joined[n]
			if !begin(p).Before(end(*last)) {
				last.stretches = append(last.stretches, p.stretches...)
				last.observed = sla.Union(append(slices.Clone(last.observed), p.observed...)...)
				continue
			}
			p.labels = maps.Clone(p.labels)
			maps.Copy(p.labels, apart[i])
		}
		joined = append(joined, p)
	}
	return joined
}

func begin(p place) time.Time {
	if len(p.stretches) == 0 {
		return time.Time{}
	}
	return p.stretches[0].From
}

func end(p place) time.Time {
	if len(p.stretches) == 0 {
		return time.Time{}
	}
	return p.stretches[len(p.stretches)-1].To
}

func compareLabels(a, b map[string]string) int {
	return labels.Compare(labels.FromMap(a), labels.FromMap(b))
}

// joinGaps joins the overlapping gaps of a place, as many series of one service have
// them, and drops those outside of the period.
func joinGaps(all []verdict.Gap, from, to int64) []verdict.Gap {
	all = slices.DeleteFunc(all, func(g verdict.Gap) bool { return !g.To.After(at(from)) || !g.From.Before(at(to)) })
	slices.SortStableFunc(all, func(a, b verdict.Gap) int {
		return cmp.Or(compareLabels(a.Place, b.Place), a.From.Compare(b.From), a.To.Compare(b.To))
	})
	var joined []verdict.Gap
	for _, g := range all {
		if n := len(joined) - 1; n >= 0 && maps.Equal(joined[n].Place, g.Place) && g.From.Before(joined[n].To) {
			last := &joined[n]
			last.Total += g.Total
			last.Bad += g.Bad
			if g.To.After(last.To) {
				last.To = g.To
			}
			continue
		}
		joined = append(joined, g)
	}
	return joined
}
