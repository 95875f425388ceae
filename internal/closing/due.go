package closing

import (
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

// mostClosings bounds how many past periods of one kind are closed: two years of
// months.
const mostClosings = 24

// Closings returns the periods of one kind that are closed and end after one instant,
// but not after another, in order, at most the last 24. Every calendar period is
// closed. A rolling period of four weeks or more is closed at the end of each month, so
// that a service manager has twelve reports a year; a shorter one each time it is over.
func Closings(p sla.Period, after, until time.Time) []sla.PeriodName {
	var names []sla.PeriodName
	for at := until; len(names) < mostClosings; {
		name := lastClosing(p, at)
		_, end := name.Bounds(p)
		if !end.After(after) {
			break
		}
		names = append(names, name)
		at = end.Add(-time.Second)
	}
	slices.Reverse(names)
	return names
}

// monthly is the shortest rolling period that is closed each month.
const monthly = 28 * 24 * time.Hour

// lastClosing is the last period to be closed that ends at or before an instant.
func lastClosing(p sla.Period, at time.Time) sla.PeriodName {
	switch {
	case p.Calendar != "":
		return p.LastClosed(at)
	case p.Rolling >= monthly:
		start, _ := sla.Period{Calendar: sla.Month, Zone: p.Zone}.Bounds(at)
		return p.NameOf(start)
	}
	days := int((p.Rolling + 24*time.Hour - 1) / (24 * time.Hour))
	year, month, day := at.In(p.Location()).Date()
	n := int(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix()/86400) - firstMonday
	return p.NameOf(time.Date(year, month, day-n%days, 12, 0, 0, 0, p.Location()))
}

// firstMonday is the first Monday after 1 January 1970, in days: periods of weeks end
// on Mondays.
const firstMonday = 4

// NextClosing is the next period of one kind to be closed after an instant.
func NextClosing(p sla.Period, now time.Time) (name sla.PeriodName, end time.Time) {
	step := 24 * time.Hour
	for i, at := 0, now.Add(step); i < 800; i, at = i+1, at.Add(step) { // a year at most, plus changes of clocks
		name = lastClosing(p, at)
		if _, end = name.Bounds(p); end.After(now) {
			return name, end
		}
	}
	return name, end
}

// Current returns the judgements of the current period of one kind: of a calendar
// period to date, or of a rolling one up to now.
func Current(agreements []*sla.Agreement, a *sla.Agreement, p sla.Period, now time.Time) ([]Judgement, error) {
	if p.Calendar != "" {
		name := p.NameOf(now)
		var all []Judgement
		for _, j := range ofRevisions(a, &name, now) {
			if j.Start.Before(now) {
				all = append(all, j)
			}
		}
		return withDocuments(agreements, all), nil
	}
	j, ok := judgementOf(a, ptr(p.NameOf(now)), now)
	if !ok {
		return nil, nil
	}
	j.End = now.Truncate(time.Minute)
	j.Start = j.End.Add(-p.Rolling)
	j.Title = p.String() + " to " + j.End.In(p.Location()).Format("2006-01-02 15:04")
	return withDocuments(agreements, []Judgement{j}), nil
}

func ptr[T any](v T) *T { return &v }

func withDocuments(agreements []*sla.Agreement, all []Judgement) []Judgement {
	for i := range all {
		all[i].Spec, all[i].Also = specDocuments(agreements, all[i].Agreement)
	}
	return all
}

// AllPeriodsOf returns the kinds of periods in any revision of an agreement.
func AllPeriodsOf(a *sla.Agreement) []sla.Period {
	all := PeriodsOf(a)
	for _, r := range a.AllRevisions() {
		for _, p := range PeriodsOf(r) {
			if !slices.Contains(all, p) {
				all = append(all, p)
			}
		}
	}
	return all
}

// Documents returns the hashes of all files that verdicts of an agreement can depend
// on, by name.
func Documents(agreements []*sla.Agreement, a *sla.Agreement) map[string]string {
	hashes := map[string]string{}
	for _, r := range append([]*sla.Agreement{a}, a.AllRevisions()...) {
		own, also := specDocuments(agreements, r)
		for _, d := range append(also, own) {
			hashes[d.Name] = d.SHA256
		}
	}
	return hashes
}

// Measured returns whether anything in a period is known.
func Measured(e verdict.Evidence, from, to time.Time) bool {
	for _, l := range e.Levels {
		for _, g := range l.Groups {
			for _, p := range g.Places {
				for _, s := range p.Stretches {
					if s.State == verdict.Known && s.To.After(from) && s.From.Before(to) {
						return true
					}
				}
			}
		}
	}
	return false
}
