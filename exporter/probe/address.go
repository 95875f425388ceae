package probe

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// resolve returns the addresses that host:port can be connected to, at least one, in
// the order in which to try them.
func (d *dialer) resolve(ctx context.Context, network, address string, phases *Phases) ([]netip.AddrPort, error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := d.port(ctx, network, service)
	if err != nil {
		return nil, err
	}
	addresses, err := d.lookup(ctx, host, phases)
	if err != nil {
		return nil, err
	}
	to := make([]netip.AddrPort, len(addresses))
	for i, a := range addresses {
		to[i] = netip.AddrPortFrom(a, port)
	}
	return to, nil
}

func (d *dialer) port(ctx context.Context, network, service string) (uint16, error) {
	if n, err := strconv.ParseUint(service, 10, 16); err == nil {
		return uint16(n), nil
	}
	n, err := d.resolver.LookupPort(ctx, network, service)
	return uint16(n), err
}

// lookup returns the usable addresses of a host, at least one, in the order in which to
// try them. Resolve is the time that it takes, if the host is a name.
func (d *dialer) lookup(ctx context.Context, host string, phases *Phases) ([]netip.Addr, error) {
	if d.network.IsPinned(host) {
		return []netip.Addr{d.network.Pinned}, nil
	}
	if address, err := netip.ParseAddr(host); err == nil {
		return d.usable(host, []netip.Addr{address})
	}
	if d.env.Guard != nil && d.network.Resolver.IsValid() {
		if err := d.env.Guard.Address(d.network.Resolver.Addr()); err != nil {
			return nil, &refusal{err}
		}
	}
	network := map[sla.IPFamily]string{sla.IPv4: "ip4", sla.IPv6: "ip6"}[d.network.Family]
	if network == "" {
		network = "ip"
	}
	start := time.Now()
	addresses, err := d.resolver.LookupNetIP(ctx, network, host)
	phases.Add(Resolve, time.Since(start))
	if _, none := errors.AsType[*net.AddrError](err); none { // the host has addresses, but none of the family
		err = notFound(host)
	}
	if err != nil {
		return nil, err
	}
	return d.usable(host, addresses)
}

// Addresses returns the addresses of a host that the probes of a network would use,
// sorted; none if the host has none.
func (f *Factory) Addresses(ctx context.Context, n *sla.Network, host string) ([]netip.Addr, error) {
	d := f.dialer.with(n)
	name, err := sla.ASCIIHost(host)
	if err != nil {
		return nil, err
	}
	addresses, err := d.lookup(ctx, name, new(Phases))
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return nil, nil
	}
	slices.SortFunc(addresses, netip.Addr.Compare)
	return slices.Compact(addresses), err
}

func notFound(host string) error {
	return &net.DNSError{Err: "no suitable address", Name: host, IsNotFound: true}
}

// usable leaves out addresses of another family, and puts the preferred one
// first.
func (d *dialer) usable(host string, addresses []netip.Addr) ([]netip.Addr, error) {
	kept := addresses[:0]
	for _, a := range addresses {
		if a = a.Unmap(); d.uses(a) {
			kept = append(kept, a)
		}
	}
	if len(kept) == 0 {
		return nil, notFound(host)
	}
	if f := d.network.Family; f == sla.PreferIPv4 || f == sla.PreferIPv6 {
		rank := func(a netip.Addr) int {
			if a.Is4() == (f == sla.PreferIPv4) {
				return 0
			}
			return 1
		}
		slices.SortStableFunc(kept, func(a, b netip.Addr) int { return rank(a) - rank(b) })
	}
	return kept, nil
}

func (d *dialer) uses(a netip.Addr) bool {
	if s := d.network.Source; s.IsValid() && s.Is4() != a.Is4() {
		return false
	}
	switch d.network.Family {
	case sla.IPv4:
		return a.Is4()
	case sla.IPv6:
		return a.Is6()
	}
	return true
}

// familyWords ends the message that a name has no address.
func (d *dialer) familyWords() string {
	var source string
	if s := d.network.Source; s.IsValid() {
		source = " that can be reached from " + s.String()
	}
	switch d.network.Family {
	case sla.IPv4:
		return ", or none with an IPv4 address" + source
	case sla.IPv6:
		return ", or none with an IPv6 address" + source
	}
	if source != "" {
		return ", or none with an address" + source
	}
	return ""
}

// isLiteral reports whether the host of host:port is an address.
func isLiteral(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	_, err = netip.ParseAddr(host)
	return err == nil
}

// resolvers are the resolvers that probes name, each with a memory of whether it
// answers.
type resolvers struct {
	mu    sync.Mutex
	known map[netip.AddrPort]*resolverCheck
}

// of returns the resolver at an address, which is reached through the dialer.
func (r *resolvers) of(server netip.AddrPort, by *net.Dialer) *resolverCheck {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.known[server]; c != nil {
		return c
	}
	c := &resolverCheck{resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		conn, err := by.DialContext(ctx, network, server.String())
		if err == nil { // package net would wait for seconds for an answer that nobody needs any more
			context.AfterFunc(ctx, func() { conn.Close() })
		}
		return conn, err
	}}}
	if r.known == nil {
		r.known = map[netip.AddrPort]*resolverCheck{}
	}
	r.known[server] = c
	return c
}
