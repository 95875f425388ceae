package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/upheld-sla/upheld/internal/testsize"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"upheld-exporter": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: filepath.Join("testdata", "script")})
}

// TestDependencies keeps the daemon small: it measures, and what judges stays
// out of it.
func TestDependencies(t *testing.T) {
	banned := map[string]string{
		"github.com/prometheus/prometheus":               "the rule engine, its parser and its storage are for cmd/upheld",
		"github.com/upheld-sla/upheld/rulegen":           "exporter and rulegen share only names",
		"github.com/grafana/grafana-foundation-sdk":      "dashboards are for cmd/upheld",
		"github.com/upheld-sla/upheld/internal/serve":    "serve embeds the exporter, not the other way round",
		"github.com/prometheus/client_golang/api":        "the exporter queries nobody",
		"github.com/prometheus/blackbox_exporter/prober": "probers are our own; blackbox_exporter's are what tests hold them to",
	}
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	deps := strings.Fields(string(out))
	if len(deps) < 50 {
		t.Fatalf("go list names only %d packages", len(deps))
	}
	for _, dep := range deps {
		for prefix, why := range banned {
			if dep == prefix || strings.HasPrefix(dep, prefix+"/") {
				t.Errorf("upheld-exporter imports %s: %s", dep, why)
			}
		}
	}
}

func TestExitCodes(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.yaml")
	for _, c := range []struct {
		args []string
		code int
	}{
		{[]string{"--help"}, 0},
		{[]string{"--version"}, 0},
		{[]string{"--spec.file", missing, "--config.check"}, exitFailed},
		{[]string{"--spec.file", missing}, exitFailed},
		{nil, exitUsage},
		{[]string{"--nonsense"}, exitUsage},
		{[]string{"shop.yaml"}, exitUsage},
		{[]string{"--spec.file", missing, "--location", ""}, exitUsage},
	} {
		if code := run(c.args, io.Discard, io.Discard); code != c.code {
			t.Errorf("%q exits with %d, want %d", c.args, code, c.code)
		}
	}
}

