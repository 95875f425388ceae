package sla

import (
	"cmp"
	"slices"
	"time"
)

// Span is the time [From, To).
type Span struct{ From, To time.Time }

// Spans is a set of instants: ascending spans in UTC that neither overlap nor touch.
// Union creates it, and all methods keep it so.
type Spans []Span

// Union returns the instants that are in any of the spans, which may be in any order. It
// drops empty spans, and merges those that overlap or touch.
func Union(spans ...Span) Spans {
	spans = slices.DeleteFunc(slices.Clone(spans), func(s Span) bool { return !s.From.Before(s.To) })
	slices.SortFunc(spans, func(a, b Span) int { return cmp.Compare(a.From.UnixNano(), b.From.UnixNano()) })
	var joined Spans
	for _, s := range spans {
		s = Span{s.From.UTC(), s.To.UTC()}
		if n := len(joined); n > 0 && !s.From.After(joined[n-1].To) {
			if s.To.After(joined[n-1].To) {
				joined[n-1].To = s.To
			}
			continue
		}
		joined = append(joined, s)
	}
	return joined
}

// Within returns the part in [from, to).
func (s Spans) Within(from, to time.Time) Spans {
	var in Spans
	for _, span := range s {
		if span.From.Before(from) {
			span.From = from.UTC()
		}
		if span.To.After(to) {
			span.To = to.UTC()
		}
		if span.From.Before(span.To) {
			in = append(in, span)
		}
	}
	return in
}

// Gaps returns the part of [from, to) that is not in s.
func (s Spans) Gaps(from, to time.Time) Spans {
	var free Spans
	at := from.UTC()
	for _, span := range s.Within(from, to) {
		if at.Before(span.From) {
			free = append(free, Span{at, span.From})
		}
		at = span.To
	}
	if at.Before(to) {
		free = append(free, Span{at, to.UTC()})
	}
	return free
}

// Without returns what is in s and not in o.
func (s Spans) Without(o Spans) Spans {
	var left Spans
	for _, span := range s {
		for len(o) > 0 && !span.From.Before(o[0].To) {
			o = o[1:] // earlier than all remaining spans
		}
		near := o
		for i := range near {
			if !near[i].From.Before(span.To) {
				near = near[:i]
				break
			}
		}
		left = append(left, near.Gaps(span.From, span.To)...)
	}
	return left
}

// Meet returns whether any instant is in both.
func (s Spans) Meet(o Spans) bool {
	for i, j := 0, 0; i < len(s) && j < len(o); {
		switch {
		case !s[i].To.After(o[j].From):
			i++
		case !o[j].To.After(s[i].From):
			j++
		default:
			return true
		}
	}
	return false
}

// Total is the sum of all lengths.
func (s Spans) Total() time.Duration {
	var sum time.Duration
	for _, span := range s {
		sum += span.To.Sub(span.From)
	}
	return sum
}

// Contain returns whether t is in the set.
func (s Spans) Contain(t time.Time) bool {
	i, _ := slices.BinarySearchFunc(s, t, func(span Span, t time.Time) int {
		if span.To.After(t) {
			return 1
		}
		return -1
	})
	return i < len(s) && !t.Before(s[i].From)
}
