package exporter_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter"
	"github.com/upheld-sla/upheld/exporter/measure"
	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

// TestExemplarsLeadToTheHistory follows the exemplar of a scrape to the page
// that shows the probe.
func TestExemplarsLeadToTheHistory(t *testing.T) {
	var broken atomic.Bool
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer srv.Close()
	e := exporter.New(exporter.Options{Location: "<fra1>"})
	target := webTarget("<b>availability</b>", srv.URL, 50*time.Millisecond)
	if err := e.Apply([]sla.ProbeTarget{target}); err != nil {
		t.Fatal(err)
	}
	start(t, e)
	h := e.Handler("/metrics")
	has := func(records []exporter.Record, o probe.Outcome) bool {
		return slices.ContainsFunc(records, func(r exporter.Record) bool { return r.Outcome == o })
	}
	eventually(t, "a good result", func() bool { return has(e.Recent(target.ID), probe.Good) })
	broken.Store(true)
	eventually(t, "a bad result", func() bool { return has(e.Failures(target.ID), probe.Bad) })
	broken.Store(false)

	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept", "application/openmetrics-text;version=1.0.0")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	exemplars := regexp.MustCompile(`# \{probe_id="([0-9a-f]{16})"\}`).FindAllStringSubmatch(w.Body.String(), -1)
	if len(exemplars) == 0 {
		t.Fatalf("no exemplars in\n%s", w.Body)
	}
	_, landing := ask(h, http.MethodGet, "/")
	if !strings.Contains(landing, `href="/history?level=shop%3Astorefront%2F%3Cb%3Eavailability%3C%2Fb%3E&amp;target=`) {
		t.Errorf("the landing page does not link the history:\n%s", landing)
	}
	for _, query := range []string{"?probe=" + exemplars[len(exemplars)-1][1], "?level=shop%3Astorefront%2F%3Cb%3Eavailability%3C%2Fb%3E"} {
		code, page := ask(h, http.MethodGet, "/history"+query)
		for _, want := range []string{"HTTP 200", "HTTP 503", "status", "processing", "&lt;b&gt;availability", "&lt;fra1&gt;", srv.URL} {
			if code != http.StatusOK || !strings.Contains(page, want) {
				t.Errorf("%s: %d, no %q in\n%s", query, code, want, page)
			}
		}
		if strings.Contains(page, "<b>avail") || strings.Contains(query, "probe=") != strings.Contains(page, `aria-current="true"`) {
			t.Errorf("%s: not escaped, or the wrong row marked:\n%s", query, page)
		}
	}
	for _, query := range []string{"", "?level=nobody:at/home", "?probe=00000000000000ff", "?probe=0000000000000000", "?probe=xyz"} {
		if code, page := ask(h, http.MethodGet, "/history"+query); code != http.StatusNotFound {
			t.Errorf("%q: %d %s", query, code, page)
		}
	}
}

// TestRecordsSurviveBeingPacked compares what is remembered with what was seen.
func TestRecordsSurviveBeingPacked(t *testing.T) {
	t.Parallel()
	e := exporter.New(exporter.Options{})
	target := webTarget("availability", wellServer(t), 200*time.Millisecond) // long enough for a busy machine to be in time
	if err := e.Apply([]sla.ProbeTarget{target}); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	start(t, e)
	eventually(t, "results", func() bool { return len(e.Recent(target.ID)) == exporter.RecentResults })
	ids := map[measure.ID]bool{}
	for _, r := range e.Recent(target.ID) {
		if r.Outcome == probe.Missed {
			continue
		}
		connect, ok := r.Phases.Get(probe.Connect)
		_, tls := r.Phases.Get(probe.TLS)
		if r.Outcome != probe.Good || r.Detail != "HTTP 200" && !strings.HasPrefix(r.Detail, "HTTP 200; up to ") || // a busy machine says so
			r.At.Before(began) || !ok || connect <= 0 || connect > r.Duration || tls || r.Count != 1 || ids[r.ID] {
			t.Errorf("%+v", r)
		}
		ids[r.ID] = true
	}
}
