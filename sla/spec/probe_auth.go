package spec

import (
	"errors"

	"github.com/upheld-sla/upheld/internal/jsoncel"
	"github.com/upheld-sla/upheld/sla"
)

var fileType = valueType{name: "file", sample: "/run/secrets/password", scalars: textType.scalars}

var basicAuthSection = &section{
	name: "basicAuth",
	doc:  "User name and password. Secrets are in files, which are read for every probe and never shown. A relative name is relative to the specification.",
	fields: []field{
		{key: "username", typ: textType, required: true, example: "probe", doc: "The user name."},
		{key: "passwordFile", typ: fileType, required: true, doc: "The file with the password."},
	},
}

var authorizationSection = &section{
	name: "authorization",
	doc:  "The header `Authorization`, as a bearer token is sent.",
	fields: []field{
		{key: "type", typ: textType, def: "Bearer", example: "Bearer", doc: "The first word of the header."},
		{key: "credentialsFile", typ: fileType, required: true, example: "/run/secrets/token", doc: "The file with the rest of the header."},
	},
}

var oauth2Section = &section{
	name: "oauth2",
	doc:  "A bearer token of OAuth 2 by client credentials. It is kept until it expires, or the target does not take it. Fetching it is no part of the probe; while it cannot be fetched, probes are `inconclusive`.",
	fields: []field{
		{key: "clientID", typ: textType, required: true, example: "upheld-probe", doc: "The client's name."},
		{key: "clientSecretFile", typ: fileType, required: true, example: "/run/secrets/client", doc: "The file with the client's secret."},
		{key: "tokenURL", typ: urlType, required: true, example: `"https://login.example/token"`, doc: "Where to fetch tokens."},
		{key: "scopes", typ: valueType{name: "list of text", sample: "[read]", scalars: textType.scalars, shape: listOf}, doc: "What the token must allow."},
		{key: "endpointParams", typ: valueType{name: "mapping of names to text", sample: "{audience: shop}", scalars: []schema{{
			"type": "object", "additionalProperties": schema{"type": "string", "pattern": `\S`},
		}}}, doc: "Sent with the request for a token."},
	},
}

// authKeys are the keys of which a request may have one.
var authKeys = []string{"basicAuth", "authorization", "oauth2"}

func authFields() []field {
	return []field{
		{key: "basicAuth", typ: mapping(basicAuthSection), example: "{username: probe, passwordFile: /run/secrets/password}", doc: "User name and password. Only one of `basicAuth`, `authorization` and `oauth2`. It is sent to the URL's origin only, not to where redirects lead."},
		{key: "authorization", typ: mapping(authorizationSection), example: "{credentialsFile: /run/secrets/token}", doc: "A bearer token, or another kind of `Authorization`."},
		{key: "oauth2", typ: mapping(oauth2Section), doc: "A token, fetched with client credentials."},
	}
}

// decodeAuth reads authFields.
func decodeAuth(o *object) *sla.HTTPAuth {
	var given []string
	for _, key := range authKeys {
		if at, ok := o.get(key); ok {
			if given = append(given, key); len(given) == 2 {
				o.d.errorAt(at.key, "conflicting-keys", list(given)+" exclude each other", "keep one of them")
			}
		}
	}
	var a sla.HTTPAuth
	a.Basic, _, _ = read(o, "basicAuth", func(v value) (*sla.BasicAuth, bool) {
		b, o := &sla.BasicAuth{}, v.object(basicAuthSection)
		if o == nil {
			return nil, false
		}
		b.Username, _, _ = read(o, "username", value.text)
		b.Password, _, _ = read(o, "passwordFile", parseSecretFile)
		return b, true
	})
	a.Authorization, _, _ = read(o, "authorization", func(v value) (*sla.Authorization, bool) {
		c, o := &sla.Authorization{Type: "Bearer"}, v.object(authorizationSection)
		if o == nil {
			return nil, false
		}
		if kind, _, ok := read(o, "type", value.text); ok {
			c.Type = kind
		}
		c.Credentials, _, _ = read(o, "credentialsFile", parseSecretFile)
		return c, true
	})
	a.OAuth2, _, _ = read(o, "oauth2", decodeOAuth2)
	if a == (sla.HTTPAuth{}) {
		return nil
	}
	return &a
}

