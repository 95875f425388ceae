package spec

import (
	"net"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

var tcpSection = &section{
	name: "probe (tcp)",
	doc:  "Opens a TCP connection, and if asked a TLS session over it. Good if that succeeds in time.",
	fields: append([]field{
		{key: "tcp", typ: valueType{name: "host:port", sample: `"db.example:5432"`, scalars: []schema{{"type": "string", "pattern": `^.+:[0-9]+$`}}}, required: true, doc: "What to connect to. IPv6 addresses in brackets: `\"[::1]:5432\"`."},
		{key: "tls", typ: booleanType, def: "false", doc: "Whether to do a TLS handshake, and check the certificate, after connecting."},
		{key: "serverName", typ: textType, def: "the host", example: "db.example", doc: "The name to ask for, and to find in the certificate. Only with `tls: true`."},
		{key: "insecureSkipVerify", typ: booleanType, def: "false", doc: "Accept any certificate. Only with `tls: true`."},
	}, probeFields()...),
}

func decodeTCP(o *object) sla.Check {
	c := &sla.TCPCheck{}
	c.TLS, _, _ = read(o, "tls", value.boolean)
	c.ServerName, _, _ = read(o, "serverName", value.text)
	c.InsecureSkipVerify, _, _ = read(o, "insecureSkipVerify", value.boolean)
	if !c.TLS {
		for _, key := range []string{"serverName", "insecureSkipVerify"} {
			if v, given := o.get(key); given {
				o.d.errorAt(v.key, "conflicting-keys", key+" has no effect without TLS", "add tls: true, or leave "+key+" out")
			}
		}
	}
	address, _, ok := read(o, "tcp", value.hostPort)
	if !ok {
		return nil
	}
	c.Address = address
	return c
}

// hostPort is an address to connect to.
func (v value) hostPort() (string, bool) {
	text, ok := v.text()
	if !ok {
		return "", false
	}
	if scheme, rest, found := strings.Cut(text, "://"); found {
		v.wrong("bad-address", v.said()+" has the scheme "+quote(scheme), "write host:port: "+quote(rest))
		return "", false
	}
	host, port, err := net.SplitHostPort(text)
	switch {
	case err != nil && strings.Count(text, ":") > 1 && !strings.HasPrefix(text, "["):
		v.wrong("bad-address", v.said()+" is not host:port", `put an IPv6 address in brackets: "[::1]:5432"`)
	case err != nil && !strings.Contains(text, ":"):
		v.wrong("bad-address", v.said()+" has no port", "write host:port: "+quote(text+":443"))
	case err != nil || host == "" || strings.ContainsAny(host, " /@"):
		v.wrong("bad-address", v.said()+" is not host:port", `write it as "db.example:5432"`)
	case !validPort(port):
		v.wrong("bad-address", v.said()+" has the port "+quote(port), "a port is a number from 1 to 65535")
	default:
		return text, true
	}
	return "", false
}
