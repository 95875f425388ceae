package probe

import (
	"context"
	"net"
	"net/http/httptrace"
	"net/netip"
	"time"
)

// dialer opens connections for probers of every kind: it measures the phases
// and turns what goes wrong into a failure.
type dialer struct {
	net       net.Dialer
	env       Env
	resolving *resolverCheck
}

func newDialer(env Env) *dialer {
	if env.UserAgent == "" {
		env.UserAgent = "upheld-exporter"
	}
	d := &dialer{
		net: net.Dialer{
			Resolver:  env.Resolver,
			KeepAlive: -1, // a probe ends before a keep-alive would be sent
		},
		env:       env,
		resolving: &resolverCheck{resolver: env.Resolver},
	}
	if env.Guard != nil || env.Control != nil {
		d.net.Control = d.control
	}
	return d
}

// connect opens a TCP connection to host:port, with a TLS session over it if
// s is not nil, until the deadline of ctx. All of the addresses of a name
// are tried, IPv6 and IPv4 as in RFC 6555.
func (d *dialer) connect(ctx context.Context, address string, s *session, r *run) (net.Conn, *failure) {
	conn, fault := d.open(ctx, "tcp", address, r)
	if fault != nil || s == nil {
		return conn, fault
	}
	secured, fault := d.secure(ctx, conn, s, address, r)
	if fault != nil {
		return nil, fault
	}
	return secured, nil
}

// open opens a connection, of packets or a stream, until the deadline of ctx.
func (d *dialer) open(ctx context.Context, network, address string, r *run) (net.Conn, *failure) {
	conn, err := d.dial(ctx, network, address, &r.phases)
	if err != nil {
		return nil, d.classify(ctx, err, connecting(address))
	}
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			conn.Close()
			return nil, d.classify(ctx, err, connecting(address))
		}
	}
	return conn, nil
}

func connecting(address string) stage {
	return stage{phase: Connect, address: address, what: "connect " + address}
}

// dial opens the connection and measures Resolve, if there is a name to
// resolve, and Connect, which UDP does not do.
func (d *dialer) dial(ctx context.Context, network, address string, phases *Phases) (net.Conn, error) {
	if err := d.mayName(network, address); err != nil {
		return nil, err
	}
	start := time.Now()
	if network == "unix" || isLiteral(address) {
		conn, err := d.net.DialContext(ctx, network, address)
		if network != "udp" {
			phases.Add(Connect, time.Since(start))
		}
		return conn, err
	}
	var resolved time.Time
	trace := &httptrace.ClientTrace{DNSDone: func(info httptrace.DNSDoneInfo) {
		phases.Add(Resolve, time.Since(start))
		if info.Err == nil {
			resolved = time.Now()
		}
	}}
	conn, err := d.net.DialContext(httptrace.WithClientTrace(ctx, trace), network, address)
	if !resolved.IsZero() && network != "udp" {
		phases.Add(Connect, time.Since(resolved))
	}
	return conn, err
}

// isLiteral tells whether host:port has an address for a host.
func isLiteral(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	_, err = netip.ParseAddr(host)
	return err == nil
}

// interruptible makes every pending and later operation on conn fail once ctx
// ends, until the returned function is called.
func interruptible(ctx context.Context, conn net.Conn) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
}
