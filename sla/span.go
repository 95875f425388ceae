package sla

import (
	"cmp"
	"slices"
	"time"
)

// Span is time from From until before To, in absolute time.
type Span struct{ From, To time.Time }

// Spans are spans that ascend and are apart from each other, in UTC: a set of
// instants. Union makes them; all methods keep them so.
type Spans []Span

// Union is the instants that are in any of some spans, in any order; empty ones
// are dropped, and those that overlap or touch become one.
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

// Within is what is in [from, to).
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

// Gaps is what s leaves of [from, to).
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

// Without is what is in s and not in o.
func (s Spans) Without(o Spans) Spans {
	var left Spans
	for _, span := range s {
		for len(o) > 0 && !span.From.Before(o[0].To) {
			o = o[1:] // before everything that is still to come
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

// Meet tells whether any instant is in both.
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

// Total is how much time they are together.
func (s Spans) Total() time.Duration {
	var sum time.Duration
	for _, span := range s {
		sum += span.To.Sub(span.From)
	}
	return sum
}

// Contain tells whether t is in one of them.
func (s Spans) Contain(t time.Time) bool {
	i, _ := slices.BinarySearchFunc(s, t, func(span Span, t time.Time) int {
		if span.To.After(t) {
			return 1
		}
		return -1
	})
	return i < len(s) && !t.Before(s[i].From)
}
