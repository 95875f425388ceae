package probe

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// tcpProber opens a connection. If the check says so it begins TLS, and runs a
// dialogue.
type tcpProber struct {
	address string
	timeout time.Duration
	tls     bool     // right after connecting
	session *session // for tls and startTLS
	steps   []step
	dialer  *dialer
}

func newTCP(check sla.Check, timeout time.Duration, d *dialer) (Prober, error) {
	c, ok := check.(*sla.TCPCheck)
	if !ok {
		return nil, fmt.Errorf("a tcp prober was given a %T", check)
	}
	address, host, err := hostPortOf(c.Address)
	if err != nil {
		return nil, err
	}
	steps, err := prepare(c.Dialogue, "\r\n")
	if err != nil {
		return nil, err
	}
	session, err := d.session(c.TLSOptions, host)
	if err != nil {
		return nil, err
	}
	return &tcpProber{address: address, timeout: timeout, dialer: d, steps: steps, tls: c.TLS, session: session}, nil
}

// hostPortOf returns the host:port of a check in the form for the dialer, and the host.
func hostPortOf(address string) (ascii, host string, err error) {
	if ascii, host, err = sla.ASCIIAddress(address); err != nil {
		return "", "", fmt.Errorf("the address must be host:port: %w", err)
	}
	return ascii, host, nil
}

// Phases of a TCP probe: up to the connection, the session, or the end of the dialogue.
func (p *tcpProber) Phases() []Phase {
	secure := p.tls || slices.ContainsFunc(p.steps, func(s step) bool { return s.startTLS })
	return append(connectPhases(p.address, secure), dialoguePhases(p.steps)...)
}

// connectPhases are the phases of opening a connection to host:port.
func connectPhases(address string, secure bool) []Phase {
	phases := resolvePhases(address)
	phases = append(phases, Connect)
	if secure {
		phases = append(phases, TLS)
	}
	return phases
}

func resolvePhases(address string) []Phase {
	if isLiteral(address) {
		return nil
	}
	return []Phase{Resolve}
}

// dialoguePhases are the phases of a dialogue that waits for something.
func dialoguePhases(steps []step) []Phase {
	if slices.ContainsFunc(steps, func(s step) bool { return s.expects() }) {
		return []Phase{Processing}
	}
	return nil
}

// Probe connects, runs the dialogue and closes the connection.
func (p *tcpProber) Probe(ctx context.Context, by time.Time) Result {
	r := begin(p.timeout, by)
	r.excerpt = p.dialer.env.Excerpt
	ctx, cancel := context.WithDeadline(ctx, r.deadline)
	defer cancel()
	var s *session
	if p.tls {
		s = p.session
	}
	conn, fault := p.dialer.connect(ctx, p.address, s, &r)
	if fault != nil {
		return r.failed(fault)
	}
	defer func() { closeNow(conn) }()
	if len(p.steps) == 0 {
		if fault := p.dialer.awaitCertificateVerdict(ctx, conn, p.address, &r); fault != nil {
			return r.failed(fault)
		}
		return r.good(dialogueDetail(nil))
	}
	t := talk{dialer: p.dialer, session: p.session, address: p.address, run: &r, conn: conn}
	fault = t.runSteps(ctx, p.steps)
	conn = t.conn
	if fault == nil && p.steps[len(p.steps)-1].startTLS {
		fault = p.dialer.awaitCertificateVerdict(ctx, conn, p.address, &r)
	}
	if fault != nil {
		return r.failed(fault)
	}
	return r.good(dialogueDetail(p.steps))
}

// closeNow closes a connection at once. With TLS it closes the connection below,
// because ending the session could wait for the peer.
func closeNow(conn net.Conn) {
	if session, ok := conn.(*tls.Conn); ok {
		conn = session.NetConn()
	}
	conn.Close()
}
