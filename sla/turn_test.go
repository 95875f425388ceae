package sla

import (
	"testing"
	"time"
)

// revisionFrom is a revision that takes effect on a day in Berlin.
func revisionFrom(t *testing.T, n int, day string, split bool) *Agreement {
	t.Helper()
	a := &Agreement{Name: "shop", Zone: "Europe/Berlin", Terms: Terms{Revision: n, SplitPeriods: split}}
	if day != "" {
		d, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		a.Terms.EffectiveFrom = DateOf(d)
	}
	return a
}

// Turns are where the judgement of each instant, asked for every other day and at the turns, changes hands.
func TestTurnsAreWherePeriodsChangeHands(t *testing.T) {
	month, week := Period{Calendar: Month, Zone: "Europe/Berlin"}, Period{Calendar: Week, WeekStart: time.Sunday, Zone: "Europe/Berlin"}
	for name, revisions := range map[string][]*Agreement{
		"at the edge":       {revisionFrom(t, 1, "", false), revisionFrom(t, 2, "2026-11-01", false)},
		"within":            {revisionFrom(t, 1, "", false), revisionFrom(t, 2, "2026-10-25", false)},
		"split":             {revisionFrom(t, 1, "", true), revisionFrom(t, 2, "2026-10-25", false)},
		"two in one month":  {revisionFrom(t, 1, "", false), revisionFrom(t, 2, "2026-10-10", false), revisionFrom(t, 3, "2026-10-20", false)},
		"the second splits": {revisionFrom(t, 1, "", false), revisionFrom(t, 2, "2026-10-10", true), revisionFrom(t, 3, "2026-11-20", false)},
		"none before":       {revisionFrom(t, 1, "2026-10-10", false), revisionFrom(t, 2, "2026-11-20", false)},
	} {
		for _, p := range []Period{month, week, {Rolling: 30 * 24 * time.Hour}} {
			turns := Turns(revisions, p)
			if !turns[0].From.IsZero() || turns[0].Agreement != revisions[0] {
				t.Fatalf("%s, %s: the first turn is %v", name, p, turns[0])
			}
			var instants []time.Time
			for at := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC); at.Before(time.Date(2027, 1, 15, 0, 0, 0, 0, time.UTC)); at = at.Add(43 * time.Hour) {
				instants = append(instants, at)
			}
			for _, turn := range turns[1:] {
				instants = append(instants, turn.From.Add(-time.Second), turn.From)
			}
			for _, at := range instants {
				var by *Agreement
				for _, turn := range turns {
					if !turn.From.After(at) {
						by = turn.Agreement
					}
				}
				want := InForce(revisions, at)
				if p.Calendar != "" {
					start, end := p.Bounds(at)
					for _, part := range Parts(revisions, start, end) {
						if !at.Before(part.From) && at.Before(part.To) {
							want = part.Agreement
						}
					}
				}
				if want != nil && by != want {
					t.Fatalf("%s, %s at %s: revision %d, want %d", name, p, at, by.Terms.Revision, want.Terms.Revision)
				}
			}
		}
	}
}

func TestProgramsWaitForTheNextRevision(t *testing.T) {
	a := revisionFrom(t, 1, "", false)
	a.Revisions = []*Agreement{a, revisionFrom(t, 2, "2026-10-25", false), revisionFrom(t, 3, "2026-11-25", false)}
	edge := time.Date(2026, 10, 24, 22, 0, 0, 0, time.UTC)
	if got := NextEdge([]*Agreement{{}, a}, edge.Add(-time.Second)); !got.Equal(edge) {
		t.Errorf("the next revision takes effect at %s", got)
	}
	if got := NextEdge([]*Agreement{a}, edge); !got.Equal(time.Date(2026, 11, 24, 23, 0, 0, 0, time.UTC)) {
		t.Errorf("at the edge the next one does at %s", got)
	}
	if got := NextEdge([]*Agreement{a}, edge.AddDate(0, 2, 0)); !got.IsZero() {
		t.Errorf("after the last one there is one at %s", got)
	}
	for wait, now := range map[time.Duration]time.Time{0: edge.Add(time.Hour), time.Minute: edge.Add(-time.Hour), 3 * time.Second: edge.Add(-3 * time.Second)} {
		if got := UntilEdge(edge, now); got != wait {
			t.Errorf("at %s it waits %s", now, got)
		}
	}
}
