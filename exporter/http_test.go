package exporter_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter"
	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/internal/logtest"
	"github.com/upheld-sla/upheld/sla"
)

func ask(h http.Handler, method, path string) (int, string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w.Code, w.Body.String()
}

func wellServer(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "well") }))
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestEndpoints(t *testing.T) {
	url := wellServer(t)
	e := exporter.New(exporter.Options{Location: "<fra1>"})
	h := e.Handler("/metrics")
	if code, _ := ask(h, http.MethodGet, "/-/ready"); code != http.StatusServiceUnavailable {
		t.Errorf("ready before anything is probed: %d", code)
	}
	if err := e.Apply([]sla.ProbeTarget{webTarget("<b>availability</b>", url, 20*time.Millisecond)}); err != nil {
		t.Fatal(err)
	}
	start(t, e)
	eventually(t, "ready", func() bool { code, _ := ask(h, http.MethodGet, "/-/ready"); return code == http.StatusOK })
	eventually(t, "the last result on the landing page", func() bool { _, page := ask(h, http.MethodGet, "/"); return strings.Contains(page, "HTTP 200 in ") })
	_, page := ask(h, http.MethodGet, "/")
	if strings.Contains(page, "<b>") || strings.Contains(page, "<fra1>") || !strings.Contains(page, "&lt;b&gt;availability") || !strings.Contains(page, `href="/metrics"`) {
		t.Errorf("landing page:\n%s", page)
	}
	for _, c := range []struct {
		method, path string
		code         int
	}{
		{http.MethodGet, "/-/healthy", 200},
		{http.MethodHead, "/-/healthy", 200},
		{http.MethodGet, "/metrics", 200},
		{http.MethodGet, "/-/reload", 405},
		{http.MethodPost, "/-/reload", 500},
		{http.MethodGet, "/nothing", 404},
		{http.MethodPost, "/metrics", 405},
	} {
		if code, text := ask(h, c.method, c.path); code != c.code {
			t.Errorf("%s %s: %d, want %d: %s", c.method, c.path, code, c.code, text)
		}
	}
}

func TestScrapesAreCompressedOnRequest(t *testing.T) {
	e := exporter.New(exporter.Options{})
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	e.Metrics().ServeHTTP(w, r)
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(z); err != nil || !bytes.Contains(text, []byte("upheld_exporter_targets 0")) {
		t.Errorf("%v %s", err, text)
	}
}

func TestAFailedReloadLeavesTheOldTargetsRunning(t *testing.T) {
	url := wellServer(t)
	target := webTarget("availability", url, 20*time.Millisecond)
	var fail error
	var log logtest.Buffer
	targets := []sla.ProbeTarget{target}
	e := exporter.New(exporter.Options{
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Load:   func() ([]sla.ProbeTarget, error) { return targets, fail },
	})
	h := e.Handler("/metrics")
	if code, text := ask(h, http.MethodPost, "/-/reload"); code != http.StatusOK {
		t.Fatalf("first load: %d %s", code, text)
	}
	start(t, e)
	fail = sla.Findings{
		{Severity: sla.Error, Rule: "one", Pos: sla.Position{File: "shop.yaml", Line: 3, Column: 5}, Message: "first mistake", Remedy: "mend it"},
		{Severity: sla.Error, Rule: "two", Pos: sla.Position{File: "shop.yaml", Line: 9, Column: 1}, Message: "second mistake"},
	}
	code, text := ask(h, http.MethodPut, "/-/reload")
	for _, want := range []string{"shop.yaml:3:5", "first mistake", "mend it", "shop.yaml:9:1", "second mistake"} {
		if code != http.StatusInternalServerError || !strings.Contains(text, want) {
			t.Errorf("reload answered %d without %q: %s", code, want, text)
		}
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log has no %q:\n%s", want, log.String())
		}
	}
	if text := scrape(t, e.Metrics()); !strings.Contains(text, "upheld_exporter_config_last_reload_successful 0\n") {
		t.Error("the failed reload does not show in the metrics")
	}
	before := len(e.Recent(target.ID))
	eventually(t, "probes after the failed reload", func() bool { return len(e.Recent(target.ID)) > before })

	// What loads but cannot be probed changes nothing either.
	fail, targets = nil, []sla.ProbeTarget{webTarget("other", "http://bob:s3cret@[::1/", time.Second), target, target}
	code, text = ask(h, http.MethodPost, "/-/reload")
	if code != http.StatusInternalServerError || !strings.Contains(text, "shop:storefront/other: the URL cannot be parsed") || !strings.Contains(text, "two service levels have this name") {
		t.Errorf("%d %s", code, text)
	}
	if e.Recent(target.ID) == nil {
		t.Error("the old target is gone")
	}
	targets = []sla.ProbeTarget{target}
	if err := e.Reload(); err != nil {
		t.Fatal(err)
	}
	if text := scrape(t, e.Metrics()); !strings.Contains(text, "upheld_exporter_config_last_reload_successful 1\n") {
		t.Error("the mended reload does not show in the metrics")
	}
	if strings.Contains(log.String(), "s3cret") {
		t.Error("the log tells the password")
	}
}

