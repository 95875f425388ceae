package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
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
	stderr *syncBuffer
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// startServe runs the command in dir and waits for the line with its URL.
func startServe(t *testing.T, dir string) *served {
	t.Helper()
	s := &served{t: t, stderr: &syncBuffer{}}
	s.cmd = exec.Command("upheld", "serve", "shop.yaml", "--web.listen-address=127.0.0.1:0", "--scrape.interval=1s", "--rules.interval=1s")
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
	for deadline := time.Now().Add(servePatience); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("in %s it did not come about that %s", servePatience, what)
		}
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
