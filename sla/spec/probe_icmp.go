package spec

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

const (
	hostPattern           = "^[0-9A-Za-z_:\u00a1-\uffef][-0-9A-Za-z_.:%\u00a1-\uffef]*$"
	defaultPackets        = 1
	maxPackets            = 100
	defaultPacketInterval = 100 * time.Millisecond
	minPacketInterval     = 10 * time.Millisecond
	defaultPayload        = 56
	minPayload            = 16 // room for the bytes by which a reply is recognised
	maxPayload            = 1452
	maxTTL                = 255
)

var hostRegexp = regexp.MustCompile(hostPattern)

var icmpSection = &section{
	name: "probe (icmp)",
	doc:  "Sends ICMP echo requests (ping). Good if no more of them than `maxLoss` stay unanswered until the timeout. Its response time is the mean round trip.",
	fields: append([]field{
		{key: "icmp", typ: orTarget(valueType{name: "host", sample: `"gateway.example"`, scalars: []schema{{"type": "string", "pattern": hostPattern}}}), required: true, doc: "A name or an address."},
		{key: "packets", typ: wholeType(1, maxPackets), def: "1", example: "5", doc: "How many packets one probe sends."},
		{key: "packetInterval", typ: durationType, def: "100ms", example: "200ms", doc: "Time between two packets of a probe, at least `10ms`. All must be sent before the timeout."},
		{key: "maxLoss", typ: percentType, def: `"0"`, example: `"20"`, doc: "How many per cent of a probe's packets may stay unanswered."},
		{key: "payloadSize", typ: wholeType(minPayload, maxPayload), def: "56", example: "56", doc: "Bytes in a packet besides its headers."},
		{key: "ttl", typ: wholeType(1, maxTTL), example: "8", doc: "How many hops a packet may take (its time to live); a target that is farther away fails. By default the system's, usually 64."},
	}, append(networkFields(false), probeFields()...)...),
}

func wholeType(least, most int) valueType {
	return valueType{name: "whole number", sample: strconv.Itoa(least), scalars: []schema{{"type": "integer", "minimum": least, "maximum": most}}}
}

// whole parses a whole number from least to most.
func whole(least, most int) func(value) (int, bool) {
	return func(v value) (int, bool) {
		n, err := strconv.Atoi(v.node.Value)
		switch {
		case v.node.Kind != yamlScalar || v.node.ShortTag() != "!!int" || err != nil:
			v.typeError("a whole number", "")
		case n < least || n > most:
			v.error("bad-value", fmt.Sprintf("%s is not from %d to %d", v.quoted(), least, most), "choose a number within them")
		default:
			return n, true
		}
		return 0, false
	}
}

var icmpKind = probeKind{key: "icmp", section: icmpSection, decode: decodeICMP, placeholder: placeholderTarget, connectionless: true}

func decodeICMP(o *object) sla.Check {
	c := &sla.ICMPCheck{Packets: defaultPackets, PacketInterval: defaultPacketInterval, MaxLoss: sla.MustDecimal("0"), PayloadSize: defaultPayload}
	if n, _, ok := read(o, "packets", whole(1, maxPackets)); ok {
		c.Packets = n
	}
	if n, _, ok := read(o, "payloadSize", whole(minPayload, maxPayload)); ok {
		c.PayloadSize = n
	}
	if n, _, ok := read(o, "ttl", whole(1, maxTTL)); ok {
		c.TTL = n
	}
	if interval, at, ok := read(o, "packetInterval", value.duration); ok {
		if c.PacketInterval = interval; interval < minPacketInterval {
			at.error("bad-interval", at.quoted()+" is below 10ms, which would be a flood", "leave it out, or make it at least 10ms")
		}
	}
	if loss, _, ok := read(o, "maxLoss", parseLossPercent); ok {
		c.MaxLoss = loss
	}
	checkPackets(o, c)
	host, _, ok := read(o, "icmp", parseHost)
	if !ok {
		return nil
	}
	c.Host = host
	return c
}

// checkPackets reports packets that would not all be sent within the timeout.
func checkPackets(o *object, c *sla.ICMPCheck) {
	timeout, _, ok := read(o, "timeout", value.duration)
	if !ok {
		timeout = defaultTimeout
		if interval, _, ok := read(o, "interval", value.duration); ok {
			timeout = min(timeout, interval)
		}
	}
	if span := time.Duration(c.Packets-1) * c.PacketInterval; span >= timeout && c.Packets > 1 {
		at, given := o.get("packets")
		if given {
			at.error("bad-value", fmt.Sprintf("%s takes %s to send, and the timeout is %s", at.quoted(), sla.FormatDuration(span), sla.FormatDuration(timeout)),
				"send fewer, or make packetInterval shorter or the timeout longer")
		}
	}
}

func parseLossPercent(v value) (sla.Decimal, bool) {
	d, ok := v.decimal()
	if ok && (d.Sign() < 0 || d.Cmp(sla.NewDecimal(100, 1)) >= 0) {
		v.error("bad-value", v.quoted()+" is not a percentage from 0 to below 100", `write e.g. "20"`)
		return d, false
	}
	return d, ok
}

// parseHost parses a host name or an IP address, without a port.
func parseHost(v value) (string, bool) {
	text, ok := v.text()
	if !ok {
		return "", false
	}
	_, err := netip.ParseAddr(text)
	if err != nil && (!hostRegexp.MatchString(text) || regexp.MustCompile(`[:%]`).MatchString(text)) {
		v.error("bad-address", v.quoted()+" is not a host name or an address", `write it as "gateway.example" or "192.0.2.1", without scheme, port or brackets`)
		return "", false
	}
	return text, checkHost(v, text)
}
