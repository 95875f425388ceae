package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/logtest"
)

const servedSpec = `
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  serviceLevels:
    - name: availability
      indicator: {probe: {tcp: "127.0.0.1:9", interval: 1s}}
      target: "99.9"
`

// servePatience is how long anything may take on a slow machine.
const servePatience = time.Minute

// served is a running "upheld serve".
type served struct {
	t      *testing.T
	cmd    *exec.Cmd
	url    string
	stderr *logtest.Buffer
}

// startServe runs the command in dir and waits for the line with its URL.
func startServe(t *testing.T, dir string) *served {
	t.Helper()
	return startServeBy(t, dir)
}

// startServeBy has another program start the command.
func startServeBy(t *testing.T, dir string, by ...string) *served {
	t.Helper()
	s := &served{t: t, stderr: &logtest.Buffer{}}
	args := append(by, "upheld", "serve", "shop.yaml", "--web.listen-address=127.0.0.1:0", "--scrape.interval=1s", "--rules.interval=1s")
	s.cmd = exec.Command(args[0], args[1:]...)
	s.cmd.Dir = dir
	s.cmd.Stderr = s.stderr
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill() // fails where the test has ended it
		if t.Failed() {
			t.Logf("stderr:\n%s", s.stderr)
		}
	})
	line := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(stdout).ReadString('\n')
		line <- text
	}()
	select {
	case text := <-line:
		address, ok := strings.CutPrefix(strings.TrimSpace(text), "Upheld is at ")
		if !ok {
			t.Fatalf("the first line is %q\n%s", text, s.stderr)
		}
		s.url = address
	case <-time.After(servePatience):
		t.Fatal("serve did not say where it is")
	}
	return s
}

// samples is how many the storage has of the scrapes of the last hour.
func (s *served) samples() float64 {
	s.t.Helper()
	resp, err := http.Get(s.url + "/api/v1/query?query=" + url.QueryEscape(`count_over_time(up[1h])`))
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Data struct {
			Result []struct {
				Value [2]any `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		s.t.Fatalf("%v in %s", err, body)
	}
	if len(answer.Data.Result) != 1 {
		return 0
	}
	text, _ := answer.Data.Result[0].Value[1].(string)
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		s.t.Fatalf("%v in %s", err, body)
	}
	return n
}

func (s *served) wait(what string, holds func() bool) {
	s.t.Helper()
	pause := 50 * time.Millisecond
	for deadline := time.Now().Add(servePatience); !holds(); time.Sleep(pause) {
		if time.Now().After(deadline) {
			s.t.Fatalf("in %s it did not come about that %s", servePatience, what)
		}
		pause = min(pause*5/4, 250*time.Millisecond)
	}
}

func (s *served) signal(sig os.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// TestServeSignals reloads by SIGHUP, with a mistake and without, crashes, and
// ends by SIGTERM; the samples outlive all of that.
func TestServeSignals(t *testing.T) {
	dir := t.TempDir()
	specFile := filepath.Join(dir, "shop.yaml")
	writeSpec := func(content string) {
		t.Helper()
		if err := os.WriteFile(specFile, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	writeSpec(servedSpec)
	s := startServe(t, dir)
	s.wait("there are samples", func() bool { return s.samples() >= 2 })

	writeSpec(strings.Replace(servedSpec, "99.9", "101", 1))
	s.signal(syscall.SIGHUP)
	s.wait("the mistake is logged", func() bool {
		return strings.Contains(s.stderr.String(), "Reload failed") && strings.Contains(s.stderr.String(), "shop.yaml:9:15")
	})
	writeSpec(servedSpec)
	s.signal(syscall.SIGHUP)
	s.wait("the reload is logged", func() bool { return strings.Count(s.stderr.String(), "Specifications loaded") == 2 })

	before := s.samples()
	s.signal(syscall.SIGKILL)
	_ = s.cmd.Wait() // says that it was killed
	s = startServe(t, dir)
	if after := s.samples(); after < before {
		t.Errorf("after a crash there are %v samples, before it were %v", after, before)
	}
	s.signal(syscall.SIGTERM)
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	if log := s.stderr.String(); strings.Contains(log, "level=ERROR") {
		t.Errorf("errors were logged:\n%s", log)
	}
	if _, err := os.Stat(filepath.Join(dir, "data", "lock")); !os.IsNotExist(err) {
		t.Errorf("the lock of the storage is left behind: %v", err)
	}
}

// TestServeWithFewDescriptors has many levels and few files that may be open:
// probes are missed, which the page says, none is bad, pages are shown and samples kept.
func TestServeWithFewDescriptors(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(100 * time.Millisecond) }))
	t.Cleanup(target.Close)
	dir := t.TempDir()
	text := strings.SplitAfter(servedSpec, "serviceLevels:\n")[0]
	for i := range 60 {
		text += fmt.Sprintf("    - {name: level-%d, target: '99.9', indicator: {probe: {http: %q, interval: 1s}}}\n", i, target.URL)
	}
	if err := os.WriteFile(filepath.Join(dir, "shop.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startServeBy(t, dir, "sh", "-c", `ulimit -n 64 && exec "$0" "$@"`)
	get := func(path string) string {
		resp, err := http.Get(s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s %v", path, resp.Status, err)
		}
		return string(body)
	}
	missed := regexp.MustCompile(`(?m)^upheld_probe_failures_total\{.*reason="overload".*\} [1-9]`)
	s.wait("probes are missed, which is told", func() bool { return missed.MatchString(get("/metrics")) })
	s.wait("samples are kept", func() bool { return s.samples() >= 5 })
	get("/-/healthy")
	if page := get("/level/shop/shop/level-7"); !strings.Contains(page, "level-7") {
		t.Errorf("a page without its level:\n%s", page)
	}
	for line := range strings.Lines(get("/metrics")) {
		if (strings.Contains(line, `reason="no_fd"`) || strings.Contains(line, `outcome="bad"`)) && !strings.HasSuffix(line, " 0\n") {
			t.Error(line)
		}
	}
	if log := s.stderr.String(); !strings.Contains(log, "Fewer probes will run at once") || strings.Contains(log, "too many open files") {
		t.Errorf("the log says:\n%s", log)
	}
}
