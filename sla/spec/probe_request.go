package spec

import (
	"net/http"
	"slices"
	"strings"

	"github.com/alecthomas/units"

	"github.com/upheld-sla/upheld/sla"
)

const (
	sizePattern  = `^[0-9]+(B|KiB|MiB)$`
	maxBodySize  = 64 << 20
	maxRedirects = 20
)

var (
	celType     = valueType{name: "CEL", sample: `'body.status == "ok"'`, scalars: textType.scalars}
	headersType = valueType{name: "mapping of names to text", sample: `{Accept: "text/html"}`, scalars: []schema{{
		"type": "object", "propertyNames": schema{"pattern": headerPattern}, "additionalProperties": schema{"type": "string"},
	}}}
	filesType = valueType{name: "mapping of names to files", sample: `{X-Api-Key: /run/secrets/key}`, scalars: []schema{{
		"type": "object", "propertyNames": schema{"pattern": headerPattern}, "additionalProperties": schema{"type": "string", "pattern": `\S`},
	}}}
	sizeType = valueType{name: "size", sample: "64KiB", scalars: []schema{{"type": "string", "pattern": sizePattern}}}
)

// requestFields are the options of an HTTP request, of a probe or of a step.
func requestFields() []field {
	fields := []field{
		{key: "method", typ: oneOf(httpMethods...), def: "GET", doc: "The request method."},
		{key: "headers", typ: headersType, doc: "Sent with the request. `Host` sets the requested host."},
		{key: "headerFiles", typ: filesType, doc: "Headers whose values are in files, such as API keys: read for every probe, sent to the URL's origin only, and never shown."},
		{key: "body", typ: textType, doc: "Sent with the request."},
		{key: "status", typ: valueType{name: "list of codes, ranges and classes", sample: `["200-299", 301]`, scalars: []schema{
			{"type": "string", "pattern": statusPattern}, {"type": "integer", "minimum": 100, "maximum": 599},
		}, shape: listOf}, def: `["200-299"]`, doc: "Accepted status codes: `301`, `\"200-299\"` or `\"2xx\"`."},
		{key: "bodyMatches", typ: valueType{name: "RE2", sample: `"ok"`, scalars: textType.scalars}, doc: "A regular expression that the body must match somewhere."},
		{key: "bodyNotMatches", typ: regexpType, example: `"(?i)maintenance"`, doc: "A regular expression that the body must not match anywhere."},
		{key: "headerMatches", typ: valueType{name: "mapping of names to RE2", sample: `{Content-Type: "^text/html"}`, scalars: []schema{{
			"type": "object", "propertyNames": schema{"pattern": headerPattern}, "additionalProperties": schema{"type": "string", "pattern": `\S`},
		}}}, doc: "Headers that the response must have, each with a value that matches its regular expression."},
		{key: "json", typ: celType, doc: "A condition in [CEL](https://cel.dev) that must hold of the body, which must be JSON, as the variable `body`."},
		{key: "maxBodySize", typ: sizeType, doc: "The largest body that is good, after decoding, up to `64MiB`. Without it the first MiB is read, and the rest is ignored."},
		{key: "compression", typ: valueType{name: "list of encodings", sample: "[gzip, br]", scalars: []schema{{"type": "string", "enum": wordsOf(sla.Encodings)}}, shape: listOf}, doc: "Encodings of the body to offer to the server (`Accept-Encoding`) and to decode."},
		{key: "httpVersions", typ: valueType{name: "list of versions", sample: `["2", "1.1"]`, scalars: []schema{{"type": "string", "enum": wordsOf(sla.HTTPVersions)}}, shape: listOf}, doc: "HTTP versions to offer and accept; `1.1` and `1.0` if left out. `\"2\"` needs `https://`; `\"3\"`, over QUIC, cannot be combined."},
		{key: "followRedirects", typ: booleanType, def: "true", doc: "Whether to follow redirects and check the last response."},
		{key: "maxRedirects", typ: wholeType(1, maxRedirects), def: "10", doc: "How many redirects are followed; one more is bad."},
		{key: "sameHostRedirects", typ: booleanType, doc: "Whether a redirect to another host is bad."},
	}
	fields = append(fields, authFields()...)
	fields = append(fields, tlsFields(" Only for `https://`.")...)
	return append(fields, proxyFields()...)
}

