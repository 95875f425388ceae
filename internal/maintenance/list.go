package maintenance

import (
	"cmp"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Entry is a window that begins or ends within the requested time.
type Entry struct {
	Agreement string
	Exclusion string
	sla.Span
	Zone       string
	Recurs     bool
	Reason     string
	ApprovedBy string
	Emergency  bool
	Void       string // why it excuses nothing; "" if it excuses
	Levels     []sla.ID
}

// Entries returns the windows of an agreement that overlap a time, in order. Each
// window of a rule is a separate entry.
func Entries(a *sla.Agreement, from, to time.Time) []Entry {
	var all []Entry
	for _, e := range a.Exclusions {
		excused := e.Spans(from.Add(-around), to.Add(around))
		for _, w := range e.Windows {
			for _, span := range w.Spans(from.Add(-around), to.Add(around)) {
				if !span.To.After(from) || !span.From.Before(to) {
					continue
				}
				entry := Entry{
					Agreement: a.Name, Exclusion: e.Name, Span: span, Zone: a.Zone, Recurs: w.Recurs != nil,
					Reason: w.Name, ApprovedBy: w.ApprovedBy, Emergency: w.Emergency, Levels: LevelsOf(a, e.Name),
				}
				switch {
				case !e.AnnouncedInTime(w):
					entry.Void = "it was announced too late"
				case excused.Within(span.From, span.To).Total() < span.To.Sub(span.From):
					entry.Void = "it is beyond the cap, or a part of it is"
				case len(entry.Levels) == 0:
					entry.Void = "no level has this exclusion"
				}
				all = append(all, entry)
			}
		}
	}
	slices.SortFunc(all, func(a, b Entry) int {
		return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To), cmp.Compare(a.Exclusion, b.Exclusion))
	})
	return all
}

// around is longer than any window, and than the period of any cap.
const around = 400 * 24 * time.Hour

// LevelsOf returns the levels of an agreement with an exclusion.
func LevelsOf(a *sla.Agreement, exclusion string) []sla.ID {
	var all []sla.ID
	for _, l := range a.Levels {
		if slices.ContainsFunc(l.Exclusions, func(e *sla.Exclusion) bool { return e.Name == exclusion }) {
			all = append(all, l.ID)
		}
	}
	return all
}
