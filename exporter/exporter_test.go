package exporter_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/upheld-sla/upheld/exporter"
	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func webTarget(name, url string, interval time.Duration, thresholds ...time.Duration) sla.ProbeTarget {
	return sla.ProbeTarget{
		ID: sla.ID{SLA: "shop", Service: "storefront", SLO: name},
		Probe: &sla.Probe{
			Check:    &sla.HTTPCheck{URL: url, FollowRedirects: true},
			Interval: interval, Timeout: interval,
		},
		Thresholds: thresholds,
	}
}

// start runs an exporter until the test ends.
func start(t *testing.T, e *exporter.Exporter) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	within(t, 30*time.Second, what, ok)
}

// within waits for something that takes a busy machine long. It asks less often the longer
// it waits, since many ask for a scrape.
func within(t *testing.T, patience time.Duration, what string, ok func() bool) {
	t.Helper()
	pause := patience / 6000
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(pause) {
		if ok() {
			return
		}
		pause = min(pause*5/4, patience/600)
	}
	t.Fatalf("not within %s: %s", patience, what)
}

func scrape(t *testing.T, h http.Handler) string {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	text, err := io.ReadAll(w.Result().Body)
	if err != nil || w.Code != http.StatusOK {
		t.Fatalf("scrape: %d %v %s", w.Code, err, text)
	}
	return string(text)
}

func TestRecentAndFailuresAreKeptApart(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	broken.Store(true)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer srv.Close()
	e := exporter.New(exporter.Options{})
	target := webTarget("availability", srv.URL, 200*time.Millisecond) // long enough for a busy machine to be in time
	if err := e.Apply([]sla.ProbeTarget{target}); err != nil {
		t.Fatal(err)
	}
	start(t, e)
	eventually(t, "a bad result", func() bool {
		for _, f := range e.Failures(target.ID) {
			if f.Outcome == probe.Bad && f.Reason == probe.Status { // a busy machine misses probes, too
				return true
			}
		}
		return false
	})
	broken.Store(false)
	eventually(t, "no bad results in Recent any more, and a good one just now", func() bool {
		recent := e.Recent(target.ID)
		for _, r := range recent {
			if r.Outcome == probe.Bad { // others are those that a busy machine did not run in time
				return false
			}
		}
		return len(recent) == exporter.RecentResults && recent[0].Outcome == probe.Good
	})
	failures := e.Failures(target.ID)
	var found bool
	for _, f := range failures {
		found = found || f.Reason == probe.Status && f.Outcome == probe.Bad && strings.HasPrefix(f.Detail, "HTTP 503") && f.Duration > 0 // on a busy machine it also says what was ours
	}
	if !found {
		t.Errorf("the outage is no longer known; failures: %+v", failures)
	}
	recent := e.Recent(target.ID)
	if !recent[0].At.After(recent[len(recent)-1].At) {
		t.Error("Recent is not newest first")
	}
	if text := scrape(t, e.Metrics()); !strings.Contains(text, `upheld_probe_last_outcome_good{location="default",service="storefront",sla="shop",slo="availability",target="`+srv.URL+`"} 1`) {
		t.Errorf("no last state in\n%s", text)
	}
}

// TestShardsProbeEverythingOnce runs three exporters on one specification.
func TestShardsProbeEverythingOnce(t *testing.T) {
	targets := manyTargets(60, wellServer(t), 50*time.Millisecond)
	seen := map[sla.ID]int{}
	for i := range 3 {
		e := exporter.New(exporter.Options{Shard: exporter.Shard{Number: i + 1, Of: 3}})
		if err := e.Apply(targets); err != nil {
			t.Fatal(err)
		}
		start(t, e)
		held := 0
		for _, target := range targets {
			if strings.Contains(scrape(t, e.Metrics()), `service="`+target.ID.Service+`",`) {
				seen[target.ID]++
				held++
			}
		}
		eventually(t, "results", func() bool {
			return counter(t, scrape(t, e.Metrics()), "upheld_probe_results_total", `outcome="good"`) > 0
		})
		if held == 0 || held == len(targets) {
			t.Errorf("shard %d holds %d", i+1, held)
		}
	}
	for _, target := range targets {
		if seen[target.ID] != 1 {
			t.Errorf("%s is probed by %d", target.ID, seen[target.ID])
		}
	}
}
