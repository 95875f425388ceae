package exporter

import (
	"slices"
	"sync"
	"time"

	"github.com/upheld-sla/upheld/exporter/measure"
	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

// Record is one result that is remembered.
type Record struct {
	At       time.Time // when the probe began, or was found not to have run
	Outcome  probe.Outcome
	Reason   probe.Reason  // why it is not good
	Detail   string        // for people: "HTTP 503"; never a secret
	Duration time.Duration // 0 if it was not run
	Phases   probe.Phases  // those that took place, to about a millionth
	ID       measure.ID    // as exemplars name it; 0 if it was not run
	Parts    []probe.Part  // of a probe that made several requests
	Excerpt  string        // what a bad target answered, as probe.Result has it; of some of those remembered
	Count    int           // probes in a row that the record stands for, more than 1 only if they were not run
}

// How many results are remembered for each target.
const (
	RecentResults  = 20
	RecentFailures = 20
)

// Recent is the last results of a level's probe, at most RecentResults, newest
// first; nil if the level has none.
func (e *Exporter) Recent(id sla.ID) []Record { return e.remembered(id, (*history).recent) }

// Failures is the last results of a level's probe that were not good, at most
// RecentFailures, newest first. They are kept apart from Recent, so that a
// failure some hours ago is still known.
func (e *Exporter) Failures(id sla.ID) []Record { return e.remembered(id, (*history).failures) }

func (e *Exporter) remembered(id sla.ID, read func(*history) []Record) []Record {
	e.mu.RLock()
	targets := e.byLevel[id]
	e.mu.RUnlock()
	var all []Record
	for _, t := range targets {
		all = append(all, read(t.history)...)
	}
	if len(targets) > 1 {
		slices.SortStableFunc(all, func(a, b Record) int { return b.At.Compare(a.At) })
		all = all[:min(len(all), RecentResults)]
	}
	return all
}

// history is the memory of one target.
type history struct {
	mu   sync.Mutex
	all  ring
	bad  ring // the excerpts are of these
	last probe.Outcome
	why  probe.Reason
}

// add keeps a record and tells whether outcome or reason differ from the one
// before.
func (h *history) add(r Record, kept *excerpts) (changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	changed = r.Outcome != h.last || r.Reason != h.why
	h.last, h.why = r.Outcome, r.Reason
	one := pack(r)
	if before := h.all.newest(); before != nil && before.detail == one.detail {
		one.detail = before.detail // the same text, once
	}
	if r.Outcome == probe.Good {
		h.all.add(one, RecentResults)
		return changed
	}
	if r.Excerpt != "" {
		one.excerpt = kept.keep(r.Excerpt, h.bad.newest())
	}
	h.all.add(one, RecentResults)
	kept.release(h.bad.add(one, RecentFailures))
	return changed
}

func (h *history) recent() []Record {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.all.newestFirst()
}

func (h *history) failures() []Record {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.bad.newestFirst()
}

// packed is a Record in less than half its size: there are many.
type packed struct {
	at       int64 // nanoseconds since the epoch
	id       measure.ID
	detail   string
	reason   probe.Reason
	duration time.Duration
	phases   [packedPhases]float32 // seconds; negative if it did not take place
	parts    *[]probe.Part         // nil: none
	excerpt  *excerpt              // nil: none
	count    uint32
	outcome  uint8 // in probe.Outcomes
}

const packedPhases = 5

func pack(r Record) packed {
	p := packed{
		at: r.At.UnixNano(), id: r.ID, detail: r.Detail, reason: r.Reason, duration: r.Duration,
		count: uint32(r.Count), outcome: uint8(slices.Index(probe.Outcomes, r.Outcome)),
	}
	if len(r.Parts) > 0 {
		p.parts = &r.Parts
	}
	for i := range p.phases {
		p.phases[i] = -1
	}
	for phase, took := range r.Phases.All() {
		if int(phase) < packedPhases {
			p.phases[phase] = float32(took.Seconds())
		}
	}
	return p
}

func (p *packed) record() Record {
	r := Record{
		At: time.Unix(0, p.at), ID: p.id, Detail: p.detail, Reason: p.reason, Duration: p.duration,
		Count: int(p.count), Outcome: probe.Outcomes[p.outcome],
	}
	if p.parts != nil {
		r.Parts = *p.parts
	}
	r.Excerpt = p.excerpt.read()
	for i, seconds := range p.phases {
		if seconds >= 0 {
			r.Phases.Add(probe.Phase(i), time.Duration(float64(seconds)*float64(time.Second)))
		}
	}
	return r
}

// ring is the last records, up to a bound; it grows only as it fills.
type ring struct {
	records []packed
	next    int // the oldest, once full
}

// add keeps a record, and returns the excerpt of the one that it forgets for it.
func (r *ring) add(rec packed, bound int) (forgotten *excerpt) {
	if len(r.records) < bound {
		if len(r.records) == cap(r.records) { // by no more than needed, and never beyond
			r.records = slices.Grow(r.records, min(4, bound-len(r.records)))
		}
		r.records = append(r.records, rec)
		return nil
	}
	forgotten = r.records[r.next].excerpt
	r.records[r.next] = rec
	r.next = (r.next + 1) % bound
	return forgotten
}

func (r *ring) newest() *packed {
	if len(r.records) == 0 {
		return nil
	}
	return &r.records[(r.next+len(r.records)-1)%len(r.records)]
}

func (r *ring) newestFirst() []Record {
	n := len(r.records)
	list := make([]Record, n)
	for i := range list {
		list[i] = r.records[(r.next+n-1-i)%n].record()
	}
	return list
}
