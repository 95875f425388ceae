//go:build integration

package integration

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// How serve is beset; the environment variable UPHELD_GREEDY gives another time.
const (
	greedyClients = 40
	slowClients   = 300
	greedyLevels  = 500
	besetFor      = 40 * time.Second
)

// TestServeUnderGreedyAndSlowClients has many clients ask for much and take
// nothing. Rules go on, pages are shown, and memory has a bound.
func TestServeUnderGreedyAndSlowClients(t *testing.T) {
	built := build(t)
	dir := t.TempDir()
	specFile := filepath.Join(dir, "levels.yaml")
	var text strings.Builder
	text.WriteString("apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: shop}\nspec:\n  serviceLevels:\n")
	for i := range greedyLevels {
		fmt.Fprintf(&text, "    - {name: requests, service: api-%d, target: '99.9', indicator: {events: {bad: 'prometheus_http_requests_total{code=\"5%02d\"}', total: 'up'}}}\n", i, i%100)
	}
	if err := os.WriteFile(specFile, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	p := start(t, "serve", built.upheld, "serve", specFile, "--web.listen-address="+address, "--storage.path="+filepath.Join(dir, "data"), "--rules.interval=15s", "--scrape.interval=1s")
	awaitReady(t, p, address)
	server := prometheus{address}
	await(t, 2*time.Minute, "rules have been evaluated", func() error { return some(server, `sla:total:rate5m{service="api-7"}`) })
	before := residentMB(t, p)

	lasting := besetFor
	if d, err := time.ParseDuration(os.Getenv("UPHELD_GREEDY")); err == nil {
		lasting = d
	}
	ctx, cancel := context.WithTimeout(t.Context(), lasting)
	defer cancel()
	var answered, refused, failed atomic.Int64
	var clients sync.WaitGroup
	for i := range greedyClients {
		clients.Go(func() {
			for n := i; ctx.Err() == nil; n++ {
				switch status := askMuch(ctx, address, n); status {
				case 0:
					failed.Add(1)
				case http.StatusServiceUnavailable:
					refused.Add(1)
					time.Sleep(100 * time.Millisecond) // sooner than Retry-After says
				default:
					answered.Add(1)
				}
			}
		})
	}
	for i := range slowClients {
		clients.Go(func() { takeNothing(ctx, address, i) })
	}
	took, peak := watchPages(ctx, t, p, address)
	clients.Wait()
	if len(took) == 0 {
		t.Fatal("no page was shown")
	}
	slices.Sort(took)
	t.Logf("in %s: %d queries answered, %d told to come again, %d failed; of %d pages one of two within %s, 19 of 20 within %s, the slowest after %s; %d MB before, %d MB at most",
		lasting, answered.Load(), refused.Load(), failed.Load(), len(took), took[len(took)/2].Round(time.Millisecond), took[len(took)*19/20].Round(time.Millisecond),
		took[len(took)-1].Round(time.Millisecond), before, peak)
	if limit := before + 2_500; peak > limit {
		t.Errorf("%d MB were resident, more than the %d that docs/serve.md says", peak, limit)
	}
	await(t, 3*time.Minute, "who took nothing has been let go", func() error {
		if n := connections(t, p); n > 20 {
			return fmt.Errorf("%d descriptors of sockets are open", n)
		}
		return nil
	})
	var missed []sample
	await(t, settle, "the server scrapes itself again", func() (err error) {
		missed, err = server.query(`sum(prometheus_rule_group_iterations_missed_total)`)
		if err == nil && len(missed) != 1 {
			err = fmt.Errorf("%d sums", len(missed))
		}
		return err
	})
	t.Logf("%v evaluations of rule groups were missed", missed[0].value())
	await(t, 3*time.Minute, "groups of long windows have had their turn", server.evaluated)
	server.checkRules(t)
}

// askMuch asks for one of several things that cost much.
func askMuch(ctx context.Context, address string, n int) (status int) {
	now := time.Now().Unix()
	queries := []string{
		strings.Repeat("up+", 200_000) + "up",
		`{__name__=~".+"}`,
		`sum by (service) (rate({__name__=~".+"}[5m])) * on (service) group_left () count by (service) ({__name__=~".+"})`,
		`max_over_time((sum by (__name__, service) ({__name__=~"sla:.+"}))[10m:1s])`,
	}
	form := url.Values{
		"query": {queries[n%len(queries)]}, "start": {strconv.FormatInt(now-10_000, 10)}, "end": {strconv.FormatInt(now, 10)}, "step": {"1"},
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/api/v1/query_range", strings.NewReader(form.Encode()))
	if err != nil {
		return 0
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// takeNothing connects again and again in one of several ways, and neither sends
// nor reads what is due.
func takeNothing(ctx context.Context, address string, n int) {
	const all = "/api/v1/query?query=%7B__name__%3D~%22.%2B%22%7D"
	requests := []string{
		"GET " + all + " HTTP/1.1\r\nHost: " + address + "\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: " + address + "\r\n\r\n",
		"GET /metrics HTTP/1.1\r\nHost: " + address + "\r\nX-Slow: ",
		"POST /api/v1/query HTTP/1.1\r\nHost: " + address + "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nquery=",
	}
	for ctx.Err() == nil {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err != nil {
			time.Sleep(time.Second)
			continue
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetReadBuffer(4096)
		}
		for range 20 { // answers pile up
			if _, err := io.WriteString(conn, requests[n%len(requests)]); err != nil || n%len(requests) > 1 {
				break
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Second):
		}
		conn.Close()
	}
}

// watchPages looks at the pages until ctx ends, and returns how long each took.
func watchPages(ctx context.Context, t *testing.T, p *process, address string) (took []time.Duration, peakMB int) {
	client := http.Client{Timeout: 30 * time.Second}
	for ; ctx.Err() == nil; time.Sleep(500 * time.Millisecond) {
		began := time.Now()
		resp, err := client.Get("http://" + address + "/level/shop/api-7/requests")
		if err != nil {
			t.Errorf("a page: %v", err)
			continue
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || !bytes.Contains(body, []byte("api-7")) {
			t.Errorf("a page: %s %v", resp.Status, err)
		}
		took = append(took, time.Since(began))
		peakMB = max(peakMB, residentMB(t, p))
	}
	return took, peakMB
}

// residentMB is how much memory a process has, in MB.
func residentMB(t *testing.T, p *process) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if kb, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(kb), "kB")))
			if err != nil {
				t.Fatal(err)
			}
			return n / 1000
		}
	}
	t.Fatal("no VmRSS")
	return 0
}

// connections counts the sockets that a process has open.
func connections(t *testing.T, p *process) int {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}
