package spec

import (
	"github.com/upheld-sla/upheld/sla"
)

// tlsFields are the options of every kind of probe that speaks TLS; when says
// in which case, for those that need not, as a sentence for the reference.
func tlsFields(when string) []field {
	return []field{
		{key: "serverName", typ: textType, def: "the host", example: "db.example", doc: "The name to ask for, and to find in the certificate." + when},
		{key: "insecureSkipVerify", typ: booleanType, def: "false", doc: "Accept any certificate." + when},
		certificateField(when),
	}
}

func certificateField(when string) field {
	return field{key: "certificateValidFor", typ: durationType, example: "14d", doc: "How much longer the certificate must be valid: the chain that was verified, or the server's own certificate if none is." + when}
}

// tlsOptions reads tlsFields. Without TLS they are an error: remedy says how
// to have it.
func (o *object) tlsOptions(used bool, remedy string) sla.TLSOptions {
	var t sla.TLSOptions
	t.ServerName, _, _ = read(o, "serverName", value.text)
	t.InsecureSkipVerify, _, _ = read(o, "insecureSkipVerify", value.boolean)
	t.CertificateValidFor, _, _ = read(o, "certificateValidFor", value.duration)
	if used {
		return t
	}
	for _, key := range []string{"serverName", "insecureSkipVerify", "certificateValidFor"} {
		if v, given := o.get(key); given {
			o.d.errorAt(v.key, "conflicting-keys", key+" has no effect without TLS", remedy+", or leave "+key+" out")
		}
	}
	return t
}
