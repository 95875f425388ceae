package sla

import (
	"net"
	"net/netip"
	"strings"
)

// IPFamily says which addresses of a name are used, and in which order.
type IPFamily string

// The families. AnyIP, the default, uses the resolver's order.
const (
	AnyIP      IPFamily = "any"
	IPv4       IPFamily = "ipv4"
	IPv6       IPFamily = "ipv6"
	PreferIPv4 IPFamily = "preferIPv4" // then those of the other family
	PreferIPv6 IPFamily = "preferIPv6"
)

// IPFamilies are all families.
var IPFamilies = []IPFamily{AnyIP, IPv4, IPv6, PreferIPv4, PreferIPv6}

// AddressChoice says which addresses of a name to connect to.
type AddressChoice string

// The choices. RaceAddresses is the default.
const (
	// RaceAddresses is happy eyeballs (RFC 8305): addresses of alternating families, the
	// next one as soon as one fails or does not answer for 250 ms. The first connection
	// is used.
	RaceAddresses AddressChoice = "race"
	// AddressesInOrder tries one after the other, each with its share of the remaining
	// time.
	AddressesInOrder AddressChoice = "inOrder"
	FirstAddress     AddressChoice = "first" // only the first one
	// EachAddress makes every address of the name a target with its own series; see
	// Discovery.Host.
	EachAddress AddressChoice = "each"
)

// AddressChoices are all choices.
var AddressChoices = []AddressChoice{RaceAddresses, AddressesInOrder, FirstAddress, EachAddress}

// Network says how a probe reaches its target. The zero value is the default: any
// family, racing addresses, the source that the kernel chooses, the exporter's own
// resolver.
type Network struct {
	Family    IPFamily      // AnyIP if empty
	Addresses AddressChoice // RaceAddresses if empty
	Source    netip.Addr    // local address of the socket; only addresses of its family are used
	Resolver  netip.AddrPort
	// Pinned is the address of PinnedHost, for a target of EachAddress. Other names are
	// resolved.
	Pinned     netip.Addr
	PinnedHost string
}

// IsPinned returns whether a host is not resolved, because it stands for one address.
func (n *Network) IsPinned(host string) bool {
	return n.Pinned.IsValid() && strings.EqualFold(host, n.PinnedHost)
}

// Hosted is a check of something on a network host.
type Hosted interface {
	Check
	// HostName is the name or the address that is connected to first.
	HostName() string
}

// Proxied is a check that can use a proxy.
type Proxied interface {
	Check
	// ViaProxy returns whether it does.
	ViaProxy() bool
}

func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}
