package sla

import (
	"slices"
	"time"
)

// Cap is how much an exclusion may excuse of each calendar period, in the order of
// time. Exactly one of WindowTime and Downtime is set.
type Cap struct {
	WindowTime time.Duration // of windows, whatever happened in them; what is beyond excuses nothing
	Downtime   time.Duration // of what was bad in them; rules measure it, and excuse what is beyond
	Per        Period        // a calendar period
	Notice     *Notice       // who is told that Downtime is used up; nil: nobody
	Pos        Position
}

// within is what the cap leaves of windows: the first so much time of each period.
func (c Cap) within(windows func(from, to time.Time) Spans, from, to time.Time) Spans {
	first, _ := c.Per.Bounds(from)
	_, last := c.Per.Bounds(to)
	all := windows(first, last)
	var kept []Span
	for at := first; at.Before(to); {
		_, end := c.Per.Bounds(at)
		left := c.WindowTime
		for _, s := range all.Within(at, end) {
			if d := s.To.Sub(s.From); d > left {
				s.To = s.From.Add(left)
			}
			left -= s.To.Sub(s.From)
			kept = append(kept, s)
		}
		at = end
	}
	return Union(kept...).Within(from, to)
}

// Exceeded is the first time from an instant on, and before another, that windows
// would excuse if there were no cap, and the window time of its period; false if
// there is none.
func (e *Exclusion) Exceeded(from, to time.Time) (beyond time.Time, amount time.Duration, exceeded bool) {
	if e.Cap == nil || e.Cap.WindowTime == 0 {
		return time.Time{}, 0, false
	}
	over := e.announced(from, to).Without(e.Spans(from, to))
	if len(over) == 0 {
		return time.Time{}, 0, false
	}
	start, end := e.Cap.Per.Bounds(over[0].From)
	return over[0].From, e.announced(start, end).Total(), true
}

// MeasuredCaps are the level's exclusions with a cap on excluded downtime that
// its rules measure. Only known time can be compared with one, and not that of
// single groups.
func (l *ServiceLevel) MeasuredCaps() []*Exclusion {
	if !l.Aggregation.ByTime() || len(l.GroupBy.Labels) > 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(l.Exclusions), func(e *Exclusion) bool { return e.Cap == nil || e.Cap.Downtime == 0 })
}
