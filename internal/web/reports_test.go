package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/golden"
)

// fixedReports are the reports of a shop: a month that runs, one that failed, and closed
// ones, of which one was restated.
type fixedReports struct {
	all   Reports
	asked *[]string
}

func (f fixedReports) Reports(context.Context) (Reports, error) { return f.all, nil }

func (f fixedReports) ReportFile(_ context.Context, name string) (ReportFile, error) {
	switch name {
	case "shop-2026-09.html":
		return ReportFile{Name: name, MediaType: "text/html; charset=utf-8", Bytes: []byte("<!doctype html><style>p{}</style>")}, nil
	case "shop-2026-09.csv":
		return ReportFile{Name: name, MediaType: "text/csv; charset=utf-8", Bytes: []byte("a,b\n")}, nil
	}
	return ReportFile{}, ErrNoReport
}

func (f fixedReports) ReportToDate(context.Context, string, string) (ReportFile, error) {
	return ReportFile{}, ErrNoReport
}

func (f fixedReports) Restate(_ context.Context, file, reason string) error {
	if file == "none.json" {
		return ErrNoReport
	}
	*f.asked = append(*f.asked, file+": "+reason)
	return nil
}

func links(name string) []ReportLink {
	var all []ReportLink
	for _, l := range [][2]string{{"HTML", ".html"}, {"JSON", ".json"}, {"Markdown", ".md"}, {"Outages (CSV)", ".csv"}, {"Measurements", ".evidence.json.gz"}} {
		all = append(all, ReportLink{l[0], "/reports/file/" + name + l[1]})
	}
	return all
}

func sampleReports() fixedReports {
	levels := func(class, word, achieved, best, left string) []ReportLevel {
		return []ReportLevel{
			{"storefront/availability", class, word, "99.9\u202f%", achieved, best, left},
			{"payments/errors of all requests that customers pay with", "good", strings.Replace(word, "Breached", "Met", 1), "99.5\u202f%", "99.981\u202f%", best, "12\u202f400 events left"},
		}
	}
	made := time.Date(2026, 10, 2, 0, 0, 30, 0, time.UTC)
	first := ClosedPeriod{
		Period: "September 2026", Class: "bad", Word: "Breached", Headline: "1 of 2 promises was not kept.", Version: 1, Made: made, Files: links("shop-2026-09"), File: "shop-2026-09.json",
	}
	second := first
	second.Version, second.Class, second.Word, second.Headline, second.Reason = 2, "good", "Met", "Both promises were kept.", "the power failure of 12 September was agreed"
	second.Note, second.Files, second.Older = "from the stored measurements of an earlier version", links("shop-2026-09-v2"), []ClosedPeriod{first}
	second.Levels, second.Changed, second.File = levels("good", "Met", "99.912\u202f%", "", "5\u202fmin 11\u202fs left"), true, "shop-2026-09-v2.json"
	august := first
	august.Period, august.Levels, august.Credit, august.Files, august.Problem = "August 2026", levels("bad", "Breached", "98.7\u202f%", "", "9\u202fh over"), "1\u202f250.00 EUR", links("shop-2026-08"), "Nothing would change"
	return fixedReports{asked: &[]string{}, all: Reports{
		Settling: "24 hours", Folder: "data/reports", Doing: "shop, to date", Problems: []string{"The file notes.json in the folder of reports is no report, or damaged: 1:1: the JSON is damaged"},
		Agreements: []AgreementReports{{
			Name: "shop", Description: "The web shop, for Customer Ltd.",
			Running: []RunningPeriod{
				{
					Title: "This month so far: November 2026", Known: true, At: noon, Headline: "Both promises are kept so far.", Class: "good", Word: "Met so far",
					Levels: levels("good", "Met so far", "99.96\u202f%", "99.981\u202f%", "20\u202fmin left"), More: 3, Credit: "", Path: "/reports/to-date/shop/2026-11",
				},
				{Title: "This quarter so far"},
				{Title: "The last 7d", Problem: "the server has no memory left"},
			},
			Waiting: []WaitingPeriod{
				{Period: "October 2026", At: noon.Add(time.Minute), Problem: "The specification has mistakes: shop.yaml:8:13: \"many\" is no share; correct it, and the report follows."},
				{Period: "November 2026", At: noon.AddDate(0, 0, 20)},
			},
			Closed: []ClosedPeriod{second, august},
		}, {Name: "empty"}},
	}}
}

func reportsHandler(t *testing.T, source ReportSource) http.Handler {
	t.Helper()
	h, err := New(Options{Source: fixed{}, Reports: source, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestReportsPage(t *testing.T) {
	h := reportsHandler(t, sampleReports())
	w := get(t, h, "/reports")
	if w.Code != http.StatusOK {
		t.Fatalf("status %d", w.Code)
	}
	golden.Equal(t, "testdata/reports.html", stable(h, w.Body.String()))
	if overview := get(t, h, "/").Body.String(); !strings.Contains(overview, `<a href="/reports">Reports</a>`) {
		t.Error("the overview does not lead to the reports")
	}
	if w := get(t, handlerFor(t, fixed{}), "/reports"); w.Code != http.StatusNotFound {
		t.Errorf("without a source of reports: status %d", w.Code)
	}
}

// A report in HTML is read in the browser and may use its own styles; others are kept.
func TestReportFilesAreServed(t *testing.T) {
	h := reportsHandler(t, sampleReports())
	html := get(t, h, "/reports/file/shop-2026-09.html")
	if got := html.Header().Get("Content-Security-Policy"); html.Code != http.StatusOK || !strings.Contains(got, "style-src 'unsafe-inline'") || strings.Contains(got, "script-src") {
		t.Errorf("status %d, policy %q", html.Code, got)
	}
	if got := html.Header().Get("Content-Disposition"); got != "" {
		t.Errorf("the page is not shown, but %q", got)
	}
	csv := get(t, h, "/reports/file/shop-2026-09.csv")
	if got := csv.Header().Get("Content-Disposition"); got != `attachment; filename="shop-2026-09.csv"` {
		t.Errorf("a file to keep has %q", got)
	}
	for _, path := range []string{"/reports/file/none.html", "/reports/to-date/shop/2026-11"} {
		if w := get(t, h, path); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "There is no report") {
			t.Errorf("%s: status %d", path, w.Code)
		}
	}
}

func TestRestatingNeedsAReason(t *testing.T) {
	source := sampleReports()
	h := reportsHandler(t, source)
	for _, c := range []struct {
		file, reason string
		status       int
	}{
		{"shop-2026-09.json", " ", http.StatusBadRequest},
		{"shop-2026-09.json", strings.Repeat("long ", 1000), http.StatusBadRequest},
		{"none.json", "agreed", http.StatusNotFound},
		{"shop-2026-09.json", " it was\nagreed ", http.StatusSeeOther},
	} {
		r := httptest.NewRequest(http.MethodPost, "/reports/restate", strings.NewReader(url.Values{"file": {c.file}, "reason": {c.reason}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s, %.10q: status %d, want %d", c.file, c.reason, w.Code, c.status)
		}
	}
	if got := strings.Join(*source.asked, "; "); got != "shop-2026-09.json: it was agreed" {
		t.Errorf("asked for %q", got)
	}
}
