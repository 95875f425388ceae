package sla

import (
	"slices"
	"time"
)

// Cap limits how much an exclusion excuses in each calendar period, in order of time.
// Exactly one of WindowTime and Downtime is set.
type Cap struct {
	WindowTime time.Duration // limits the time of windows; windows beyond it excuse nothing
	Downtime   time.Duration // limits excused downtime; rules measure it, and go on excusing beyond it
	Per        Period        // a calendar period
	Notice     *Notice       // of the alert that Downtime is used up; nil: no alert
	Pos        Position
}

// within returns what the cap allows of windows: the first WindowTime of each period.
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

// Exceeded finds the first time in [from, to) that windows would excuse without the cap,
// and the window time of its period. exceeded is false if there is none.
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

// MeasuredCaps returns the level's exclusions with a cap on downtime that rules measure:
// those of levels that count time and have no groups.
func (l *ServiceLevel) MeasuredCaps() []*Exclusion {
	if !l.Aggregation.ByTime() || len(l.GroupBy.Labels) > 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(l.Exclusions), func(e *Exclusion) bool { return e.Cap == nil || e.Cap.Downtime == 0 })
}
