package sla

import (
	"time"
	_ "time/tzdata" // zones are part of an agreement's meaning, so they work where the system has none
)

// Unit is the length of a calendar period, and the value of its "period" label.
type Unit string

// The units of calendar periods.
const (
	Week    Unit = "week"
	Month   Unit = "month"
	Quarter Unit = "quarter"
	Year    Unit = "year"
)

// Units are all units, ascending.
var Units = []Unit{Week, Month, Quarter, Year}

// Period is the time over which a target is judged: the last Rolling, always,
// or, where Calendar is set, the calendar period that is running.
type Period struct {
	Rolling time.Duration // 0 for a calendar period

	Calendar     Unit         // "" for a rolling period
	Zone         string       // IANA name of the time zone whose midnights bound it; "" is UTC
	FiscalOffset int          // months by which quarters and years begin later than January: 0 to 11
	WeekStart    time.Weekday // of weeks
}

// String is the value of the "period" label: "30d", "month".
func (p Period) String() string {
	if p.Calendar != "" {
		return string(p.Calendar)
	}
	return FormatDuration(p.Rolling)
}

// Words name the period for people: "30d", "a calendar month (Europe/Berlin)".
func (p Period) Words() string {
	if p.Calendar == "" {
		return p.String()
	}
	words := "a calendar " + string(p.Calendar)
	if p.FiscalOffset != 0 {
		words = "a fiscal " + string(p.Calendar) + " from " + time.Month(p.FiscalOffset%12+1).String()
	}
	if p.Calendar == Week && p.WeekStart != time.Monday {
		words += " from " + p.WeekStart.String()
	}
	if p.Zone != "" && p.Zone != "UTC" {
		words += " (" + p.Zone + ")"
	}
	return words
}

const day = 24 * time.Hour

// unitFacets tell how long calendar periods of a unit are.
type unitFacets struct {
	unit    Unit
	nominal time.Duration // what budgets and alert tiers are calculated with
	// longest holds every period of the unit in every zone, a month of 31 days in
	// which the clock goes back included.
	longest time.Duration
	months  int
}

var units = []unitFacets{
	{Week, 7 * day, 8 * day, 0},
	{Month, 30 * day, 32 * day, 1},
	{Quarter, 90 * day, 93 * day, 3},
	{Year, 365 * day, 367 * day, 12},
}

func (u Unit) facets() unitFacets {
	for _, f := range units {
		if f.unit == u {
			return f
		}
	}
	return unitFacets{}
}

// Nominal is the length that budgets and alert tiers are reckoned with: that of
// a rolling period, or 7, 30, 90 or 365 days.
func (p Period) Nominal() time.Duration {
	if p.Calendar == "" {
		return p.Rolling
	}
	return p.Calendar.facets().nominal
}

// Longest is a whole number of days that no period of the kind is longer than.
func (p Period) Longest() time.Duration {
	if p.Calendar == "" {
		return p.Rolling
	}
	return p.Calendar.facets().longest
}

// Months is how many months a calendar period has: 1, 3 or 12; 0 for weeks and
// rolling periods.
func (p Period) Months() int { return p.Calendar.facets().months }

// Location is the period's time zone, UTC where the name is not known, which
// the reader of specifications has then reported.
func (p Period) Location() *time.Location { return location(p.Zone) }

func location(zone string) *time.Location {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return time.UTC
	}
	return loc
}

// Bounds are the first instant of the period that contains t and the first one
// after it, in absolute time: their difference is the period's true length, an
// hour less or more where the clock changes in it. Of a rolling period they are
// the time that ends at t.
func (p Period) Bounds(t time.Time) (start, end time.Time) {
	if p.Calendar == "" {
		return t.Add(-p.Rolling), t
	}
	loc := p.Location()
	first := p.first(t.In(loc))
	start, end = firstInstant(first, loc), firstInstant(p.next(first), loc)
	for !t.Before(end) { // the clock went back over a midnight: that day is not lived twice
		first = p.next(first)
		start, end = end, firstInstant(p.next(first), loc)
	}
	return start, end
}

// Start names the period that contains t by the local date of its first day,
// as the "start" label has it: "20261101".
func (p Period) Start(t time.Time) string {
	if p.Calendar == "" {
		return ""
	}
	start, _ := p.Bounds(t)
	return p.first(start.In(p.Location())).Format("20060102")
}

// first is the first day of the period that local time t is in, as a midnight
// of UTC: a date and no instant.
func (p Period) first(t time.Time) time.Time {
	y, m, d := t.Date()
	if p.Calendar == Week {
		back := (int(t.Weekday()) - int(p.WeekStart) + 7) % 7
		return time.Date(y, m, d-back, 0, 0, 0, 0, time.UTC)
	}
	n := p.Months()
	back := ((int(m)-1-p.FiscalOffset)%n + n) % n
	return time.Date(y, m-time.Month(back), 1, 0, 0, 0, 0, time.UTC)
}

func (p Period) next(first time.Time) time.Time {
	if p.Calendar == Week {
		return first.AddDate(0, 0, 7)
	}
	return first.AddDate(0, p.Months(), 0)
}

// firstInstant is the first instant at which clocks in loc show the wall time
// or a later one. A wall time that is skipped is the end of the gap, one that
// comes twice is its first occurrence. The wall time is given as one of UTC.
func firstInstant(wall time.Time, loc *time.Location) time.Time {
	at := wall.Add(-36 * time.Hour) // before it in every zone
	for {
		local := at.In(loc)
		_, offset := local.Zone()
		begin, end := local.ZoneBounds()
		candidate := wall.Add(-time.Duration(offset) * time.Second)
		if candidate.Before(begin) {
			candidate = begin
		}
		if end.IsZero() || candidate.Before(end) {
			return candidate.UTC()
		}
		at = end
	}
}
