package blackbox

import (
	"context"
	"net"
	"net/netip"
)

// Network is how probes reach their targets: the one thing that this package
// takes from the rest of the exporter for its connections. Its methods are safe
// for concurrent use.
type Network interface {
	// Host, Address and Socket say what may be connected to; an error is the
	// reason why not. Host is asked with a name, or an address as text, before it
	// is resolved; Socket with the path of a Unix socket.
	Host(host string) error
	Address(address netip.Addr) error
	Socket(path string) error
	// Resolve returns the addresses of a host in the order of the resolver, at
	// least one without an error. The network is "ip", or "ip4" or "ip6" for those
	// of one version alone.
	Resolve(ctx context.Context, network, host string) ([]net.IPAddr, error)
	// Dial opens a connection to an address as net.Dialer does, from the address
	// source unless that is nil. It asks Address about the very address that each
	// socket is about to connect to: what a name resolved to before does not
	// count. It does not ask Host and Socket.
	Dial(ctx context.Context, network, address string, source net.IP) (net.Conn, error)
}
