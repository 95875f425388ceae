package sla

import (
	"net/netip"
	"strings"
	"time"
)

// TargetVariable stands for the address of a target in what is probed.
const TargetVariable = "${target}"

// Discovery says where the targets of a probe of many are found.
type Discovery struct {
	Pattern string // what is probed, with TargetVariable in it
	// Host, if set, stands in the place of all others: each address that Network
	// has of it is a target, of the same check.
	Host    string
	Network *Network
	Static  []string    // addresses
	Files   []string    // paths or globs of lists, in the format of Prometheus' file_sd_configs
	Within  string      // folders that Files have to be in, as in Secret
	URL     string      // answers with such a list, as for http_sd_configs; "" for none
	Access  *ListAccess // how URL is asked; nil: without credentials
	DNS     *DNSDiscovery
	Labels  []string      // which labels of a list the target's series get, sorted
	Refresh time.Duration // between two looks
	Limit   int           // targets at most
}

// ListAccess is how a server that has a list of targets is asked.
type ListAccess struct {
	Auth  *HTTPAuth
	TLS   TLSOptions
	Proxy *Proxy
}

// DNSDiscovery finds targets by a name.
type DNSDiscovery struct {
	Name string
	Type string // DNSDiscoveryTypes
	Port int    // of A and AAAA records; 0: addresses without a port
}

// DNSDiscoveryTypes are the types of records that targets are found by.
var DNSDiscoveryTypes = []string{"SRV", "A", "AAAA"}

// Addressed is a check whose target has an address, so that the same check can
// be made of other targets.
type Addressed interface {
	Hosted
	// WithTarget is the same check of another target, written as the key of its
	// kind has it in a specification: a URL, host:port or a host.
	WithTarget(target string) Check
	// CheckAddress is why nothing can answer where the check looks, so that there is
	// nothing to probe; nil if something can. It quotes no address.
	CheckAddress() error
}

// WithTarget is the probe of one target that was found at an address.
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

// MaxAddresses bounds the targets that EachAddress makes of a name.
const MaxAddresses = 64

// AddressLabel is the label of the targets that EachAddress makes.
const AddressLabel = "address"

// pinned is the probe of one address of its host; of the host as a whole if the
// address is empty: it has none.
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
