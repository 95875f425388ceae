// Package guard says which hosts and addresses may be probed. It is asked about the
// host of every connection and redirect, and again about the very address that a socket
// is about to connect to, so that no name can resolve to one address for the check and
// to another for the connection.
//
// It knows nothing about probes and must import nothing from the rest of exporter.
package guard

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// Options say what is allowed and denied; the zero value allows everything.
type Options struct {
	// AllowCIDR and DenyCIDR are prefixes ("10.0.0.0/8"), addresses, or names of Sets.
	// The most specific one that contains an address decides; if both do, it is denied.
	// An address in none is allowed if AllowCIDR is empty.
	AllowCIDR, DenyCIDR []string
	// AllowHost and DenyHost are host names, or "*.example.com" for all names below
	// one. Denial comes first. A host in none is allowed if AllowHost is empty.
	AllowHost, DenyHost []string
}

// sets are the prefixes that Options accept by name.
var sets = []struct {
	name     string
	prefixes []string
}{
	{"loopback", []string{"127.0.0.0/8", "::1/128", "0.0.0.0/8", "::/128"}}, // connecting to the unspecified address is connecting to loopback
	{"link-local", []string{"169.254.0.0/16", "fe80::/10"}},
	{"private", []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"}},
	{"cloud-metadata", []string{"169.254.169.254/32", "169.254.170.2/32", "169.254.170.23/32", "fd00:ec2::254/128", "fd00:ec2::23/128", "fd20:ce::254/128", "100.100.100.200/32", "168.63.129.16/32"}},
}

// Guard knows what may be probed.
type Guard struct {
	prefixes              []rule // most specific first, denial before allowance
	onlyAddresses         bool   // addresses outside of all prefixes are denied
	allowHosts, denyHosts []string
}

type rule struct {
	prefix netip.Prefix
	deny   bool
}

// New reads the options. The error names every invalid one.
func New(o Options) (*Guard, error) {
	g := &Guard{onlyAddresses: len(o.AllowCIDR) > 0}
	var errs []error
	for _, list := range []struct {
		texts []string
		deny  bool
	}{{o.DenyCIDR, true}, {o.AllowCIDR, false}} {
		for _, text := range list.texts {
			prefixes, err := read(text)
			if err != nil {
				errs = append(errs, err)
			}
			for _, p := range prefixes {
				g.prefixes = append(g.prefixes, rule{p, list.deny})
			}
		}
	}
	slices.SortStableFunc(g.prefixes, func(a, b rule) int { return b.prefix.Bits() - a.prefix.Bits() })
	for _, hosts := range []struct {
		texts []string
		to    *[]string
	}{{o.AllowHost, &g.allowHosts}, {o.DenyHost, &g.denyHosts}} {
		for _, text := range hosts.texts {
			pattern := canonical(text)
			if name := strings.TrimPrefix(pattern, "*."); name == "" || strings.ContainsAny(name, "*/ ") {
				errs = append(errs, fmt.Errorf("%q is neither a host name nor *. and one", text))
			}
			*hosts.to = append(*hosts.to, pattern)
		}
	}
	return g, errors.Join(errs...)
}

func read(text string) (prefixes []netip.Prefix, err error) {
	for _, set := range sets {
		if set.name != text {
			continue
		}
		for _, member := range set.prefixes {
			prefixes = append(prefixes, netip.MustParsePrefix(member))
		}
		return prefixes, nil
	}
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return []netip.Prefix{netip.PrefixFrom(addr, addr.BitLen())}, nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return nil, fmt.Errorf("%q is neither a CIDR like 10.0.0.0/8, nor an address, nor one of cloud-metadata, link-local, loopback, private", text)
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return []netip.Prefix{p.Masked()}, nil
}

// canonical is a host, or a pattern of hosts, in the form that connections use.
func canonical(host string) string {
	rest, below := strings.CutPrefix(host, "*.")
	if name, err := sla.ASCIIHost(rest); err == nil {
		rest = name
	}
	if below {
		rest = "*." + rest
	}
	return strings.ToLower(strings.TrimSuffix(rest, "."))
}

// Host reports whether connections to a host, a name or an address as text, are allowed
// by its name. The error is the reason why not. A number must also be allowed as an
// address.
func (g *Guard) Host(host string) error {
	name := canonical(host)
	matches := func(pattern string) bool {
		below, ok := strings.CutPrefix(pattern, "*")
		return pattern == name || ok && strings.HasSuffix(name, below)
	}
	if slices.ContainsFunc(g.denyHosts, matches) {
		return fmt.Errorf("the host %s is denied", name)
	}
	if len(g.allowHosts) > 0 && !slices.ContainsFunc(g.allowHosts, matches) {
		return fmt.Errorf("the host %s is not among those allowed", name)
	}
	if len(g.prefixes) == 0 && !g.onlyAddresses {
		return nil
	}
	if addr, ok := legacyIPv4(name); ok { // the system's resolver would accept it
		return g.Address(addr)
	}
	return nil
}

// Address reports whether connections to an address are allowed. An IPv6 address
// that leads to an IPv4 one must be allowed as either.
func (g *Guard) Address(addr netip.Addr) error {
	addr = addr.WithZone("").Unmap()
	if deny, found := g.find(addr); deny || !found && g.onlyAddresses {
		return g.refusal(addr, found)
	}
	for _, inner := range embedded(addr) {
		if deny, _ := g.find(inner); deny {
			return fmt.Errorf("%s leads to %s, which is denied", addr, inner)
		}
	}
	return nil
}

func (g *Guard) refusal(addr netip.Addr, found bool) error {
	if found {
		return fmt.Errorf("the address %s is denied", addr)
	}
	return fmt.Errorf("the address %s is not among those allowed", addr)
}

func (g *Guard) find(addr netip.Addr) (deny, found bool) {
	for i, r := range g.prefixes {
		if !r.prefix.Contains(addr) {
			continue
		}
		for _, same := range g.prefixes[i:] {
			if same.prefix == r.prefix && same.deny {
				return true, true
			}
		}
		return r.deny, true
	}
	return false, false
}

// Socket reports whether connections to a Unix socket are allowed. They are not if only
// listed addresses are, because no list can name a socket.
func (g *Guard) Socket(path string) error {
	if g.onlyAddresses || len(g.allowHosts) > 0 {
		return fmt.Errorf("the socket %s is not among the addresses and hosts allowed", path)
	}
	return nil
}

// Ways in which an IPv6 address can contain an IPv4 address that packets are delivered
// to, with its position.
var tunnels = []struct {
	prefix netip.Prefix
	at     int
	invert bool
}{
	{netip.MustParsePrefix("::/96"), 12, false},           // IPv4-compatible
	{netip.MustParsePrefix("::ffff:0:0:0/96"), 12, false}, // SIIT
	{netip.MustParsePrefix("64:ff9b::/96"), 12, false},    // NAT64
	{netip.MustParsePrefix("64:ff9b:1::/48"), 12, false},  // NAT64 with a network's own prefix
	{netip.MustParsePrefix("2002::/16"), 2, false},        // 6to4
	{netip.MustParsePrefix("2001::/32"), 4, false},        // Teredo: the server
	{netip.MustParsePrefix("2001::/32"), 12, true},        // and the client
}

// embedded returns the IPv4 addresses that an IPv6 address leads to.
func embedded(addr netip.Addr) (inner []netip.Addr) {
	if !addr.Is6() {
		return nil
	}
	raw := addr.As16()
	take := func(at int, invert bool) {
		four := [4]byte(raw[at : at+4])
		for i := range four {
			if invert {
				four[i] ^= 0xff
			}
		}
		inner = append(inner, netip.AddrFrom4(four))
	}
	for _, t := range tunnels {
		if t.prefix.Contains(addr) {
			take(t.at, t.invert)
		}
	}
	if raw[8]&^2 == 0 && raw[9] == 0 && raw[10] == 0x5e && raw[11] == 0xfe { // ISATAP
		take(12, false)
	}
	return inner
}
