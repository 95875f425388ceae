package statuspage

import (
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Limits of the maintenance that is shown.
const (
	ahead          = 30 * 24 * time.Hour
	longestWindow  = 7 * 24 * time.Hour // we search its beginning so far back
	maxMaintenance = 20
)

// maintenance returns the current and planned maintenance windows of the public levels,
// the next one first. Their names are not public.
func maintenance(a *sla.Agreement, now time.Time) []Maintenance {
	byTime := map[sla.Span]*Maintenance{}
	for _, public := range a.StatusPage.Levels {
		l := levelOf(a, public.Level)
		if l == nil {
			continue
		}
		for _, s := range windowsOf(l, now) {
			if byTime[s] == nil {
				byTime[s] = &Maintenance{Start: s.From.UTC(), End: s.To.UTC()}
			}
			byTime[s].Components = append(byTime[s].Components, public.Name)
		}
	}
	all := []Maintenance{}
	for _, m := range byTime {
		all = append(all, *m)
	}
	slices.SortFunc(all, func(a, b Maintenance) int {
		if c := a.Start.Compare(b.Start); c != 0 {
			return c
		}
		if c := a.End.Compare(b.End); c != 0 {
			return c
		}
		return strings.Compare(enumerate(a.Components), enumerate(b.Components))
	})
	return all[:min(len(all), maxMaintenance)]
}

// windowsOf returns the level's maintenance windows, even those that excuse nothing
// because they were announced late.
func windowsOf(l *sla.ServiceLevel, now time.Time) sla.Spans {
	var spans []sla.Span
	for _, e := range l.Exclusions {
		if e.Name != sla.MaintenanceName {
			continue
		}
		for _, w := range e.Windows {
			spans = append(spans, w.Spans(now.Add(-longestWindow), now.Add(ahead))...)
		}
	}
	return slices.DeleteFunc(sla.Union(spans...), func(s sla.Span) bool { return !s.To.After(now) })
}
