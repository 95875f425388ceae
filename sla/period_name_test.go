package sla_test

import (
	"testing"
	"time"

	"github.com/upheld-sla/upheld/sla"
	"pgregory.net/rapid"
)

func TestPeriodNames(t *testing.T) {
	month := sla.Period{Calendar: sla.Month, Zone: "Europe/Berlin"}
	for _, c := range []struct {
		name       string
		of         sla.Period
		start, end string
	}{
		{"2026-10", month, "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z"},
		{"2026-03", month, "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"},
		{"2026-Q3", sla.Period{Calendar: sla.Quarter}, "2026-07-01T00:00:00Z", "2026-10-01T00:00:00Z"},
		{"2026-Q1", sla.Period{Calendar: sla.Quarter, FiscalOffset: 3}, "2026-04-01T00:00:00Z", "2026-07-01T00:00:00Z"},
		{"2026-Q4", sla.Period{Calendar: sla.Quarter, FiscalOffset: 3}, "2027-01-01T00:00:00Z", "2027-04-01T00:00:00Z"},
		{"2026", sla.Period{Calendar: sla.Year}, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		{"2026-W41", sla.Period{Calendar: sla.Week, WeekStart: time.Monday}, "2026-10-05T00:00:00Z", "2026-10-12T00:00:00Z"},
		{"2026-W01", sla.Period{Calendar: sla.Week, WeekStart: time.Monday}, "2025-12-29T00:00:00Z", "2026-01-05T00:00:00Z"},
		{"30d to 2026-11-01", sla.Period{Rolling: 30 * 24 * time.Hour}, "2026-10-02T00:00:00Z", "2026-11-01T00:00:00Z"},
	} {
		name, err := sla.ParsePeriodName(c.name)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if !name.Of(c.of) {
			t.Errorf("%s is not of %s", c.name, c.of)
		}
		start, end := name.Bounds(c.of)
		if start.Format(time.RFC3339) != c.start || end.Format(time.RFC3339) != c.end {
			t.Errorf("%s is %s to %s, want %s to %s", c.name, start.Format(time.RFC3339), end.Format(time.RFC3339), c.start, c.end)
		}
	}
	for _, wrong := range []string{"", "26-10", "2026-13", "2026-Q5", "2026-W54", "2025-W53", "30d to 2026-02-30", "0d to 2026-01-01", "1x to 2026-01-01", "October", "2026-1", "-1d to 2026-01-01", "d to 2026-01-01"} {
		if name, err := sla.ParsePeriodName(wrong); err == nil {
			t.Errorf("%q is read as %v", wrong, name)
		}
	}
}

// The name of the period of any instant leads back to it.
func TestNamesOfPeriodsLeadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := sla.Period{
			Calendar:     rapid.SampledFrom(sla.Units).Draw(t, "unit"),
			Zone:         rapid.SampledFrom([]string{"", "Europe/Berlin", "America/New_York", "Pacific/Apia", "Asia/Kolkata"}).Draw(t, "zone"),
			WeekStart:    time.Weekday(rapid.IntRange(0, 6).Draw(t, "week start")),
			FiscalOffset: rapid.IntRange(0, 11).Draw(t, "fiscal offset"),
		}
		if p.Calendar == sla.Week || p.Calendar == sla.Month {
			p.FiscalOffset = 0
		}
		at := time.Unix(rapid.Int64Range(1.5e9, 2.2e9).Draw(t, "at"), 0)
		wantStart, wantEnd := p.Bounds(at)
		name, err := sla.ParsePeriodName(p.NameOf(at).String())
		if err != nil {
			t.Fatal(err)
		}
		if start, end := name.Bounds(p); !start.Equal(wantStart) || !end.Equal(wantEnd) {
			t.Errorf("%s of %s at %s is %s to %s, want %s to %s", name, p.Words(), at.UTC(), start, end, wantStart, wantEnd)
		}
	})
}
