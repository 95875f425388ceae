package spec

import (
	"net"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

var tcpStepSection = stepSection("a step (tcp)", "One step of a dialogue: exactly one of these, and `labels` beside `expect`.",
	sendLine, sendReply, sendBytes, expectLine, expectLabels, expectBytes, startTLS)

var tcpSection = &section{
	name: "probe (tcp)",
	doc:  "Opens a TCP connection, if asked a TLS session over it, and if asked talks. Good if all of that succeeds in time.",
	fields: append(append([]field{
		{key: "tcp", typ: orTarget(hostPortType(`"db.example:5432"`)), required: true, doc: "What to connect to. IPv6 addresses in brackets: `\"[::1]:5432\"`."},
		{key: "tls", typ: booleanType, def: "false", doc: "Whether to do a TLS handshake, and check the certificate, right after connecting."},
		dialogueField(tcpStepSection, "What to send and to expect, in order, after connecting and after the handshake."),
	}, tlsFields(" Only with `tls: true` or a step `startTLS`.")...), append(networkFields(true), probeFields()...)...),
}

func hostPortType(sample string) valueType {
	return valueType{name: "host:port", sample: sample, scalars: []schema{{"type": "string", "pattern": `^.+:[0-9]+$`}}}
}

var tcpKind = probeKind{key: "tcp", section: tcpSection, decode: decodeTCP, placeholder: placeholderTarget + ":1", usualPort: "443"}

func decodeTCP(o *object) sla.Check {
	c := &sla.TCPCheck{}
	c.TLS, _, _ = read(o, "tls", value.boolean)
	c.Dialogue, _, _ = read(o, "dialogue", steps(tcpStepSection))
	started := beginsTLS(o, c)
	c.TLSOptions = decodeTLSOptions(o, c.TLS || started, "add tls: true")
	address, _, ok := read(o, "tcp", o.hostPort)
	if !ok {
		return nil
	}
	c.Address = address
	return c
}

// beginsTLS returns whether the dialogue begins TLS. It reports a second start.
func beginsTLS(o *object, c *sla.TCPCheck) (started bool) {
	for _, step := range c.Dialogue {
		if !step.StartTLS {
			continue
		}
		if at, given := o.get("dialogue"); given && (started || c.TLS) {
			o.d.errorAt(at.key, "conflicting-keys", "the dialogue begins TLS although it is spoken already",
				"use one step startTLS, or tls: true")
			return true
		}
		started = true
	}
	return started
}

// hostPort parses host:port.
func (o *object) hostPort(v value) (string, bool) {
	text, ok := v.text()
	if !ok {
		return "", false
	}
	if scheme, rest, found := strings.Cut(text, "://"); found {
		v.error("bad-address", v.quoted()+" has the scheme "+quote(scheme), "write host:port: "+quote(rest))
		return "", false
	}
	host, port, err := net.SplitHostPort(text)
	switch {
	case strings.Contains(text, "@"):
		v.error("bad-address", v.quoted()+" has a user name or password before its host", "leave it out: this kind of probe has no use for one")
	case err != nil && strings.Count(text, ":") > 1 && !strings.HasPrefix(text, "["):
		v.error("bad-address", v.quoted()+" is not host:port", `put an IPv6 address in brackets: "[::1]:5432"`)
	case err != nil && !strings.Contains(text, ":"):
		v.error("bad-address", v.quoted()+" has no port", "write host:port: "+quote(text+":"+o.kind.usualPort))
	case err != nil || host == "" || strings.ContainsAny(host, " /@"):
		v.error("bad-address", v.quoted()+" is not host:port", `write it as "db.example:5432"`)
	case !sla.ValidPort(port):
		v.error("bad-address", v.quoted()+" has the port "+quote(port), "a port is a number from 1 to 65535")
	default:
		return text, checkHost(v, host)
	}
	return "", false
}

// checkHost returns whether a host can be resolved, and reports one that cannot.
// International names can: the exporter resolves their form in ASCII.
func checkHost(v value, host string) bool {
	if err := sla.CheckHost(host); err != nil {
		remedy := "a name has letters, digits, - and _, in parts of 1 to 63 between dots, at most 253 in all"
		if strings.ContainsFunc(host, func(r rune) bool { return r >= 0x80 }) {
			remedy = "correct it, or write its form in ASCII, which begins with xn--"
		}
		v.error("bad-address", v.quoted()+" has a host that is not a name", remedy)
		return false
	}
	return true
}

// parseHostName parses a host name, as in certificates.
func parseHostName(v value) (string, bool) {
	text, ok := v.text()
	return text, ok && checkHost(v, text)
}
