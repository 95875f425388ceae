package sla_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/upheld-sla/upheld/sla"
)

// zones are some of every kind: none, whole and half hours of DST, switches at
// midnight (Santiago, Beirut, Havana), a negative summer time (Dublin), two
// switches around Ramadan (Casablanca), odd offsets, both hemispheres.
var zones = []string{
	"", "UTC", "Europe/Berlin", "Europe/Dublin", "America/Los_Angeles", "America/New_York", "America/Havana", "America/Santiago",
	"America/St_Johns", "America/Sao_Paulo", "Asia/Beirut", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tehran", "Asia/Gaza",
	"Australia/Lord_Howe", "Australia/Sydney", "Pacific/Apia", "Pacific/Chatham", "Pacific/Kiritimati", "Africa/Casablanca", "Africa/Cairo",
}

func anyPeriod(t *rapid.T) sla.Period {
	p := sla.Period{Calendar: rapid.SampledFrom(sla.Units).Draw(t, "unit"), Zone: rapid.SampledFrom(zones).Draw(t, "zone")}
	switch p.Calendar {
	case sla.Week:
		p.WeekStart = time.Weekday(rapid.IntRange(0, 6).Draw(t, "first day"))
	case sla.Quarter, sla.Year:
		p.FiscalOffset = rapid.IntRange(0, 11).Draw(t, "offset")
	}
	return p
}

// Lengths that others have published or that a calendar on the wall shows.
func TestPeriodLengths(t *testing.T) {
	for _, c := range []struct {
		period  sla.Period
		in      string
		start   string
		minutes int
	}{
		{sla.Period{Calendar: sla.Month, Zone: "America/Los_Angeles"}, "2026-03-20T00:00:00Z", "20260301", 44_580},
		{sla.Period{Calendar: sla.Month, Zone: "Europe/Berlin"}, "2026-10-31T22:59:59Z", "20261001", 44_700},
		{sla.Period{Calendar: sla.Month, Zone: "Europe/Berlin"}, "2026-10-31T23:00:00Z", "20261101", 43_200},
		{sla.Period{Calendar: sla.Quarter, Zone: "Europe/Berlin"}, "2026-02-02T00:00:00Z", "20260101", 129_540},
		{sla.Period{Calendar: sla.Month}, "2028-02-29T23:59:59Z", "20280201", 29 * 1440},
		{sla.Period{Calendar: sla.Year, FiscalOffset: 1}, "2026-01-31T12:00:00Z", "20250201", 365 * 1440},
		{sla.Period{Calendar: sla.Quarter, FiscalOffset: 1}, "2026-01-31T12:00:00Z", "20251101", 92 * 1440},
		{sla.Period{Calendar: sla.Week, WeekStart: time.Monday, Zone: "America/New_York"}, "2026-03-08T12:00:00Z", "20260302", 7*1440 - 60},
		{sla.Period{Calendar: sla.Week, WeekStart: time.Sunday}, "2026-11-22T00:00:00Z", "20261122", 7 * 1440},
		// Clocks in Chile go from 24:00 to 23:00: the first of April 2029 begins once.
		{sla.Period{Calendar: sla.Month, Zone: "America/Santiago"}, "2029-04-15T12:00:00Z", "20290401", 30*1440 + 60},
	} {
		at, err := time.Parse(time.RFC3339, c.in)
		if err != nil {
			t.Fatal(err)
		}
		start, end := c.period.Bounds(at)
		if got := int(end.Sub(start).Minutes()); got != c.minutes || c.period.Start(at) != c.start {
			t.Errorf("%s of %s: %d minutes from %s (%s), want %d from %s", c.period.Words(), c.in, got, c.period.Start(at), start, c.minutes, c.start)
		}
	}
}

