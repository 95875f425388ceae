package sla

import (
	"net"
	"net/netip"
	"strings"
)

// IPFamily says which addresses of a name are used, and which come first.
type IPFamily string

// The families. AnyIP, the default, takes them in the resolver's order.
const (
	AnyIP      IPFamily = "any"
	IPv4       IPFamily = "ipv4"
	IPv6       IPFamily = "ipv6"
	PreferIPv4 IPFamily = "preferIPv4" // those of the other family after them
	PreferIPv6 IPFamily = "preferIPv6"
)

// IPFamilies are all of them.
var IPFamilies = []IPFamily{AnyIP, IPv4, IPv6, PreferIPv4, PreferIPv6}

// AddressChoice says which addresses of a name are connected to.
type AddressChoice string

// The choices. RaceAddresses is the default.
const (
	// RaceAddresses is happy eyeballs, RFC 8305: the families in turn, the next
	// address as soon as one fails or is silent for a quarter of a second; the
	// first connection is taken.
	RaceAddresses AddressChoice = "race"
	// AddressesInOrder tries one after the other, each with its share of the time
	// that is left.
	AddressesInOrder AddressChoice = "inOrder"
	FirstAddress     AddressChoice = "first" // and no other
	// EachAddress makes every address that the name has a target of its own, with
	// series and an account; see Discovery.Host.
	EachAddress AddressChoice = "each"
)

// AddressChoices are all of them.
var AddressChoices = []AddressChoice{RaceAddresses, AddressesInOrder, FirstAddress, EachAddress}

// Network says how a probe reaches its target. The zero value is right for
// most: any family, a race, the kernel's choice of source, the exporter's own
// resolver.
type Network struct {
	Family    IPFamily      // AnyIP if empty
	Addresses AddressChoice // RaceAddresses if empty
	Source    netip.Addr    // what the socket is bound to; addresses of its family only are used
	Resolver  netip.AddrPort
	// Pinned is the one address that PinnedHost stands for, of a target of
	// EachAddress; other names are resolved.
	Pinned     netip.Addr
	PinnedHost string
}

// IsPinned tells whether a host is not looked up, because it stands for one
// address.
func (n *Network) IsPinned(host string) bool {
	return n.Pinned.IsValid() && strings.EqualFold(host, n.PinnedHost)
}

// Hosted is a check of something on a host that the network knows.
type Hosted interface {
	Check
	// HostName is the name, or the address, of what is connected to first.
	HostName() string
}

// Proxied is a check that a proxy can be configured for.
type Proxied interface {
	Check
	// ViaProxy reports whether one is.
	ViaProxy() bool
}

func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}
