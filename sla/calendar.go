package sla

import (
	"cmp"
	"slices"
	"time"
)

// Date is a day of the calendar, without a zone.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf is the date that t shows in its location.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// String is 2026-12-24.
func (d Date) String() string { return d.midnight().Format(time.DateOnly) }

func (d Date) midnight() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

func (d Date) next() Date { return DateOf(d.midnight().AddDate(0, 0, 1)) }

// Hours are a part of a day by the wall clock: from From until before To, since
// midnight. To may be 24h.
type Hours struct{ From, To time.Duration }

// Calendar says when a service has to be there.
type Calendar struct {
	Zone       string                   // IANA name of the zone whose clock counts; "" is UTC
	Weekly     map[time.Weekday][]Hours // of each day of the week; a day that is missing has none
	Holidays   map[Date]bool            // days without service
	Exceptions map[Date][]Hours         // days with hours of their own; they win over holidays
	Complement bool                     // all time but what the rest says
}

// hours are the hours of a day, before Complement.
func (c *Calendar) hours(d Date) []Hours {
	if own, ok := c.Exceptions[d]; ok {
		return own
	}
	if c.Holidays[d] {
		return nil
	}
	return c.Weekly[d.midnight().Weekday()]
}

// InService tells whether t is within the hours: whether the wall clock in the
// calendar's zone shows a time of them. Hours that the clock skips do not
// exist, those that it shows twice count twice.
func (c *Calendar) InService(t time.Time) bool {
	local := t.In(location(c.Zone))
	h, m, s := local.Clock()
	clock := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second + time.Duration(local.Nanosecond())
	in := slices.ContainsFunc(c.hours(DateOf(local)), func(h Hours) bool { return h.From <= clock && clock < h.To })
	return in != c.Complement
}

// Span is time from From until before To.
type Span struct{ From, To time.Time }

// Service are the spans of [from, to) that are within the hours, ascending and
// apart from each other, in absolute time.
func (c *Calendar) Service(from, to time.Time) []Span {
	if !from.Before(to) {
		return nil
	}
	var spans []Span
	loc := location(c.Zone)
	for at := from.In(loc); at.Before(to); { // one stretch of constant offset after the other
		_, end := at.ZoneBounds()
		if end.IsZero() || end.After(to) {
			end = to
		}
		_, seconds := at.Zone()
		spans = append(spans, c.stretch(at, end, time.Duration(seconds)*time.Second)...)
		at = end.In(loc)
	}
	spans = union(spans)
	if c.Complement {
		return gaps(spans, from, to)
	}
	return spans
}

// stretch are the hours in [from, to), in which the zone has one offset.
func (c *Calendar) stretch(from, to time.Time, offset time.Duration) []Span {
	var spans []Span
	for d := DateOf(from.UTC().Add(offset)); d.midnight().Add(-offset).Before(to); d = d.next() {
		for _, h := range c.hours(d) {
			begin, end := d.midnight().Add(h.From-offset), d.midnight().Add(h.To-offset)
			if begin.Before(from) {
				begin = from.UTC()
			}
			if end.After(to) {
				end = to.UTC()
			}
			if begin.Before(end) {
				spans = append(spans, Span{begin, end})
			}
		}
	}
	return spans
}

// union joins spans that overlap or touch.
func union(spans []Span) []Span {
	slices.SortFunc(spans, func(a, b Span) int { return cmp.Compare(a.From.UnixNano(), b.From.UnixNano()) })
	var joined []Span
	for _, s := range spans {
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

// gaps is what spans leave of [from, to).
func gaps(spans []Span, from, to time.Time) []Span {
	var free []Span
	at := from.UTC()
	for _, s := range spans {
		if at.Before(s.From) {
			free = append(free, Span{at, s.From})
		}
		at = s.To
	}
	if at.Before(to) {
		free = append(free, Span{at, to.UTC()})
	}
	return free
}

// ServiceTime is how much of [from, to) is within the hours.
func (c *Calendar) ServiceTime(from, to time.Time) time.Duration {
	var sum time.Duration
	for _, s := range c.Service(from, to) {
		sum += s.To.Sub(s.From)
	}
	return sum
}
