package serve

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/upheld-sla/upheld/exporter"
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/web"
	"github.com/upheld-sla/upheld/sla"
)

// What the benchmark of pages has: levels in so many agreements, and a month of the series
// that pages read.
const (
	benchLevels, benchAgreements = 500, 10
	benchDays                    = 30
)

// BenchmarkPages prints how long every page takes with 500 levels: `make bench-web`. The first
// overview after a start is apart, since it counts the days of the month.
func BenchmarkPages(b *testing.B) {
	s := benchServer(b)
	handler := func() http.Handler {
		h, err := web.New(web.Options{Source: newSource(s), Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			b.Fatal(err)
		}
		return h
	}
	ask := func(b *testing.B, h http.Handler, path string) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != http.StatusOK {
			b.Fatalf("%s answers %d: %s", path, w.Code, w.Body)
		}
		b.ReportMetric(float64(w.Body.Len())/1024, "KiB/page")
	}
	b.Run("overview after a start", func(b *testing.B) {
		for b.Loop() {
			ask(b, handler(), "/")
		}
	})
	warm := handler()
	ask(b, warm, "/")
	for _, page := range [][2]string{
		{"overview", "/"},
		{"search", "/?q=service7&state=up"},
		{"level", "/level/shop3/service7/availability"},
		{"level that is down", "/level/shop0/service0/availability"},
		{"agreement", "/agreement/shop3"},
		{"alerts", "/alerts"},
		{"rules", "/rules"},
	} {
		b.Run(page[0], func(b *testing.B) {
			for b.Loop() {
				ask(b, warm, page[1])
			}
		})
	}
}

// benchServer is a server without running parts over a storage with a month of samples.
func benchServer(b *testing.B) *server {
	s := &server{
		Options: Options{RulesInterval: time.Minute, ScrapeInterval: 15 * time.Second, StoragePath: b.TempDir(), Logger: slog.New(slog.DiscardHandler)},
		started: time.Now(), registry: prometheus.NewRegistry(), exporter: exporter.New(exporter.Options{Logger: slog.New(slog.DiscardHandler)}),
	}
	if err := s.makeEngines(); err != nil {
		b.Fatal(err)
	}
	s.state.Store(&desired{agreements: benchSpecs()})
	fillStorage(b, s.StoragePath)
	db, err := tsdb.Open(s.StoragePath, s.Logger, nil, tsdb.DefaultOptions(), nil)
	if err != nil {
		b.Fatal(err)
	}
	db.DisableCompactions()
	b.Cleanup(func() {
		_ = s.engine.Close()
		_ = s.apiEngine.Close()
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	s.db = db
	s.rules = s.newRules()
	return s
}

func benchSpecs() []*sla.Agreement {
	var all []*sla.Agreement
	for i := range benchAgreements {
		a := &sla.Agreement{Name: fmt.Sprintf("shop%d", i), Description: "A shop, as its customers meet it", Zone: "Europe/Berlin"}
		for j := range benchLevels / benchAgreements {
			period := sla.Period{Rolling: benchDays * 24 * time.Hour}
			a.Levels = append(a.Levels, &sla.ServiceLevel{
				ID: sla.ID{SLA: a.Name, Service: fmt.Sprintf("service%d", j), SLO: "availability"}, Description: "It answers its customers",
				Indicator:   &sla.Probe{Check: &sla.HTTPCheck{URL: "https://shop.example/health", Method: "GET"}, Interval: 15 * time.Second},
				Aggregation: sla.Time, Target: sla.MustDecimal("99.9"), Objective: sla.MustDecimal("99.9"),
				Period: period, Alerting: sla.Alerting{Tiers: sla.DefaultTiers(period)},
			})
		}
		all = append(all, a)
	}
	return all
}

// fillStorage writes a block a day. What pages read only of the last hours is in the last one.
func fillStorage(b *testing.B, dir string) {
	ctx, now := context.Background(), time.Now()
	random := rand.New(rand.NewPCG(1, 2))
	begin := now.Add(-benchDays * 24 * time.Hour).Truncate(24 * time.Hour)
	for day := begin; day.Before(now); day = day.Add(24 * time.Hour) {
		w, err := tsdb.NewBlockWriter(slog.New(slog.DiscardHandler), dir, (48 * time.Hour).Milliseconds())
		if err != nil {
			b.Fatal(err)
		}
		app := w.Appender(ctx)
		write := func(id sla.ID, name, period string, every time.Duration, from time.Time, value func() float64) {
			of := []string{labels.MetricName, name, "sla", id.SLA, "service", id.Service, "slo", id.SLO}
			if period != "" {
				of = append(of, "period", period)
			}
			ls := labels.FromStrings(of...)
			for at := from; at.Before(day.Add(24*time.Hour)) && !at.After(now); at = at.Add(every) {
				if _, err := app.Append(0, ls, at.UnixMilli(), value()); err != nil {
					b.Fatal(err)
				}
			}
		}
		for i, a := range benchSpecs() {
			for j, l := range a.Levels {
				writeLevel(l.ID, i == 0 && j == 0, day, now, random, write)
			}
			if err := app.Commit(); err != nil {
				b.Fatal(err)
			}
			app = w.Appender(ctx)
		}
		if _, err := w.Flush(ctx); err != nil {
			b.Fatal(err)
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// writeLevel writes a day of a level. One in two hundred minutes is bad; one level is down.
func writeLevel(id sla.ID, down bool, day, now time.Time, random *rand.Rand, write func(sla.ID, string, string, time.Duration, time.Time, func() float64)) {
	constant := func(v float64) func() float64 { return func() float64 { return v } }
	write(id, metricnames.ServiceState, "", time.Minute, day, func() float64 {
		if down && day.Add(48*time.Hour).After(now) || random.IntN(200) == 0 {
			return 5
		}
		return 0
	})
	write(id, "sla:bad:increase", "", 5*time.Minute, day, func() float64 { return float64(random.IntN(40) / 39 * 12) })
	write(id, "sla:total:increase", "", 5*time.Minute, day, constant(300))
	left := random.Float64()
	write(id, "sla:budget_remaining:ratio_period", "30d", 5*time.Minute, day, func() float64 { left -= 0.00001; return left })
	if !day.Add(24 * time.Hour).After(now) {
		return
	}
	recent := now.Add(-90 * time.Minute)
	if recent.Before(day) {
		recent = day
	}
	for _, name := range []string{"sla:error:ratio_period", "sla:bad:sum_period", "sla:total:sum_period", "sla:coverage:ratio_period"} {
		write(id, name, "30d", 5*time.Minute, recent, constant(0.0004))
	}
	for _, window := range []string{"5m", "30m", "1h", "2h", "6h", "1d", "3d"} {
		write(id, "sla:error:ratio_rate"+window, "", time.Minute, recent, constant(0.0001))
	}
	write(id, "sla:bad:rate5m", "", time.Minute, recent, constant(0.0001))
	write(id, "sla:total:rate5m", "", time.Minute, recent, constant(1))
}
