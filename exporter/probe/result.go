package probe

import (
	"iter"
	"net/netip"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// Outcome is the outcome of one scheduled probe.
type Outcome string

// The outcomes. A Prober returns the first three only.
const (
	Good         Outcome = metricnames.Good         // the target answered as it should
	Bad          Outcome = metricnames.Bad          // the target failed
	Inconclusive Outcome = metricnames.Inconclusive // the exporter's own fault; says nothing about the target
	Maintenance  Outcome = metricnames.Maintenance  // excluded in advance
	Missed       Outcome = metricnames.Missed       // skipped
)

// Outcomes are all outcomes.
var Outcomes = []Outcome{Good, Bad, Inconclusive, Maintenance, Missed}

// Result is the result of one probe.
type Result struct {
	Outcome  Outcome
	Reason   Reason        // why it is not good; empty if it is
	Detail   string        // one short line for people: "HTTP 503"
	Duration time.Duration // from the start to the verdict
	Late     time.Duration // how much of Duration may be the exporter's own; 0 if unknown
	Phases   Phases
	Packets  *PacketFacts // of a probe that sends several
	TLS      *TLSFacts    // of the handshake, if it got as far as the certificate
	HTTP     *HTTPFacts   // of the last response, for kinds that speak HTTP
	Remote   netip.Addr   // last address connected to, if any
	Parts    []Part       // of a probe that made several requests, in order
	Info     []InfoLabel  // labels that a dialogue took from the response, sorted by name
	Excerpt  string       // the beginning of a bad response, without secrets; lines of text
}

// InfoLabel is a label that a probe took from a response, for a metric.
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

// The phases, in their order. After a redirect they occur again, and their times
// add up.
const (
	Resolve    Phase = iota // looking the name up; none for an address
	Connect                 // opening the TCP connection
	TLS                     // the handshake
	Processing              // from sending the request to the first byte of the response
	Transfer                // from the first byte to the last one read
	phaseCount
)

var phaseNames = [phaseCount]string{"resolve", "connect", "tls", "processing", "transfer"}

// String is the value of the "phase" label.
func (p Phase) String() string { return phaseNames[p] }

// AllPhases returns all phases, in order.
func AllPhases() []Phase { return []Phase{Resolve, Connect, TLS, Processing, Transfer} }

// Phases are the durations of the phases that occurred. A phase that never began has no
// duration, which is not the same as zero. A phase that failed has the time until its
// failure.
type Phases struct {
	took [phaseCount]time.Duration
	seen [phaseCount]bool
}

// Add counts d to a phase.
func (p *Phases) Add(phase Phase, d time.Duration) {
	p.took[phase] += d
	p.seen[phase] = true
}

// Get returns the duration of a phase, and whether it occurred.
func (p *Phases) Get(phase Phase) (time.Duration, bool) { return p.took[phase], p.seen[phase] }

// All yields the phases that occurred, in order.
func (p *Phases) All() iter.Seq2[Phase, time.Duration] {
	return func(yield func(Phase, time.Duration) bool) {
		for phase, seen := range p.seen {
			if seen && !yield(Phase(phase), p.took[phase]) {
				return
			}
		}
	}
}

// since returns what was added after an earlier state.
func (p *Phases) since(earlier Phases) Phases {
	var d Phases
	for i := range p.took {
		if took := p.took[i] - earlier.took[i]; took > 0 || p.seen[i] && !earlier.seen[i] {
			d.Add(Phase(i), took)
		}
	}
	return d
}

// run is one running probe.
type run struct {
	start    time.Time
	deadline time.Time // the only bound on everything that the probe does
	timeout  time.Duration
	cutShort time.Duration // how much earlier than the timeout the deadline is
	phases   Phases
	late     *lateness // nil: not measured
	tls      *TLSFacts
	packets  *PacketFacts
	http     *HTTPFacts
	remote   netip.Addr
	usesTLS  bool // the connection speaks TLS
	parts    []Part
	ended    time.Time      // when the verdict was reached, if later work is not part of the probe
	excerpt  int            // how much of a bad response to keep, in bytes; 0: nothing
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

// result returns the result of a good probe; answered says whether the target
// answered at the end.
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

// waitingReasons are the reasons of probes that ended while waiting for the target.
var waitingReasons = []Reason{Timeout, ConnectTimeout, Loss, Cancelled}

// impatientReasons are the reasons of probes that a target may end because they are too
// slow for it.
var impatientReasons = []Reason{Reset, TLSOther, Dialogue, Protocol, Status}

// excludeTime removes time that the exporter needed for itself from the probe.
func (r *run) excludeTime(d time.Duration) {
	r.start = r.start.Add(d)
	r.cutShort += d
}

// cutShare: a probe that had at most this part less than its timeout still counts as
// timed out.
const cutShare = 20

// starved reports whether the exporter may have caused the failure by being too
// slow: it may have missed an answer in time, or the peer may have given up.
func (r *run) starved(reason Reason, took time.Duration) bool {
	switch {
	case took > r.deadline.Sub(r.start)+starvedAfter:
		return true
	case reason == Timeout:
		return r.late.mayHaveMissed(took)
	}
	return slices.Contains(impatientReasons, reason) && r.late.stalled()
}

// failed returns the result of a failed probe. If the probe began so late that the
// target had less than the timeout, a timeout is not its fault.
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
