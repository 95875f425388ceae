package foreign

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// The probers of blackbox_exporter, key by key.

func (p *blackboxProbe) http() {
	p.options(map[string]option{
		"valid_status_codes":                (*blackboxProbe).statusCodes,
		"valid_http_versions":               (*blackboxProbe).httpVersions,
		"method":                            textAs("method"),
		"headers":                           copied("headers"),
		"body":                              textAs("body"),
		"no_follow_redirects":               (*blackboxProbe).noRedirects,
		"follow_redirects":                  copied("followRedirects"),
		"fail_if_body_matches_regexp":       (*blackboxProbe).bodyNotMatches,
		"fail_if_body_not_matches_regexp":   (*blackboxProbe).bodyMatches,
		"fail_if_header_not_matches":        (*blackboxProbe).headerMatches,
		"fail_if_body_json_not_matches_cel": textAs("json"),
		"fail_if_not_ssl":                   (*blackboxProbe).onlyTLS,
		"fail_if_ssl":                       isFalse,
		"compression": func(p *blackboxProbe, e entry) bool {
			p.probe.set("compression", p.r.words(e.value, []string{e.value.node.Value}))
			return e.value.node.Kind == yaml.ScalarNode
		},
		"enable_http3": func(p *blackboxProbe, e entry) bool {
			if e.value.node.Value == "true" {
				p.probe.set("httpVersions", p.quotedWords(e.value, []string{"3"}))
			}
			return true
		},
		"tls_config": (*blackboxProbe).tlsConfig,
		"basic_auth": (*blackboxProbe).basicAuth,
		"proxy_url":  textAs("proxyURL"),
		"no_proxy":   textAs("noProxy"),
		"bearer_token_file": func(p *blackboxProbe, e entry) bool {
			p.probe.set("authorization", p.r.mapping(e.value).flow().set("credentialsFile", p.r.text(e.value, e.value.node.Value)).node)
			return e.value.node.Kind == yaml.ScalarNode
		},
		"authorization": (*blackboxProbe).authorization,
		"enable_http2":  handled, // which version is spoken changes nothing of what is good
	})
}

func (p *blackboxProbe) tcp() {
	p.options(map[string]option{"tls": copied("tls"), "tls_config": (*blackboxProbe).tlsConfig, "source_ip_address": textAs("sourceAddress")})
}

func (p *blackboxProbe) icmp() {
	p.options(map[string]option{"source_ip_address": textAs("sourceAddress"), "payload_size": copied("payloadSize"), "ttl": copied("ttl"), "dont_fragment": isFalse})
}

func (p *blackboxProbe) dns() {
	p.options(map[string]option{
		"query_name": textAs("name"), "query_type": textAs("type"), "query_class": textAs("class"), "recursion_desired": copied("recursion"),
		"valid_rcodes": copied("rcodes"), "source_ip_address": textAs("sourceAddress"),
		"transport_protocol": textAs("transport"),
		"dns_over_tls": func(p *blackboxProbe, e entry) bool {
			if e.value.node.Value == "true" {
				p.probe.set("transport", p.r.text(e.value, "tls"))
			}
			return true
		},
		"tls_config": (*blackboxProbe).tlsConfig, // records are written differently here, so expressions of them are not carried
	})
	if _, given := p.m.options.get("query_type"); !given {
		p.cannot(p.m.name, "a DNS query of the type ANY is not carried", "write query_type: A")
	}
}

func (p *blackboxProbe) grpc() {
	p.options(map[string]option{"service": textAs("service"), "tls": copied("tls"), "tls_config": (*blackboxProbe).tlsConfig})
}

// isFalse carries a key that is false, which asks for nothing.
func isFalse(_ *blackboxProbe, e entry) bool { return e.value.node.Value == "false" }

func (p *blackboxProbe) quotedWords(at place, words []string) *yaml.Node {
	n := p.r.list(at)
	n.Style = yaml.FlowStyle
	for _, w := range words {
		n.Content = append(n.Content, p.r.quoted(at, w))
	}
	return n
}

func (p *blackboxProbe) statusCodes(e entry) bool {
	codes := texts(e.value.doc, e.value.node)
	if len(codes) == 0 {
		return true // 2xx, as here
	}
	n := p.r.list(e.value)
	n.Style = yaml.FlowStyle
	for _, c := range codes {
		n.Content = append(n.Content, p.r.plain(c, "!!int", c.node.Value))
	}
	p.probe.set("status", n)
	return true
}

