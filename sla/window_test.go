package sla_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/upheld-sla/upheld/sla"
)

// Windows by rules are those that somebody finds who looks at the clock every
// minute: one begins in the minute in which the zone's clock first shows the
// rule's time on a day of the rule, or would have, had it not gone forward.
func TestRecurringWindowsAreThoseOfEveryMinute(t *testing.T) {
	rules := []struct {
		rule string
		on   func(d time.Time) bool // a day, given as midnight of UTC
	}{
		{"FREQ=DAILY", func(time.Time) bool { return true }},
		{"FREQ=WEEKLY;BYDAY=SU,WE", func(d time.Time) bool { return d.Weekday() == time.Sunday || d.Weekday() == time.Wednesday }},
		{"FREQ=MONTHLY;BYDAY=1SU", func(d time.Time) bool { return d.Weekday() == time.Sunday && d.Day() <= 7 }},
		{"FREQ=MONTHLY;BYDAY=-1SU", func(d time.Time) bool { return d.Weekday() == time.Sunday && d.AddDate(0, 0, 7).Month() != d.Month() }},
		{"FREQ=YEARLY;BYMONTH=10;BYMONTHDAY=25,26", func(d time.Time) bool { return d.Month() == 10 && (d.Day() == 25 || d.Day() == 26) }},
		{"FREQ=DAILY;INTERVAL=2", func(d time.Time) bool {
			return int(d.Sub(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)).Hours())/24%2 == 0
		}},
	}
	around := []time.Time{
		time.Date(2026, 3, 27, 12, 0, 0, 0, time.UTC), time.Date(2026, 10, 23, 12, 0, 0, 0, time.UTC), time.Date(2026, 3, 6, 12, 0, 0, 0, time.UTC),
		time.Date(2026, 10, 30, 12, 0, 0, 0, time.UTC), time.Date(2026, 4, 3, 12, 0, 0, 0, time.UTC), time.Date(2026, 10, 2, 12, 0, 0, 0, time.UTC),
	}
	rapid.Check(t, func(t *rapid.T) {
		r := rapid.SampledFrom(rules).Draw(t, "rule")
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		from := rapid.SampledFrom(around).Draw(t, "from")
		to := from.Add(4 * 24 * time.Hour)
		begins := 15 * rapid.IntRange(0, 95).Draw(t, "begins")
		length := 15 * rapid.IntRange(1, 30).Draw(t, "length")
		first := time.Date(2024, 1, 1, 0, begins, 0, 0, time.UTC)
		recurs, err := sla.NewRecurrence(r.rule, first, time.Duration(length)*time.Minute, zone)
		if err != nil {
			t.Fatal(err)
		}
		got := (&sla.Window{Recurs: recurs}).Spans(from, to)
		left, skipped := 0, map[string]bool{}
		start := from.Add(-9 * time.Hour) // windows last up to 7h30m, and gaps an hour
		seen := map[string]bool{}
		var pending []int // minutes until a window begins whose time was skipped
		last := -1
		for at := start; at.Before(to); at = at.Add(time.Minute) {
			local := at.In(loc)
			day := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC)
			clock := local.Hour()*60 + local.Minute()
			key := fmt.Sprint(day, begins)
			if clock == begins && r.on(day) && !seen[key] {
				seen[key], left = true, max(left, length)
			}
			before := last
			if last == 24*60-1 { // of the day before; also a midnight can be skipped
				before = -1
			}
			if last >= 0 && clock > before+1 && begins > before && begins < clock && r.on(day) && !skipped[key] && !seen[key] {
				skipped[key] = true
				pending = append(pending, begins-before-1)
			}
			for i := range pending {
				if pending[i] == 0 {
					left = max(left, length)
				}
				pending[i]--
			}
			if last = clock; !at.Before(from) && got.Contain(at) != (left > 0) {
				t.Fatalf("%s at %s: in a window %v, want %v; windows are %v", zone, local, got.Contain(at), left > 0, got)
			}
			left--
		}
	})
}

// What is taken out, what is added, and ends by the clock of a zone or of UTC.
func TestRecurrence(t *testing.T) {
	wall := func(day, hour int) time.Time { return time.Date(2026, 3, day, hour, 0, 0, 0, time.UTC) }
	count := func(rule, zone string, change func(*sla.Recurrence)) int {
		r, err := sla.NewRecurrence(rule, wall(1, 1), time.Hour, zone)
		if err != nil {
			t.Fatal(err)
		}
		change(r)
		return len((&sla.Window{Recurs: r}).Spans(wall(1, 0), wall(31, 0)))
	}
	none := func(*sla.Recurrence) {}
	for what, got := range map[string][2]int{
		"count":            {count("FREQ=DAILY;COUNT=5", "UTC", none), 5},
		"until":            {count("FREQ=DAILY;UNTIL=20260310T010000", "America/New_York", none), 10},
		"until in UTC":     {count("FREQ=DAILY;UNTIL=20260310T050000Z", "America/New_York", none), 10}, // 01:00 in New York is 05:00 since the 8th
		"until just after": {count("FREQ=DAILY;UNTIL=20260310T045959Z", "America/New_York", none), 9},
		"except":           {count("FREQ=DAILY;COUNT=5", "UTC", func(r *sla.Recurrence) { r.Except = []time.Time{wall(2, 1)} }), 4},
		"also":             {count("FREQ=DAILY;COUNT=5", "UTC", func(r *sla.Recurrence) { r.Also = []time.Time{wall(9, 5)} }), 6},
		"only also":        {count("", "UTC", func(r *sla.Recurrence) { r.Also = []time.Time{wall(9, 5)} }), 2},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %d windows, want %d", what, got[0], got[1])
		}
	}
	for _, wrong := range []string{"FREQ=MINUTELY", "FREQ=MONTHLY;BYDAY=9TU", "FREQ=MONTHLY;BYDAY=-6TU", "FREQ=DAILY;INTERVAL=-1", "FREQ=HOURLY", "FREQ=DAILY;BYHOUR=1,2,3,4,5;BYMINUTE=0,5,10,15,20,25,30,35,40,45", "FREQ=OFTEN", "BYDAY=SU", "FREQ=WEEKLY;BYDAY=XX"} {
		if _, err := sla.NewRecurrence(wrong, wall(1, 1), time.Hour, "UTC"); err == nil {
			t.Errorf("%q is taken for a rule", wrong)
		}
	}
	days, err := sla.NewRecurrence("FREQ=DAILY", time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC), 24*time.Hour, "Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	days.ByClock = true
	from, to := sla.Instant(time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC), "Europe/Berlin"), sla.Instant(time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC), "Europe/Berlin")
	if got := (&sla.Window{Recurs: days}).Spans(from, to); len(got) != 1 || got.Total() != 71*time.Hour {
		t.Errorf("three days of which one has 23 hours are %v", got)
	}
}
