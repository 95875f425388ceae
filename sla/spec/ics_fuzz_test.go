package spec

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// No file makes the reader panic or go on for ever, and what it makes of one are
// windows in order.
func FuzzICalendar(f *testing.F) {
	text, err := os.ReadFile("testdata/valid/maintenance.ics")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text, "Europe/Berlin")
	for _, rule := range []string{"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;BYEASTER=9000", "FREQ=WEEKLY;INTERVAL=9223372036854775807;COUNT=3;UNTIL=20260801T000000Z", "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO,-53SU;BYSETPOS=-1;WKST=SU;BYYEARDAY=366;BYHOUR=1,2;BYMINUTE=0;BYSECOND=0"} {
		f.Add(fmt.Appendf(nil, "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260104T010000\nDURATION:PT4H\nRRULE:%s\nEND:VEVENT\nEND:VCALENDAR\n", rule), "UTC")
	}
	f.Fuzz(func(t *testing.T, text []byte, zone string) {
		windows, err := readICS(text, zone)
		if err != nil {
			return
		}
		from := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
		for _, w := range windows {
			spans := w.Spans(from, from.AddDate(5, 0, 0))
			for i, s := range spans {
				if !s.From.Before(s.To) || i > 0 && !spans[i-1].To.Before(s.From) {
					t.Fatalf("spans %v of %+v", spans, w)
				}
			}
		}
	})
}
