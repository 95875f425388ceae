package exporter_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter"
	"github.com/upheld-sla/upheld/exporter/guard"
	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/internal/logtest"
	"github.com/upheld-sla/upheld/sla"
)

// fleet is a level whose targets are found.
func fleet(pattern string, d sla.Discovery) sla.ProbeTarget {
	t := webTarget("fleet", pattern, 100*time.Millisecond)
	d.Pattern = pattern
	if d.Refresh == 0 {
		d.Refresh = 50 * time.Millisecond
	}
	if d.Limit == 0 {
		d.Limit = 100
	}
	t.Probe.Discovery = &d
	return t
}

// address is host:port of a server.
func address(url string) string { return strings.TrimPrefix(url, "http://") }

func TestTargetsOfAFileComeAndGo(t *testing.T) {
	t.Parallel()
	a, b := address(wellServer(t)), address(wellServer(t))
	list := filepath.Join(t.TempDir(), "targets.json")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(list+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(list+".new", list); err != nil {
			t.Fatal(err)
		}
	}
	write(fmt.Sprintf(`[{"targets": [%q], "labels": {"region": "e\"u", "rack": "7"}}]`, a))
	e := exporter.New(exporter.Options{})
	if err := e.Apply([]sla.ProbeTarget{fleet("http://${target}/", sla.Discovery{Files: []string{list}, Labels: []string{"region", "zone"}})}); err != nil {
		t.Fatal(err)
	}
	of := func(address string) float64 {
		return counter(t, scrape(t, e.Metrics()), "upheld_probe_results_total", `outcome="good"`, `target="http://`+address+`/"`)
	}
	gauge := func(name string) float64 { return counter(t, scrape(t, e.Metrics()), name) }
	start(t, e)
	eventually(t, "the first target", func() bool { return of(a) >= 2 })
	if text := scrape(t, e.Metrics()); !strings.Contains(text, `target="http://`+a+`/",region="e\"u",zone=""}`) {
		t.Errorf("the labels of the list are not in\n%s", text)
	}
	before := of(a)
	write(fmt.Sprintf(`[{"targets": [%q, %q], "labels": {"region": "e\"u"}}, {"targets": [%q], "labels": {"region": "us"}}]`, b, a, a))
	eventually(t, "the second target", func() bool { return of(b) >= 2 })
	if of(a) < before || gauge("upheld_exporter_discovery_targets") != 2 || gauge("upheld_exporter_discovery_ok") != 1 {
		t.Errorf("a target that stays lost its counts, or is there twice:\n%s", scrape(t, e.Metrics()))
	}
	write(`[{"targets": ["not JSON`)
	eventually(t, "the mistake to be seen", func() bool { return gauge("upheld_exporter_discovery_ok") == 0 })
	kept := of(b)
	eventually(t, "the targets to stay as they were", func() bool { return of(b) > kept && gauge("upheld_exporter_discovery_targets") == 2 })
	write(fmt.Sprintf(`[{"targets": [%q, "no:such:port"]}]`, b))
	eventually(t, "the first target to go", func() bool { return !strings.Contains(scrape(t, e.Metrics()), a) })
	if gauge("upheld_exporter_discovery_ok") != 0 || gauge("upheld_exporter_discovery_targets_left_out") != 1 {
		t.Error("a target that cannot be probed is no failure of the discovery")
	}
	if n := len(e.Recent(sla.ID{SLA: "shop", Service: "storefront", SLO: "fleet"})); n == 0 {
		t.Error("the level has no history")
	}
}

func TestTargetsOfAServerAndOfDNS(t *testing.T) {
	t.Parallel()
	a := address(wellServer(t))
	var broken atomic.Bool
	inventory := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode([]map[string]any{{"targets": []string{a}}})
	}))
	t.Cleanup(inventory.Close)
	port := a[strings.LastIndex(a, ":")+1:]
	var number int
	_, _ = fmt.Sscan(port, &number)
	byName := fleet("http://${target}/", sla.Discovery{DNS: &sla.DNSDiscovery{Name: "well.test", Type: "A", Port: number}})
	byName.ID.SLO = "by-name"
	e := exporter.New(exporter.Options{Probe: probe.Env{Resolver: stormResolver(t)}})
	if err := e.Apply([]sla.ProbeTarget{fleet("http://${target}/", sla.Discovery{URL: inventory.URL}), byName}); err != nil {
		t.Fatal(err)
	}
	start(t, e)
	good := func(level string) float64 {
		return counter(t, scrape(t, e.Metrics()), "upheld_probe_results_total", `outcome="good"`, `slo="`+level+`"`, a)
	}
	eventually(t, "targets of both", func() bool { return good("fleet") > 0 && good("by-name") > 0 })
	broken.Store(true)
	ok := func() float64 {
		return counter(t, scrape(t, e.Metrics()), "upheld_exporter_discovery_ok", `slo="fleet"`)
	}
	eventually(t, "the server's failure", func() bool { return ok() == 0 })
	kept := good("fleet")
	eventually(t, "the target to stay", func() bool { return good("fleet") > kept })
}

