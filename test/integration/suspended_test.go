//go:build integration

package integration

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// impatient are servers that answer in steps, as slowly as probes just allow, and
// hang up on a client that is silent for two seconds: each probe has some moment
// at which its process may be stopped, and what it then finds is the server's
// impatience.
type impatient struct {
	mu      sync.Mutex
	slowest time.Duration // beyond what a step should take: a machine that is busy
}

const (
	impatientStep = 120 * time.Millisecond
	patientFor    = 2 * time.Second
	// impatientBusy is what the servers may be late by without their probes failing.
	impatientBusy = 100 * time.Millisecond
)

// pause is a step of a server.
func (s *impatient) pause() {
	began := time.Now()
	time.Sleep(impatientStep)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slowest = max(s.slowest, time.Since(began)-impatientStep)
}

func (s *impatient) busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.slowest > impatientBusy
}

// listen answers each connection with serve.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	return l.Addr().String()
}

// dialogue greets, and once more for each line.
func (s *impatient) dialogue(c net.Conn) {
	lines := bufio.NewReader(c)
	for range 5 {
		s.pause()
		_, _ = io.WriteString(c, "220 go on\r\n")
		_ = c.SetReadDeadline(time.Now().Add(patientFor))
		if _, err := lines.ReadString('\n'); err != nil {
			_, _ = io.WriteString(c, "421 you are too slow\r\n")
			return
		}
	}
}

// page answers a request byte by byte.
func (s *impatient) page(c net.Conn) {
	_ = c.SetReadDeadline(time.Now().Add(patientFor))
	if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
		return
	}
	_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n")
	for range 5 {
		s.pause()
		_, _ = io.WriteString(c, "x")
	}
}

