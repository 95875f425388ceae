package demo

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// fault is the current effect on a service.
type fault struct{ effect atomic.Value }

func (f *fault) Store(e Effect) { f.effect.Store(e) }

func (f *fault) is(e Effect) bool {
	now, _ := f.effect.Load().(Effect)
	return now == e
}

// site is a web page with a health check: the shop's, or a provider's.
type site struct {
	title string
	fault fault
}

func (s *site) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "<!doctype html><html lang=\"en\"><title>%[1]s</title><h1>%[1]s</h1>\n", s.title)
	})
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case s.fault.is(Down):
			http.Error(w, "out of service", http.StatusServiceUnavailable)
			return
		case s.fault.is(Slow):
			wait(r.Context(), 450*time.Millisecond)
		}
		mux.ServeHTTP(w, r)
	})
}

// payments is an API that counts its own requests, as services instrumented for
// Prometheus do.
type payments struct {
	fault    fault
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration prometheus.Histogram

	mu   sync.Mutex
	dice *rand.Rand
}

func newPayments() *payments {
	p := &payments{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_requests_total", Help: "Payments by the status code of the answer.",
		}, []string{"code"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "http_request_duration_seconds", Help: "How long payments took.",
			Buckets: []float64{.01, .025, .05, .1, .2, .3, .5, 1, 2.5},
		}),
		dice: rand.New(rand.NewPCG(1, 2)), // the same customers in every run
	}
	p.registry.MustRegister(p.requests, p.duration)
	for _, code := range []int{http.StatusOK, http.StatusInternalServerError} {
		p.requests.WithLabelValues(strconv.Itoa(code)) // start at zero, so that the first error counts
	}
	return p
}

func (p *payments) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /pay", p.pay)
	mux.Handle("GET /metrics", promhttp.HandlerFor(p.registry, promhttp.HandlerOpts{}))
	return mux
}

func (p *payments) pay(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	p.mu.Lock()
	took, luck := time.Duration(5+p.dice.IntN(40))*time.Millisecond, p.dice.Float64()
	p.mu.Unlock()
	if p.fault.is(Slow) {
		took += 350 * time.Millisecond
	}
	code := http.StatusOK
	if p.fault.is(Failing) && luck < 0.4 {
		code = http.StatusInternalServerError
	}
	wait(r.Context(), took)
	w.WriteHeader(code)
	p.requests.WithLabelValues(strconv.Itoa(code)).Inc()
	p.duration.Observe(time.Since(start).Seconds())
}

// PaymentsPerSecond is how many payments customers make.
const PaymentsPerSecond = 20

// customers pay at a steady rate until ctx ends, however long a response takes.
func customers(ctx context.Context, url string) {
	transport := &http.Transport{MaxIdleConnsPerHost: PaymentsPerSecond}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 5 * time.Second}
	var paying sync.WaitGroup
	defer paying.Wait()
	ticker := time.NewTicker(time.Second / PaymentsPerSecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			paying.Go(func() { pay(ctx, client, url) })
		}
	}
}

// pay makes one payment. The payments service counts whether it worked.
func pay(ctx context.Context, client *http.Client, url string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, nil)
	if err != nil {
		return
	}
	answer, err := client.Do(request)
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
}
