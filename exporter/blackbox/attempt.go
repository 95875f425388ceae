package blackbox

import (
	"context"
	"errors"
	"hash/fnv"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// kind is one row of the table of probers.
type kind struct {
	name string // as a module gives it
	// probe returns whether the probe succeeded. It has logged why it did not.
	probe func(context.Context, *attempt) bool
}

// kinds is the table of probers. A function, so that nothing can change it.
func kinds() []kind {
	return []kind{
		{"dns", probeDNS},
		{"grpc", probeGRPC},
		{"http", probeHTTP},
		{"icmp", probeICMP},
		{"tcp", probeTCP},
		{"unix", probeUnix},
		{"websocket", probeWebsocket},
	}
}

// kindNames are the probers that a module can name, sorted.
func kindNames() []string {
	var names []string
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	return names
}

// proberOf is the prober of that name; nil if there is none.
func proberOf(name string) func(context.Context, *attempt) bool {
	for _, k := range kinds() {
		if k.name == name {
			return k.probe
		}
	}
	return nil
}

// attempt is one probe under way.
type attempt struct {
	opts   *Options
	module *Module
	target string
	out    results
	log    *slog.Logger

	// refusal is why the target itself may not be probed; nil if it may.
	refusal error

	mu        sync.Mutex
	handshake *handshake // the last one that got as far as a certificate
}

// mayReach asks whether the target's name, and the address chosen for it, may be
// connected to.
func (a *attempt) mayReach(host string, ip net.IP) error {
	a.refusal = a.opts.Network.Host(host)
	if address, ok := netip.AddrFromSlice(ip); a.refusal == nil && ok {
		a.refusal = a.opts.Network.Address(address)
	}
	return a.refusal
}

// resolve chooses the address of a host to probe: the first of the version of IP
// that the module prefers ("ip4", or "ip6" by default), or with fallback one of
// the other version. It reports the three metrics of addresses, and returns how
// long it took, in seconds.
func (a *attempt) resolve(ctx context.Context, host, prefer string, fallback bool) (ip *net.IPAddr, took float64, err error) {
	if prefer != "ip4" {
		prefer = "ip6"
	}
	a.out.set("probe_ip_protocol", 0)
	a.out.set("probe_ip_addr_hash", 0)
	a.refusal = a.opts.Network.Host(host) // before the lookup: looking up a denied name could leak it
	start := time.Now()
	if err = a.refusal; err == nil {
		a.log.Debug("Resolving target address", "target", host, "ip_protocol", prefer)
		ip, err = a.lookUp(ctx, host, prefer, fallback)
	}
	took = time.Since(start).Seconds()
	a.out.set("probe_dns_lookup_time_seconds", took)
	if err != nil {
		a.log.Error("Resolution with IP protocol failed", "target", host, "ip_protocol", prefer, "err", err)
		return nil, took, err
	}
	a.log.Debug("Resolved target address", "target", host, "ip", ip.String())
	a.out.set("probe_ip_protocol", map[bool]float64{true: 4, false: 6}[ip.IP.To4() != nil])
	a.out.set("probe_ip_addr_hash", addressHash(ip.IP))
	return ip, took, a.mayReach(host, ip.IP)
}

func (a *attempt) lookUp(ctx context.Context, host, prefer string, fallback bool) (*net.IPAddr, error) {
	if !fallback {
		addresses, err := a.opts.Network.Resolve(ctx, prefer, host)
		if err != nil {
			return nil, err
		}
		return &addresses[0], nil
	}
	addresses, err := a.opts.Network.Resolve(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	for _, address := range addresses {
		if (address.IP.To4() != nil) == (prefer == "ip4") {
			return &address, nil
		}
	}
	return &addresses[len(addresses)-1], nil
}

func addressHash(ip net.IP) float64 {
	h := fnv.New32a()
	if four := ip.To4(); four != nil {
		ip = four
	}
	_, _ = h.Write(ip)
	return float64(h.Sum32())
}

// family is a network of the same version of IP as an address: "tcp4".
func family(network string, ip net.IP) string {
	if ip.To4() != nil {
		return network + "4"
	}
	return network + "6"
}

// source is the address that a module probes from; nil if it names none.
func (a *attempt) source(text string) (net.IP, error) {
	if text == "" {
		return nil, nil
	}
	ip := net.ParseIP(text)
	if ip == nil {
		a.log.Error("Error parsing source ip address", "srcIP", text)
		return nil, errors.New("error parsing source ip address: " + text)
	}
	a.log.Debug("Using local address", "srcIP", ip)
	return ip, nil
}
