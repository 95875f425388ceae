package spec

import (
	"regexp"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

const dnsNamePattern = `^(\.|([A-Za-z0-9_*/-]{1,63}\.)*[A-Za-z0-9_*/-]{1,63}\.?)$`

var dnsNameRegexp = regexp.MustCompile(dnsNamePattern)

var recordsSection = &section{
	name: "records",
	doc: "What the records of a section of a DNS answer must be like. A record is matched as a zone file shows it, with single spaces: " +
		"`shop.example. 300 IN A 192.0.2.1`.",
	fields: []field{
		{key: "any", typ: regexpType, example: `" A 192\\.0\\.2\\.1$"`, doc: "At least one record must match."},
		{key: "all", typ: regexpType, example: `" A 192\\.0\\.2\\."`, doc: "There must be a record, and all must match."},
		{key: "none", typ: regexpType, example: `" A 10\\."`, doc: "No record may match."},
	},
}

var dnsSection = &section{
	name: "probe (dns)",
	doc:  "Asks a DNS server. Good if it answers with an accepted code, and with the records that are wanted, in time.",
	fields: append(append([]field{
		{
			key: "dns", typ: orTarget(valueType{name: "host:port or URL", sample: `"ns1.example:53"`, scalars: []schema{{"type": "string", "pattern": `^(https://.+|.+:[0-9]+)$`}}}), required: true,
			doc: "The server to ask: `host:port`, or `https://…` for DNS over HTTPS.",
		},
		{key: "transport", typ: oneOf("udp", "tcp", "tls"), def: "udp", doc: "How to ask. `tls` is DNS over TLS, usually on port 853. Not with a URL, which says it already."},
		{key: "name", typ: valueType{name: "DNS name", sample: "shop.example", scalars: []schema{{"type": "string", "pattern": dnsNamePattern}}}, required: true, doc: "The name to ask for. It is always a whole name, with or without the dot at its end."},
		{key: "type", typ: oneOf(sla.DNSTypes...), def: "A", doc: "The type of record to ask for."},
		{key: "class", typ: oneOf(sla.DNSClasses...), def: "IN", doc: "The class of record to ask for. `CH` with the type `TXT` asks a server about itself, such as `version.bind`."},
		{key: "recursion", typ: booleanType, def: "true", doc: "Whether the server should ask others. `false` for a name server of its own zones."},
		{key: "rcodes", typ: valueType{name: "list of codes", sample: "[NOERROR]", scalars: []schema{{"type": "string", "enum": sla.DNSRCodes}}, shape: listOf}, def: "`[NOERROR]`", doc: "Accepted codes of the response: " + "`" + strings.Join(sla.DNSRCodes, "`, `") + "`."},
		{key: "answer", typ: mapping(recordsSection), doc: "What the records of the answer section must be like."},
		{key: "authority", typ: mapping(recordsSection), doc: "The same for the authority section."},
		{key: "additional", typ: mapping(recordsSection), doc: "The same for the additional section."},
	}, tlsFields(" Only with `transport: tls` or a URL.")...), append(networkFields(true), probeFields()...)...),
}

var dnsKind = probeKind{key: "dns", section: dnsSection, decode: decodeDNS, placeholder: placeholderTarget + ":1", usualPort: "53"}

func decodeDNS(o *object) sla.Check {
	c := &sla.DNSCheck{Transport: sla.DNSOverUDP, Type: "A", Class: "IN", Recursion: true, RCodes: []string{"NOERROR"}}
	name, _, nameOK := read(o, "name", parseDNSName)
	c.Name = name
	if t, _, ok := read(o, "type", word(sla.DNSTypes...)); ok {
		c.Type = t
	}
	if class, _, ok := read(o, "class", word(sla.DNSClasses...)); ok {
		c.Class = class
	}
	if recursion, _, ok := read(o, "recursion", value.boolean); ok {
		c.Recursion = recursion
	}
	if codes, _, ok := read(o, "rcodes", parseRCodes); ok {
		c.RCodes = codes
	}
	for key, match := range map[string]*sla.RecordMatch{"answer": &c.Answer, "authority": &c.Authority, "additional": &c.Additional} {
		*match, _, _ = read(o, key, decodeRecords)
	}
	transport, at, transportGiven := read(o, "transport", word(sla.DNSOverUDP, sla.DNSOverTCP, sla.DNSOverTLS))
	if transportGiven {
		c.Transport = transport
	}
	server, _, ok := read(o, "dns", o.dnsServer)
	if strings.HasPrefix(server, "https://") {
		c.Transport = sla.DNSOverHTTPS
		if transportGiven {
			o.d.errorAt(at.key, "conflicting-keys", "the server is a URL, which says the transport already", "leave transport out")
		}
	}
	c.TLSOptions = decodeTLSOptions(o, c.Transport == sla.DNSOverTLS || c.Transport == sla.DNSOverHTTPS, "add transport: tls")
	if v, given := o.get("serverName"); given && c.Transport == sla.DNSOverHTTPS {
		o.d.errorAt(v.key, "conflicting-keys", "serverName has no effect with a URL, which names the host", "leave serverName out")
	}
	if !ok || !nameOK {
		return nil
	}
	c.Server = server
	return c
}

// dnsServer parses host:port, or a URL.
func (o *object) dnsServer(v value) (string, bool) {
	if v.node.Kind == yamlScalar && strings.HasPrefix(v.node.Value, "https://") {
		return parseProbeURL(v)
	}
	return o.hostPort(v)
}

func parseDNSName(v value) (string, bool) {
	text, ok := v.text()
	if !ok {
		return "", false
	}
	if !dnsNameRegexp.MatchString(text) || len(text) > 253 {
		v.error("bad-name", v.quoted()+" is not a DNS name", "write it like shop.example, in letters, digits, - and _; a name beyond ASCII in its form that begins with xn--")
		return "", false
	}
	return text, true
}

func parseRCodes(v value) ([]string, bool) {
	items, ok := v.list()
	if !ok {
		return nil, false
	}
	var codes []string
	for _, item := range items {
		code, itemOK := word(sla.DNSRCodes...)(item)
		ok = ok && itemOK
		codes = append(codes, code)
	}
	return codes, ok
}

func decodeRecords(v value) (m sla.RecordMatch, ok bool) {
	o := v.object(recordsSection)
	if o == nil {
		return m, false
	}
	if len(o.node.Content) == 0 {
		v.error("empty-value", v.name+" wants nothing of the records", "give it any, all or none, or leave the key out")
		return m, false
	}
	m.Any, _, _ = read(o, "any", parseRegexp)
	m.All, _, _ = read(o, "all", parseRegexp)
	m.None, _, _ = read(o, "none", parseRegexp)
	return m, true
}