func decodeOAuth2(v value) (*sla.OAuth2, bool) {
	o := v.object(oauth2Section)
	if o == nil {
		return nil, false
	}
	c := &sla.OAuth2{}
	c.ClientID, _, _ = read(o, "clientID", value.text)
	c.ClientSecret, _, _ = read(o, "clientSecretFile", parseSecretFile)
	c.TokenURL, _, _ = read(o, "tokenURL", parseProbeURL)
	c.Scopes, _, _ = read(o, "scopes", value.texts)
	c.Params, _, _ = read(o, "endpointParams", func(v value) (map[string]string, bool) {
		entries, ok := v.entries()
		params := map[string]string{}
		for _, e := range entries {
			text, entryOK := e.text()
			params[e.name], ok = text, ok && entryOK
		}
		return params, ok
	})
	return c, true
}

func parseSecretFile(v value) (sla.Secret, bool) {
	name, ok := parseFile(v)
	return sla.Secret{File: name, Within: v.d.files.within(v.src().file)}, ok
}

// parseHeaderFiles parses a mapping of header names to files.
func parseHeaderFiles(v value) (map[string]sla.Secret, bool) {
	entries, ok := v.entries()
	if !ok {
		return nil, false
	}
	files := map[string]sla.Secret{}
	for _, entry := range entries {
		if !headerRegexp.MatchString(entry.name) {
			v.d.errorAt(entry.key, "bad-header", quote(entry.name)+" is not a valid header name", "use letters, digits and -")
		} else if name, ok := parseSecretFile(entry); ok {
			files[entry.name] = name
		}
	}
	return files, true
}

// condition parses a CEL condition over the variable body.
var condition = celText(func(text string) error { _, err := jsoncel.Compile(text); return err })

// maxCondition limits the time to compile a condition.
const maxCondition = 5_000

// celText parses CEL, and reports what compile returns.
func celText(compile func(string) error) func(value) (string, bool) {
	return func(v value) (string, bool) {
		q, ok := v.query()
		if !ok {
			return "", false
		}
		if len(q.Text) > maxCondition {
			v.error("bad-condition", v.name+" has "+itoa(len(q.Text))+" characters, more than the "+itoa(maxCondition)+" that are read", "ask for what matters, or make several probes of it")
			return "", false
		}
		err := compile(q.Text)
		if err == nil {
			return q.Text, true
		}
		at, message := v.pos(), err.Error()
		if mistake, ok := errors.AsType[*jsoncel.Error](err); ok && mistake.Line > 0 && !q.Folded {
			at = q.Pos
			at.Line += mistake.Line - 1
			at.Column = min(at.Column+mistake.Column-1, len(v.src().line(at.Line))+1)
		}
		v.d.report(sla.Error, at, "bad-condition", v.name+" does not compile: "+message, `write CEL over the variable body, like `+v.field.sample()+`; see https://cel.dev`)
		return "", false
	}
}

var proxyURLType = valueType{name: "URL", sample: `"http://proxy.example:3128"`, scalars: []schema{{"type": "string", "pattern": "^(https?|socks5h?)://"}}}

func proxyFields() []field {
	return []field{
		{key: "proxyURL", typ: proxyURLType, doc: "The proxy to use: `http://`, `https://` or `socks5://`. While it fails, probes are `inconclusive`. Names are resolved by the proxy."},
		{key: "noProxy", typ: textType, example: `"10.0.0.0/8,.internal"`, doc: "Hosts, domains and networks to reach without `proxyURL`, separated by commas."},
		{key: "proxyFromEnvironment", typ: booleanType, doc: "Whether `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` of the exporter's environment say which proxy to use."},
		{key: "proxyHeaders", typ: headersType, example: `{X-Team: sre}`, doc: "Sent to the proxy with `CONNECT`."},
	}
}

// decodeProxy reads proxyFields.
func decodeProxy(o *object) *sla.Proxy {
	var p sla.Proxy
	p.URL, _, _ = read(o, "proxyURL", parseProxyURL)
	p.NoProxy, _, _ = read(o, "noProxy", value.text)
	p.Environment, _, _ = read(o, "proxyFromEnvironment", value.boolean)
	p.Headers, _, _ = read(o, "proxyHeaders", parseHeaders)
	by, given := o.get("proxyURL")
	if given && p.Environment {
		o.d.errorAt(by.key, "conflicting-keys", "proxyURL and proxyFromEnvironment exclude each other", "keep one of them")
	}
	for key, without := range map[string]bool{"noProxy": !given, "proxyHeaders": !given && !p.Environment} {
		if at, ok := o.get(key); ok && without {
			o.d.errorAt(at.key, "conflicting-keys", key+" has no effect without a proxy", "add proxyURL, or leave "+key+" out")
		}
	}
	if p.URL == "" && !p.Environment {
		return nil
	}
	return &p
}
