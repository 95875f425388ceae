//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const historySpec = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  period: %s
  serviceLevels:
    - name: orders
      service: checkout
      indicator: {events: {bad: 'orders_total{code="500"}', total: orders_total}}
      target: "99.9"
`

// shopOrders are ten orders a second of which none fails but in incidents. The service
// restarts each day at noon.
type shopOrders struct {
	from      time.Time
	incidents []incident
}

type incident struct {
	from, to time.Time
	share    float64
}

// until counts the orders of a day so far that fail, or do not.
func (s shopOrders) until(t time.Time, failed bool) float64 {
	noon := t.Truncate(24 * time.Hour).Add(12 * time.Hour)
	if noon.After(t) {
		noon = noon.Add(-24 * time.Hour)
	}
	if noon.Before(s.from) {
		noon = s.from
	}
	bad := 0.0
	for _, i := range s.incidents {
		from, to := i.from, i.to
		if from.Before(noon) {
			from = noon
		}
		if to.After(t) {
			to = t
		}
		if from.Before(to) {
			bad += 10 * i.share * to.Sub(from).Seconds()
		}
	}
	if failed {
		return bad
	}
	return 10*t.Sub(noon).Seconds() - bad
}

// openMetrics are samples until a time, but not of when the server was away.
func (s shopOrders) openMetrics(to time.Time, every time.Duration, instance string, away incident) string {
	var b strings.Builder
	series := func(name string, value func(time.Time) float64) {
		for t := s.from; t.Before(to); t = t.Add(every) {
			if t.Before(away.from) || !t.Before(away.to) {
				fmt.Fprintf(&b, "%s %v %d\n", name, value(t), t.Unix())
			}
		}
	}
	labels := fmt.Sprintf(`job="shop",instance=%q`, instance)
	b.WriteString("# TYPE up gauge\n")
	series("up{"+labels+"}", func(time.Time) float64 { return 1 })
	b.WriteString("# TYPE orders counter\n")
	for code, failed := range map[string]bool{"200": false, "500": true} {
		series(fmt.Sprintf("orders_total{%s,code=%q}", labels, code), func(t time.Time) float64 { return s.until(t, failed) })
	}
	return b.String() + "# EOF\n"
}

// storing is a Prometheus that has the samples of a file, and scrapes an instance.
type storing struct {
	url, data string
	process   *process
	again     func() *process
}

func storedBy(t *testing.T, dir, samples, instance, rules string) storing {
	t.Helper()
	data := filepath.Join(dir, "data")
	run(t, dir, program(t, root+"/bin/tools/promtool", "run make prometheus-tools"), "tsdb", "create-blocks-from", "openmetrics", samples, data)
	config := filepath.Join(dir, "prometheus.yml")
	text := fmt.Sprintf("global: {scrape_interval: 5s}\nrule_files: [%s]\nscrape_configs: [{job_name: shop, static_configs: [{targets: [%q]}]}]\n", rules, instance)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	begin := func() *process {
		p := start(t, "prometheus", program(t, root+"/bin/tools/prometheus", "run make prometheus-tools"), "--config.file="+config, "--storage.tsdb.path="+data,
			"--web.listen-address="+address, "--storage.tsdb.retention.time=100d", "--web.enable-admin-api")
		awaitReady(t, p, address)
		return p
	}
	return storing{"http://" + address, data, begin(), begin}
}

// TestBacktestFindsWhatWasPlanted tries rules on a month that a real Prometheus has, with
// a restart of the service each day and two hours in which the server was away. A run
// that is killed and called again says the same.
func TestBacktestFindsWhatWasPlanted(t *testing.T) {
	t.Parallel()
	built := build(t)
	dir := t.TempDir()
	end := time.Now().UTC().Truncate(time.Hour).Add(-time.Hour)
	from := end.Add(-31 * 24 * time.Hour)
	at := func(days, hours float64) time.Time {
		return from.Add(time.Duration((days*24 + hours) * float64(time.Hour)))
	}
	orders := shopOrders{from, []incident{
		{at(4, 3), at(4, 3.25), 1},        // an outage
		{at(11, 11.9), at(11, 12.3), 0.5}, // half of the orders, over the restart at noon
		{at(20, 0), at(22, 0), 0.0035},    // a slow burn
		{at(27, 5), at(27, 5.01), 1},      // too short to page for
	}}
	spec, samples := filepath.Join(dir, "shop.yaml"), filepath.Join(dir, "samples.om")
	for name, text := range map[string]string{
		spec:    fmt.Sprintf(historySpec, "30d"),
		samples: orders.openMetrics(end, time.Minute, "127.0.0.1:1", incident{from: at(15, 6), to: at(15, 8)}),
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	url := storedBy(t, dir, samples, "127.0.0.1:1", "none.yaml").url
	args := []string{"backtest", spec, "--prometheus.url=" + url, "--from=" + from.Format(time.RFC3339), "--to=" + end.Format(time.RFC3339), "--format=json"}
	whole := output(t, built.upheld, args...)
	type alert struct {
		Labels   map[string]string
		Firing   time.Time
		Resolved time.Time
	}
	var result struct {
		Results []struct {
			Holes  []struct{ From, To time.Time }
			Alerts []alert
		}
	}
	if err := json.Unmarshal(whole, &result); err != nil {
		t.Fatal(err)
	}
	got := result.Results[0]
	if len(got.Holes) != 1 || !got.Holes[0].From.Equal(at(15, 6)) || !got.Holes[0].To.Equal(at(15, 8)) {
		t.Errorf("holes %v", got.Holes)
	}
	var told []string
	for _, a := range got.Alerts {
		if a.Labels["alertname"] != "SLABudgetBurn" {
			continue
		}
		for i, planted := range orders.incidents {
			if !a.Firing.Before(planted.from) && a.Firing.Before(planted.to.Add(time.Hour)) {
				told = append(told, fmt.Sprintf("incident %d: %s", i, a.Labels["severity"]))
			}
		}
	}
	// The slow burn is a ticket, since it takes days to matter; an outage of a
	// quarter of an hour is one page.
	if diff := cmp.Diff([]string{"incident 0: page", "incident 1: page", "incident 2: ticket"}, told); diff != "" {
		t.Errorf("%s\n%s", diff, whole)
	}

	state := filepath.Join(dir, "state")
	args = append(args, "--state="+state)
	cmd := exec.Command(built.upheld, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, time.Minute, "some pieces are kept", func() error {
		if kept, _ := filepath.Glob(filepath.Join(state, "*.piece")); len(kept) < 10 {
			return fmt.Errorf("%d pieces", len(kept))
		}
		return nil
	})
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if again := output(t, built.upheld, args...); !bytes.Equal(whole, again) {
		t.Errorf("a run that was killed and called again differs:\n%s", cmp.Diff(string(whole), string(again)))
	}
}

func output(t *testing.T, program string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(program, args...)
	var notes strings.Builder
	cmd.Stderr = &notes
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, notes.String())
	}
	return out
}

// TestBackfilledSeriesGoOnIntoLiveOnes gives a Prometheus that has just begun to evaluate
// rules their past. Budgets are then right at once, and no alert begins.
func TestBackfilledSeriesGoOnIntoLiveOnes(t *testing.T) {
	t.Parallel()
	built := build(t)
	dir := t.TempDir()
	begin := time.Now().UTC().Truncate(time.Second)
	orders := shopOrders{from: begin.Add(-26 * time.Hour)}
	orders.incidents = []incident{{begin.Add(-20 * time.Hour), begin.Add(-20*time.Hour + time.Minute), 0.5}}
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		now := time.Now().UTC()
		fmt.Fprintf(w, "orders_total{code=\"200\"} %v\norders_total{code=\"500\"} %v\n", orders.until(now, false), orders.until(now, true))
	}))
	defer target.Close()
	instance := strings.TrimPrefix(target.URL, "http://")
	spec, samples := filepath.Join(dir, "shop.yaml"), filepath.Join(dir, "samples.om")
	for name, text := range map[string]string{
		spec:    fmt.Sprintf(historySpec, "1d"),
		samples: orders.openMetrics(begin, 5*time.Second, instance, incident{}),
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const interval = "--rules.interval=10s" // the second layer in 50 s
	run(t, dir, built.upheld, "generate", spec, "-o", filepath.Join(dir, "generated"), interval)
	stored := storedBy(t, dir, samples, instance, filepath.Join(dir, "generated/rules/*.yaml"))
	url, data := stored.url, stored.data
	server := prometheus{strings.TrimPrefix(url, "http://")}
	left := func() (float64, error) {
		found, err := server.query(`sla:budget_remaining:ratio_period`)
		if err != nil || len(found) != 1 {
			return 0, fmt.Errorf("%v: %w", found, err)
		}
		return found[0].value(), nil
	}
	await(t, 4*time.Minute, "the rules record a budget", func() error { _, err := left(); return err })
	fresh, _ := left()
	if fresh < 0.999 {
		t.Fatalf("the budget is %v before it has a past", fresh)
	}
	past := filepath.Join(dir, "past")
	run(t, dir, built.upheld, "backfill", spec, "--prometheus.url="+url, "-o", past, interval)
	blocks, err := os.ReadDir(past)
	if err != nil || len(blocks) == 0 {
		t.Fatal(blocks, err)
	}
	var memory struct{ HeadStats struct{ MinTime int64 } }
	if err := server.get("/api/v1/status/tsdb", nil, &memory); err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks {
		var meta struct{ MaxTime int64 }
		text, err := os.ReadFile(filepath.Join(past, b.Name(), "meta.json"))
		if err == nil {
			err = json.Unmarshal(text, &meta)
		}
		if err != nil || meta.MaxTime > memory.HeadStats.MinTime {
			t.Errorf("a block ends at %d, within what the server has in memory only, since %d (%v)", meta.MaxTime, memory.HeadStats.MinTime, err)
		}
		if err := os.Rename(filepath.Join(past, b.Name()), filepath.Join(data, b.Name())); err != nil {
			t.Fatal(err)
		}
	}
	// Of 864,000 orders a day, 864 may fail, and 300 did.
	const want = 1 - 300.0/864
	await(t, 5*time.Minute, "the live budget has the past", func() error {
		got, err := left()
		if err == nil && (got < want-0.01 || got > want+0.01) {
			err = fmt.Errorf("%v is left, want %v", got, want)
		}
		return err
	})
	before, err := server.query(`min_over_time(sla:budget_remaining:ratio_period[1d:1m] offset 5m)`)
	if err != nil || len(before) != 1 || before[0].value() < want-0.01 {
		t.Errorf("the least that was left in the past is %v, %v, want %v", before, err, want)
	}
	alerts, err := server.query(`ALERTS`)
	if err != nil || len(alerts) > 0 {
		t.Errorf("alerts %v, %v", alerts, err)
	}
	// A block takes nothing from the server that it has in memory only, also if it starts
	// again: then it forgets what is older than the end of its last block.
	count := func() float64 {
		found, err := server.query(`count_over_time(orders_total{code="200"}[1h])`)
		if err != nil || len(found) != 1 {
			t.Fatalf("%v, %v", found, err)
		}
		return found[0].value()
	}
	scraped := count()
	stored.process.end(t)
	stored.again()
	if got := count(); got < scraped-2 {
		t.Errorf("%v samples of the last hour are left of %v", got, scraped)
	}
	// What is there is not recorded twice.
	cmd := exec.Command(built.upheld, "backfill", spec, "--prometheus.url="+url, "-o", past+"2", interval, "--to="+time.Now().UTC().Format(time.RFC3339))
	if text, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(text), "the server has samples of these series already, from") {
		t.Errorf("a second past: %v\n%s", err, text)
	}
	run(t, dir, built.upheld, "backfill", spec, "--prometheus.url="+url, "-o", past+"3", interval, "--replace", "--to="+begin.Format(time.RFC3339))
}
