package spec

import "github.com/upheld-sla/upheld/sla"

var tlsSection = &section{
	name: "probe (tls)",
	doc:  "Opens a TLS session. Good if the certificate is right, and lasts, and the handshake is done in time.",
	fields: append(append([]field{
		{key: "tls", typ: orTarget(hostPortType(`"shop.example:443"`)), required: true, doc: "What to connect to."},
	}, tlsFields("")...), append(networkFields(true), probeFields()...)...),
}

var tlsKind = probeKind{key: "tls", section: tlsSection, decode: decodeTLS, placeholder: placeholderTarget + ":1", usualPort: "443"}

func decodeTLS(o *object) sla.Check {
	c := &sla.TLSCheck{TLSOptions: decodeTLSOptions(o, true, "")}
	address, _, ok := read(o, "tls", o.hostPort)
	if !ok {
		return nil
	}
	c.Address = address
	return c
}
