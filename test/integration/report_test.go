//go:build integration

package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const reportedSpec = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  serviceLevels:
    - {name: up, service: web, indicator: {probe: {http: "https://shop.example/", interval: 15s}}, target: "99", period: 1d}
    - {name: errors, service: api, indicator: {events: {bad: 'http_requests_total{code="500"}', total: 'http_requests_total'}}, target: "99", period: 1d}
    - {name: slow, service: api, indicator: {latency: {histogram: 'req_seconds', threshold: 300ms}}, target: "99", period: 1d}
    - {name: bb, service: api, indicator: {blackbox: {success: 'probe_success'}}, target: "99", period: 1d}
    - {name: queue, service: api, indicator: {condition: {expr: 'max_over_time(queue_age[5m]) < 60'}}, target: "99", period: 1d}
`

// A server gives the same report by remote read and by queries as the file that its
// samples come from, also of servers before Prometheus 3.
func TestReportsOfServersAndFilesAreEqual(t *testing.T) {
	built := build(t)
	dir := t.TempDir()
	spec, file := filepath.Join(dir, "shop.yaml"), filepath.Join(dir, "samples.om")
	for name, text := range map[string]string{spec: reportedSpec, file: reportedSamples()} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := levelsOf(t, built.upheld, spec, "--samples="+file)
	if len(want) != 5 {
		t.Fatalf("%d levels are judged: %v", len(want), want)
	}
	promtool := program(t, root+"/bin/tools/promtool", "run make prometheus-tools")
	config := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(config, []byte("global: {scrape_interval: 15s}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for version, path := range map[string]string{
		"debian's": program(t, "/usr/bin/prometheus", "install Debian's prometheus"),
		"current":  program(t, root+"/bin/tools/prometheus", "run make prometheus-tools"),
	} {
		data, address := filepath.Join(t.TempDir(), "data"), freeAddress(t)
		run(t, dir, promtool, "tsdb", "create-blocks-from", "openmetrics", file, data)
		p := start(t, "prometheus "+version, path, "--config.file="+config, "--storage.tsdb.path="+data,
			"--web.listen-address="+address, "--storage.tsdb.retention.time=100y")
		awaitReady(t, p, address)
		for _, remote := range []string{"true", "false"} {
			got := levelsOf(t, built.upheld, spec, "--prometheus.url=http://"+address, "--prometheus.remote-read="+remote)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, remote read %s (-file +server):\n%.3000s", version, remote, diff)
			}
		}
	}
}

// levelsOf are the levels of a report as JSON, whose verdict may be any.
func levelsOf(t *testing.T, upheld, spec string, from ...string) []any {
	t.Helper()
	cmd := exec.Command(upheld, append([]string{"report", spec, "--period=1d to 2026-10-11", "--format=json"}, from...)...)
	var notes strings.Builder
	cmd.Stderr = &notes
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() < 3) {
		t.Fatalf("%v: %v\n%s", from, err, notes.String())
	}
	var report struct{ Levels []any }
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("%v: %v\n%s", from, err, notes.String())
	}
	return report.Levels
}

// reportedSamples are a day with an outage of a probe, a restart of a service, an hour in
// which nothing was scraped, and one in which a target was down.
func reportedSamples() string {
	first := time.Date(2026, 10, 9, 21, 0, 0, 0, time.UTC)
	day := time.Date(2026, 10, 10, 0, 0, 0, 0, time.UTC)
	var b strings.Builder
	series := func(name string, value func(hours float64) float64) {
		for t := first; t.Before(day.Add(26 * time.Hour)); t = t.Add(15 * time.Second) {
			hours := t.Sub(day).Hours()
			if v := value(hours); !math.IsNaN(v) && (hours < 20 || hours >= 21) {
				fmt.Fprintf(&b, "%s %v %d\n", name, v, t.Unix())
			}
		}
	}
	counter := func(n func(hours float64) float64) func(float64) float64 {
		sum := 0.0
		return func(hours float64) float64 {
			if hours == 8 {
				sum = 0
			}
			sum += n(hours)
			if hours >= 5 && hours < 6 {
				return math.NaN()
			}
			return sum
		}
	}
	is := func(yes bool, n float64) float64 {
		if yes {
			return n
		}
		return 0
	}
	api := `{job="api",instance="a"`
	series("up"+api+"}", func(h float64) float64 { return is(h < 5 || h >= 6, 1) })
	for _, outcome := range []string{"good", "bad"} {
		probe := `upheld_probe_results_total{job="upheld",instance="x",sla="shop",service="web",slo="up",target="https://shop.example/",location="fra",outcome="` + outcome + `"}`
		series(probe, counter(func(h float64) float64 { return is((h > 3 && h <= 3.5) == (outcome == "bad"), 1) }))
	}
	series("http_requests_total"+api+`,code="200"}`, counter(func(float64) float64 { return 97 }))
	series("http_requests_total"+api+`,code="500"}`, counter(func(h float64) float64 { return is(h > 10 && h < 11, 9) }))
	series("req_seconds_count"+api+"}", counter(func(float64) float64 { return 50 }))
	series("req_seconds_bucket"+api+`,le="0.3"}`, counter(func(h float64) float64 { return 50 - is(h > 12 && h < 13, 20) }))
	series("probe_success"+api+"}", func(h float64) float64 { return is(h < 14 || h >= 14.25, 1) })
	series("queue_age"+api+"}", func(h float64) float64 {
		if h >= 5 && h < 6 {
			return math.NaN()
		}
		return is(h >= 16 && h < 16.1, 100)
	})
	return b.String() + "# EOF\n"
}