func TestAReloadKeepsCountsAndHistory(t *testing.T) {
	url := wellServer(t)
	keep := webTarget("keep", url, 100*time.Millisecond, time.Second)
	drop := webTarget("drop", url+"/drop", 100*time.Millisecond)
	e := exporter.New(exporter.Options{})
	if err := e.Apply([]sla.ProbeTarget{keep, drop}); err != nil {
		t.Fatal(err)
	}
	start(t, e)
	good := func() float64 {
		return counter(t, scrape(t, e.Metrics()), "upheld_probe_results_total", `outcome="good"`, `slo="keep"`)
	}
	eventually(t, "results of both", func() bool { return good() >= 3 && len(e.Recent(drop.ID)) > 3 })
	before := good()
	keep.Thresholds = []time.Duration{time.Second, 2 * time.Second}
	if err := e.Apply([]sla.ProbeTarget{keep}); err != nil {
		t.Fatal(err)
	}
	text := scrape(t, e.Metrics())
	if after := counter(t, text, "upheld_probe_results_total", `outcome="good"`, `slo="keep"`); after < before || before < 3 {
		t.Errorf("good results went from %v to %v", before, after)
	}
	if strings.Contains(text, `slo="drop"`) {
		t.Error("series of the removed target")
	}
	if e.Recent(drop.ID) != nil || len(e.Recent(keep.ID)) < 3 {
		t.Error("the history is not what stayed")
	}
}

// counter is the sum of the series of a metric that have all of the labels,
// each written as in the exposition.
func counter(t *testing.T, text, metric string, labels ...string) float64 {
	t.Helper()
	sum := 0.0
next:
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, metric+"{") {
			continue
		}
		for _, l := range labels {
			if !strings.Contains(line, l) {
				continue next
			}
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndexByte(line, ' '):]), 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += v
	}
	return sum
}

// TestAccountHoldsUnderLoad probes real servers, good, bad, hanging and
// closed, with too few slots and reloads in between, and compares every scrape
// with itself and the end with the clock.
func TestAccountHoldsUnderLoad(t *testing.T) {
	var blocked sync.WaitGroup
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hang":
			blocked.Add(1)
			defer blocked.Done()
			select {
			case <-release:
			case <-r.Context().Done():
			}
		case "/bad":
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	defer srv.Close()
	defer close(release)
	const interval = 50 * time.Millisecond
	var targets []sla.ProbeTarget
	for i := range 20 {
		path := []string{"/good", "/bad", "/hang", "/good"}[i%4]
		targets = append(targets, webTarget(fmt.Sprint("level-", i), srv.URL+path, interval))
	}
	e := exporter.New(exporter.Options{MaxConcurrency: 6})
	if err := e.Apply(targets); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	start(t, e)
	for i := range 30 {
		time.Sleep(50 * time.Millisecond)
		if i%5 == 0 { // everything stays, in another order
			if err := e.Apply(append(targets[i/2:len(targets):len(targets)], targets[:i/2]...)); err != nil {
				t.Fatal(err)
			}
		}
		text := scrape(t, e.Metrics())
		owed, all := counter(t, text, "upheld_probe_scheduled_total"), counter(t, text, "upheld_probe_results_total")
		good, why := counter(t, text, "upheld_probe_results_total", `outcome="good"`), counter(t, text, "upheld_probe_failures_total")
		if owed != all || good+why > all { // a new reason shows a scrape later
			t.Fatalf("owed %v, outcomes %v, good %v, with a reason %v", owed, all, good, why)
		}
	}
	due := func() float64 { return float64(len(targets)) * float64(time.Since(began)/interval) }
	eventually(t, "every probe that was due to be accounted for, up to a moment ago", func() bool {
		least := due() - 3*float64(len(targets))
		owed := counter(t, scrape(t, e.Metrics()), "upheld_probe_scheduled_total")
		if most := due() + float64(len(targets)); owed > most {
			t.Fatalf("%v probes accounted for, at most %v were due", owed, most)
		}
		return owed >= least
	})
	for _, id := range []int{0, 1, 2} {
		for _, r := range e.Recent(targets[id].ID) {
			if want := map[int]probe.Outcome{0: probe.Good, 1: probe.Bad, 2: probe.Bad}[id]; r.Outcome == probe.Good && want != probe.Good {
				t.Errorf("level-%d: %+v", id, r)
			}
		}
	}
}

func TestReloadNeedsSomethingToLoad(t *testing.T) {
	if err := exporter.New(exporter.Options{}).Reload(); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("%v", err)
	}
}
