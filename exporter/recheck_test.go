package exporter_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter"
	"github.com/upheld-sla/upheld/sla"
)

// TestRechecksNarrowTheDowntime breaks a target that is probed every two
// seconds, and mends it: the end of the outage is then known to a few
// rechecks, and no ratio knows of them.
func TestRechecksNarrowTheDowntime(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	url := handled(t, func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	const interval, recheck = 2 * time.Second, 100 * time.Millisecond
	rechecked, plain := webTarget("rechecked", url, interval), webTarget("plain", url, interval)
	rechecked.Probe.Recheck = recheck
	e := exporter.New(exporter.Options{})
	if err := e.Apply([]sla.ProbeTarget{rechecked, plain}); err != nil {
		t.Fatal(err)
	}
	if text := scrape(t, e.Metrics()); !strings.Contains(text, `upheld_probe_rechecks_total{`) || strings.Contains(text, `upheld_probe_rechecks_total{location="default",service="storefront",sla="shop",slo="plain"`) {
		t.Errorf("the counter is there from the start, of the target that is rechecked:\n%s", text)
	}
	of := func(name string, labels ...string) float64 {
		return counter(t, scrape(t, e.Metrics()), name, append(labels, `slo="rechecked"`)...)
	}
	began := time.Now()
	start(t, e)
	eventually(t, "a good probe", func() bool { return of("upheld_probe_results_total", `outcome="good"`) > 0 })
	broken.Store(true)
	eventually(t, "some rechecks", func() bool { return of("upheld_probe_rechecks_total") >= 5 })
	broken.Store(false)
	eventually(t, "the target is well again", func() bool { return of("upheld_probe_last_outcome_good") == 1 })
	upper, rechecks := of("upheld_probe_downtime_seconds_total", `bound="upper"`), of("upheld_probe_rechecks_total")
	lower := of("upheld_probe_downtime_seconds_total", `bound="lower"`)
	if all := time.Since(began).Seconds(); lower < 4*recheck.Seconds() || upper <= lower || upper > all {
		t.Errorf("downtime between %v and %v s, of %v s in all", lower, upper, all)
	}
	text := scrape(t, e.Metrics())
	parts := balanced(t, text)
	due := float64(time.Since(began)/interval + 1)
	if owed := counter(t, text, "upheld_probe_scheduled_total", `slo="rechecked"`); owed > due || counter(t, text, "upheld_probe_duration_seconds_count", `slo="rechecked"`) > owed {
		t.Errorf("rechecks are in the account: %v, and at most %v were due", parts, due)
	}
	if records := e.Failures(rechecked.ID); len(records) < 5 {
		t.Errorf("the history has %d failures", len(records))
	}
	time.Sleep(3 * recheck)
	if of("upheld_probe_rechecks_total") > rechecks {
		t.Error("a target that is well is rechecked")
	}
}
