package statuspage

import (
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// daysAgo is the midnight at which the day n days before now began.
func daysAgo(n int, zone *time.Location, now time.Time) time.Time {
	y, m, d := now.In(zone).Date()
	return time.Date(y, m, d-n, 0, 0, 0, 0, zone)
}

// stepOf is the length of steps whose edges hit every midnight of a zone: an hour, or a
// quarter of an hour if the zone is not a whole number of hours from UTC.
func stepOf(zone *time.Location, now time.Time) time.Duration {
	for n := range sla.StatusPageDays {
		if _, offset := daysAgo(n, zone, now).Zone(); offset%3600 != 0 {
			return 15 * time.Minute
		}
	}
	return time.Hour
}

// days returns the days of a page, and the good share of all of them.
func days(tallies []Tally, zone *time.Location, now time.Time) ([]Day, *float64) {
	type sum struct{ total, bad float64 }
	byDate := map[string]*sum{}
	var all sum
	first := daysAgo(sla.StatusPageDays-1, zone, now)
	for _, t := range tallies {
		middle := t.Start.Add(t.End.Sub(t.Start) / 2)
		if middle.Before(first) || t.Total <= 0 {
			continue
		}
		date := middle.In(zone).Format(time.DateOnly)
		if byDate[date] == nil {
			byDate[date] = &sum{}
		}
		for _, s := range []*sum{byDate[date], &all} {
			s.total, s.bad = s.total+t.Total, s.bad+t.Bad
		}
	}
	var days []Day
	for n := sla.StatusPageDays - 1; n >= 0; n-- {
		day := Day{Date: daysAgo(n, zone, now).Format(time.DateOnly)}
		if s := byDate[day.Date]; s != nil {
			day.BadShare = known(s.bad / s.total)
		}
		days = append(days, day)
	}
	if all.total == 0 {
		return days, nil
	}
	return days, known(1 - all.bad/all.total)
}
