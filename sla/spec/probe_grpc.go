package spec

import (
	"regexp"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

const metadataPattern = `^[0-9a-z_.-]+$`

var metadataRegexp = regexp.MustCompile(metadataPattern)

var grpcSection = &section{
	name: "probe (grpc)",
	doc:  "Asks the standard health service (`grpc.health.v1`) of a gRPC server. Good if it answers `SERVING` in time.",
	fields: append(append([]field{
		{key: "grpc", typ: orTarget(hostPortType(`"api.example:443"`)), required: true, doc: "The server."},
		{key: "service", typ: textType, def: "the server as a whole", example: "shop.Orders", doc: "The service whose health is asked for."},
		{key: "tls", typ: booleanType, def: "false", doc: "Whether to use TLS."},
		{key: "metadata", typ: valueType{name: "mapping of names to text", sample: `{x-tenant: "shop"}`, scalars: []schema{{
			"type": "object", "propertyNames": schema{"pattern": metadataPattern}, "additionalProperties": schema{"type": "string"},
		}}}, doc: "Sent with the call. Names are in lower case."},
	}, tlsFields(" Only with `tls: true`.")...), append(networkFields(true), probeFields()...)...),
}

var grpcKind = probeKind{key: "grpc", section: grpcSection, decode: decodeGRPC, placeholder: placeholderTarget + ":1", usualPort: "443"}

func decodeGRPC(o *object) sla.Check {
	c := &sla.GRPCCheck{}
	c.Service, _, _ = read(o, "service", value.text)
	c.TLS, _, _ = read(o, "tls", value.boolean)
	c.Metadata, _, _ = read(o, "metadata", parseMetadata)
	c.TLSOptions = decodeTLSOptions(o, c.TLS, "add tls: true")
	address, _, ok := read(o, "grpc", o.hostPort)
	if !ok {
		return nil
	}
	c.Address = address
	return c
}

// parseMetadata parses the metadata of a gRPC call.
func parseMetadata(v value) (map[string]string, bool) {
	entries, ok := v.entries()
	if !ok {
		return nil, false
	}
	pairs := map[string]string{}
	for _, entry := range entries {
		switch {
		case !metadataRegexp.MatchString(entry.name):
			v.d.errorAt(entry.key, "bad-header", quote(entry.name)+" is not a valid name of metadata", "use lower-case letters, digits, -, _ and .")
		case strings.HasPrefix(entry.name, "grpc-"):
			v.d.errorAt(entry.key, "bad-header", quote(entry.name)+" begins with grpc-, which gRPC keeps for itself", "choose another name")
		default:
			if text, ok := parseHeaderValue(entry); ok {
				pairs[entry.name] = text
			}
		}
	}
	return pairs, true
}
