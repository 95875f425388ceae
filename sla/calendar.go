package sla

import (
	"slices"
	"time"
)

// Date is a calendar day without a time zone. Year 0 is every year.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf is the date of t in its location.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// String is "2026-12-24", or "12-24" for every year.
func (d Date) String() string {
	if d.Year == 0 {
		return Date{2000, d.Month, d.Day}.midnight().Format("01-02")
	}
	return d.midnight().Format(time.DateOnly)
}

func (d Date) midnight() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

func (d Date) add(days int) Date { return DateOf(d.midnight().AddDate(0, 0, days)) }

// Hours are a part of a day by the wall clock: [From, To) since midnight. They belong to
// the day on which they begin. To may be up to 48h, the end of the next day.
type Hours struct{ From, To time.Duration }

// Calendar is a calendar of service hours.
type Calendar struct {
	Name       string
	Zone       string                   // IANA name of the time zone; "" is UTC
	Weekly     map[time.Weekday][]Hours // by day of the week; missing days have none
	Holidays   map[Date]bool            // days without service; year 0 is every year
	Exceptions map[Date][]Hours         // days with their own hours; they override holidays
	Complement bool                     // all time outside of the hours
	Of         string                   // name of the calendar that it complements, or ""
	Pos        Position
}

// Location is the calendar's time zone.
func (c *Calendar) Location() *time.Location { return location(c.Zone) }

// hours returns the hours of a day, ignoring Complement.
func (c *Calendar) hours(d Date) []Hours {
	if own, ok := c.Exceptions[d]; ok {
		return own
	}
	if c.Holidays[d] || c.Holidays[Date{0, d.Month, d.Day}] {
		return nil
	}
	return c.Weekly[d.midnight().Weekday()]
}

// InService returns whether t is within the hours, by the wall clock in the calendar's
// zone. Hours that the clock skips do not exist; hours that it shows twice count twice.
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

// Service returns the spans of [from, to) within the hours.
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

// eachOffset splits [from, to) where the zone's offset changes.
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

// stretch returns the hours in [from, to), in which the zone has one offset.
func (c *Calendar) stretch(from, to time.Time, offset time.Duration) Spans {
	var spans Spans
	for d := DateOf(from.UTC().Add(offset)).add(-1); d.midnight().Add(-offset).Before(to); d = d.add(1) {
		for _, h := range c.hours(d) {
			spans = append(spans, Span{d.midnight().Add(h.From - offset), d.midnight().Add(h.To - offset)})
		}
	}
	return Union(spans...).Within(from, to)
}