// decodeRequest reads requestFields, but not the URL.
func decodeRequest(o *object) *sla.HTTPCheck {
	c := &sla.HTTPCheck{Method: http.MethodGet, Status: []sla.StatusRange{{From: 200, To: 299}}, FollowRedirects: true}
	if method, _, ok := read(o, "method", word(httpMethods...)); ok {
		c.Method = method
	}
	c.Headers, _, _ = read(o, "headers", parseHeaders)
	c.Body, _, _ = read(o, "body", value.text)
	if status, _, ok := read(o, "status", parseStatusRanges); ok {
		c.Status = status
	}
	c.BodyMatches, _, _ = read(o, "bodyMatches", parseRegexp)
	c.BodyNotMatches, _, _ = read(o, "bodyNotMatches", parseRegexp)
	c.HeaderMatches, _, _ = read(o, "headerMatches", parseHeaderPatterns)
	if follow, _, ok := read(o, "followRedirects", value.boolean); ok {
		c.FollowRedirects = follow
	}
	t := decodeTLSOptions(o, true, "")
	c.InsecureSkipVerify, c.CertificateValidFor = t.InsecureSkipVerify, t.CertificateValidFor
	more := sla.HTTPOptions{ServerName: t.ServerName, Files: t.Files, Auth: decodeAuth(o), Proxy: decodeProxy(o)}
	more.JSON, _, _ = read(o, "json", condition)
	more.BodyLimit, _, _ = read(o, "maxBodySize", parseSize)
	more.Encodings, _, _ = read(o, "compression", words(sla.Encodings...))
	more.Versions, _, _ = read(o, "httpVersions", words(sla.HTTPVersions...))
	more.MaxRedirects, _, _ = read(o, "maxRedirects", parseRedirects)
	more.SameHost, _, _ = read(o, "sameHostRedirects", value.boolean)
	more.HeaderFiles, _, _ = read(o, "headerFiles", parseHeaderFiles)
	if !more.IsZero() {
		c.Options = &more
	}
	checkRequest(o, c)
	return c
}

// checkRequest reports keys that have no effect beside others.
func checkRequest(o *object, c *sla.HTTPCheck) {
	clash := func(key, message, remedy string) {
		if at, given := o.get(key); given {
			o.d.errorAt(at.key, "conflicting-keys", message, remedy)
		}
	}
	if c.Method == http.MethodHead {
		for _, key := range []string{"bodyMatches", "bodyNotMatches", "json"} {
			clash(key, "an answer to HEAD has no body for "+key+" to match", "use method: GET")
		}
	}
	if !c.FollowRedirects {
		clash("maxRedirects", "maxRedirects has no effect where redirects are not followed", "leave one of the two out")
		clash("sameHostRedirects", "sameHostRedirects has no effect where redirects are not followed", "leave one of the two out")
	}
	if c.Options == nil {
		return
	}
	if slices.Contains(c.Options.Versions, sla.HTTP3) {
		if len(c.Options.Versions) > 1 {
			clash("httpVersions", "HTTP/3 runs over QUIC, and cannot be offered beside versions that run over TCP", "probe it by a level of its own")
		}
		if c.Options.Proxy != nil {
			clash("httpVersions", "HTTP/3 does not go by a proxy", "leave the proxy out, or probe HTTP/2")
		}
	}
	for name := range c.Options.HeaderFiles {
		if _, both := c.Headers[name]; both {
			clash("headerFiles", "the header "+quote(name)+" is in headers too", "keep one of them")
		}
	}
	if c.Options.Auth != nil && (has(c.Headers, "Authorization") || has(c.Options.HeaderFiles, "Authorization")) {
		clash("headers", "the header Authorization is given in two ways", "keep one of them")
	}
}

func has[T any](headers map[string]T, name string) bool {
	for n := range headers {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// checkRequestURL reports options that a URL cannot have.
func checkRequestURL(o *object, c *sla.HTTPCheck, target string) {
	if strings.HasPrefix(target, "https://") {
		return
	}
	if !c.FollowRedirects {
		for _, key := range tlsKeys {
			if at, given := o.get(key); given {
				o.d.errorAt(at.key, "conflicting-keys", key+" has no effect without TLS", "probe https://, or leave "+key+" out")
			}
		}
	}
	if c.Options != nil && (slices.Contains(c.Options.Versions, sla.HTTP2) || slices.Contains(c.Options.Versions, sla.HTTP3)) {
		at, _ := o.get("httpVersions")
		o.d.errorAt(at.key, "conflicting-keys", "HTTP/2 and HTTP/3 need https://", "probe https://, or leave httpVersions out")
	}
}

// parseSize parses a number of bytes, above 0.
func parseSize(v value) (int64, bool) {
	if v.node.Kind == yamlScalar && v.node.ShortTag() == "!!int" {
		v.error("bad-value", v.name+" "+v.node.Value+" has no unit", "write "+v.name+": "+v.node.Value+"B, or KiB or MiB")
		return 0, false
	}
	text, ok := v.text()
	if !ok {
		return 0, false
	}
	n, err := units.ParseBase2Bytes(text)
	switch {
	case err != nil || n <= 0:
		v.error("bad-value", v.quoted()+" is not a size", "write it like 500B, 64KiB or 2MiB")
	case n > maxBodySize:
		v.error("bad-value", v.quoted()+" is more than 64MiB, which a probe does not read", "make it smaller")
	default:
		return int64(n), true
	}
	return 0, false
}

// parseRedirects parses how many redirects are followed, at least 1. With
// followRedirects: false a redirect is a response to check, and not a failure.
func parseRedirects(v value) (int, bool) {
	if v.node.Kind == yamlScalar && v.node.Value == "0" {
		v.error("bad-value", v.quoted()+" follows none", "write followRedirects: false, with which the redirect itself is judged")
		return 0, false
	}
	return whole(1, maxRedirects)(v)
}
