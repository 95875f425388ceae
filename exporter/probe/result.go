package probe

import (
	"iter"
	"net/netip"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// Outcome is what became of one probe that the schedule owed.
type Outcome string

// The outcomes. A Prober returns the first three only.
const (
	Good         Outcome = metricnames.Good         // the target answered as it should
	Bad          Outcome = metricnames.Bad          // the target failed
	Inconclusive Outcome = metricnames.Inconclusive // the prober could not tell; its own fault
	Maintenance  Outcome = metricnames.Maintenance  // declared in advance not to count
	Missed       Outcome = metricnames.Missed       // never run
)

// Outcomes are all of them.
var Outcomes = []Outcome{Good, Bad, Inconclusive, Maintenance, Missed}

// Result is what one probe saw.
type Result struct {
	Outcome  Outcome
	Reason   Reason        // why it is not good; empty if it is
	Detail   string        // one short line for people: "HTTP 503"
	Duration time.Duration // from the start to the verdict
	Late     time.Duration // how much of Duration may be the exporter's own; 0 where that is not known
	Phases   Phases
	Packets  *PacketFacts // of a probe that sends several
	TLS      *TLSFacts    // of the handshake, if one got as far as the certificate
	HTTP     *HTTPFacts   // of the last answer, of a kind that speaks HTTP
	Remote   netip.Addr   // that was connected to last, if any was
	Parts    []Part       // of a probe that made several requests, in order
	Info     []InfoLabel  // what a dialogue took from the answer, sorted by name
	Excerpt  string       // the beginning of what a bad target answered, without secrets; lines of text
}

// InfoLabel is what a probe took from an answer, for a metric.
type InfoLabel struct{ Name, Value string }

// Part is one request of a probe that made several: before or after a redirect,
// or of a step of a journey.
type Part struct {
	Step     string // of a journey
	URL      string // without user info and query
	Status   int    // 0: no answer
	Duration time.Duration
	Phases   Phases
}

// Phase is one part of a probe.
type Phase uint8

// The phases, in the order in which they happen. After a redirect they happen
// again, and their times add up.
const (
	Resolve    Phase = iota // looking the name up; none for an address
	Connect                 // opening the TCP connection
	TLS                     // the handshake
	Processing              // from the request sent to the first byte of the answer
	Transfer                // from the first byte to the last that was read
	phaseCount
)

var phaseNames = [phaseCount]string{"resolve", "connect", "tls", "processing", "transfer"}

// String is the value of the "phase" label.
func (p Phase) String() string { return phaseNames[p] }

// AllPhases are all of them, in order.
func AllPhases() []Phase { return []Phase{Resolve, Connect, TLS, Processing, Transfer} }

// Phases are the durations of the phases that took place. A phase that never
// began has none, which is not the same as zero; one that failed has the time
// until it did.
type Phases struct {
	took [phaseCount]time.Duration
	seen [phaseCount]bool
}

// Add counts d to a phase.
func (p *Phases) Add(phase Phase, d time.Duration) {
	p.took[phase] += d
	p.seen[phase] = true
}

// Get is the duration of a phase, and whether it took place.
func (p *Phases) Get(phase Phase) (time.Duration, bool) { return p.took[phase], p.seen[phase] }

// All yields the phases that took place, in order.
func (p *Phases) All() iter.Seq2[Phase, time.Duration] {
	return func(yield func(Phase, time.Duration) bool) {
		for phase, seen := range p.seen {
			if seen && !yield(Phase(phase), p.took[phase]) {
				return
			}
		}
	}
}

// since is what was added to earlier phases.
func (p *Phases) since(earlier Phases) Phases {
	var d Phases
	for i := range p.took {
		if took := p.took[i] - earlier.took[i]; took > 0 || p.seen[i] && !earlier.seen[i] {
			d.Add(Phase(i), took)
		}
	}
	return d
}

// run is one probe under way.
type run struct {
	start    time.Time
	deadline time.Time // the one bound on everything that the probe does
	timeout  time.Duration
	cutShort time.Duration // how much of the timeout the deadline leaves out
	phases   Phases
	late     *lateness // nil: nothing is attested
	tls      *TLSFacts
	packets  *PacketFacts
	http     *HTTPFacts
	remote   netip.Addr
	usesTLS  bool // the connection speaks TLS
	parts    []Part
	ended    time.Time      // of the verdict, if what follows is no part of the probe
	excerpt  int            // how much of a bad answer is kept, in bytes; 0: nothing
	response *responseStart // nil: nothing
	info     []InfoLabel
}

func begin(timeout time.Duration, by time.Time) run {
	r := run{start: time.Now(), timeout: timeout}
	r.deadline = r.start.Add(timeout)
	if !by.IsZero() && by.Before(r.deadline) {
		r.cutShort = r.deadline.Sub(by)
		r.deadline = by
	}
	return r
}

func (r *run) good(detail string) Result {
	return r.result(detail, true)
}

// result is that of a good probe, or of one for which the target answered.
func (r *run) result(detail string, answered bool) Result {
	end := r.ended
	if end.IsZero() {
		end = time.Now()
	}
	took := end.Sub(r.start)
	return Result{
		Outcome: Good, Detail: detail, Duration: took, Late: min(r.late.finish(end, answered), took), Phases: r.phases,
		TLS: r.tls, Packets: r.packets, HTTP: r.http, Remote: r.remote, Parts: r.parts, Info: r.info,
	}
}

// waitingReasons are the reasons for which the probe was still waiting.
var waitingReasons = []Reason{Timeout, ConnectTimeout, Loss, Cancelled}

// impatientReasons are the reasons that a target gives for which the probe was too
// slow.
var impatientReasons = []Reason{Reset, TLSOther, Dialogue, Protocol, Status}

// excludeTime takes time that the exporter needed for itself out of the probe.
func (r *run) excludeTime(d time.Duration) {
	r.start = r.start.Add(d)
	r.cutShort += d
}

// cutShare is the part of its timeout that a probe may lack and still be told to
// have timed out.
const cutShare = 20

// starved tells whether a failure may come of the exporter having been too slow:
// with more time the answer might have been in time, and no peer waits for ever.
func (r *run) starved(reason Reason, took time.Duration) bool {
	switch {
	case took > r.deadline.Sub(r.start)+starvedAfter:
		return true
	case reason == Timeout:
		return r.late.mayHaveMissed(took)
	}
	return slices.Contains(impatientReasons, reason) && r.late.stalled()
}

// failed is the result of a probe that a failure ended. If the probe began so
// late that its target had less than its time, a timeout is not the target's.
func (r *run) failed(f *failure) Result {
	if r.cutShort > min(r.timeout/cutShare, starvedAfter) && (f.reason == Timeout || f.reason == ConnectTimeout || f.reason == Loss) {
		f = &failure{Starved, f.detail + "; the probe had begun too late to wait for the whole timeout"}
	}
	result := r.result(sla.Redact(f.detail), !slices.Contains(waitingReasons, f.reason))
	result.Outcome, result.Reason = f.reason.Outcome(), f.reason
	if result.Outcome == Bad && r.starved(f.reason, result.Duration) {
		result.Outcome, result.Reason = Starved.Outcome(), Starved
	}
	if result.Outcome == Bad && r.response != nil {
		result.Excerpt = r.response.text(r.excerpt)
	}
	return result
}