// TestBinaryIsSmall builds the daemon as releases do.
func TestBinaryIsSmall(t *testing.T) {
	testsize.Skip(t, "how large a stripped binary is")
	path := filepath.Join(t.TempDir(), "upheld-exporter")
	build := exec.Command("go", "build", "-ldflags", "-s -w", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > 30_000_000 {
		t.Errorf("the stripped binary has %d bytes, more than 30 MB", info.Size())
	}
	t.Logf("stripped binary: %.1f MB", float64(info.Size())/1e6)
}

const oneLevel = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  serviceLevels:
    - name: availability
      indicator: {probe: {http: %q, interval: 1s, headers: {X-Api-Key: s3cret}}}
      target: "99.9"
`

// daemon is a running upheld-exporter.
type daemon struct {
	t       *testing.T
	command *exec.Cmd
	url     string

	mu  sync.Mutex
	log strings.Builder
}

var listening = regexp.MustCompile(`msg="Listening on" address=(\S+)`)

func startDaemon(t *testing.T, args ...string) *daemon {
	t.Helper()
	return startDaemonWith(t, nil, args...)
}

// startDaemonWith has another program start the daemon.
func startDaemonWith(t *testing.T, by []string, args ...string) *daemon {
	t.Helper()
	exe, err := exec.LookPath("upheld-exporter") // testscript.Main put it there
	if err != nil {
		t.Fatal(err)
	}
	line := append(append(by, exe), append([]string{"--web.listen-address=127.0.0.1:0"}, args...)...) // unless they say otherwise
	d := &daemon{t: t, command: exec.CommandContext(t.Context(), line[0], line[1:]...)}
	stderr, err := d.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.command.Start(); err != nil {
		t.Fatal(err)
	}
	found := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			d.mu.Lock()
			d.log.WriteString(lines.Text() + "\n")
			d.mu.Unlock()
			if m := listening.FindStringSubmatch(lines.Text()); m != nil {
				found <- m[1]
			}
		}
	}()
	select {
	case address := <-found:
		d.url = "http://" + address
	case <-time.After(60 * time.Second):
		t.Fatalf("does not listen; log:\n%s", d.text())
	}
	return d
}

func (d *daemon) text() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.String()
}

func (d *daemon) ask(method, path string) (int, string) {
	d.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, d.url+path, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

func (d *daemon) eventually(what, text string, read func() string) {
	d.t.Helper()
	pause := 20 * time.Millisecond // and more the longer it takes: metrics may be of hundreds of targets
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(pause) {
		if strings.Contains(read(), text) {
			return
		}
		pause = min(pause*5/4, 200*time.Millisecond)
	}
	d.t.Fatalf("no %q in %s; log:\n%s\n%s", text, what, d.text(), read())
}

func (d *daemon) metrics() string {
	_, text := d.ask(http.MethodGet, "/metrics")
	return text
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestLifeOfTheDaemon(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer srv.Close()
	file := filepath.Join(t.TempDir(), "shop.yaml")
	good := fmt.Sprintf(oneLevel, srv.URL)
	write(t, file, good)
	d := startDaemon(t, "--spec.file", file, "--location", "fra1")

	d.eventually("metrics", `upheld_probe_last_outcome_good{location="fra1",service="shop",sla="shop",slo="availability",target="`+srv.URL+`"} 1`, d.metrics)
	if code, _ := d.ask(http.MethodGet, "/-/ready"); code != http.StatusOK {
		t.Errorf("ready: %d", code)
	}

	write(t, file, strings.Replace(good, "99.9", "199", 1)+"  colour: blue\n")
	code, text := d.ask(http.MethodPost, "/-/reload")
	if code != http.StatusInternalServerError || !strings.Contains(text, file+":8:") || !strings.Contains(text, file+":9:") {
		t.Errorf("reload of two mistakes: %d %s", code, text)
	}
	d.eventually("log", "colour", d.text)
	if !strings.Contains(d.metrics(), "upheld_exporter_config_last_reload_successful 0\n") || !strings.Contains(d.metrics(), "upheld_exporter_targets 1\n") {
		t.Error("the failed reload does not show, or took the targets")
	}

	write(t, file, strings.Replace(good, "availability", "renamed", 1))
	if err := d.command.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	d.eventually("metrics after SIGHUP", `slo="renamed"`, d.metrics)
	if text := d.metrics(); strings.Contains(text, `slo="availability"`) || !strings.Contains(text, "upheld_exporter_config_last_reload_successful 1\n") {
		t.Error("the reload did not replace the targets")
	}

	if err := d.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := d.command.Wait(); err != nil {
		t.Errorf("the daemon ended with %v; log:\n%s", err, d.text())
	}
	if strings.Contains(d.text(), "s3cret") {
		t.Error("the log tells a header")
	}
}

func TestDeniedTargetsAreNotProbed(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("got %s", r.URL) }))
	defer srv.Close()
	file := filepath.Join(t.TempDir(), "shop.yaml")
	write(t, file, fmt.Sprintf(oneLevel, srv.URL))
	d := startDaemon(t, "--spec.file", file, "--probe.deny-cidr", "loopback")
	d.eventually("metrics", `upheld_probe_failures_total{location="default",reason="denied"`, d.metrics)
	if text := d.metrics(); !strings.Contains(text, `outcome="bad",service="shop",sla="shop",slo="availability",target="`+srv.URL+`"} 0`+"\n") {
		t.Errorf("a refusal counts as the target's:\n%s", text)
	}
}

// TestFewDescriptorsLeaveRoomForScrapes starts the daemon with a limit on open
// files below what its probes could use: two of each probe, and 64 to spare.
func TestFewDescriptorsLeaveRoomForScrapes(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(200 * time.Millisecond) }))
	defer srv.Close()
	file := filepath.Join(t.TempDir(), "shop.yaml")
	var levels strings.Builder
	fmt.Fprintf(&levels, oneLevel, srv.URL)
	for i := range 400 {
		fmt.Fprintf(&levels, "    - {name: level-%d, indicator: {probe: {http: %q, interval: 5s}}, target: \"99.9\"}\n", i, srv.URL)
	}
	write(t, file, levels.String())
	d := startDaemonWith(t, []string{"sh", "-c", `ulimit -n 96 && exec "$0" "$@"`}, "--spec.file", file)
	d.eventually("log", "ulimit -n, LimitNOFILE=", d.text)
	d.eventually("metrics", "upheld_exporter_probes_in_flight_limit 16\n", d.metrics)
	d.eventually("good results", `outcome="good",service="shop",sla="shop",slo="level-399",target="`+srv.URL+`"} 1`, d.metrics)
	text := d.metrics() // still answers
	for line := range strings.Lines(text) {
		if (strings.Contains(line, `reason="no_fd"`) || strings.Contains(line, `outcome="bad"`)) && !strings.HasSuffix(line, " 0\n") {
			t.Error(line)
		}
	}
}
