package web

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Each month has what was achieved and what was bad, and the reports of the periods that
// ended in it.
func TestMonths(t *testing.T) {
	levels := sample()
	agreement := &sla.Agreement{Name: "shop", Levels: []*sla.ServiceLevel{levels[0].Level, levels[2].Level}}
	for i := range levels {
		levels[i].Agreement = agreement
	}
	reports := sampleReports()
	february := &reports.all.Agreements[0].Closed[0]
	february.Period, february.End = "February 2026", time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	h, err := New(Options{Source: fixed{levels: levels}, Reports: reports, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	w := get(t, h, "/agreement/shop/months")
	body := ascii(w.Body.String())
	now, before, found := strings.Cut(body, "February 2026</h2>")
	if w.Code != http.StatusOK || !found {
		t.Fatalf("%d %s", w.Code, body)
	}
	for _, want := range []string{"March 2026 so far", "99.999 %", "13 d measured", ">12 s<", "Within the target share", ">12 events<"} {
		if !strings.Contains(now, want) {
			t.Errorf("this month does not say %q: %s", want, now)
		}
	}
	for _, want := range []string{"Report of February 2026", "Both promises were kept.", "99.00 %", ">6 h 43 min<", "Below the target share", "Not measured"} {
		if !strings.Contains(before, want) {
			t.Errorf("February does not say %q", want)
		}
	}
	if w := get(t, h, "/agreement/other/months"); w.Code != http.StatusNotFound {
		t.Errorf("months of nobody: %d", w.Code)
	}
	if body := get(t, h, "/agreement/shop").Body.String(); !strings.Contains(body, `href="/agreement/shop/months"`) {
		t.Error("the agreement does not lead there")
	}
}

// A month of which the beginning was not counted is not called good, and one that is bad is bad.
func TestMonthsThatBeginLate(t *testing.T) {
	start := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	of := MonthLevel{Level: sample()[0].Level, Bad: Known(0), Total: Known(86400), From: start.AddDate(0, 0, 26)}
	if got := newMonthRow(of, start).Mark; got.Class != "none" || got.Word != "Counted only from 27 February on" {
		t.Errorf("the mark is %v", got)
	}
	of.From = start.AddDate(0, 0, 1)
	if got := newMonthRow(of, start).Mark; got.Class != "good" {
		t.Errorf("with the second day the mark is %v", got)
	}
	of.From, of.Bad = start.AddDate(0, 0, 26), Known(3600)
	if got := newMonthRow(of, start).Mark; got.Class != "bad" {
		t.Errorf("below the target share the mark is %v", got)
	}
}
