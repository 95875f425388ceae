package serve_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/upheld-sla/upheld/internal/logtest"
	"github.com/upheld-sla/upheld/internal/serve"
)

// patience is how long anything may take on a slow machine.
const patience = time.Minute

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

const shop = `
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  serviceLevels:
    - name: availability
      service: storefront
      indicator: {probe: {http: "%[1]s/storefront", interval: 1s}}
      target: "99.9"
    - name: latency
      service: storefront
      indicator: {latency: {probe: storefront/availability, threshold: 800ms}}
      target: "99"
    - name: availability
      service: warehouse
      indicator: {probe: {http: "%[1]s/warehouse", interval: 1s}}
      target: "99.9"
    - name: orders
      service: checkout
      indicator: {events: {bad: 'orders_total{result="failed"}', total: 'orders_total'}}
      target: "99"
`

// sample is a service to probe and to scrape, that fails on command.
type sample struct {
	*httptest.Server
	down   atomic.Bool
	orders atomic.Int64
}

func newSample(t *testing.T) *sample {
	t.Helper()
	s := &sample{}
	mux := http.NewServeMux()
	mux.HandleFunc("/warehouse", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/storefront", func(w http.ResponseWriter, _ *http.Request) {
		if s.down.Load() {
			http.Error(w, "down", http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		// Every scrape finds four orders more, one of them failed.
		n := s.orders.Add(1)
		fmt.Fprintf(w, "# TYPE orders_total counter\norders_total{result=\"failed\"} %d\norders_total{result=\"ok\"} %d\n", n, 3*n)
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// receiver is an Alertmanager that remembers what it was sent.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	alerts []received
}

type received struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	GeneratorURL string            `json:"generatorURL"`
	user         string
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /prefix/api/v2/alerts", func(_ http.ResponseWriter, req *http.Request) {
		var alerts []received
		if err := json.NewDecoder(req.Body).Decode(&alerts); err != nil {
			t.Errorf("what was sent to Alertmanager: %v", err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, a := range alerts {
			a.user, _, _ = req.BasicAuth()
			r.alerts = append(r.alerts, a)
		}
	})
	r.Server = httptest.NewServer(mux)
	t.Cleanup(r.Close)
	return r
}

// find is the first alert with all the labels.
func (r *receiver) find(labels map[string]string) (received, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
next:
	for _, a := range r.alerts {
		for name, value := range labels {
			if a.Labels[name] != value {
				continue next
			}
		}
		return a, true
	}
	return received{}, false
}

// running is a server that a test started.
type running struct {
	t      *testing.T
	url    string
	stop   context.CancelFunc
	done   chan error
	reload chan struct{}
	log    *logtest.Buffer
}

// start runs a server on a free port and waits until it is ready.
func start(t *testing.T, o serve.Options) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{t: t, stop: cancel, done: make(chan error, 1), reload: make(chan struct{}), log: &logtest.Buffer{}}
	ready := make(chan string, 1)
	setIfEmpty(&o.ListenAddress, "127.0.0.1:0")
	setIfEmpty(&o.ScrapeInterval, time.Second)
	setIfEmpty(&o.RulesInterval, time.Second)
	o.Logger = slog.New(slog.NewTextHandler(r.log, nil))
	o.Reload = r.reload
	o.Ready = func(url string) { ready <- url }
	go func() { r.done <- serve.Run(ctx, o) }()
	t.Cleanup(func() {
		cancel()
		if t.Failed() {
			t.Logf("log:\n%s", r.log)
		}
	})
	select {
	case r.url = <-ready:
	case err := <-r.done:
		t.Fatalf("the server ended: %v\n%s", err, r.log)
	case <-time.After(patience):
		t.Fatal("the server did not become ready")
	}
	return r
}

func setIfEmpty[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

// end stops the server and waits until it has.
func (r *running) end() {
	r.t.Helper()
	r.stop()
	select {
	case err := <-r.done:
		if err != nil {
			r.t.Errorf("the server ended with: %v", err)
		}
	case <-time.After(patience):
		r.t.Fatal("the server did not end")
	}
	http.DefaultClient.CloseIdleConnections()
}

// get is the status and the body of an answer.
func (r *running) get(path string) (int, string) {
	r.t.Helper()
	resp, err := http.Get(r.url + path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// value is what a query for one series gives; known is false if there is none.
func (r *running) value(query string) (value float64, known bool) {
	r.t.Helper()
	status, body := r.get("/api/v1/query?query=" + url.QueryEscape(query))
	var answer struct {
		Data struct {
			Result []struct {
				Value [2]any `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != http.StatusOK {
		r.t.Fatalf("%s: %d %s", query, status, body)
	}
	if len(answer.Data.Result) == 0 {
		return 0, false
	}
	text, _ := answer.Data.Result[0].Value[1].(string)
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		r.t.Fatalf("%s: %s: %v", query, body, err)
	}
	return value, true
}

// eventually waits until holds does.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("in %s it did not come about that %s", patience, what)
		}
	}
}

func (r *running) eventuallyValue(query string, want func(float64) bool) {
	r.t.Helper()
	eventually(r.t, query+" has the right value", func() bool {
		v, known := r.value(query)
		return known && want(v)
	})
}

func equals(want float64) func(float64) bool {
	return func(v float64) bool { return math.Abs(v-want) < 1e-9 }
}

func write(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (r *running) post(path string) (int, string) {
	r.t.Helper()
	resp, err := http.Post(r.url+path, "", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}
