package spec

import (
	"net/netip"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

var (
	addressType  = valueType{name: "address", sample: `"192.0.2.10"`, scalars: []schema{{"type": "string", "pattern": `^[0-9A-Fa-f.:]+$`}}}
	resolverType = valueType{name: "address, or address:port", sample: `"10.0.0.53"`, scalars: []schema{{"type": "string", "pattern": `^[0-9A-Fa-f.:\[\]]+$`}}}
)

const eachWords = "`each`: every address that the name has is a target of its own, with series that have the label `address`."

// networkFields are the options of every kind of probe that uses the network;
// connects says whether it opens connections, of which several can be tried.
func networkFields(connects bool) []field {
	fields := []field{{
		key: "ipFamily", typ: oneOf(wordsOf(sla.IPFamilies)...), def: string(sla.AnyIP),
		doc: "Which addresses of a name to use. With `preferIPv4` and `preferIPv6` those of the other family come after.",
	}}
	if !connects {
		fields = append(fields, field{
			key: "addresses", typ: oneOf(wordsOf(addressChoices(connects))...), def: string(sla.FirstAddress),
			doc: "Which of several addresses to use. " + eachWords,
		})
	} else {
		fields = append(fields, field{
			key: "addresses", typ: oneOf(wordsOf(addressChoices(connects))...), def: string(sla.RaceAddresses),
			doc: "Which of several addresses to connect to. `race`: as browsers do (RFC 8305), families alternate, and each address has a quarter of a second's head start over the next. `inOrder`: one after the other, each with its share of the time. `first`: only the first. " + eachWords,
		})
	}
	return append(fields, targetsField(),
		field{key: "sourceAddress", typ: addressType, doc: "The exporter's own address to probe from. Of the target's addresses, only those of the same family are used."},
		field{key: "resolver", typ: resolverType, def: "the exporter's own", doc: "The DNS server that resolves the target's name, on port 53 unless another is given. While it does not answer, probes are `inconclusive`."})
}

// addressChoices are the choices of the key addresses, the default first.
func addressChoices(connects bool) []sla.AddressChoice {
	if !connects {
		return []sla.AddressChoice{sla.FirstAddress, sla.EachAddress}
	}
	return sla.AddressChoices
}

func wordsOf[T ~string](words []T) []string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
	}
	return texts
}

// decodeNetwork reads networkFields of a section that has them; nil if all have their
// defaults.
func decodeNetwork(o *object) *sla.Network {
	if o.section.field("ipFamily") == nil {
		return nil
	}
	var n sla.Network
	n.Family, _, _ = read(o, "ipFamily", word(sla.IPFamilies...))
	if n.Family == sla.AnyIP {
		n.Family = "" // the default is stored as ""
	}
	choices := addressChoices(!o.kind.connectionless)
	if o.section.field("addresses") != nil {
		n.Addresses, _, _ = read(o, "addresses", word(choices...))
		if n.Addresses == choices[0] {
			n.Addresses = "" // the default is stored as ""
		}
	}
	source, at, ok := read(o, "sourceAddress", parseAddress)
	if n.Source = source; ok && (n.Family == sla.IPv4 && !source.Is4() || n.Family == sla.IPv6 && !source.Is6()) {
		at.error("conflicting-keys", at.quoted()+" is not of the ipFamily "+string(n.Family), "leave ipFamily out: the source decides the family")
	}
	n.Resolver, _, _ = read(o, "resolver", parseResolver)
	if n == (sla.Network{}) {
		return nil
	}
	return &n
}

// parseAddress parses an IP address.
func parseAddress(v value) (netip.Addr, bool) {
	text, ok := v.text()
	if !ok {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		v.error("bad-address", v.quoted()+" is not an IP address", `write one of this host's, like "192.0.2.10"; names are not looked up`)
		return netip.Addr{}, false
	}
	return a.Unmap(), true
}

const dnsPort = 53

// parseResolver parses the address of a DNS server, with or without a port.
func parseResolver(v value) (netip.AddrPort, bool) {
	text, ok := v.text()
	if !ok {
		return netip.AddrPort{}, false
	}
	if a, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return netip.AddrPortFrom(a.Unmap(), dnsPort), true
	}
	server, err := netip.ParseAddrPort(text)
	if err != nil || server.Port() == 0 {
		v.error("bad-address", v.quoted()+" is not the address of a DNS server", `write it like "10.0.0.53", "10.0.0.53:5353" or "[2001:db8::53]:53"; a name would itself have to be resolved`)
		return netip.AddrPort{}, false
	}
	return server, true
}

// decodeEachAddress makes each address of a probe's host a target, if the specification
// says addresses: each.
func decodeEachAddress(o *object, p *sla.Probe) {
	if p.Network == nil || p.Network.Addresses != sla.EachAddress {
		return
	}
	at, _ := o.get("addresses")
	hosted, ok := p.Check.(sla.Hosted)
	switch {
	case p.Check == nil || !ok: // reported already
	case p.Discovery != nil:
		at.error("conflicting-keys", "addresses: each finds the targets of one name, and targets finds them elsewhere", "leave one of them out")
	case viaProxy(p.Check):
		at.error("conflicting-keys", "a proxy chooses the address itself, so that each of them cannot be probed", "leave the proxy out, or addresses: each")
	default:
		p.Discovery = &sla.Discovery{
			Host: hosted.HostName(), Network: p.Network, Labels: []string{sla.AddressLabel},
			Refresh: defaultRefresh, Limit: sla.MaxAddresses,
		}
	}
}

func viaProxy(c sla.Check) bool {
	proxied, ok := c.(sla.Proxied)
	return ok && proxied.ViaProxy()
}
