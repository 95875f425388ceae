package spec

import (
	"github.com/upheld-sla/upheld/sla"
)

// tlsFields are the options of every kind of probe that can use TLS. when is added to
// each description: in which case the option has an effect.
func tlsFields(when string) []field {
	return []field{
		{key: "serverName", typ: textType, def: "the host", example: "db.example", doc: "The name to request, and to expect in the certificate." + when},
		{key: "insecureSkipVerify", typ: booleanType, def: "false", doc: "Accept any certificate." + when},
		certificateField(when),
		{key: "caFile", typ: fileType, example: "/etc/ssl/shop-ca.pem", doc: "Authorities, in PEM, that are trusted instead of the system's." + when},
		{key: "certFile", typ: fileType, example: "/etc/upheld/client.pem", doc: "The client's certificate, in PEM, with `keyFile`. Both are read again when they change." + when},
		{key: "keyFile", typ: fileType, example: "/etc/upheld/client.key", doc: "The key of `certFile`, in PEM." + when},
	}
}

// tlsKeys are the keys of tlsFields.
var tlsKeys = []string{"serverName", "insecureSkipVerify", "certificateValidFor", "caFile", "certFile", "keyFile"}

// decodeTLSFiles reads the keys that name files.
func decodeTLSFiles(o *object) *sla.TLSFiles {
	var f sla.TLSFiles
	f.CA, _, _ = read(o, "caFile", parseSecretFile)
	f.Certificate, _, _ = read(o, "certFile", parseSecretFile)
	f.Key, _, _ = read(o, "keyFile", parseSecretFile)
	cert, certGiven := o.get("certFile")
	key, keyGiven := o.get("keyFile")
	switch {
	case certGiven && !keyGiven:
		o.d.errorAt(cert.key, "missing-key", "certFile needs keyFile", "add keyFile, or leave certFile out")
	case keyGiven && !certGiven:
		o.d.errorAt(key.key, "missing-key", "keyFile needs certFile", "add certFile, or leave keyFile out")
	}
	if f == (sla.TLSFiles{}) {
		return nil
	}
	return &f
}

func certificateField(when string) field {
	return field{key: "certificateValidFor", typ: durationType, example: "14d", doc: "How much longer the certificate must be valid: the verified chain, or, if none is verified, the server's own certificate." + when}
}

// decodeTLSOptions reads tlsFields. If TLS is not used they are an error, and remedy
// says how to use it.
func decodeTLSOptions(o *object, used bool, remedy string) sla.TLSOptions {
	var t sla.TLSOptions
	t.ServerName, _, _ = read(o, "serverName", parseHostName)
	t.InsecureSkipVerify, _, _ = read(o, "insecureSkipVerify", value.boolean)
	t.CertificateValidFor, _, _ = read(o, "certificateValidFor", value.duration)
	t.Files = decodeTLSFiles(o)
	if used {
		return t
	}
	for _, key := range tlsKeys {
		if v, given := o.get(key); given {
			o.d.errorAt(v.key, "conflicting-keys", key+" has no effect without TLS", remedy+", or leave "+key+" out")
		}
	}
	return t
}
