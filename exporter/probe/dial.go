package probe

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// dialer opens connections for probers of every kind: it measures the phases and turns
// errors into failures.
type dialer struct {
	env       Env
	network   sla.Network
	tcp, udp  net.Dialer // bound to the source of network
	plain     net.Dialer // bound to no source: for Unix sockets and for resolvers
	resolver  *net.Resolver
	resolving *resolverCheck
	resolvers *resolvers // the resolvers that specifications name
}

func newDialer(env Env) *dialer {
	enableTimestamps()
	if env.UserAgent == "" {
		env.UserAgent = "upheld-exporter"
	}
	d := &dialer{
		env:       env,
		resolver:  env.Resolver,
		resolving: &resolverCheck{resolver: env.Resolver},
		resolvers: new(resolvers),
		plain:     net.Dialer{KeepAlive: -1}, // a probe ends before a keep-alive would be sent
	}
	if env.Guard != nil || env.Control != nil {
		d.plain.Control = d.control
	}
	d.tcp, d.udp = d.plain, d.plain
	return d
}

// with returns the dialer for another network.
func (d *dialer) with(n *sla.Network) *dialer {
	if n == nil {
		return d
	}
	other := *d
	other.network = *n
	other.network.PinnedHost, _ = sla.ASCIIHost(n.PinnedHost) // without a name there was no address to pin
	if n.Source.IsValid() {
		other.tcp.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(n.Source, 0))
		other.udp.LocalAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(n.Source, 0))
	}
	if n.Resolver.IsValid() {
		other.resolving = d.resolvers.of(n.Resolver, &d.plain)
		other.resolver = other.resolving.resolver
	}
	return &other
}

// Dial opens a connection that is not part of a probe. The guard applies to it, too.
func (f *Factory) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if err := f.dialer.checkName(network, address); err != nil {
		return nil, err
	}
	own := f.dialer.plain
	own.Resolver = f.dialer.env.Resolver
	return own.DialContext(ctx, network, address)
}

// connect opens a TCP connection to host:port, with a TLS session over it if s is not
// nil. It takes until the deadline of ctx at most.
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

// open opens a connection for packets or a stream, until the deadline of ctx.
func (d *dialer) open(ctx context.Context, network, address string, r *run) (net.Conn, *failure) {
	wanted := time.Now()
	conn, err := d.dial(ctx, network, address, &r.phases)
	if err != nil {
		return nil, d.classify(ctx, err, connecting(address))
	}
	r.usesTLS = false
	if c, ok := conn.(latenessReporter); ok {
		c.reportTo(r, wanted)
	}
	if to, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		r.remote = to.AddrPort().Addr().Unmap()
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

// dial opens the connection and measures Resolve, if there is a name to resolve, and
// Connect, which UDP does not have.
func (d *dialer) dial(ctx context.Context, network, address string, phases *Phases) (net.Conn, error) {
	if err := d.checkName(network, address); err != nil {
		return nil, err
	}
	if network == "unix" {
		start := time.Now()
		conn, err := d.plain.DialContext(ctx, network, address)
		phases.Add(Connect, time.Since(start))
		return conn, err
	}
	to, err := d.resolve(ctx, network, address, phases)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	conn, err := d.dialOneOf(ctx, network, to)
	if network != "udp" {
		phases.Add(Connect, time.Since(start))
	}
	return conn, err
}

// dialOneOf connects to one of the addresses, in the network's way of choosing.
func (d *dialer) dialOneOf(ctx context.Context, network string, to []netip.AddrPort) (net.Conn, error) {
	switch {
	case len(to) == 1 || d.network.Addresses == sla.FirstAddress:
		return d.dialAddress(ctx, network, to[0])
	case d.network.Addresses == sla.AddressesInOrder || network == "udp": // UDP connects at once, or never
		return d.dialInOrder(ctx, network, to)
	}
	return d.race(ctx, network, interleave(to))
}

func (d *dialer) dialAddress(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	by := &d.tcp
	if network == "udp" {
		by = &d.udp
	}
	began := time.Now()
	conn, err := by.DialContext(ctx, network, to.String())
	if err != nil {
		return nil, err
	}
	return withTimestamps(conn, began, time.Now()), nil
}

// leastShare is how much time each address gets at least, if they are tried one after
// the other.
const leastShare = 2 * time.Second

// dialInOrder tries one address after the other.
func (d *dialer) dialInOrder(ctx context.Context, network string, to []netip.AddrPort) (net.Conn, error) {
	var faults []error
	for i, address := range to {
		one, cancel := ctx, func() {}
		if deadline, ok := ctx.Deadline(); ok && i < len(to)-1 {
			share := max(time.Until(deadline)/time.Duration(len(to)-i), leastShare)
			one, cancel = context.WithTimeout(ctx, share)
		}
		conn, err := d.dialAddress(one, network, address)
		cancel()
		if err == nil {
			return conn, nil
		}
		if faults = append(faults, err); ctx.Err() != nil {
			break
		}
	}
	return nil, d.mostTelling(faults)
}

// mostTelling returns the most useful of several errors: the first that this host
// did not cause itself, as by having no route for one of the families.
func (d *dialer) mostTelling(faults []error) error {
	for _, err := range faults {
		if _, own := d.ownFault(err, ""); !own {
			return err
		}
	}
	return faults[0]
}

// interruptible makes every pending and later operation on conn, which has the
// deadline of ctx, fail once ctx ends, until the returned function is called.
func interruptible(ctx context.Context, conn interface{ SetDeadline(t time.Time) error }) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
}
