package blackbox

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/textproto"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/miekg/dns"
	"github.com/prometheus/blackbox_exporter/config"
	pconfig "github.com/prometheus/common/config"
	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/exporter/redact"
	"github.com/upheld-sla/upheld/sla"
)

// Module is one module of a blackbox.yml, and what is compiled of it once for all
// probes.
type Module struct {
	settings
	expressions map[string]*regexp.Regexp // of DNS records
	question    dns.Question
}

func newModule(c settings) *Module {
	m := &Module{settings: c, expressions: map[string]*regexp.Regexp{}}
	for _, v := range []config.DNSRRValidator{c.DNS.ValidateAnswer, c.DNS.ValidateAuthority, c.DNS.ValidateAdditional} {
		for _, text := range slices.Concat(v.FailIfMatchesRegexp, v.FailIfAllMatchRegexp, v.FailIfNotMatchesRegexp, v.FailIfNoneMatchesRegexp) {
			if e, err := regexp.Compile(text); err == nil {
				m.expressions[text] = e
			}
		}
	}
	m.question = dns.Question{Name: dns.Fqdn(c.DNS.QueryName), Qtype: dns.TypeANY, Qclass: dns.ClassINET}
	if kind, ok := dns.StringToType[c.DNS.QueryType]; ok {
		m.question.Qtype = kind
	}
	if class, ok := dns.StringToClass[c.DNS.QueryClass]; ok {
		m.question.Qclass = class
	}
	return m
}

// dnsTransport is an error if the module names an unknown transport.
func (m *Module) dnsTransport() error {
	if transport := m.DNS.TransportProtocol; transport != "" && transport != "udp" && transport != "tcp" {
		return fmt.Errorf("transport_protocol is %q; it must be udp or tcp", transport)
	}
	return nil
}

// dnsOverTLS is an error if TLS is not possible over the transport.
func (m *Module) dnsOverTLS() error {
	if m.DNS.DNSOverTLS && m.DNS.TransportProtocol != "tcp" {
		return errors.New("dns_over_tls needs transport_protocol: tcp")
	}
	return nil
}

// withHostname is the module for a request with the parameter hostname: it goes into
// the Host header of http, and is the server name of TLS for tcp.
func (m *Module) withHostname(hostname string) (*Module, error) {
	named := *m
	switch m.Prober {
	case "http":
		named.HTTP.Headers = map[string]string{}
		for name, value := range m.HTTP.Headers {
			if textproto.CanonicalMIMEHeaderKey(name) == "Host" {
				if value != hostname {
					return nil, fmt.Errorf("host header defined both in module configuration (%s) and with URL-parameter 'hostname' (%s)", value, hostname)
				}
				continue
			}
			named.HTTP.Headers[name] = value
		}
		named.HTTP.Headers["Host"] = hostname
	case "tcp":
		if named.TCP.TLSConfig.ServerName == "" {
			named.TCP.TLSConfig.ServerName = hostname
		}
	}
	return &named, nil
}

// Load reads a blackbox.yml. What blackbox_exporter refuses is an error. What it
// accepts, although every probe of the module will fail, is a warning.
func Load(path string) (modules map[string]*Module, warnings []string, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("error reading config file: %w", err)
	}
	defer file.Close()
	decoder := yaml.NewDecoder(file)
	decoder.KnownFields(true)
	var c moduleFile
	if err := decoder.Decode(&c); err != nil {
		return nil, nil, withPlaces(path, err)
	}
	modules = make(map[string]*Module, len(c.Modules))
	for _, name := range slices.Sorted(maps.Keys(c.Modules)) {
		if c.Modules[name].Prober == "" {
			return nil, nil, fmt.Errorf("%s: module %s names no prober; write prober: and one of %s", path, name, strings.Join(kindNames(), ", "))
		}
		m := newModule(c.Modules[name])
		m.HTTP.NoFollowRedirects = nil // it has become follow_redirects
		modules[name] = m
		for _, w := range m.lint() {
			warnings = append(warnings, fmt.Sprintf("%s: module %s: %s", path, name, w))
		}
	}
	return modules, warnings, nil
}

var (
	atLine       = regexp.MustCompile(`^(?:yaml: )?line (\d+): `)
	unknownField = regexp.MustCompile(`field (\S+) not found in type \S+`)
)

// withPlaces is an error with one line for each mistake: file, line and message.
func withPlaces(path string, err error) error {
	texts := []string{redact.Error(err)}
	if several, ok := errors.AsType[*yaml.TypeError](err); ok {
		texts = several.Errors
	}
	for i, text := range texts {
		text = unknownField.ReplaceAllString(text, "there is no field $1 here")
		if at := atLine.FindStringSubmatch(text); at != nil {
			texts[i] = path + ":" + at[1] + ": " + strings.TrimPrefix(text, at[0])
			continue
		}
		texts[i] = path + ": " + strings.TrimPrefix(text, "yaml: ")
	}
	return errors.New(strings.Join(texts, "\n"))
}