// suspendedLevels are levels of such servers, of each kind several, so that some
// probe is in the middle of something at each moment.
func suspendedLevels(t *testing.T, s *impatient) (specFile string) {
	t.Helper()
	dialogue, page := listen(t, s.dialogue), listen(t, s.page)
	var text strings.Builder
	text.WriteString("apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: shop}\nspec:\n  serviceLevels:\n")
	for i := range 4 {
		const step = `{expect: "^220"}, {send: hello}`
		fmt.Fprintf(&text, "    - {name: dialogue-%d, target: '99.9', indicator: {probe: {tcp: %q, interval: 1s, timeout: 900ms, dialogue: [%s]}}}\n", i, dialogue, strings.Repeat(step+", ", 4)+step)
		fmt.Fprintf(&text, "    - {name: page-%d, target: '99.9', indicator: {probe: {http: 'http://%s/', interval: 1s, timeout: 900ms}}}\n", i, page)
	}
	specFile = filepath.Join(t.TempDir(), "shop.yaml")
	if err := os.WriteFile(specFile, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return specFile
}

// suspend stops a process for some time.
func (p *process) suspend(t *testing.T, d time.Duration) {
	t.Helper()
	p.signal(t, syscall.SIGSTOP)
	time.Sleep(d)
	p.signal(t, syscall.SIGCONT)
}

var accounted = regexp.MustCompile(`(?m)^(upheld_probe_(?:owed|results)_total)\{([^}]*)\} (\d+)$`)

// account sums what became of the probes of each level: "owed", "good", "bad",
// "inconclusive", "missed" and "maintenance".
func account(address string) (map[string]map[string]int, error) {
	resp, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	label := func(labels, name string) string {
		_, after, _ := strings.Cut(labels, name+`="`)
		value, _, _ := strings.Cut(after, `"`)
		return value
	}
	all := map[string]map[string]int{}
	for _, m := range accounted.FindAllStringSubmatch(string(body), -1) {
		n, err := strconv.Atoi(m[3])
		if err != nil {
			return nil, err
		}
		slo, kind := label(m[2], "slo"), label(m[2], "outcome")
		if kind == "" {
			kind = "owed"
		}
		if all[slo] == nil {
			all[slo] = map[string]int{}
		}
		all[slo][kind] += n
	}
	return all, nil
}

// probed waits until each level has had a good probe, and returns the account.
func probed(t *testing.T, address string) map[string]map[string]int {
	t.Helper()
	var all map[string]map[string]int
	await(t, settle, "every level has been probed", func() (err error) {
		if all, err = account(address); err != nil {
			return err
		}
		for slo, a := range all {
			if a["good"] == 0 {
				return fmt.Errorf("%s: %v", slo, a)
			}
		}
		if len(all) != 8 {
			return fmt.Errorf("%d levels", len(all))
		}
		return nil
	})
	return all
}

// checkSuspended compares accounts of before and after a process stood still for
// so many seconds in all.
func checkSuspended(t *testing.T, s *impatient, before, after map[string]map[string]int, stood int) {
	t.Helper()
	blamed := 0
	for slo, a := range after {
		settled := a["good"] + a["bad"] + a["inconclusive"] + a["missed"]
		if open := a["owed"] - settled; open < 0 || open > 1 {
			t.Errorf("%s: %d probes were owed, %d are accounted for: %v", slo, a["owed"], settled, a)
		}
		if missed := a["missed"] - before[slo]["missed"]; missed < stood*8/10 {
			t.Errorf("%s: %d probes were missed in %d s", slo, missed, stood)
		}
		blamed += a["bad"] - before[slo]["bad"]
	}
	switch {
	case blamed > 0 && s.busy():
		t.Logf("%d probes were bad, of servers that were too busy to be in time", blamed)
	case blamed > 0:
		t.Errorf("%d probes were bad: %v", blamed, after)
	}
}

// TestExporterThatIsSuspended stops the exporter for 20 s, and often for moments
// that end in the middle of probes.
func TestExporterThatIsSuspended(t *testing.T) {
	t.Parallel() // with what mostly waits, too
	built, servers, address := build(t), &impatient{}, freeAddress(t)
	p := start(t, "upheld-exporter", built.exporter, "--spec.file="+suspendedLevels(t, servers), "--web.listen-address="+address)
	awaitReady(t, p, address)
	before := probed(t, address)
	stood := 20
	p.suspend(t, 20*time.Second)
	for i := range 8 {
		time.Sleep(2*time.Second + time.Duration(i)*130*time.Millisecond)
		p.suspend(t, 3*time.Second+time.Duration(i)*70*time.Millisecond)
		stood += 2 // whole ones, at least
	}
	time.Sleep(3 * time.Second)
	after, err := account(address)
	if err != nil {
		t.Fatal(err)
	}
	checkSuspended(t, servers, before, after, stood)
}

// TestServeThatIsSuspended stops upheld serve for a minute: nobody is notified
// anything, nothing is bad, and all goes on.
func TestServeThatIsSuspended(t *testing.T) {
	t.Parallel()
	built, servers, address := build(t), &impatient{}, freeAddress(t)
	var told atomic.Int64
	alertmanager := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { told.Add(1) }))
	t.Cleanup(alertmanager.Close)
	p := start(t, "serve", built.upheld, "serve", suspendedLevels(t, servers), "--web.listen-address="+address,
		"--storage.path="+filepath.Join(t.TempDir(), "data"), "--rules.interval=1s", "--scrape.interval=1s", "--alertmanager.url="+alertmanager.URL)
	awaitReady(t, p, address)
	server := prometheus{address}
	await(t, settle, "rules have been evaluated", func() error { return some(server, `sla:total:sum_period{slo="page-0"}`) })
	before := probed(t, address)
	p.suspend(t, time.Minute)
	awaitReady(t, p, address)
	time.Sleep(20 * time.Second) // some evaluations of all rules
	after, err := account(address)
	if err != nil {
		t.Fatal(err)
	}
	checkSuspended(t, servers, before, after, 60)
	if servers.busy() {
		return
	}
	for _, query := range []string{`sla:bad:sum_period > 0`, `sla:budget_remaining:ratio_period != 1`, `ALERTS`} {
		if err := some(server, query); err == nil {
			t.Errorf("%s: there is some", query)
		}
	}
	if err := some(server, `sla:total:sum_period{slo="page-0"} > 0`); err != nil {
		t.Error(err)
	}
	if n := told.Load(); n > 0 {
		t.Errorf("Alertmanager was told of alerts, %d times", n)
	}
}
