package spec

import (
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
