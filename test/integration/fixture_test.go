//go:build integration

package integration

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

// fixture is the world that is measured: targets to probe that count how often
// they were asked and what they answered, and a service with metrics whose
// counters grow by fixed steps with every scrape, so that their ratios are
// known exactly whenever they are read.
type fixture struct {
	http    *httptest.Server
	tcp     net.Listener
	refused string // an address where nobody listens

	mu      sync.Mutex
	asked   map[string]int // by path
	failed  map[string]int // of these, answered with an error
	scrapes int
}

// Steps of the fixture's counters per scrape.
const (
	requestsPerScrape = 20
	errorsPerScrape   = 1 // so 5 % are bad
	timedPerScrape    = 10
	slowPerScrape     = 1 // so 10 % take longer than 300 ms
)

// slowAnswer is how long every other answer of /uneven takes; the level's
// threshold lies well below.
const slowAnswer = 150 * time.Millisecond

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{asked: map[string]int{}, failed: map[string]int{}, refused: refusedAddress(t)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ok", f.answer(func(int) (int, time.Duration) { return http.StatusOK, 0 }))
	mux.HandleFunc("GET /broken", f.answer(func(int) (int, time.Duration) { return http.StatusServiceUnavailable, 0 }))
	mux.HandleFunc("GET /flaky", f.answer(func(n int) (int, time.Duration) {
		if n%4 == 0 {
			return http.StatusInternalServerError, 0
		}
		return http.StatusOK, 0
	}))
	mux.HandleFunc("GET /uneven", f.answer(func(n int) (int, time.Duration) {
		return http.StatusOK, time.Duration(n%2) * slowAnswer
	}))
	mux.HandleFunc("GET /metrics", f.metrics)
	f.http = httptest.NewServer(mux)
	t.Cleanup(f.http.Close)

	var err error
	if f.tcp, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.tcp.Close() })
	go func() {
		for {
			conn, err := f.tcp.Accept()
			if err != nil {
				return // closed
			}
			f.count("tcp", false)
			conn.Close()
		}
	}()
	return f
}

// refusedAddress is one that is taken, so that nobody else can get it, but on
// which nobody listens.
func refusedAddress(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
}

// answer counts a request and answers as the n-th one of its path should be.
func (f *fixture) answer(as func(n int) (status int, after time.Duration)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		n := f.asked[r.URL.Path] + 1
		f.mu.Unlock()
		status, after := as(n)
		f.count(r.URL.Path, status >= http.StatusBadRequest)
		time.Sleep(after)
		w.WriteHeader(status)
	}
}

func (f *fixture) count(what string, failed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked[what]++
	if failed {
		f.failed[what]++
	}
}

// seen is how often a path was asked and how often it failed.
func (f *fixture) seen(what string) (asked, failed int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[what], f.failed[what]
}

// counted is how many scrapes after the first there were: the increases that a
// server can know of.
func (f *fixture) counted() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.scrapes - 1
}

// metrics are those of four services. Their counters do not begin at zero: they
// were there before Prometheus came.
func (f *fixture) metrics(w http.ResponseWriter, _ *http.Request) {
	f.mu.Lock()
	n := f.scrapes
	f.scrapes++
	f.mu.Unlock()
	const before = 1000
	requests, errors := before+n*requestsPerScrape, before+n*errorsPerScrape
	timed, fast := before+n*timedPerScrape, before+n*(timedPerScrape-slowPerScrape)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	fmt.Fprintf(w, `# TYPE http_requests_total counter
http_requests_total{service="api",code="200"} %d
http_requests_total{service="api",code="503"} %d
http_requests_total{service="clean",code="200"} %d
http_requests_total{service="idle",code="200"} %d
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{service="api",le="0.3"} %d
http_request_duration_seconds_bucket{service="api",le="+Inf"} %d
http_request_duration_seconds_sum{service="api"} %d
http_request_duration_seconds_count{service="api"} %d
`, before+requests-errors, errors, requests, before, fast, timed, timed, timed)
}

// specification is an agreement about the fixture; labels go to one level.
func (f *fixture) specification(labels string) string {
	return fmt.Sprintf(`apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata:
  name: acceptance
  labels: {team: web}
spec:
  serviceLevels:
    - {name: healthy, service: probes, target: "99.9", labels: %[4]s, indicator: {probe: {http: "%[1]s/ok", interval: 500ms}}}
    - {name: broken, service: probes, target: "99.9", indicator: {probe: {http: "%[1]s/broken", interval: 500ms}}}
    - {name: flaky, service: probes, target: "99", aggregation: request_ratio, indicator: {probe: {http: "%[1]s/flaky", interval: 500ms}}}
    - {name: uneven, service: probes, target: "99.9", indicator: {probe: {http: "%[1]s/uneven", interval: 500ms}}}
    - {name: fast, service: probes, target: "95", indicator: {latency: {probe: probes/uneven, threshold: 100ms}}}
    - {name: port, service: probes, target: "99.9", indicator: {probe: {tcp: "%[2]s", interval: 500ms}}}
    - {name: refused, service: probes, target: "99.9", indicator: {probe: {tcp: "%[3]s", interval: 500ms}}}
    - name: errors
      service: api
      target: "90"
      indicator: {events: {bad: 'http_requests_total{service="api",code=~"5.."}', total: 'http_requests_total{service="api"}'}}
    - name: successes
      service: api
      target: "90"
      indicator: {events: {good: 'http_requests_total{service="api",code="200"}', total: 'http_requests_total{service="api"}'}}
    - name: response
      service: api
      target: "90"
      objective: "92.5"
      indicator: {latency: {histogram: 'http_request_duration_seconds{service="api"}', threshold: 300ms}}
    - name: errors
      service: clean
      target: "99.9"
      indicator: {events: {bad: 'http_requests_total{service="clean",code=~"5.."}', total: 'http_requests_total{service="clean"}'}}
    - name: errors
      service: idle
      target: "99.9"
      indicator: {events: {bad: 'http_requests_total{service="idle",code=~"5.."}', total: 'http_requests_total{service="idle"}'}}
`, f.http.URL, f.tcp.Addr(), f.refused, labels)
}

// notification is what Alertmanager posts to a webhook, as far as it is read.
type notification struct {
	Receiver string `json:"receiver"`
	Alerts   []struct {
		Status      string            `json:"status"`
		StartsAt    time.Time         `json:"startsAt"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
	} `json:"alerts"`
}

// desk receives notifications.
type desk struct {
	server *httptest.Server
	mu     sync.Mutex
	got    []notification
}

func newDesk(t *testing.T) *desk {
	d := &desk{}
	d.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var n notification
		if err := json.NewDecoder(r.Body).Decode(&n); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.got = append(d.got, n)
	}))
	t.Cleanup(d.server.Close)
	return d
}

func (d *desk) received() []notification {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.got)
}
