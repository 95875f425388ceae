package sla

import (
	"net/netip"
	"strings"
	"time"
)

// TargetVariable is replaced by the address of each target.
const TargetVariable = "${target}"

// Discovery says how the targets of a probe are found.
type Discovery struct {
	Pattern string // the address to probe, with TargetVariable in it
	// Host, if set, is used instead of all other sources: each of its addresses that
	// Network allows is a target.
	Host    string
	Network *Network
	Static  []string    // addresses
	Files   []string    // paths or globs of lists in the format of Prometheus' file_sd_configs
	Within  string      // directories that Files must be in, as in Secret
	URL     string      // returns such a list, as for http_sd_configs; "" for none
	Access  *ListAccess // how to request URL; nil: without credentials
	DNS     *DNSDiscovery
	Labels  []string      // labels of the lists that the target's series get, sorted
	Refresh time.Duration // time between two lookups
	Limit   int           // targets at most
}

// ListAccess says how to request a list of targets.
type ListAccess struct {
	Auth  *HTTPAuth
	TLS   TLSOptions
	Proxy *Proxy
}

// DNSDiscovery finds targets by a name.
type DNSDiscovery struct {
	Name string
	Type string // DNSDiscoveryTypes
	Port int    // for A and AAAA records; 0: addresses without a port
}

// DNSDiscoveryTypes are the types of DNS records of targets.
var DNSDiscoveryTypes = []string{"SRV", "A", "AAAA"}

// Addressed is a check whose target has an address, so that it can be made for other
// targets.
type Addressed interface {
	Hosted
	// WithTarget returns the same check for another target, in the form of the kind's
	// key: a URL, host:port or a host.
	WithTarget(target string) Check
	// CheckAddress returns an error if nothing can answer at the address. The error does
	// not contain the address.
	CheckAddress() error
}

// WithTarget returns the probe of one discovered target.
func (p *Probe) WithTarget(address string) *Probe {
	one := *p
	one.Discovery = nil
	if host := p.Discovery.Host; host != "" {
		return p.pinned(host, address)
	}
	if ip, err := netip.ParseAddr(address); err == nil && ip.Is6() && p.Discovery.Pattern != TargetVariable {
		address = "[" + address + "]"
	}
	one.Check = p.Check.(Addressed).WithTarget(strings.ReplaceAll(p.Discovery.Pattern, TargetVariable, address))
	return &one
}

// MaxAddresses limits the targets that EachAddress makes of a name.
const MaxAddresses = 64

// AddressLabel is the label of the targets that EachAddress makes.
const AddressLabel = "address"

// pinned returns the probe of one address of its host, or of the host itself if address
// is empty because none was found.
func (p *Probe) pinned(host, address string) *Probe {
	one := *p
	one.Discovery = nil
	network := Network{}
	if p.Network != nil {
		network = *p.Network
	}
	network.Addresses = ""
	if at, err := netip.ParseAddr(address); err == nil {
		network.Pinned, network.PinnedHost = at, host
	}
	one.Network = &network
	return &one
}