func (p *blackboxProbe) httpVersions(e entry) bool {
	var versions []string
	for _, v := range texts(e.value.doc, e.value.node) {
		text, ok := strings.CutPrefix(v.node.Value, "HTTP/")
		if !ok {
			return false
		}
		versions = append(versions, map[string]string{"2.0": "2", "3.0": "3"}[text]+strings.TrimSuffix(strings.TrimSuffix(text, "2.0"), "3.0"))
	}
	if len(versions) > 0 {
		p.probe.set("httpVersions", p.quotedWords(e.value, versions))
	}
	return true
}

func (p *blackboxProbe) noRedirects(e entry) bool {
	p.probe.set("followRedirects", p.r.boolean(e.value, e.value.node.Value != "true"))
	return true
}

// bodyNotMatches joins several expressions, none of which may match, into one.
func (p *blackboxProbe) bodyNotMatches(e entry) bool {
	all := texts(e.value.doc, e.value.node)
	if len(all) == 1 {
		p.probe.set("bodyNotMatches", p.regexp(all[0], all[0].node.Value))
		return true
	}
	var parts []string
	for _, t := range all {
		parts = append(parts, "(?:"+t.node.Value+")")
	}
	if len(parts) > 0 {
		p.probe.set("bodyNotMatches", p.regexp(e.value, strings.Join(parts, "|")))
	}
	return true
}

// bodyMatches carries a single expression, since of several all would have to match.
func (p *blackboxProbe) bodyMatches(e entry) bool {
	all := texts(e.value.doc, e.value.node)
	if len(all) == 1 {
		p.probe.set("bodyMatches", p.regexp(all[0], all[0].node.Value))
	}
	return len(all) <= 1
}

func (p *blackboxProbe) regexp(at place, text string) *yaml.Node {
	n := p.r.text(at, text)
	if n.Style == 0 {
		n.Style = yaml.SingleQuotedStyle
	}
	return n
}

func (p *blackboxProbe) headerMatches(e entry) bool {
	m := p.r.mapping(e.value)
	if e.value.node.Kind != yaml.SequenceNode {
		return false
	}
	for _, item := range e.value.node.Content {
		at := place{e.value.doc, item}
		header, expression := scalarOf(item, "header"), scalarOf(item, "regexp")
		if header == "" || scalarOf(item, "allow_missing") == "true" {
			return false
		}
		m.set(header, p.regexp(at, expression))
	}
	p.probe.set("headerMatches", m.orNil())
	return true
}

// onlyTLS carries a demand for TLS if every address has https, which meets it.
func (p *blackboxProbe) onlyTLS(e entry) bool {
	if e.value.node.Value != "true" {
		return true
	}
	for _, t := range p.g.static {
		if !strings.HasPrefix(p.address(p.j.relabelled.of(t.node.Value)), "https://") {
			return false
		}
	}
	return len(p.g.static) > 0
}

func (p *blackboxProbe) tlsConfig(e entry) bool {
	o := e.value.object("tls_config")
	if o == nil {
		return false
	}
	for _, option := range o.entries {
		switch option.name {
		case "insecure_skip_verify":
			p.probe.set("insecureSkipVerify", p.copied(option.value))
		case "server_name":
			p.probe.set("serverName", p.r.text(option.value, option.value.node.Value))
		case "ca_file":
			p.probe.set("caFile", p.r.text(option.value, option.value.node.Value))
		case "cert_file":
			p.probe.set("certFile", p.r.text(option.value, option.value.node.Value))
		case "key_file":
			p.probe.set("keyFile", p.r.text(option.value, option.value.node.Value))
		default:
			return false
		}
	}
	return true
}

// basicAuth carries a password only if it is in a file, since specifications contain none.
func (p *blackboxProbe) basicAuth(e entry) bool {
	user, file := scalarOf(e.value.node, "username"), scalarOf(e.value.node, "password_file")
	if user == "" || file == "" {
		return false
	}
	p.probe.set("basicAuth", p.r.mapping(e.value).flow().set("username", p.r.text(e.value, user)).set("passwordFile", p.r.text(e.value, file)).node)
	return true
}

func (p *blackboxProbe) authorization(e entry) bool {
	file := scalarOf(e.value.node, "credentials_file")
	if file == "" {
		return false
	}
	m := p.r.mapping(e.value).flow()
	if kind := scalarOf(e.value.node, "type"); kind != "" {
		m.set("type", p.r.text(e.value, kind))
	}
	p.probe.set("authorization", m.set("credentialsFile", p.r.text(e.value, file)).node)
	return true
}
