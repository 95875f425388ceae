package measure

import (
	"cmp"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

// Spec says which series a target has.
type Spec struct {
	ID         sla.ID
	Target     string          // without secrets
	Labels     []Label         // of the target's series, besides those that identify it
	Phases     []probe.Phase   // exposed from the start; others when they first occur
	Thresholds []time.Duration // ascending, unique
	Rechecked  bool            // it may be probed between scheduled probes
}

// Label is one label of a series.
type Label struct{ Name, Value string }

// key identifies the series of a target.
type key struct {
	id     sla.ID
	target string
	extra  string // Spec.Labels as text exposition, each after a comma
}

func keyOf(s Spec) key {
	k := key{id: s.ID, target: s.Target}
	for _, l := range s.Labels {
		k.extra += "," + label(l.Name, l.Value)
	}
	return k
}

// Target is the account of one target. Its counters change together. It only
// holds what has happened, because there are many targets and most of them work.
type Target struct {
	id      sla.ID
	target  string
	block   string       // the labels that name it, and its own, as the text exposition writes them
	extra   *extraLabels // nil: it has none
	created int64        // nanoseconds since the epoch
	totals  *exporterTotals

	mu       sync.Mutex
	outcomes [outcomeCount]uint64
	down     bracket
	duration *probeDurations  // nil until the first
	phases   []phaseDurations // in order; only of phases that occurred
	expected uint8            // a bit for each phase that has a histogram from the start
	state    state            // of the last conclusive probe
	sparse   *sparse          // nil: nothing of it
}

// extraLabels are the labels of a target besides those that identify it.
type extraLabels struct {
	labels []Label
	text   string // they, as in key
}

// sparse holds what most targets do not have.
type sparse struct {
	failures []failureCount // sorted by reason; only reasons that occurred
	within   []withinCount
	steps    []stepDurations // of a journey, in order
	facts    *facts          // nil until the first
}

// state is whether a target was good in its last conclusive probe.
type state uint8

const (
	unknown state = iota
	isBad
	isGood
)

// exporterTotals are counted over all targets.
type exporterTotals struct {
	readLate atomic.Uint64 // probes whose duration is not known well enough
}

func (t *exporterTotals) readLateProbes() float64 { return float64(t.readLate.Load()) }

const outcomeCount = 5

// failureCount counts the failures for one reason.
type failureCount struct {
	reason    probe.Reason
	createdAt int64 // when it first happened
	n         uint64
	shown     bool // was in a scrape with 0
}

type withinCount struct {
	threshold time.Duration
	label     string // with its comma, as the text exposition writes it
	n         uint64
	unknown   uint64 // good, but the exporter was too late to know whether it was in time
}

type phaseDurations struct {
	durations
	phase probe.Phase
}

type stepDurations struct {
	step string
	durations
}

// observeSteps counts the time of each step of a journey; t.mu is held.
func (t *Target) observeSteps(parts []probe.Part) {
	for i := 0; i < len(parts); {
		name, took := parts[i].Step, time.Duration(0)
		for ; i < len(parts) && parts[i].Step == name; i++ {
			took += parts[i].Duration
		}
		if name == "" { // redirects of a single request
			continue
		}
		more := t.ensureSparse()
		at := slices.IndexFunc(more.steps, func(s stepDurations) bool { return s.step == name })
		if at < 0 {
			at = len(more.steps)
			more.steps = append(more.steps, stepDurations{step: name})
		}
		more.steps[at].observe(took.Seconds())
	}
}

func newTarget(k key, labels []Label, now time.Time, all *exporterTotals) *Target {
	t := &Target{id: k.id, target: k.target, block: targetBlock(k), totals: all, created: now.UnixNano()}
	if len(labels) > 0 {
		t.extra = &extraLabels{labels, k.extra}
	}
	return t
}

func (t *Target) key() key {
	k := key{id: t.id, target: t.target}
	if t.extra != nil {
		k.extra = t.extra.text
	}
	return k
}

func (t *Target) extraLabels() []Label {
	if t.extra == nil {
		return nil
	}
	return t.extra.labels
}

// ensureSparse returns t.sparse, and makes it if there is none; t.mu is held.
func (t *Target) ensureSparse() *sparse {
	if t.sparse == nil {
		t.sparse = new(sparse)
	}
	return t.sparse
}

// noSparse stands for t.sparse where that is nil. It is only read.
var noSparse sparse

// sparseView returns t.sparse for reading; t.mu is held.
func (t *Target) sparseView() *sparse {
	if t.sparse == nil {
		return &noSparse
	}
	return t.sparse
}

// configure gives the target the series of a spec, and keeps the counts of those that
// it already has.
func (t *Target) configure(s Spec) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.down.rechecked = s.Rechecked
	for _, p := range s.Phases {
		t.expected |= 1 << p
	}
	if t.sparse == nil && len(s.Thresholds) == 0 {
		return
	}
	more := t.ensureSparse()
	old := more.within
	more.within = nil
	for _, d := range s.Thresholds {
		next := withinCount{threshold: d, label: thresholdLabel(d)}
		if i := slices.IndexFunc(old, func(w withinCount) bool { return w.threshold == d }); i >= 0 {
			next.n, next.unknown = old[i].n, old[i].unknown
		}
		more.within = append(more.within, next)
	}
}

