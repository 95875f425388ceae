package probe

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// tcpReasons: a TCP probe fails for nothing but reasons of connecting.
var tcpReasons []Reason

// tcpProber opens a connection, and a TLS session over it if asked.
type tcpProber struct {
	address string
	timeout time.Duration
	tls     *tls.Config // nil: none
	dialer  *dialer
}

func newTCP(check sla.Check, timeout time.Duration, d *dialer) (Prober, error) {
	c, ok := check.(*sla.TCPCheck)
	if !ok {
		return nil, fmt.Errorf("a tcp prober was given a %T", check)
	}
	host, _, err := net.SplitHostPort(c.Address)
	if err != nil {
		return nil, fmt.Errorf("the address must be host:port: %w", err)
	}
	p := &tcpProber{address: c.Address, timeout: timeout, dialer: d}
	if c.TLS {
		name := c.ServerName
		if name == "" {
			name = host
		}
		p.tls = &tls.Config{ServerName: name, RootCAs: d.env.RootCAs, InsecureSkipVerify: c.InsecureSkipVerify}
	}
	return p, nil
}

// Phases of a TCP probe: to the connection, or to the session.
func (p *tcpProber) Phases() []Phase { return connectPhases(p.address, p.tls != nil) }

// connectPhases are the phases of opening a connection to host:port.
func connectPhases(address string, secure bool) []Phase {
	var phases []Phase
	if !isLiteral(address) {
		phases = append(phases, Resolve)
	}
	phases = append(phases, Connect)
	if secure {
		phases = append(phases, TLS)
	}
	return phases
}

// Probe connects and hangs up.
func (p *tcpProber) Probe(ctx context.Context, by time.Time) Result {
	r := begin(p.timeout, by)
	ctx, cancel := context.WithDeadline(ctx, r.deadline)
	defer cancel()
	conn, fault := p.dialer.connect(ctx, p.address, p.tls, &r.phases)
	if fault != nil {
		return r.failed(fault)
	}
	result := r.good("connected")
	hangUp(conn)
	return result
}

// hangUp closes a connection at once. A TLS session is closed below it,
// because saying goodbye could wait for the peer.
func hangUp(conn net.Conn) {
	if session, ok := conn.(*tls.Conn); ok {
		conn = session.NetConn()
	}
	conn.Close()
}
