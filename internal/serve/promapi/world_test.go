package promapi

import (
	"context"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/notifier"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// epoch is when the samples of the tests begin; it lies on a block's edge.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const (
	sampleStep = 15 * time.Second
	sampleSpan = 100 * time.Minute
)

// now is when requests that name no time are made.
var now = epoch.Add(90*time.Minute + 7*time.Second)

// appendFloats writes the series that every server of a differential test has.
func appendFloats(t *testing.T, app storage.Appender) {
	t.Helper()
	series := []struct {
		labels labels.Labels
		value  func(i int) float64
	}{
		{labels.FromStrings("__name__", "http_requests_total", "job", "api", "code", "200"), func(i int) float64 { return float64(10 * i) }},
		{labels.FromStrings("__name__", "http_requests_total", "job", "api", "code", "500"), func(i int) float64 { return float64(i / 3) }},
		{labels.FromStrings("__name__", "http_requests_total", "job", "web", "code", "200"), func(i int) float64 { return float64(i % 100) }},
		{labels.FromStrings("__name__", "temperature", "room", `hall "A" <&>`, "unit", "°C"), func(i int) float64 { return 20 + math.Sin(float64(i)/20) }},
		{labels.FromStrings("__name__", "odd", "kind", "nan"), func(int) float64 { return math.NaN() }},
		{labels.FromStrings("__name__", "odd", "kind", "inf"), func(int) float64 { return math.Inf(1) }},
		{labels.FromStrings("__name__", "odd", "kind", "-inf"), func(int) float64 { return math.Inf(-1) }},
		{labels.FromStrings("__name__", "odd", "kind", "small"), func(int) float64 { return 1.5e-9 }},
		{labels.FromStrings("__name__", "odd", "kind", "large"), func(int) float64 { return 1e22 }},
		{labels.FromStrings("__name__", "odd", "kind", "zero"), func(int) float64 { return 0 }},
		{labels.FromStrings("__name__", "odd", "kind", "long"), func(int) float64 { return 0.1 + 0.2 }},
	}
	for i := range int(sampleSpan / sampleStep) {
		at := epoch.Add(time.Duration(i)*sampleStep + 123*time.Millisecond).UnixMilli()
		for _, s := range series {
			if _, err := app.Append(0, s.labels, at, s.value(i)); err != nil {
				t.Fatalf("append %s: %v", s.labels, err)
			}
		}
	}
}

// appendRest writes what old servers cannot take: a native histogram and
// exemplars.
func appendRest(t *testing.T, app storage.Appender) {
	t.Helper()
	ls := labels.FromStrings("__name__", "latency_seconds", "job", "api")
	for i := range int(sampleSpan / sampleStep) {
		n := uint64(i + 1)
		h := &histogram.Histogram{
			Schema: 1, ZeroThreshold: 0.001, ZeroCount: n, Count: 4 * n, Sum: 1.25 * float64(n),
			PositiveSpans: []histogram.Span{{Offset: -1, Length: 2}}, PositiveBuckets: []int64{int64(n), int64(n)},
		}
		if _, err := app.AppendHistogram(0, ls, epoch.Add(time.Duration(i)*sampleStep).UnixMilli(), h, nil); err != nil {
			t.Fatalf("append histogram: %v", err)
		}
	}
	ref, err := app.Append(0, labels.FromStrings("__name__", "traced_total"), epoch.UnixMilli(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.AppendExemplar(ref, labels.FromStrings("__name__", "traced_total"), exemplar.Exemplar{
		Labels: labels.FromStrings("trace_id", "abc"), Value: 0.25, Ts: epoch.UnixMilli(), HasTs: true,
	}); err != nil {
		t.Fatal(err)
	}
}

const ruleFile = `groups:
  - name: requests
    interval: 1m
    rules:
      - record: job:http_requests:rate5m
        expr: sum by (job) (rate(http_requests_total[5m]))
        labels: {team: shop}
      - alert: ManyErrors
        expr: rate(http_requests_total{code="500"}[5m]) > 0.01
        for: 2m
        labels: {severity: page}
        annotations: {summary: "{{ $labels.job }} fails"}
      - alert: Never
        expr: vector(0) > 1
  - name: second
    rules:
      - record: one
        expr: vector(1)
`

// newWorld is an API over a storage with known samples and rules that have been
// evaluated once, at now.
func newWorld(t *testing.T) http.Handler {
	t.Helper()
	logger := promslog.NewNopLogger()
	opts := tsdb.DefaultOptions()
	opts.EnableExemplarStorage, opts.MaxExemplars = true, 100
	db, err := tsdb.Open(t.TempDir(), logger, nil, opts, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	app := db.Appender(context.Background())
	appendFloats(t, app)
	appendRest(t, app)
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	p := parser.NewParser(parser.Options{})
	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples: 800, Timeout: time.Minute, EnableAtModifier: true, EnableNegativeOffset: true, Parser: p,
	})
	scrapes, err := scrape.NewManager(nil, logger, nil, nil, db, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	manager := newRules(t, engine, db, p, logger)
	a := &api{now: func() time.Time { return now }, Options: Options{
		MaxConcurrency: 4, SubqueryStep: time.Minute,
		Engine: engine, Parser: p, Queryable: db, Exemplars: db, Targets: scrapes, Rules: manager,
		Alertmanagers: notifier.NewManager(&notifier.Options{}, model.UTF8Validation, logger), Head: db.Head(),
		HeadChunks: func() int64 { return 42 },
		Config:     func() *config.Config { return &config.Config{} },
		Flags:      map[string]string{"storage.path": "data/"},
		Build:      BuildInfo{Version: "3.0.0", GoVersion: "go1"},
		Runtime: func() RuntimeInfo {
			return RuntimeInfo{StartTime: epoch, LastConfigTime: epoch, StorageRetention: "31d"}
		},
		Logger: logger,
	}}
	return a.routes()
}

// newRules evaluates ruleFile at now, without writing what it records.
func newRules(t *testing.T, engine *promql.Engine, db storage.Storage, p parser.Parser, logger *slog.Logger) *rules.Manager {
	t.Helper()
	t.Chdir(t.TempDir()) // so that the file's path is the same in every run
	if err := os.WriteFile("rules.yml", []byte(ruleFile), 0o600); err != nil {
		t.Fatal(err)
	}
	manager := rules.NewManager(&rules.ManagerOptions{
		ExternalURL: &url.URL{}, QueryFunc: rules.EngineQueryFunc(engine, db),
		NotifyFunc: func(context.Context, string, ...*rules.Alert) {},
		Appendable: discard{}, Queryable: db, Logger: logger, Parser: p,
	})
	if err := manager.Update(time.Minute, []string{filepath.Join(".", "rules.yml")}, labels.EmptyLabels(), "", nil); err != nil {
		t.Fatal(err)
	}
	for _, g := range manager.RuleGroups() {
		g.Eval(context.Background(), now)
	}
	t.Cleanup(func() {
		go manager.Run() // groups that wait for the start do not stop
		manager.Stop()
	})
	return manager
}

// discard takes samples and forgets them.
type discard struct{}

func (discard) Appender(context.Context) storage.Appender { return nowhere{} }

type nowhere struct{ storage.Appender }

func (nowhere) SetOptions(*storage.AppendOptions) {}
func (nowhere) Append(storage.SeriesRef, labels.Labels, int64, float64) (storage.SeriesRef, error) {
	return 0, nil
}
func (nowhere) Commit() error   { return nil }
func (nowhere) Rollback() error { return nil }