// TestALookThatFailedIsRepeatedSoon has a server of targets that comes up after
// the exporter.
func TestALookThatFailedIsRepeatedSoon(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	inventory := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = io.WriteString(w, `[{"targets": ["127.0.0.1:9"]}]`)
	}))
	t.Cleanup(inventory.Close)
	e := exporter.New(exporter.Options{})
	if err := e.Apply([]sla.ProbeTarget{fleet("http://${target}/", sla.Discovery{URL: inventory.URL, Refresh: time.Hour})}); err != nil {
		t.Fatal(err)
	}
	start(t, e)
	eventually(t, "the target", func() bool { return strings.Contains(scrape(t, e.Metrics()), `target="http://127.0.0.1:9/"`) })
	if n := asked.Load(); n != 2 {
		t.Errorf("the server was asked %d times", n)
	}
}

// TestShardsDivideAFleet gives each of three exporters its part of one level.
func TestShardsDivideAFleet(t *testing.T) {
	level := fleet("http://${target}/", sla.Discovery{Refresh: time.Hour})
	for i := range 60 {
		level.Probe.Discovery.Static = append(level.Probe.Discovery.Static, fmt.Sprintf("host-%d.example", i))
	}
	seen := map[string]int{}
	for i := range 3 {
		e := exporter.New(exporter.Options{Shard: exporter.Shard{Number: i + 1, Of: 3}})
		if err := e.Apply([]sla.ProbeTarget{level}); err != nil {
			t.Fatal(err)
		}
		text := scrape(t, e.Metrics())
		for _, host := range level.Probe.Discovery.Static {
			if strings.Contains(text, `target="http://`+host+`/"`) {
				seen[host]++
			}
		}
	}
	for _, host := range level.Probe.Discovery.Static {
		if seen[host] != 1 {
			t.Errorf("%s is probed by %d of the shards", host, seen[host])
		}
	}
}

// TestServersOfTargetsAreGuarded: who can write a specification, or answer for
// a list, must not make the exporter ask where it may not.
func TestServersOfTargetsAreGuarded(t *testing.T) {
	var reached atomic.Int64
	secret := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reached.Add(1)
		_, _ = io.WriteString(w, `[{"targets": ["a.example:1"]}]`)
	}))
	t.Cleanup(secret.Close)
	limits, err := guard.New(guard.Options{DenyCIDR: []string{"loopback"}})
	if err != nil {
		t.Fatal(err)
	}
	direct := fleet("http://${target}/", sla.Discovery{URL: secret.URL})
	proxied := fleet("http://${target}/", sla.Discovery{URL: "http://list.example/", Access: &sla.ListAccess{Proxy: &sla.Proxy{URL: secret.URL}}})
	numbered := fleet("http://${target}/", sla.Discovery{URL: strings.Replace(secret.URL, "127.0.0.1", "2130706433", 1)})
	token := fleet("http://${target}/", sla.Discovery{URL: "http://list.example/", Access: &sla.ListAccess{
		Auth: &sla.HTTPAuth{OAuth2: &sla.OAuth2{ClientID: "a", ClientSecret: sla.Secret{File: os.Args[0] + ".none"}, TokenURL: secret.URL}},
	}})
	proxied.ID.SLO, numbered.ID.SLO, token.ID.SLO = "proxied", "numbered", "token"
	var log logtest.Buffer
	e := exporter.New(exporter.Options{Logger: slog.New(slog.NewTextHandler(&log, nil)), Probe: probe.Env{Guard: limits}})
	if err := e.Apply([]sla.ProbeTarget{direct, proxied, numbered, token}); err != nil {
		t.Fatal(err)
	}
	start(t, e)
	eventually(t, "refusals of all", func() bool { return strings.Count(log.String(), "targets not looked up") == 4 })
	if n := strings.Count(log.String(), "is denied"); n < 3 || reached.Load() > 0 { // the token's secret cannot be read
		t.Errorf("the server was asked %d times; %d refusals in\n%s", reached.Load(), n, log.String())
	}
	if text := scrape(t, e.Metrics()); strings.Contains(text, "a.example") || counter(t, text, "upheld_exporter_discovery_ok") != 0 {
		t.Errorf("targets of a server that may not be asked:\n%s", text)
	}
}