// lint finds what makes every probe of the module fail.
func (m *Module) lint() (found []string) {
	warn := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	for _, source := range []string{m.TCP.SourceIPAddress, m.ICMP.SourceIPAddress, m.DNS.SourceIPAddress} {
		if source != "" && net.ParseIP(source) == nil {
			warn("source_ip_address is %q, which is no address", source)
		}
	}
	m.lintFiles(warn)
	if m.Prober == "http" {
		m.lintHTTP(warn)
	}
	if m.Prober == "websocket" {
		m.lintWebsocket(warn)
	}
	if n := m.ICMP.PayloadSize; m.Prober == "icmp" && n > maxPayload {
		warn("payload_size is %d; a packet holds %d", n, maxPayload)
	}
	if m.Prober == "dns" {
		if err := cmp.Or(m.dnsTransport(), m.dnsOverTLS()); err != nil {
			warn("%s", err)
		}
		for _, name := range m.DNS.ValidRcodes {
			if _, ok := dns.StringToRcode[name]; !ok {
				warn("valid_rcodes: there is no DNS code %q", name)
			}
		}
	}
	for _, v := range []config.DNSRRValidator{m.DNS.ValidateAnswer, m.DNS.ValidateAuthority, m.DNS.ValidateAdditional} {
		for _, text := range slices.Concat(v.FailIfMatchesRegexp, v.FailIfAllMatchRegexp, v.FailIfNotMatchesRegexp, v.FailIfNoneMatchesRegexp) {
			if _, err := regexp.Compile(text); err != nil {
				warn("%v", err)
			}
		}
	}
	for _, s := range slices.Concat(m.TCP.QueryResponse, m.Unix.QueryResponse) {
		for _, l := range s.Labels {
			if l.Name == "" {
				warn("a label of query_response has no name")
			}
		}
	}
	return found
}

// hidden replaces what is not shown.
const hidden = "<secret>"

// redacted is the module without secrets, for pages.
func (m *Module) redacted() settings {
	c := m.settings
	if len(c.HTTP.Headers) > 0 {
		c.HTTP.Headers = maps.Clone(c.HTTP.Headers)
		for name := range c.HTTP.Headers {
			if sla.SecretName(name) {
				c.HTTP.Headers[name] = hidden
			}
		}
	}
	if len(c.GRPC.Metadata) > 0 {
		c.GRPC.Metadata = maps.Clone(c.GRPC.Metadata)
		for name := range c.GRPC.Metadata {
			if sla.SecretName(name) {
				c.GRPC.Metadata[name] = []string{hidden}
			}
		}
	}
	c.HTTP.HTTPClientConfig = redactedClient(c.HTTP.HTTPClientConfig)
	c.Websocket.HTTPClientConfig = redactedClient(c.Websocket.HTTPClientConfig)
	c.Websocket.Headers = *redactedHeaders(&c.Websocket.Headers)
	return c
}

// redactedClient hides secrets that the package config shows: the user info of the
// proxy, and values of headers whose name says that they are secret.
func redactedClient(c pconfig.HTTPClientConfig) pconfig.HTTPClientConfig {
	if u := c.ProxyURL.URL; u != nil && u.User != nil {
		clean := *u
		clean.User = url.User("xxxxx") // a user name alone may be a token
		if _, ok := u.User.Password(); ok {
			clean.User = url.UserPassword(u.User.Username(), "xxxxx")
		}
		c.ProxyURL = pconfig.URL{URL: &clean}
	}
	if c.HTTPHeaders != nil {
		c.HTTPHeaders = redactedHeaders(c.HTTPHeaders)
	}
	return c
}

func redactedHeaders(h *pconfig.Headers) *pconfig.Headers {
	redacted := maps.Clone(h.Headers)
	for name, header := range redacted {
		if sla.SecretName(name) && len(header.Values) > 0 {
			header.Values = []string{hidden}
			redacted[name] = header
		}
	}
	return &pconfig.Headers{Headers: redacted}
}

// toYAML is a module, or a file of them, as YAML.
func toYAML(v any) string {
	text, err := yaml.Marshal(v)
	if err != nil {
		return "Error marshalling config: " + err.Error() + "\n"
	}
	return string(text)
}

// secrets are the texts of a module that no log may show.
func (m *Module) secrets() []string {
	all := append(clientSecrets(&m.HTTP.HTTPClientConfig), clientSecrets(&m.Websocket.HTTPClientConfig)...)
	all = append(all, headerSecrets(&m.Websocket.Headers)...)
	for name, value := range m.HTTP.Headers {
		if sla.SecretName(name) {
			all = append(all, value)
		}
	}
	for name, values := range m.GRPC.Metadata {
		if sla.SecretName(name) {
			all = append(all, values...)
		}
	}
	return all
}

func clientSecrets(c *pconfig.HTTPClientConfig) []string {
	all := []string{string(c.BearerToken)}
	if b := c.BasicAuth; b != nil {
		all = append(all, string(b.Password))
	}
	if a := c.Authorization; a != nil {
		all = append(all, string(a.Credentials))
	}
	if o := c.OAuth2; o != nil {
		all = append(all, string(o.ClientSecret))
	}
	if u := c.ProxyURL.URL; u != nil {
		all = append(all, sla.UserInfo(u.String())...)
	}
	for _, values := range c.ProxyConnectHeader {
		for _, value := range values {
			all = append(all, string(value))
		}
	}
	return append(all, headerSecrets(c.HTTPHeaders)...)
}

func headerSecrets(h *pconfig.Headers) []string {
	if h == nil {
		return nil
	}
	var all []string
	for name, header := range h.Headers {
		for _, secret := range header.Secrets {
			all = append(all, string(secret))
		}
		if sla.SecretName(name) {
			all = append(all, header.Values...)
		}
	}
	return all
}