// Periods follow each other without gap or overlap, contain the time that they
// were asked for, begin where the local date first shows their first day, and
// are not longer than they may be.
func TestPeriodsTileTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPeriod(t)
		at := time.Unix(rapid.Int64Range(1_700_000_000, 2_000_000_000).Draw(t, "time"), 0)
		start, end := p.Bounds(at)
		if at.Before(start) || !at.Before(end) {
			t.Fatalf("%s of %s is %s to %s", p.Words(), at, start, end)
		}
		if again, stop := p.Bounds(start); !again.Equal(start) || !stop.Equal(end) {
			t.Fatalf("%s of its own start %s is %s to %s", p.Words(), start, again, stop)
		}
		if last, stop := p.Bounds(end.Add(-time.Second)); !last.Equal(start) || !stop.Equal(end) {
			t.Fatalf("%s of its last second %s is %s to %s", p.Words(), end, last, stop)
		}
		if next, _ := p.Bounds(end); !next.Equal(end) {
			t.Fatalf("%s after %s begins %s", p.Words(), end, next)
		}
		if length := end.Sub(start); length > p.Longest() || length < p.Nominal()-2*24*time.Hour-2*time.Hour {
			t.Fatalf("%s of %s has %s", p.Words(), at, length)
		}
		loc := p.Location()
		first := start.In(loc).Format("20060102")
		if first != p.Start(at) {
			t.Fatalf("%s is called %s and begins %s", p.Words(), p.Start(at), first)
		}
		if before := start.Add(-time.Second).In(loc).Format("20060102"); before >= first {
			t.Fatalf("%s begins %s, but it is %s a second earlier", p.Words(), first, before)
		}
		firstDay(t, p, start.In(loc))
	})
}

// firstDay demands that a period begins on an allowed day.
func firstDay(t *rapid.T, p sla.Period, start time.Time) {
	t.Helper()
	if p.Calendar == sla.Week {
		if start.Weekday() != p.WeekStart {
			t.Fatalf("a week begins on %s", start.Weekday())
		}
		return
	}
	months := map[sla.Unit]int{sla.Month: 1, sla.Quarter: 3, sla.Year: 12}[p.Calendar]
	if start.Day() != 1 || (int(start.Month())-1-p.FiscalOffset+12)%months != 0 {
		t.Fatalf("%s begins %s", p.Words(), start)
	}
}

// The switches of a zone say its offset at every time.
func TestSwitchesAreTheZone(t *testing.T) {
	from, to := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		at := time.Unix(rapid.Int64Range(from.Unix(), to.Unix()-1).Draw(t, "time"), 0)
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		offset, switches := sla.Switches(zone, from, to)
		for _, s := range switches {
			if s.Before != offset && !s.At.After(at) {
				t.Fatalf("%s: a switch from %s, after %s", zone, s.Before, offset)
			}
			if !at.Before(s.At) {
				offset = s.After
			}
		}
		if _, want := at.In(loc).Zone(); int(offset.Seconds()) != want {
			t.Fatalf("%s at %s: %s, want %ds", zone, at, offset, want)
		}
	})
}

func TestPeriodWords(t *testing.T) {
	for want, p := range map[string]sla.Period{
		"30d":                               {Rolling: 30 * 24 * time.Hour},
		"a calendar month":                  {Calendar: sla.Month, Zone: "UTC"},
		"a calendar month (Europe/Berlin)":  {Calendar: sla.Month, Zone: "Europe/Berlin"},
		"a fiscal quarter from February":    {Calendar: sla.Quarter, FiscalOffset: 1},
		"a calendar week":                   {Calendar: sla.Week, WeekStart: time.Monday},
		"a calendar week from Sunday":       {Calendar: sla.Week},
		"a fiscal year from July (Etc/UTC)": {Calendar: sla.Year, FiscalOffset: 6, Zone: "Etc/UTC"},
	} {
		if got := p.Words(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if fmt.Sprint(sla.Period{Calendar: sla.Quarter}) != "quarter" {
		t.Error("label")
	}
}
