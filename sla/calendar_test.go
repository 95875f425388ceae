package sla_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/upheld-sla/upheld/sla"
)

func anyHours(t *rapid.T, label string) []sla.Hours {
	var hours []sla.Hours
	for range rapid.IntRange(0, 3).Draw(t, label) {
		from := rapid.IntRange(0, 95).Draw(t, "from")
		to := rapid.IntRange(from+1, from+96).Draw(t, "to")
		hours = append(hours, sla.Hours{From: time.Duration(from) * 15 * time.Minute, To: time.Duration(to) * 15 * time.Minute})
	}
	return hours
}

func anyCalendar(t *rapid.T, from time.Time) *sla.Calendar {
	c := &sla.Calendar{
		Zone: rapid.SampledFrom(zones).Draw(t, "zone"), Weekly: map[time.Weekday][]sla.Hours{},
		Holidays: map[sla.Date]bool{}, Exceptions: map[sla.Date][]sla.Hours{}, Complement: rapid.Bool().Draw(t, "complement"),
	}
	for d := range 7 {
		c.Weekly[time.Weekday(d)] = anyHours(t, "weekly")
	}
	for range rapid.IntRange(0, 2).Draw(t, "holidays") {
		d := sla.DateOf(from.AddDate(0, 0, rapid.IntRange(-1, 3).Draw(t, "day")))
		if rapid.Bool().Draw(t, "every year") {
			d.Year = 0
		}
		c.Holidays[d] = true
	}
	for range rapid.IntRange(0, 2).Draw(t, "exceptions") {
		c.Exceptions[sla.DateOf(from.AddDate(0, 0, rapid.IntRange(-1, 3).Draw(t, "day")))] = anyHours(t, "exception")
	}
	return c
}

// The spans of service are those that asking for every minute finds, also where
// clocks change: half of the days drawn have a change in one of the zones.
func TestServiceHoursAreThoseOfEveryMinute(t *testing.T) {
	changes := []time.Time{
		time.Date(2026, 3, 28, 20, 0, 0, 0, time.UTC), time.Date(2026, 10, 24, 20, 0, 0, 0, time.UTC), time.Date(2026, 3, 7, 20, 0, 0, 0, time.UTC),
		time.Date(2026, 10, 31, 20, 0, 0, 0, time.UTC), time.Date(2026, 4, 4, 8, 0, 0, 0, time.UTC), time.Date(2026, 9, 5, 20, 0, 0, 0, time.UTC),
	}
	rapid.Check(t, func(t *rapid.T) {
		from := time.Unix(60*rapid.Int64Range(29_500_000, 30_500_000).Draw(t, "minute"), 0).UTC()
		if rapid.Bool().Draw(t, "a day of change") {
			from = rapid.SampledFrom(changes).Draw(t, "change").Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "later")) * time.Minute)
		}
		to := from.Add(time.Duration(rapid.IntRange(0, 2*1440).Draw(t, "minutes")) * time.Minute)
		c := anyCalendar(t, from)
		spans := c.Service(from, to)
		minutes, i := 0, 0
		for at := from; at.Before(to); at = at.Add(time.Minute) {
			for i < len(spans) && !at.Before(spans[i].To) {
				i++
			}
			want := c.InService(at)
			if spans.Contain(at) != want {
				t.Fatalf("%s: in service %v, and Contain does not say so", at.In(time.UTC), want)
			}
			if got := i < len(spans) && !at.Before(spans[i].From); got != want {
				t.Fatalf("%s: in service %v, the spans %v say %v", at.In(time.UTC), want, spans, got)
			}
			if want {
				minutes++
			}
		}
		if got := spans.Total(); got != time.Duration(minutes)*time.Minute {
			t.Fatalf("%s in service, every minute says %d min", got, minutes)
		}
		for i, s := range spans {
			if !s.From.Before(s.To) || s.From.Before(from) || s.To.After(to) || i > 0 && !spans[i-1].To.Before(s.From) {
				t.Fatalf("spans %v of %s to %s", spans, from, to)
			}
		}
	})
}

