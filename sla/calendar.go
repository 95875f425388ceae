package sla

import (
	"slices"
	"time"
)

// Date is a day of the calendar, without a zone. Year 0 is every year.
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

// String is 2026-12-24, or 12-24 of every year.
func (d Date) String() string {
	if d.Year == 0 {
		return Date{2000, d.Month, d.Day}.midnight().Format("01-02")
	}
	return d.midnight().Format(time.DateOnly)
}

func (d Date) midnight() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

func (d Date) add(days int) Date { return DateOf(d.midnight().AddDate(0, 0, days)) }

// Hours are a part of a day by the wall clock: from From until before To, since
// its midnight. They belong to the day on which they begin: To may be as late as
// 48h, which is the next day's end.
type Hours struct{ From, To time.Duration }

// Calendar says when a service has to be there.
type Calendar struct {
	Name       string
	Zone       string                   // IANA name of the zone whose clock counts; "" is UTC
	Weekly     map[time.Weekday][]Hours // of each day of the week; a day that is missing has none
	Holidays   map[Date]bool            // days without service; of the year 0: of every year
	Exceptions map[Date][]Hours         // days with hours of their own; they win over holidays
	Complement bool                     // all time but what the rest says
	Of         string                   // the calendar whose complement it was declared as, or ""
	Pos        Position
}

// Location is the calendar's time zone.
func (c *Calendar) Location() *time.Location { return location(c.Zone) }

// hours are the hours of a day, before Complement.
func (c *Calendar) hours(d Date) []Hours {
	if own, ok := c.Exceptions[d]; ok {
		return own
	}
	if c.Holidays[d] || c.Holidays[Date{0, d.Month, d.Day}] {
		return nil
	}
	return c.Weekly[d.midnight().Weekday()]
}

// InService tells whether t is within the hours: whether the wall clock in the
// calendar's zone shows a time of them. Hours that the clock skips do not
// exist, those that it shows twice count twice.
func (c *Calendar) InService(t time.Time) bool {
	local := t.In(c.Location())
	h, m, s := local.Clock()
	clock := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second + time.Duration(local.Nanosecond())
	within := func(clock time.Duration) func(Hours) bool {
		return func(h Hours) bool { return h.From <= clock && clock < h.To }
	}
	today := DateOf(local)
	in := slices.ContainsFunc(c.hours(today), within(clock)) || slices.ContainsFunc(c.hours(today.add(-1)), within(clock+day))
	return in != c.Complement
}

// Service are the spans of [from, to) that are within the hours.
func (c *Calendar) Service(from, to time.Time) Spans {
	if !from.Before(to) {
		return nil
	}
	var spans []Span
	eachOffset(c.Location(), from, to, func(from, to time.Time, offset time.Duration) {
		spans = append(spans, c.stretch(from, to, offset)...)
	})
	if c.Complement {
		return Union(spans...).Gaps(from, to)
	}
	return Union(spans...)
}

// eachOffset cuts [from, to) where the zone's offset changes.
func eachOffset(loc *time.Location, from, to time.Time, use func(from, to time.Time, offset time.Duration)) {
	for at := from.In(loc); at.Before(to); {
		_, end := at.ZoneBounds()
		if end.IsZero() || end.After(to) {
			end = to
		}
		_, seconds := at.Zone()
		use(at, end, time.Duration(seconds)*time.Second)
		at = end.In(loc)
	}
}

// stretch are the hours in [from, to), in which the zone has one offset.
func (c *Calendar) stretch(from, to time.Time, offset time.Duration) Spans {
	var spans Spans
	for d := DateOf(from.UTC().Add(offset)).add(-1); d.midnight().Add(-offset).Before(to); d = d.add(1) {
		for _, h := range c.hours(d) {
			spans = append(spans, Span{d.midnight().Add(h.From - offset), d.midnight().Add(h.To - offset)})
		}
	}
	return Union(spans...).Within(from, to)
}
