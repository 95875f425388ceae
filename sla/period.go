package sla

import (
	"sync"
	"time"
	_ "time/tzdata" // agreements depend on time zones, so they work on systems without them
)

// Unit is the unit of a calendar period, and the value of the label "period".
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

// ShortestPeriod and LongestPeriod are the limits of a rolling period.
const (
	ShortestPeriod = time.Hour
	LongestPeriod  = 366 * 24 * time.Hour
)

// Period is the time over which a target is judged: the last Rolling, or the current
// calendar period if Calendar is set.
type Period struct {
	Rolling time.Duration // 0 for a calendar period

	Calendar     Unit         // "" for a rolling period
	Zone         string       // IANA name of the time zone; "" is UTC
	FiscalOffset int          // how many months after January quarters and years begin: 0 to 11
	WeekStart    time.Weekday // first day of weeks
}

// String is the value of the label "period": "30d", "month".
func (p Period) String() string {
	if p.Calendar != "" {
		return string(p.Calendar)
	}
	return FormatDuration(p.Rolling)
}

// Words names the period for people: "30d", "a calendar month (Europe/Berlin)".
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

// unitFacets are the lengths of calendar periods of a unit.
type unitFacets struct {
	unit    Unit
	nominal time.Duration // what budgets and alert tiers are calculated with
	// longest is at least as long as every period of the unit in every zone, also a
	// month of 31 days in which the clock goes back.
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

// Nominal is the length that budgets and alert tiers are calculated with: that of a
// rolling period, or 7, 30, 90 or 365 days.
func (p Period) Nominal() time.Duration {
	if p.Calendar == "" {
		return p.Rolling
	}
	return p.Calendar.facets().nominal
}

// Longest is a whole number of days. No period of the kind is longer.
func (p Period) Longest() time.Duration {
	if p.Calendar == "" {
		return p.Rolling
	}
	return p.Calendar.facets().longest
}

// Months is the number of months of a calendar period: 1, 3 or 12; 0 for weeks and
// rolling periods.
func (p Period) Months() int { return p.Calendar.facets().months }

// Location is the period's time zone. It is UTC for an unknown name, which the reader
// reports.
func (p Period) Location() *time.Location { return location(p.Zone) }

func location(zone string) *time.Location {
	if known, ok := locations.Load(zone); ok {
		return known.(*time.Location)
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return time.UTC
	}
	locations.Store(zone, loc)
	return loc
}

// locations are the zones that were used, by name, since loading one reads a file.
// There are at most as many as the database of zones has.
var locations sync.Map

// Bounds returns the start of the period that contains t and the start of the next one.
// Their difference is the true length of the period, an hour more or less if the clock
// changes in it. For a rolling period it returns the time that ends at t.
func (p Period) Bounds(t time.Time) (start, end time.Time) {
	if p.Calendar == "" {
		return t.Add(-p.Rolling), t
	}
	loc := p.Location()
	first := p.first(t.In(loc))
	start, end = firstInstant(first, loc), firstInstant(p.next(first), loc)
	for !t.Before(end) { // the clock went back over midnight; the day does not begin twice
		first = p.next(first)
		start, end = end, firstInstant(p.next(first), loc)
	}
	return start, end
}

// Start is the local date of the first day of the period that contains t, as in the
// label "start": "20261101".
func (p Period) Start(t time.Time) string {
	if p.Calendar == "" {
		return ""
	}
	start, _ := p.Bounds(t)
	return p.first(start.In(p.Location())).Format("20060102")
}

// first is the first day of the period that contains local time t, as midnight in UTC: a
// date, not an instant.
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

// firstInstant is the first instant at which clocks in loc show the wall time or a later
// one. For a skipped wall time it is the end of the gap, for one that occurs twice the
// first occurrence. The wall time is passed as a time in UTC.
func firstInstant(wall time.Time, loc *time.Location) time.Time {
	at := wall.Add(-36 * time.Hour) // earlier in every zone
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
