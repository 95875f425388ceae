package guard

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"syscall"
)

// Network opens connections within limits. Without Limits everything is allowed;
// without Resolver names are resolved as in package net.
type Network struct {
	Limits   *Guard
	Resolver *net.Resolver
}

// Host reports whether connections to a host are allowed by its name.
func (n *Network) Host(host string) error {
	if n.Limits == nil {
		return nil
	}
	return n.Limits.Host(host)
}

// Address reports whether connections to an address are allowed.
func (n *Network) Address(address netip.Addr) error {
	if n.Limits == nil {
		return nil
	}
	return n.Limits.Address(address)
}

// Socket reports whether connections to a Unix socket are allowed.
func (n *Network) Socket(path string) error {
	if n.Limits == nil {
		return nil
	}
	return n.Limits.Socket(path)
}

// Resolve returns the addresses of a host in the order of the resolver; network is
// "ip", or "ip4" or "ip6" for one version only. There is at least one, or an error.
func (n *Network) Resolve(ctx context.Context, network, host string) ([]net.IPAddr, error) {
	if network == "ip" {
		return n.Resolver.LookupIPAddr(ctx, host)
	}
	ips, err := n.Resolver.LookupIP(ctx, network, host)
	addresses := make([]net.IPAddr, len(ips))
	for i, ip := range ips {
		addresses[i].IP = ip
	}
	return addresses, err
}

// Dial opens a connection like net.Dialer, from the address source unless it is nil.
// Address checks the very address that each socket is about to connect to.
func (n *Network) Dial(ctx context.Context, network, address string, source net.IP) (net.Conn, error) {
	d := net.Dialer{Resolver: n.Resolver, KeepAlive: -1, Control: n.control}
	switch {
	case source != nil && strings.HasPrefix(network, "udp"):
		d.LocalAddr = &net.UDPAddr{IP: source}
	case source != nil:
		d.LocalAddr = &net.TCPAddr{IP: source}
	}
	return d.DialContext(ctx, network, address)
}

func (n *Network) control(network, address string, _ syscall.RawConn) error {
	if n.Limits == nil || strings.HasPrefix(network, "unix") {
		return nil
	}
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	return n.Limits.Address(to.Addr())
}
