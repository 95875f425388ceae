package sla

import (
	"slices"
	"time"
)

// Turn is the instant from which a revision of an agreement judges.
type Turn struct {
	From      time.Time // the zero Time if it judges from the beginning
	Agreement *Agreement
}

// Turns are the instants at which the next revision begins to judge periods of a kind,
// as Parts divides them. For calendar periods this is the start of the first period
// that begins under the revision or, if periods are split, when it takes effect. A
// rolling period is always judged by the revision in force at its end, since rules know
// no other. The first revision judges from the beginning, since rules that wait for it
// already count.
func Turns(revisions []*Agreement, p Period) []Turn {
	if len(revisions) == 0 {
		return nil
	}
	turns := []Turn{{Agreement: revisions[0]}}
	for _, at := range edges(revisions, p) {
		if by := judgeAt(revisions, p, at); by != nil && by != turns[len(turns)-1].Agreement {
			turns = append(turns, Turn{at.UTC(), by})
		}
	}
	return turns
}

// edges are the instants at which a revision may begin to judge, in order.
func edges(revisions []*Agreement, p Period) []time.Time {
	var all []time.Time
	for _, r := range revisions {
		from := r.InForceFrom()
		if from.IsZero() {
			continue
		}
		all = append(all, from)
		if p.Calendar != "" {
			_, end := p.Bounds(from)
			all = append(all, end)
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

// judgeAt is the revision that judges an instant; nil if none does.
func judgeAt(revisions []*Agreement, p Period, at time.Time) *Agreement {
	if p.Calendar == "" {
		return InForce(revisions, at)
	}
	start, end := p.Bounds(at)
	for _, part := range Parts(revisions, start, end) {
		if !at.Before(part.From) && at.Before(part.To) {
			return part.Agreement
		}
	}
	return nil
}

// NextEdge is when the next revision of any of the agreements takes effect after an
// instant; the zero Time if none is known.
func NextEdge(agreements []*Agreement, after time.Time) time.Time {
	var first time.Time
	for _, a := range agreements {
		if next := nextInForce(a.AllRevisions(), after); !next.IsZero() && (first.IsZero() || next.Before(first)) {
			first = next
		}
	}
	return first
}

// UntilEdge is how long a program waits before it looks at the clock again, which may be
// set meanwhile: until an edge, and not longer than a minute.
func UntilEdge(edge, now time.Time) time.Duration {
	if edge.IsZero() {
		return time.Minute
	}
	return min(max(edge.Sub(now), 0), time.Minute)
}
