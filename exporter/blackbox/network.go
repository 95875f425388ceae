package blackbox

import (
	"context"
	"net"
	"net/netip"
)

// Network is how probes reach their targets. It is all that this package needs of
// the exporter for its connections. Its methods are safe for concurrent use.
type Network interface {
	// Host, Address and Socket return why something must not be connected to, or
	// nil. Host takes a name, or an address as text, before it is resolved; Socket
	// takes the path of a Unix socket.
	Host(host string) error
	Address(address netip.Addr) error
	Socket(path string) error
	// Resolve returns the addresses of a host in the order of the resolver, at
	// least one without an error. The network is "ip", or "ip4" or "ip6" for those
	// of one version alone.
	Resolve(ctx context.Context, network, host string) ([]net.IPAddr, error)
	// Dial opens a connection like net.Dialer, from the address source unless that
	// is nil. Just before a socket connects it calls Address with the address that
	// the socket connects to, so that a name cannot resolve to one address for the
	// check and to another for the connection. It does not call Host and Socket.
	Dial(ctx context.Context, network, address string, source net.IP) (net.Conn, error)
}
