package measure

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/internal/metricnames"
)

// Buckets of the classic histograms, in seconds. Native histograms, for
// servers that take them, have their own at a resolution of 10 %.
var (
	durationBuckets = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}
	phaseBuckets    = []float64{0.001, 0.01, 0.05, 0.25, 1, 5}
	lagBuckets      = []float64{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1}
)

// Options of the metrics.
type Options struct {
	Location       string     // the "location" label of every target
	MaxConcurrency int        // how many probes may run at once
	InFlight       func() int // how many are running
}

// Metrics are all metrics of an exporter.
type Metrics struct {
	location string
	registry *prometheus.Registry

	results, owed, failures, within, lastState *prometheus.Desc
	duration, phase                            *prometheus.HistogramVec
	lag                                        prometheus.Histogram
	reloadOK, reloadTime                       prometheus.Gauge

	mu      sync.RWMutex
	targets map[key]*Target
	sorted  []*Target // never changed in place
}

// New makes the metrics of an exporter without targets.
func New(o Options) *Metrics {
	m := &Metrics{
		location:   o.Location,
		registry:   prometheus.NewRegistry(),
		results:    describe(results),
		owed:       describe(owed),
		failures:   describe(failures),
		within:     describe(within),
		lastState:  describe(lastState),
		duration:   prometheus.NewHistogramVec(histogram(duration, durationBuckets), duration.Labels),
		phase:      prometheus.NewHistogramVec(histogram(phase, phaseBuckets), phase.Labels),
		lag:        prometheus.NewHistogram(histogram(lag, lagBuckets)),
		reloadOK:   prometheus.NewGauge(gauge(reloadOK)),
		reloadTime: prometheus.NewGauge(gauge(reloadTime)),
		targets:    map[key]*Target{},
	}
	limit := prometheus.NewGauge(gauge(concurrency))
	limit.Set(float64(o.MaxConcurrency))
	m.registry.MustRegister(
		m, m.lag, m.reloadOK, m.reloadTime, limit,
		prometheus.NewGaugeFunc(gauge(inFlight), func() float64 { return float64(o.InFlight()) }),
		prometheus.NewGaugeFunc(gauge(targets), func() float64 { return float64(m.count()) }),
		version.NewCollector(metricnames.ExporterBuildProgram),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

func describe(m Metric) *prometheus.Desc {
	return prometheus.NewDesc(m.Name, m.Help, m.Labels, nil)
}

func gauge(m Metric) prometheus.GaugeOpts { return prometheus.GaugeOpts{Name: m.Name, Help: m.Help} }

func histogram(m Metric, buckets []float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Name:                            m.Name,
		Help:                            m.Help,
		Buckets:                         buckets,
		NativeHistogramBucketFactor:     1.1,
		NativeHistogramMaxBucketNumber:  100,
		NativeHistogramMinResetDuration: time.Hour,
	}
}

// Replace makes specs the targets, and returns the accounts in their order.
// One whose level and target stay keeps its counts; the series of those that
// are gone vanish. No two specs may share level and target.
func (m *Metrics) Replace(specs []Spec) []*Target {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	next := make(map[key]*Target, len(specs))
	ordered := make([]*Target, len(specs))
	for i, s := range specs {
		k := key{s.ID, s.Target}
		t := m.targets[k]
		if t == nil {
			t = newTarget(m, k, now)
		}
		t.configure(s)
		next[k], ordered[i] = t, t
	}
	for k, t := range m.targets {
		if next[k] == nil {
			m.forget(t)
		}
	}
	m.targets = next
	m.sorted = slices.SortedFunc(maps.Values(next), func(a, b *Target) int { return compareKeys(a.key, b.key) })
	return ordered
}

// forget drops the histograms of a target that is gone.
func (m *Metrics) forget(t *Target) {
	m.duration.DeleteLabelValues(t.values()...)
	for _, p := range probe.AllPhases() {
		m.phase.DeleteLabelValues(append(t.values(), p.String())...)
	}
}

func (m *Metrics) count() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.targets)
}

// ObserveLag accounts for how late a probe started.
func (m *Metrics) ObserveLag(d time.Duration) { m.lag.Observe(d.Seconds()) }

// ConfigLoaded says that the specification was loaded.
func (m *Metrics) ConfigLoaded() {
	m.reloadOK.Set(1)
	m.reloadTime.SetToCurrentTime()
}

// ConfigFailed says that loading the specification failed.
func (m *Metrics) ConfigFailed() { m.reloadOK.Set(0) }

// Handler answers scrapes, compressed where the scraper takes it.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// Gatherer collects metrics; it has a name here so that the exporter can pass
// one on without importing client_golang.
type Gatherer = prometheus.Gatherer

// Gatherer is what Handler answers from, for a process that adds metrics of
// its own.
func (m *Metrics) Gatherer() Gatherer { return m.registry }

// Describe is for the registry.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.results, m.owed, m.failures, m.within, m.lastState} {
		ch <- d
	}
	m.duration.Describe(ch)
	m.phase.Describe(ch)
}

// Collect is for the registry. It sends series in the order of the exposition:
// the registry sorts them, and for many targets that costs most of a scrape
// unless they are sorted already.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	m.mu.RLock()
	targets := m.sorted
	m.mu.RUnlock()
	groups := map[group][]prometheus.Metric{}
	for _, t := range targets {
		for _, s := range t.snapshot() {
			groups[s.group] = append(groups[s.group], s.Metric)
		}
	}
	order := slices.SortedFunc(maps.Keys(groups), func(a, b group) int {
		return cmp.Or(strings.Compare(a.metric, b.metric), strings.Compare(a.value, b.value))
	})
	for _, g := range order {
		for _, metric := range groups[g] {
			ch <- metric
		}
	}
}

// sample is one counter or gauge as it was when it was collected.
type sample struct {
	desc    *prometheus.Desc
	labels  []*dto.LabelPair
	value   float64
	created *timestamppb.Timestamp
	gauge   bool
}

// Desc is for the registry.
func (s *sample) Desc() *prometheus.Desc { return s.desc }

// Write is for the registry.
func (s *sample) Write(out *dto.Metric) error {
	out.Label = s.labels
	if s.gauge {
		out.Gauge = &dto.Gauge{Value: &s.value}
		return nil
	}
	out.Counter = &dto.Counter{Value: &s.value, CreatedTimestamp: s.created}
	return nil
}
