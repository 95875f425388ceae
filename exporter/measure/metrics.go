package measure

import (
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/collectors/version"

	"github.com/upheld-sla/upheld/internal/metricnames"
)

// lagBuckets are the classic buckets of how late probes start, in seconds.
var lagBuckets = []float64{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1}

// Options of the metrics.
type Options struct {
	Location       string      // the "location" label of every target
	MaxConcurrency int         // how many probes may run at once
	InFlight       func() int  // how many are running
	Vantage        func() bool // whether reference targets answered; nil if there are none
	// Discoveries reports on the levels whose targets are discovered.
	Discoveries func() []Discovery
	// Requests reports on probes at /probe; nil without modules.
	Requests func() RequestFacts
}

// RequestFacts are the figures of the probes that clients request at /probe.
type RequestFacts struct {
	ReloadSuccessful bool
	ReloadedAt       time.Time // when a load last succeeded; zero if none did
	UnknownModules   int64     // requests that named an unknown module
	Running          int64     // probes
	// Requests that were refused.
	RejectedByConcurrency, RejectedByRate int64
}

// Metrics are all metrics of an exporter.
type Metrics struct {
	location string
	registry *prometheus.Registry // of the exporter itself

	lag                  prometheus.Histogram
	reloadOK, reloadTime prometheus.Gauge

	totals exporterTotals

	mu     sync.RWMutex
	sorted []*Target // by compareKeys; never changed in place
}

// New makes the metrics of an exporter without targets.
func New(o Options) *Metrics {
	m := &Metrics{
		location:   o.Location,
		registry:   prometheus.NewRegistry(),
		lag:        prometheus.NewHistogram(histogram(lag, lagBuckets)),
		reloadOK:   prometheus.NewGauge(gauge(reloadOK)),
		reloadTime: prometheus.NewGauge(gauge(reloadTime)),
	}
	limit := prometheus.NewGauge(gauge(concurrency))
	limit.Set(float64(o.MaxConcurrency))
	m.registry.MustRegister(
		m.lag, m.reloadOK, m.reloadTime, limit,
		prometheus.NewCounterFunc(prometheus.CounterOpts(gauge(readLate)), m.totals.readLateProbes),
		prometheus.NewCounterFunc(prometheus.CounterOpts(gauge(readLateFormerly)), m.totals.readLateProbes),
		prometheus.NewGaugeFunc(gauge(inFlight), func() float64 { return float64(o.InFlight()) }),
		prometheus.NewGaugeFunc(gauge(targets), func() float64 { return float64(m.count()) }),
		version.NewCollector(metricnames.ExporterBuildProgram),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	if o.Discoveries != nil {
		m.registry.MustRegister(discoveries{o.Discoveries})
	}
	if o.Vantage != nil {
		m.registry.MustRegister(prometheus.NewGaugeFunc(gauge(vantage), func() float64 {
			if o.Vantage() {
				return 1
			}
			return 0
		}))
	}
	if o.Requests != nil {
		m.registry.MustRegister(requestMetrics(o.Requests)...)
	}
	return m
}

// requestMetrics read the facts at each scrape.
func requestMetrics(facts func() RequestFacts) []prometheus.Collector {
	counter := func(m description, labels prometheus.Labels, value func(RequestFacts) int64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: m.Name, Help: m.Help, ConstLabels: labels}, func() float64 { return float64(value(facts())) })
	}
	return []prometheus.Collector{
		prometheus.NewGaugeFunc(gauge(requestInFlight), func() float64 { return float64(facts().Running) }),
		counter(requestRejected, prometheus.Labels{metricnames.Reason: "concurrency"}, func(f RequestFacts) int64 { return f.RejectedByConcurrency }),
		counter(requestRejected, prometheus.Labels{metricnames.Reason: "rate"}, func(f RequestFacts) int64 { return f.RejectedByRate }),
		counter(blackboxUnknown, nil, func(f RequestFacts) int64 { return f.UnknownModules }),
		prometheus.NewGaugeFunc(gauge(blackboxReloadOK), func() float64 {
			if facts().ReloadSuccessful {
				return 1
			}
			return 0
		}),
		prometheus.NewGaugeFunc(gauge(blackboxReloadTime), func() float64 {
			at := facts().ReloadedAt
			if at.IsZero() {
				return 0
			}
			return float64(at.Unix())
		}),
	}
}

func gauge(m description) prometheus.GaugeOpts {
	return prometheus.GaugeOpts{Name: m.Name, Help: m.Help}
}

func histogram(m description, buckets []float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Name:                            m.Name,
		Help:                            m.Help,
		Buckets:                         buckets,
		NativeHistogramBucketFactor:     1.1,
		NativeHistogramMaxBucketNumber:  nativeBuckets,
		NativeHistogramMinResetDuration: time.Hour,
	}
}

// Replace makes specs the targets, and returns their accounts in the same order.
// A target whose level and name stay keeps its counts; the series of removed
// targets disappear. No two specs may have the same level and target.
func (m *Metrics) Replace(specs []Spec) []*Target {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	known := make(map[key]*Target, len(m.sorted)) // not kept between calls: an entry takes half as much memory as an account
	for _, t := range m.sorted {
		known[t.key()] = t
	}
	ordered := make([]*Target, len(specs))
	for i, s := range specs {
		k := keyOf(s)
		t := known[k]
		if t == nil {
			t = newTarget(k, s.Labels, now, &m.totals)
		}
		t.configure(s)
		ordered[i] = t
	}
	m.sorted = slices.SortedFunc(slices.Values(ordered), func(a, b *Target) int { return compareKeys(a.key(), b.key()) })
	return ordered
}

func (m *Metrics) count() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.sorted)
}

// ObserveLag accounts for how late a probe started.
func (m *Metrics) ObserveLag(d time.Duration) { m.lag.Observe(d.Seconds()) }

// ConfigLoaded records that the specification was loaded.
func (m *Metrics) ConfigLoaded() {
	m.reloadOK.Set(1)
	m.reloadTime.SetToCurrentTime()
}

// ConfigFailed records that loading the specification failed.
func (m *Metrics) ConfigFailed() { m.reloadOK.Set(0) }
