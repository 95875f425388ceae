package measure

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// Spec says which series a target has.
type Spec struct {
	ID         sla.ID
	Target     string // without secrets
	Reasons    []probe.Reason
	Phases     []probe.Phase   // there from the start; others appear when they happen
	Thresholds []time.Duration // ascending, unique
}

// key identifies the series of a target.
type key struct {
	id     sla.ID
	target string
}

// Target is the account of one target. Its counters change together.
type Target struct {
	key      key
	labels   []*dto.LabelPair // sorted by name
	created  *timestamppb.Timestamp
	metrics  *Metrics
	duration prometheus.Histogram

	mu       sync.Mutex
	owed     uint64
	outcomes []counter[probe.Outcome]
	failures []counter[probe.Reason]
	within   []counter[time.Duration]
	phases   [phaseCount]prometheus.Histogram // nil until known
	last     probe.Outcome                    // of the last conclusive probe; empty before
}

const phaseCount = len([...]probe.Phase{probe.Resolve, probe.Connect, probe.TLS, probe.Processing, probe.Transfer})

// counter is one series with its own label.
type counter[T comparable] struct {
	of     T
	labels []*dto.LabelPair
	n      uint64
}

func newTarget(m *Metrics, k key, now time.Time) *Target {
	t := &Target{key: k, created: timestamppb.New(now), metrics: m}
	for i, value := range t.values() {
		t.labels = withLabel(t.labels, targetLabels[i], value)
	}
	t.duration = m.duration.WithLabelValues(t.values()...).(prometheus.Histogram)
	return t
}

// values are those of targetLabels.
func (t *Target) values() []string {
	return []string{t.key.id.SLA, t.key.id.Service, t.key.id.SLO, t.key.target, t.metrics.location}
}

// configure gives the target the series of a spec and keeps the counts of
// those that it had.
func (t *Target) configure(s Spec) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.outcomes = keepCounts(t.outcomes, probe.Outcomes, func(o probe.Outcome) []*dto.LabelPair {
		return withLabel(t.labels, metricnames.Outcome, string(o))
	})
	t.failures = keepCounts(t.failures, s.Reasons, func(r probe.Reason) []*dto.LabelPair {
		return withLabel(t.labels, metricnames.Reason, string(r))
	})
	t.within = keepCounts(t.within, s.Thresholds, func(d time.Duration) []*dto.LabelPair {
		return withLabel(t.labels, metricnames.Threshold, FormatThreshold(d))
	})
	for _, p := range s.Phases {
		t.phase(p)
	}
}

// FormatThreshold is a threshold as the "threshold" label shows it: in seconds.
func FormatThreshold(d time.Duration) string { return sla.Seconds(d).String() }

func keepCounts[T comparable](old []counter[T], wanted []T, labels func(T) []*dto.LabelPair) []counter[T] {
	next := make([]counter[T], len(wanted))
	for i, w := range wanted {
		next[i] = counter[T]{of: w, labels: labels(w)}
		if j := slices.IndexFunc(old, func(c counter[T]) bool { return c.of == w }); j >= 0 {
			next[i].n = old[j].n
		}
	}
	return next
}

// Observe accounts for a probe that was run.
func (t *Target) Observe(r probe.Result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settle(r.Outcome, r.Reason, 1)
	if r.Outcome != probe.Good && r.Outcome != probe.Bad {
		return
	}
	t.last = r.Outcome
	t.duration.Observe(r.Duration.Seconds())
	for p, d := range r.Phases.All() {
		t.phase(p).Observe(d.Seconds())
	}
	if r.Outcome != probe.Good {
		return
	}
	for i := range t.within {
		if r.Duration <= t.within[i].of {
			t.within[i].n++
		}
	}
}

// Skip accounts for n probes that were not run.
func (t *Target) Skip(why probe.Reason, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settle(why.Outcome(), why, uint64(n))
}

func (t *Target) settle(outcome probe.Outcome, why probe.Reason, n uint64) {
	t.owed += n
	i := slices.IndexFunc(t.outcomes, func(c counter[probe.Outcome]) bool { return c.of == outcome })
	t.outcomes[i].n += n
	if why == "" {
		return
	}
	i = slices.IndexFunc(t.failures, func(c counter[probe.Reason]) bool { return c.of == why })
	if i < 0 { // not foreseen for the kind; counted all the same
		i = len(t.failures)
		t.failures = append(t.failures, counter[probe.Reason]{of: why, labels: withLabel(t.labels, metricnames.Reason, string(why))})
	}
	t.failures[i].n += n
}

// phase is the histogram of a phase; t.mu is held.
func (t *Target) phase(p probe.Phase) prometheus.Histogram {
	if t.phases[p] == nil {
		t.phases[p] = t.metrics.phase.WithLabelValues(append(t.values(), p.String())...).(prometheus.Histogram)
	}
	return t.phases[p]
}

// series is one series of a target, with what it sorts by within its metric
// before the target does: the value of a label whose name comes first.
type series struct {
	prometheus.Metric
	group group
}

type group struct {
	metric string
	value  string
}

// snapshot is every series of the target, with counters of one instant.
func (t *Target) snapshot() []series {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := t.metrics
	all := make([]series, 0, len(t.outcomes)+len(t.failures)+len(t.within)+phaseCount+3)
	add := func(metric, value string, s prometheus.Metric) { all = append(all, series{s, group{metric, value}}) }
	count := func(desc *prometheus.Desc, labels []*dto.LabelPair, n uint64) prometheus.Metric {
		return &sample{desc: desc, labels: labels, value: float64(n), created: t.created}
	}
	for _, c := range t.outcomes {
		add(metricnames.ProbeResults, string(c.of), count(m.results, c.labels, c.n))
	}
	add(metricnames.ProbeOwed, "", count(m.owed, t.labels, t.owed))
	for _, c := range t.failures {
		add(metricnames.ProbeFailures, string(c.of), count(m.failures, c.labels, c.n))
	}
	for _, c := range t.within {
		add(metricnames.ProbeWithin, "", count(m.within, c.labels, c.n))
	}
	if t.last != "" {
		state := 0.0
		if t.last == probe.Good {
			state = 1
		}
		add(metricnames.ProbeLastState, "", &sample{desc: m.lastState, labels: t.labels, value: state, gauge: true})
	}
	add(metricnames.ProbeDuration, "", t.duration)
	for i, h := range t.phases {
		if h != nil {
			add(metricnames.ProbePhase, probe.Phase(i).String(), h)
		}
	}
	return all
}

// compareKeys orders as the exposition does: by the labels in order of name.
func compareKeys(a, b key) int {
	return cmp.Or(strings.Compare(a.id.Service, b.id.Service), strings.Compare(a.id.SLA, b.id.SLA),
		strings.Compare(a.id.SLO, b.id.SLO), strings.Compare(a.target, b.target))
}

// withLabel is labels with one more, sorted by name.
func withLabel(labels []*dto.LabelPair, name, value string) []*dto.LabelPair {
	pair := &dto.LabelPair{Name: &name, Value: &value}
	at, _ := slices.BinarySearchFunc(labels, name, func(p *dto.LabelPair, name string) int {
		return strings.Compare(p.GetName(), name)
	})
	return slices.Insert(slices.Clone(labels), at, pair)
}
