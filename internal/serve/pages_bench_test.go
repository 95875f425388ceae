package serve

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/internal/statuspage"
	"github.com/upheld-sla/upheld/internal/web"
)

// benchPage is a page whose time BenchmarkPages prints.
type benchPage struct {
	name, path string
	// counts: the first one after a start is printed, too, since it then counts the samples
	// of all days, or months.
	counts bool
}

// benchReport stands for the name of a report's file.
const benchReport = "REPORT"

// benchPages is the table of them; every pattern of a page must be in it.
var benchPages = []benchPage{
	{"overview", "/", true},
	{"search", "/?q=service7&state=up", false},
	{"level", "/level/shop3/service7/availability", false},
	{"level that is down", "/level/shop0/service0/availability", false},
	{"level with 20 groups", "/level/shop3/tenants/requests", false},
	{"composite of 48 levels that is down", "/level/shop0/checkout/paying", false},
	{"agreement", "/agreement/shop3", false},
	{"months", "/agreement/shop3/months", true},
	{"alerts", "/alerts", false},
	{"rules", "/rules", false},
	{"reports", "/reports", true},
	{"report as HTML", "/reports/file/" + benchReport + ".html", false},
	{"report as JSON", "/reports/file/" + benchReport + ".json", false},
	{"report to date", "/reports/to-date/shop3/30d", false},
	{"status page", "/status/shop3", false},
	{"status page as JSON", "/status/shop3/status.json", false},
	{"feed", "/status/shop3/feed.atom", false},
}

// No page is without a benchmark.
func TestEachPageHasABenchmark(t *testing.T) {
	mux, want := http.NewServeMux(), []string{}
	for _, pattern := range slices.Concat(web.Patterns(), statuspage.Patterns()) {
		mux.HandleFunc(pattern, func(http.ResponseWriter, *http.Request) {})
		if strings.HasPrefix(pattern, http.MethodGet+" ") {
			want = append(want, pattern)
		}
	}
	found := map[string]bool{}
	for _, page := range benchPages {
		_, pattern := mux.Handler(httptest.NewRequest(http.MethodGet, page.path, nil))
		if pattern == "" {
			t.Errorf("no page has the path %s of the benchmark %q", page.path, page.name)
		}
		found[pattern] = true
	}
	for _, pattern := range want {
		if !found[pattern] {
			t.Errorf("%s has no line in benchPages: nobody measures what it takes", pattern)
		}
	}
}

// BenchmarkPages prints how long every page takes with 500 levels: `make bench-web`. Status
// pages are rendered by a timer, and requests get copies: both are printed.
func BenchmarkPages(b *testing.B) {
	w := newBenchWorld(b)
	ask := func(b *testing.B, h http.Handler, page benchPage) {
		answer := httptest.NewRecorder()
		path := strings.ReplaceAll(page.path, benchReport, w.report)
		h.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
		if answer.Code != http.StatusOK {
			b.Fatalf("%s answers %d: %s", path, answer.Code, answer.Body)
		}
		b.ReportMetric(float64(answer.Body.Len())/1024, "KiB/page")
	}
	measure := func(name string, page benchPage, handler func() http.Handler) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				ask(b, handler(), page)
			}
		})
	}
	for _, page := range benchPages {
		if page.counts {
			measure(page.name+" after a start", page, w.handler)
		}
	}
	b.Run("10 status pages, rendered after a start", func(b *testing.B) {
		for b.Loop() {
			w.statusPages().Render(b.Context())
		}
	})
	b.Run("10 status pages, rendered again", func(b *testing.B) {
		pages := w.statusPages()
		pages.Render(b.Context())
		for b.Loop() {
			pages.Render(b.Context())
		}
	})
	warm := w.handler()
	for _, page := range benchPages {
		ask(b, warm, page)
		measure(page.name, page, func() http.Handler { return warm })
	}
}

// handler answers with the pages as serve does, without anything in memory yet but the
// status pages.
func (w *benchWorld) handler() http.Handler {
	pages, err := web.New(web.Options{Source: newSource(w.server), Reports: reportSource{w.closer()}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		w.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/status/", w.rendered)
	mux.Handle("/", pages)
	return mux
}

// statusPages are those of all agreements, before they are rendered.
func (w *benchWorld) statusPages() *statuspage.Pages {
	pages, err := statuspage.New(statuspage.Options{Source: newStatusSource(w.server), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		w.Fatal(err)
	}
	return pages
}