// formatThreshold returns the value of the "threshold" label: seconds.
func formatThreshold(d time.Duration) string { return sla.Seconds(d).String() }

// Observe accounts for a probe that began at the given time and has the ID.
func (t *Target) Observe(r probe.Result, id ID, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.countOutcome(r.Outcome, r.Reason, 1)
	t.down.observe(r.Outcome, at)
	if r.Outcome != probe.Good && r.Outcome != probe.Bad {
		return
	}
	t.setState(r.Outcome)
	t.keepFacts(r)
	if r.Outcome == probe.Good {
		t.countThresholds(&r)
	}
	if r.Unsure() {
		t.totals.readLate.Add(1)
		return
	}
	t.observeDurations(&r, id, at)
}

// setState keeps the outcome of a conclusive probe; t.mu is held.
func (t *Target) setState(outcome probe.Outcome) {
	t.state = isBad
	if outcome == probe.Good {
		t.state = isGood
	}
}

// countThresholds compares the duration of a good probe with the thresholds; t.mu
// is held. If the duration with the exporter's own time is above a threshold and
// without it is not, the probe counts as unknown there.
func (t *Target) countThresholds(r *probe.Result) {
	within := t.sparseView().within
	for i := range within {
		w := &within[i]
		switch {
		case r.Duration <= w.threshold:
			w.n++
		case r.Unsure() && r.Duration-r.Late <= w.threshold:
			w.unknown++
		}
	}
}

// observeDurations counts the durations of a probe and of its parts; t.mu is held.
func (t *Target) observeDurations(r *probe.Result, id ID, at time.Time) {
	if t.duration == nil {
		t.duration = new(probeDurations)
	}
	which := 0
	if r.Outcome == probe.Bad {
		which = 1
	}
	t.duration.observe(r.Duration.Seconds(), which, id, at)
	t.observeSteps(r.Parts)
	if t.phases == nil {
		t.phases = make([]phaseDurations, 0, count(r.Phases.All()))
	}
	for p, d := range r.Phases.All() {
		t.phase(p).observe(d.Seconds())
	}
}

func count[K, V any](all iter.Seq2[K, V]) (n int) {
	for range all {
		n++
	}
	return n
}

// Recheck accounts for a probe between two scheduled ones. It is in no ratio and
// no histogram, in which bad times would weigh more. It has its own counter, and
// narrows the bounds of the downtime.
func (t *Target) Recheck(r probe.Result, _ ID, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	next := t.sparseView().facts.copy()
	next.rechecks++
	t.ensureSparse().facts = next
	if r.Outcome == probe.Good || r.Outcome == probe.Bad { // others leave it to the next scheduled probe
		t.down.observe(r.Outcome, at)
		t.setState(r.Outcome)
	}
}

// Skip accounts for n probes that were not run.
func (t *Target) Skip(why probe.Reason, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.countOutcome(why.Outcome(), why, uint64(n))
	t.down.gap = true
}

func (t *Target) countOutcome(outcome probe.Outcome, why probe.Reason, n uint64) {
	t.outcomes[slices.Index(probe.Outcomes, outcome)] += n
	if why == "" {
		return
	}
	more := t.ensureSparse()
	i, found := slices.BinarySearchFunc(more.failures, why, func(f failureCount, why probe.Reason) int {
		return strings.Compare(string(f.reason), string(why))
	})
	if !found {
		more.failures = slices.Insert(more.failures, i, failureCount{reason: why, createdAt: time.Now().UnixNano()})
	}
	more.failures[i].n += n
}

// phase returns the histogram of a phase; t.mu is held.
func (t *Target) phase(p probe.Phase) *phaseDurations {
	i, found := slices.BinarySearchFunc(t.phases, p, func(h phaseDurations, p probe.Phase) int { return int(h.phase) - int(p) })
	if !found {
		t.phases = slices.Insert(t.phases, i, phaseDurations{phase: p})
	}
	return &t.phases[i]
}

// noDurations is the histogram of a phase that has not occurred. It is only read.
var noDurations durations

// eachPhase visits the histograms of phases in order, also the empty ones of
// phases that are exposed from the start; t.mu is held.
func (t *Target) eachPhase(visit func(probe.Phase, *durations)) {
	rest := t.phases
	for p := probe.Phase(0); len(rest) > 0 || t.expected>>p != 0; p++ {
		switch {
		case len(rest) > 0 && rest[0].phase == p:
			visit(p, &rest[0].durations)
			rest = rest[1:]
		case t.expected>>p&1 != 0:
			visit(p, &noDurations)
		}
	}
}

// compareKeys orders targets as the exposition does: by their labels, sorted by
// name.
func compareKeys(a, b key) int {
	return cmp.Or(strings.Compare(a.id.Service, b.id.Service), strings.Compare(a.id.SLA, b.id.SLA),
		strings.Compare(a.id.SLO, b.id.SLO), strings.Compare(a.target, b.target), strings.Compare(a.extra, b.extra))
}
