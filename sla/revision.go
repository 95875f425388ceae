package sla

import (
	"slices"
	"time"
)

// InForceFrom is when the agreement takes effect; the zero Time if it always was.
func (a *Agreement) InForceFrom() time.Time {
	if a.Terms.EffectiveFrom.IsZero() {
		return time.Time{}
	}
	return a.Terms.EffectiveFrom.Start(a.Zone)
}

// AllRevisions are the revisions of the agreement that were loaded, in the order in
// which they take effect, itself included.
func (a *Agreement) AllRevisions() []*Agreement {
	if len(a.Revisions) == 0 {
		return []*Agreement{a}
	}
	return a.Revisions
}

// InForce returns which of the revisions of an agreement is in force at an instant: the
// one that took effect last. It returns nil if none has yet.
func InForce(revisions []*Agreement, at time.Time) *Agreement {
	var in *Agreement
	for _, r := range revisions {
		if from := r.InForceFrom(); !from.After(at) && (in == nil || !from.Before(in.InForceFrom())) {
			in = r
		}
	}
	return in
}

// PeriodPart is a part of a period, and the revision that judges it.
type PeriodPart struct {
	Span
	Agreement *Agreement // nil: none was in force
}

// Parts returns which revisions judge the period [from, to): the one in force at its
// start judges all of it, unless it splits periods. Then each part is judged by its own
// revision. If none is in force at the start, the first part has no agreement, and the
// revision that takes effect first judges from then on.
func Parts(revisions []*Agreement, from, to time.Time) []PeriodPart {
	at := from
	var parts []PeriodPart
	for at.Before(to) {
		in, end := InForce(revisions, at), to
		if next := nextInForce(revisions, at); (in == nil || in.Terms.SplitPeriods) && !next.IsZero() && next.Before(to) {
			end = next
		}
		parts = append(parts, PeriodPart{Span{at.UTC(), end.UTC()}, in})
		at = end
	}
	return parts
}

// nextInForce is when the next revision takes effect after an instant; the zero Time if
// none does.
func nextInForce(revisions []*Agreement, after time.Time) time.Time {
	var next time.Time
	for _, r := range revisions {
		if from := r.InForceFrom(); from.After(after) && (next.IsZero() || from.Before(next)) {
			next = from
		}
	}
	return next
}

// Next returns the revision that takes effect next after an instant, nil if none does.
func (a *Agreement) Next(after time.Time) *Agreement {
	next := nextInForce(a.AllRevisions(), after)
	i := slices.IndexFunc(a.AllRevisions(), func(r *Agreement) bool { return !next.IsZero() && r.InForceFrom().Equal(next) })
	if i < 0 {
		return nil
	}
	return a.AllRevisions()[i]
}