// TestWhatCannotExistIsLeftOut of a list, rather than counted as down.
func TestWhatCannotExistIsLeftOut(t *testing.T) {
	good := address(wellServer(t))
	for pattern, bad := range map[string][]string{
		"${target}": {
			"host:abc", "127.0.0.1:47090?q=1", "127.0.0.1:47090#f", "127.0.0.1:65536", "127.0.0.1:0", "a..b:80", ".example:80", "*.example:80", strings.Repeat("a", 300) + ":80",
			"bob:pw-first@" + good, "bob:pw-second@" + good,
		}, // which look the same in the log
		"http://${target}/": {"http://" + good, "host:abc", "a..b:80", "127.0.0.1:0"},
	} {
		list := filepath.Join(t.TempDir(), "list.json")
		text, _ := json.Marshal([]map[string]any{{"targets": append([]string{good}, bad...)}})
		if err := os.WriteFile(list, text, 0o600); err != nil {
			t.Fatal(err)
		}
		level := fleet(pattern, sla.Discovery{Files: []string{list}})
		if pattern == sla.TargetVariable {
			level.Probe.Check = &sla.TCPCheck{Address: pattern}
		}
		e := exporter.New(exporter.Options{})
		if err := e.Apply([]sla.ProbeTarget{level}); err != nil {
			t.Fatal(err)
		}
		start(t, e)
		eventually(t, "the good entry", func() bool {
			return counter(t, scrape(t, e.Metrics()), "upheld_probe_results_total", `outcome="good"`) > 0
		})
		metrics := scrape(t, e.Metrics())
		if out := counter(t, metrics, "upheld_exporter_discovery_targets_left_out"); out != float64(len(bad)) || counter(t, metrics, "upheld_probe_results_total", `outcome="bad"`) > 0 {
			t.Errorf("%s: %v of %d are left out\n%s", pattern, out, len(bad), metrics)
		}
	}
}

// TestAnEntryThatCannotBeUsedIsLeftOut: whatever stands in a list, the other
// entries are probed, other levels find theirs, and the log says so once.
func TestAnEntryThatCannotBeUsedIsLeftOut(t *testing.T) {
	a, b, c := address(wellServer(t)), address(wellServer(t)), address(wellServer(t))
	var mu sync.Mutex
	lists := map[string][]string{
		"/fleet": {a, "bob:pw-first@" + b, "bob:pw-second@" + b, "", "   ", "two words", "no:such:port"},
		"/other": {a},
	}
	inventory := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		_ = json.NewEncoder(w).Encode([]map[string]any{{"targets": lists[r.URL.Path]}})
	}))
	t.Cleanup(inventory.Close)
	first := fleet("http://${target}/", sla.Discovery{URL: inventory.URL + "/fleet"})
	second := fleet("http://${target}/", sla.Discovery{URL: inventory.URL + "/other"})
	second.ID.SLO = "other"
	var log logtest.Buffer
	e := exporter.New(exporter.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err := e.Apply([]sla.ProbeTarget{first, second}); err != nil {
		t.Fatal(err)
	}
	start(t, e)
	good := func(level, address string) float64 {
		return counter(t, scrape(t, e.Metrics()), "upheld_probe_results_total", `outcome="good"`, `slo="`+level+`"`, address)
	}
	gauge := func(name, level string) float64 {
		return counter(t, scrape(t, e.Metrics()), "upheld_exporter_discovery_"+name, `slo="`+level+`"`)
	}
	eventually(t, "the entries that can be used", func() bool { return good("fleet", a) > 0 && good("fleet", b) > 0 && good("other", a) > 0 })
	if out, ok := gauge("targets_left_out", "fleet"), gauge("ok", "fleet"); out != 5 || ok != 0 || gauge("targets_left_out", "other") != 0 || gauge("ok", "other") != 1 {
		t.Errorf("%v are left out, ok %v\n%s", out, ok, scrape(t, e.Metrics()))
	}
	mu.Lock()
	lists["/other"] = []string{a, c} // a later list of another level
	mu.Unlock()
	eventually(t, "the later list", func() bool { return good("other", c) > 0 })
	mu.Lock()
	lists["/fleet"] = []string{a, "bob:pw-first@" + b, "bob:pw-second@" + b, c} // and of this one
	mu.Unlock()
	eventually(t, "the later list", func() bool { return good("fleet", c) > 0 && gauge("targets_left_out", "fleet") == 1 })
	text := log.String()
	for entry, times := range map[string]int{`target="\"<hidden>@` + b + `\""`: 1, `target="\"two words\""`: 1, `target="\"\""`: 1, `target="\"   \""`: 1, `no:such:port`: 1} {
		if n := strings.Count(text, entry); n != times {
			t.Errorf("%s is told %d times in\n%s", entry, n, text)
		}
	}
	if strings.Contains(text+scrape(t, e.Metrics()), "pw-") {
		t.Errorf("a password is told:\n%s", text)
	}
	mu.Lock()
	lists["/fleet"] = []string{a}
	mu.Unlock()
	eventually(t, "all to be well", func() bool { return gauge("ok", "fleet") == 1 && gauge("targets_left_out", "fleet") == 0 })
}
