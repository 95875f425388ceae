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
	Labels     []Label         // of the target's series, besides those that name it
	Phases     []probe.Phase   // there from the start; others appear when they happen
	Thresholds []time.Duration // ascending, unique
	Rechecked  bool            // it may be probed between two that are owed
}

// Label is one of a series.
type Label struct{ Name, Value string }

// key identifies the series of a target.
type key struct {
	id     sla.ID
	target string
	more   string // its own labels, as the text exposition writes them, each after a comma
}

func keyOf(s Spec) key {
	k := key{id: s.ID, target: s.Target}
	for _, l := range s.Labels {
		k.more += "," + label(l.Name, l.Value)
	}
	return k
}

// Target is the account of one target. Its counters change together. There are
// many targets, most of them well, so that it holds no more than what
// happened.
type Target struct {
	id      sla.ID
	target  string
	block   string // the labels that name it, and its own, as the text exposition writes them
	own     *own   // nil: it has none
	created int64  // nanoseconds since the epoch
	all     *shared

	mu       sync.Mutex
	outcomes [outcomeCount]uint64
	down     bracket
	duration *probeDurations  // nil until the first
	phases   []phaseDurations // in order; only of those that took place
	expected uint8            // a bit for each phase that has a histogram from the start
	state    state            // of the last conclusive probe
	rare     *rare            // nil: nothing of it
}

// own is what a target has whose labels are not only those that name it.
type own struct {
	labels []Label
	text   string // they, as in key
}

// rare is what most targets have nothing of.
type rare struct {
	failures []failureCount // by reason, sorted; only those that happened
	within   []withinCount
	steps    []stepDurations // of a journey, in order
	facts    *facts          // nil until the first
}

// state is what a target was found to be.
type state uint8

const (
	unknown state = iota
	isBad
	isGood
)

// shared is what all targets count together.
type shared struct {
	untimed atomic.Uint64 // probes whose duration is not known well enough
}

const outcomeCount = 5

// failureCount counts the failures for one reason.
type failureCount struct {
	reason probe.Reason
	born   int64 // when it first happened
	n      uint64
	shown  bool // it was in a scrape, as 0
}

type withinCount struct {
	threshold time.Duration
	label     string // with its comma, as the text exposition writes it
	n         uint64
	unknown   uint64 // good, but the exporter was too late to tell
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
		if name == "" { // hops of a request that is no step
			continue
		}
		more := t.more()
		at := slices.IndexFunc(more.steps, func(s stepDurations) bool { return s.step == name })
		if at < 0 {
			at = len(more.steps)
			more.steps = append(more.steps, stepDurations{step: name})
		}
		more.steps[at].observe(took.Seconds())
	}
}

func newTarget(k key, labels []Label, now time.Time, all *shared) *Target {
	t := &Target{id: k.id, target: k.target, block: targetBlock(k), all: all, created: now.UnixNano()}
	if len(labels) > 0 {
		t.own = &own{labels, k.more}
	}
	return t
}

func (t *Target) key() key {
	k := key{id: t.id, target: t.target}
	if t.own != nil {
		k.more = t.own.text
	}
	return k
}

func (t *Target) ownLabels() []Label {
	if t.own == nil {
		return nil
	}
	return t.own.labels
}

// more is t.rare, made if need be; t.mu is held.
func (t *Target) more() *rare {
	if t.rare == nil {
		t.rare = new(rare)
	}
	return t.rare
}

// nothing is what a target has of rare things that has none. It is only read.
var nothing rare

// seen is t.rare to be read; t.mu is held.
func (t *Target) seen() *rare {
	if t.rare == nil {
		return &nothing
	}
	return t.rare
}

// configure gives the target the series of a spec and keeps the counts of
// those that it had.
func (t *Target) configure(s Spec) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.down.rechecked = s.Rechecked
	for _, p := range s.Phases {
		t.expected |= 1 << p
	}
	if t.rare == nil && len(s.Thresholds) == 0 {
		return
	}
	more := t.more()
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

// formatThreshold is a threshold as the "threshold" label shows it: in seconds.
func formatThreshold(d time.Duration) string { return sla.Seconds(d).String() }

// Observe accounts for a probe that was run, began at the time at, and is
// remembered as id.
func (t *Target) Observe(r probe.Result, id ID, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settle(r.Outcome, r.Reason, 1)
	t.down.observe(r.Outcome, at)
	if r.Outcome != probe.Good && r.Outcome != probe.Bad {
		return
	}
	t.concluded(r.Outcome)
	t.learn(r)
	if r.Outcome == probe.Good {
		t.compare(&r)
	}
	if r.Unsure() {
		t.all.untimed.Add(1)
		return
	}
	t.time(&r, id, at)
}

// concluded keeps the state that a conclusive probe found; t.mu is held.
func (t *Target) concluded(outcome probe.Outcome) {
	t.state = isBad
	if outcome == probe.Good {
		t.state = isGood
	}
}

// compare holds the duration of a good probe against the thresholds; t.mu is
// held. With a duration that is not known well only what holds with and without
// the exporter's own time is told.
func (t *Target) compare(r *probe.Result) {
	within := t.seen().within
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

// time counts the duration of a probe and those of its parts; t.mu is held.
func (t *Target) time(r *probe.Result, id ID, at time.Time) {
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

// Recheck accounts for a probe that was run between two that are owed. It is
// in no ratio and no histogram, which would then weigh bad times more; it
// counts by itself, and narrows the bounds of the downtime.
func (t *Target) Recheck(r probe.Result, _ ID, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	next := t.seen().facts.copy()
	next.rechecks++
	t.more().facts = next
	if r.Outcome == probe.Good || r.Outcome == probe.Bad { // others tell nothing, and the next owed probe may
		t.down.observe(r.Outcome, at)
		t.concluded(r.Outcome)
	}
}

// Skip accounts for n probes that were not run.
func (t *Target) Skip(why probe.Reason, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settle(why.Outcome(), why, uint64(n))
	t.down.gap = true
}

func (t *Target) settle(outcome probe.Outcome, why probe.Reason, n uint64) {
	t.outcomes[slices.Index(probe.Outcomes, outcome)] += n
	if why == "" {
		return
	}
	more := t.more()
	i, found := slices.BinarySearchFunc(more.failures, why, func(f failureCount, why probe.Reason) int {
		return strings.Compare(string(f.reason), string(why))
	})
	if !found {
		more.failures = slices.Insert(more.failures, i, failureCount{reason: why, born: time.Now().UnixNano()})
	}
	more.failures[i].n += n
}

// phase is the histogram of a phase; t.mu is held.
func (t *Target) phase(p probe.Phase) *phaseDurations {
	i, found := slices.BinarySearchFunc(t.phases, p, func(h phaseDurations, p probe.Phase) int { return int(h.phase) - int(p) })
	if !found {
		t.phases = slices.Insert(t.phases, i, phaseDurations{phase: p})
	}
	return &t.phases[i]
}

// noDurations is the histogram of what did not take place. It is only read.
var noDurations durations

// eachPhase visits the histograms of phases in order, also the empty ones of
// those that are there from the start; t.mu is held.
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

// compareKeys orders as the exposition does: by the labels in order of name.
func compareKeys(a, b key) int {
	return cmp.Or(strings.Compare(a.id.Service, b.id.Service), strings.Compare(a.id.SLA, b.id.SLA),
		strings.Compare(a.id.SLO, b.id.SLO), strings.Compare(a.target, b.target), strings.Compare(a.more, b.more))
}
