package sla_test

import (
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Rules that would keep the reader busy, or that it would misread, are refused,
// each with what is wrong with it.
func TestRulesThatAreRefused(t *testing.T) {
	for _, c := range []struct{ rule, start, says string }{
		{"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "2026-01-04T01:00", "never begins a window"},
		{"FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30", "2026-01-04T01:00", "never begins a window"},
		{"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "2026-01-04T01:00", "never begins a window"},
		{"FREQ=WEEKLY;BYDAY=SU;BYSETPOS=2", "2026-01-04T01:00", "never begins a window"},
		{"FREQ=DAILY;INTERVAL=7;BYDAY=MO", "2026-01-04T01:00", "never begins a window"}, // from a Sunday
		{"FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29", "2026-01-04T01:00", "never begins a window"},
		{"FREQ=DAILY;INTERVAL=9223372036854775807", "2026-01-04T01:00", "INTERVAL"},
		{"FREQ=WEEKLY;INTERVAL=1317624576693539402", "2026-01-04T01:00", "INTERVAL"},
		{"FREQ=MONTHLY;INTERVAL=9223372036854775807", "2026-01-04T01:00", "INTERVAL"},
		{"FREQ=YEARLY;INTERVAL=9223372036854775807", "2026-01-04T01:00", "INTERVAL"},
		{"FREQ=DAILY;INTERVAL=0", "2026-01-04T01:00", "INTERVAL"},
		{"FREQ=DAILY;COUNT=0", "2026-01-04T01:00", "COUNT"},
		{"FREQ=DAILY;COUNT=-1", "2026-01-04T01:00", "COUNT"},
		{"FREQ=DAILY;BYEASTER=0", "2026-01-04T01:00", "BYEASTER"},
		{"FREQ=DAILY;BYEASTER=9000", "2026-01-04T01:00", "BYEASTER"},
		{"FREQ=DAILY", "0001-01-01T00:00", "1900"},
		{"FREQ=YEARLY", "1899-12-31T00:00", "1900"},
		{"FREQ=YEARLY;BYYEARDAY=" + strings.Repeat("1,", 5000) + "1", "2026-01-04T01:00", "long"},
	} {
		start, err := time.Parse("2006-01-02T15:04", c.start)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err = sla.NewRecurrence(c.rule, start, time.Hour, "Europe/Berlin")
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%.60s from %s: %v, want %q", c.rule, c.start, err, c.says)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%.60s from %s took %s", c.rule, c.start, took)
		}
	}
}

// What is rare, old, or says its end is followed, and soon.
func TestRulesThatAreFollowed(t *testing.T) {
	from := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	const often = "BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23;BYMINUTE=0,30"
	for _, c := range []struct {
		rule  string
		start time.Time
		want  int // windows in the five years since 2025
	}{
		{"FREQ=DAILY;" + often, time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), 48 * 1826},
		{"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=TU", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), 1}, // of 2028
		{"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), 0}, // of 2044
		{"FREQ=YEARLY;INTERVAL=7;BYMONTH=2;BYMONTHDAY=29", time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), 1},
		{"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), 1},
		{"FREQ=DAILY;COUNT=999999999", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), 1461},
		{"FREQ=DAILY;UNTIL=20250101T000000Z", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), 0}, // as calendars say of what was moved whole
		{"FREQ=WEEKLY;INTERVAL=10000", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), 1},
	} {
		began := time.Now()
		r, err := sla.NewRecurrence(c.rule, c.start, time.Minute, "UTC")
		if err != nil {
			t.Errorf("%s: %v", c.rule, err)
			continue
		}
		w := &sla.Window{Recurs: r}
		if got := len(w.Spans(from, from.AddDate(5, 0, 0))); got != c.want {
			t.Errorf("%s: %d windows, want %d", c.rule, got, c.want)
		}
		if most := w.Most(from.AddDate(5, 0, 0)); most < c.want {
			t.Errorf("%s: at most %d windows are foreseen, and there are %d", c.rule, most, c.want)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s took %s", c.rule, took)
		} else {
			t.Log(c.rule, took)
		}
	}
}

// No rule makes the library panic or go on for long, and each that is followed
// makes windows in order.
func FuzzRecurrence(f *testing.F) {
	for _, rule := range []string{
		"FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;WKST=SU;COUNT=9", "FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20280101T000000Z", "FREQ=MONTHLY;BYMONTHDAY=-31,31;BYSETPOS=-1",
		"FREQ=YEARLY;BYWEEKNO=-53,53;BYDAY=MO", "FREQ=YEARLY;BYYEARDAY=-366,366;BYHOUR=0,23;BYMINUTE=59;BYSECOND=59", "FREQ=YEARLY;BYDAY=53SU,-53SA;BYMONTH=2",
		"FREQ=WEEKLY;BYSETPOS=366;BYMONTH=2;BYMONTHDAY=29;INTERVAL=9999",
	} {
		f.Add(rule, int64(1767488400))
	}
	from := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, rule string, start int64) {
		began := time.Now()
		r, err := sla.NewRecurrence(rule, time.Unix(start%(1<<37), 0).UTC(), time.Hour, "America/New_York")
		if err == nil {
			w := &sla.Window{Recurs: r}
			spans := w.Spans(from, from.AddDate(5, 0, 0))
			if most := w.Most(from.AddDate(5, 0, 0)); most < len(spans) {
				t.Errorf("%s: at most %d windows are foreseen, and there are %d", rule, most, len(spans))
			}
			for i, s := range spans {
				if !s.From.Before(s.To) || i > 0 && !spans[i-1].To.Before(s.From) {
					t.Fatalf("spans %v of %s", spans, rule)
				}
			}
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Fatalf("%s took %s", rule, took)
		}
	})
}
