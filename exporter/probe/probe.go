// Package probe runs one probe of one target and returns the result.
//
// A Prober is made once per target: regexps, TLS settings and requests are prepared
// then. It opens a new connection every time it runs, so that name resolution,
// connecting and the handshake are always measured. Nothing is ever retried. It
// returns a plain Result: this package makes no metrics, keeps no timetable, and
// must import neither client_golang nor the rest of exporter. A Result contains no
// user info, header values or bodies, except in Excerpt, from which secrets are
// removed.
//
// Each kind of check is one file here and one line in kinds.
package probe

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"slices"
	"syscall"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Prober runs probes of one target. It is safe for concurrent use.
type Prober interface {
	// Probe runs once. It ends within the target's timeout and by the time by,
	// unless that is zero. If ctx ends it returns early with the reason Cancelled.
	Probe(ctx context.Context, by time.Time) Result
	// Phases returns the phases of a good probe of the target, in order.
	Phases() []Phase
}

// Env is what probers of all kinds share. The zero value is right for
// production: the system's resolver and certificate authorities.
type Env struct {
	Resolver  *net.Resolver
	RootCAs   *x509.CertPool
	UserAgent string
	// Excerpt is how many bytes of a bad response Results show, of its header and
	// of its body; 0: nothing.
	Excerpt int
	// Guard, if set, says what probes may connect to.
	Guard Guard
	// Control, if set, is called on each socket before it connects, as in
	// net.Dialer.
	Control func(network, address string, c syscall.RawConn) error
}

// kind is one row of the table: how to make a prober of a check, and the reasons for
// which its probes can fail, in addition to those of every kind.
type kind struct {
	name    string // sla.Check.ProbeKind
	new     func(check sla.Check, timeout time.Duration, d *dialer) (Prober, error)
	reasons []Reason
}

// kinds is the table of checks. A function, so that nothing can change it.
func kinds() []kind {
	return []kind{
		{"dns", newDNS, dnsReasons},
		{"grpc", newGRPC, grpcReasons},
		{"http", newHTTP, httpReasons},
		{"icmp", newICMP, icmpReasons},
		{"journey", newJourney, journeyReasons},
		{"tcp", newTCP, dialogueReasons},
		{"tls", newTLS, nil},
		{"udp", newUDP, dialogueReasons},
		{"unix", newUnix, dialogueReasons},
		{"websocket", newWebSocket, webSocketReasons},
	}
}

// kindOf returns the row of a kind; ok is false if there is none.
func kindOf(name string) (row kind, ok bool) {
	for _, k := range kinds() {
		if k.name == name {
			return k, true
		}
	}
	return kind{}, false
}

// Factory makes probers that share an Env.
type Factory struct{ dialer *dialer }

// NewFactory prepares what probers share.
func NewFactory(env Env) *Factory { return &Factory{newDialer(env)} }

// New makes the prober of a probe. The error names what is wrong with the check; it
// never contains a secret.
func (f *Factory) New(p *sla.Probe) (Prober, error) {
	k, ok := kindOf(p.Check.ProbeKind())
	if !ok {
		return nil, fmt.Errorf("no prober for checks of kind %q", p.Check.ProbeKind())
	}
	if p.Timeout <= 0 {
		return nil, fmt.Errorf("the timeout is %s; it must be more than 0", p.Timeout)
	}
	prober, err := k.new(p.Check, p.Timeout, f.dialer.with(p.Network))
	if err != nil {
		return nil, redactedError{err}
	}
	if p.Network != nil && p.Network.Pinned.IsValid() {
		prober = pinned{prober}
	}
	if p.MaxDuration > 0 {
		prober = &maxDurationProber{prober, p.MaxDuration}
	}
	return prober, nil
}

// redactedError is an error without secrets.
type redactedError struct{ error }

// Error returns the message without secrets.
func (q redactedError) Error() string { return sla.Redact(q.error.Error()) }

// Unwrap is the original error.
func (q redactedError) Unwrap() error { return q.error }

// pinned is a prober of one address of a name, which it does not look up.
type pinned struct{ Prober }

// Phases are the prober's, without Resolve.
func (p pinned) Phases() []Phase {
	return slices.DeleteFunc(p.Prober.Phases(), func(phase Phase) bool { return phase == Resolve })
}

// maxDurationProber is a prober whose good probes may take at most max.
type maxDurationProber struct {
	Prober
	max time.Duration
}

// Probe runs the prober and judges how long it took. If the exporter itself was so
// late that it does not know whether that is too long, the result is inconclusive.
func (p *maxDurationProber) Probe(ctx context.Context, by time.Time) Result {
	r := p.Prober.Probe(ctx, by)
	if r.Outcome == Good && r.Duration > p.max {
		reason := Slow
		if r.Unsure() && r.Duration-r.Late <= p.max {
			reason = Starved
		}
		r.Outcome, r.Reason = reason.Outcome(), reason
		r.Detail += "; took " + r.Duration.Round(time.Microsecond).String() + ", more than " + sla.FormatDuration(p.max)
	}
	return r
}

// Reasons returns all reasons for which a probe of the kind can fail, sorted as in
// the table, with those of skipped probes at the end.
func Reasons(probeKind string) []Reason {
	row, _ := kindOf(probeKind)
	return slices.Concat(connectReasons, row.reasons, ownReasons, skipReasons)
}

// Kinds returns the kinds of check for which there is a prober, sorted.
func Kinds() []string {
	var names []string
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	return slices.Sorted(slices.Values(names))
}