// Weekdays from eight to eight in Berlin, in the month in which the clock goes
// back on a Sunday: 22 weekdays less a holiday of the contract and with a short
// one have 20 × 12 + 4 hours, all the rest of 745 hours the complement.
func TestServiceHoursOfAMonth(t *testing.T) {
	long := []sla.Hours{{From: 8 * time.Hour, To: 20 * time.Hour}}
	c := sla.Calendar{Zone: "Europe/Berlin", Weekly: map[time.Weekday][]sla.Hours{}}
	for d := time.Monday; d <= time.Friday; d++ {
		c.Weekly[d] = long
	}
	c.Holidays = map[sla.Date]bool{{Year: 2026, Month: time.October, Day: 30}: true}
	c.Exceptions = map[sla.Date][]sla.Hours{{Year: 2026, Month: time.October, Day: 29}: {{From: 9 * time.Hour, To: 13 * time.Hour}}}
	from, to := sla.Period{Calendar: sla.Month, Zone: "Europe/Berlin"}.Bounds(time.Date(2026, 10, 10, 0, 0, 0, 0, time.UTC))
	if got := c.Service(from, to).Total(); got != 244*time.Hour {
		t.Errorf("%s in service", got)
	}
	c.Complement = true
	if got := c.Service(from, to).Total(); got != (745-244)*time.Hour {
		t.Errorf("%s out of service", got)
	}
}

// Sets of instants are what asking for every minute finds.
func TestSpansAreSetsOfInstants(t *testing.T) {
	zero := time.Unix(0, 0).UTC()
	minute := func(n int) time.Time { return zero.Add(time.Duration(n) * time.Minute) }
	rapid.Check(t, func(t *rapid.T) {
		var sets [2]sla.Spans
		var naive [2][200]bool
		for i := range sets {
			var spans []sla.Span
			for range rapid.IntRange(0, 6).Draw(t, "spans") {
				from, length := rapid.IntRange(0, 180).Draw(t, "from"), rapid.IntRange(0, 40).Draw(t, "length")
				spans = append(spans, sla.Span{From: minute(from), To: minute(from + length)})
				for m := from; m < min(from+length, 200); m++ {
					naive[i][m] = true
				}
			}
			sets[i] = sla.Union(spans...)
		}
		a, b := sets[0], sets[1]
		low := rapid.IntRange(0, 100).Draw(t, "low")
		high := rapid.IntRange(low, 200).Draw(t, "high")
		without, both, gaps, within := a.Without(b), a.Without(a.Without(b)), a.Gaps(minute(low), minute(high)), a.Within(minute(low), minute(high))
		if a.Meet(b) != (len(both) > 0) {
			t.Fatalf("%v and %v meet: %v", a, b, a.Meet(b))
		}
		for m := range 200 {
			at, in := minute(m), m >= low && m < high
			for what, got := range map[string][2]bool{
				"union": {a.Contain(at), naive[0][m]}, "without": {without.Contain(at), naive[0][m] && !naive[1][m]},
				"and": {both.Contain(at), naive[0][m] && naive[1][m]}, "gaps": {gaps.Contain(at), in && !naive[0][m]},
				"within": {within.Contain(at), in && naive[0][m]},
			} {
				if got[0] != got[1] {
					t.Fatalf("%s at minute %d: %v, want %v", what, m, got[0], got[1])
				}
			}
		}
	})
}

func TestCalendarInWords(t *testing.T) {
	working := []sla.Hours{{From: 8 * time.Hour, To: 20 * time.Hour}}
	c := &sla.Calendar{
		Name: "prime", Zone: "Europe/Berlin",
		Weekly:     map[time.Weekday][]sla.Hours{time.Monday: working, time.Tuesday: working, time.Friday: {{From: 22 * time.Hour, To: 30 * time.Hour}}},
		Holidays:   map[sla.Date]bool{{Month: time.December, Day: 25}: true},
		Exceptions: map[sla.Date][]sla.Hours{{Year: 2026, Month: time.December, Day: 24}: {{From: 9 * time.Hour, To: 13 * time.Hour}}},
	}
	if got, want := c.Words(), "prime: Mon to Tue 08:00 to 20:00; Fri 22:00 to 06:00 of the next day (Europe/Berlin), without 1 holiday, and 1 day with hours of its own"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got, want := strings.Join(c.DayWords(), "; "), "12-25: none; 2026-12-24: 09:00 to 13:00"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
