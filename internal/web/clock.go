package web

import "time"

// clock says what time it is, and in which time zone to show times.
type clock struct {
	now  time.Time
	zone *time.Location
}

// in is the same clock in another time zone; nil is UTC.
func (c clock) in(zone *time.Location) clock {
	if zone == nil {
		zone = time.UTC
	}
	c.zone = zone
	return c
}

// stamp is a time, exact for machines and relative for people.
type stamp struct {
	ISO   string // in UTC
	Clock string // "09:15:00 CET", in the time zone of the agreement
	UTC   string // "2026-03-14 08:15:00 UTC"
	Ago   string // "12 s ago"
	For   string // "12 s"
}

// stamp leaves out the date of times less than twenty hours ago.
func (c clock) stamp(at time.Time) stamp {
	if at.IsZero() {
		return stamp{}
	}
	utc, local := at.UTC(), at.In(c.zone)
	words := local.Format("15:04:05 MST")
	if c.now.Sub(at) > 20*time.Hour || at.Sub(c.now) > 20*time.Hour {
		words = local.Format("2006-01-02 15:04 MST")
	}
	return stamp{
		ISO: utc.Format(time.RFC3339), Clock: words, UTC: utc.Format("2006-01-02 15:04:05 UTC"),
		Ago: ago(at, c.now), For: span(max(0, c.now.Sub(at)).Truncate(time.Second)),
	}
}

// date is the day of a time, for times that are long ago or still to come.
func (c clock) date(at time.Time) stamp {
	s := c.stamp(at)
	s.Clock = at.In(c.zone).Format("2 January 2006 15:04 MST")
	return s
}
