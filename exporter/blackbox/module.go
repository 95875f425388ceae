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

// Module is one module of a blackbox.yml, with what its probes would otherwise
// compile again each time.
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

// dnsTransport tells whether the module names a transport that there is.
func (m *Module) dnsTransport() error {
	if transport := m.DNS.TransportProtocol; transport != "" && transport != "udp" && transport != "tcp" {
		return fmt.Errorf("transport_protocol is %q; it must be udp or tcp", transport)
	}
	return nil
}

// dnsOverTLS tells whether TLS goes together with the transport.
func (m *Module) dnsOverTLS() error {
	if m.DNS.DNSOverTLS && m.DNS.TransportProtocol != "tcp" {
		return errors.New("dns_over_tls needs transport_protocol: tcp")
	}
	return nil
}

// withHostname is the module for a request that names the host besides the
// target: in the Host header of HTTP, and to TLS.
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

// Load reads a blackbox.yml. Mistakes that blackbox_exporter refuses are
// errors; those with which it starts, and then fails each probe of a module,
// are warnings.
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
		return nil, nil, placed(path, err)
	}
	modules = make(map[string]*Module, len(c.Modules))
	for _, name := range slices.Sorted(maps.Keys(c.Modules)) {
		if c.Modules[name].Prober == "" {
			return nil, nil, fmt.Errorf("%s: module %s names no prober; write prober: and one of %s", path, name, strings.Join(Kinds(), ", "))
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

// placed is the mistakes of a file, a line each, with file and line.
func placed(path string, err error) error {
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

// lint finds what will fail every probe of the module.
func (m *Module) lint() (found []string) {
	say := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	for _, source := range []string{m.TCP.SourceIPAddress, m.ICMP.SourceIPAddress, m.DNS.SourceIPAddress} {
		if source != "" && net.ParseIP(source) == nil {
			say("source_ip_address is %q, which is no address", source)
		}
	}
	m.lintFiles(say)
	if m.Prober == "http" {
		m.lintHTTP(say)
	}
	if m.Prober == "websocket" {
		m.lintWebsocket(say)
	}
	if n := m.ICMP.PayloadSize; m.Prober == "icmp" && n > maxPayload {
		say("payload_size is %d; a packet holds %d", n, maxPayload)
	}
	if m.Prober == "dns" {
		if err := cmp.Or(m.dnsTransport(), m.dnsOverTLS()); err != nil {
			say("%s", err)
		}
		for _, name := range m.DNS.ValidRcodes {
			if _, ok := dns.StringToRcode[name]; !ok {
				say("valid_rcodes: there is no DNS code %q", name)
			}
		}
	}
	for _, v := range []config.DNSRRValidator{m.DNS.ValidateAnswer, m.DNS.ValidateAuthority, m.DNS.ValidateAdditional} {
		for _, text := range slices.Concat(v.FailIfMatchesRegexp, v.FailIfAllMatchRegexp, v.FailIfNotMatchesRegexp, v.FailIfNoneMatchesRegexp) {
			if _, err := regexp.Compile(text); err != nil {
				say("%v", err)
			}
		}
	}
	for _, s := range slices.Concat(m.TCP.QueryResponse, m.Unix.QueryResponse) {
		for _, l := range s.Labels {
			if l.Name == "" {
				say("a label of query_response has no name")
			}
		}
	}
	return found
}

// hidden stands for what is not shown.
const hidden = "<secret>"

// shown is the module as people may see it.
func (m *Module) shown() settings {
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
	c.HTTP.HTTPClientConfig = shownClient(c.HTTP.HTTPClientConfig)
	c.Websocket.HTTPClientConfig = shownClient(c.Websocket.HTTPClientConfig)
	c.Websocket.Headers = *shownHeaders(&c.Websocket.Headers)
	return c
}

// shownClient hides what the types of the configuration show: the user info of
// the proxy, and values of headers that are secret by their names.
func shownClient(c pconfig.HTTPClientConfig) pconfig.HTTPClientConfig {
	if u := c.ProxyURL.URL; u != nil && u.User != nil {
		clean := *u
		clean.User = url.User("xxxxx") // a name alone may be a token
		if _, ok := u.User.Password(); ok {
			clean.User = url.UserPassword(u.User.Username(), "xxxxx")
		}
		c.ProxyURL = pconfig.URL{URL: &clean}
	}
	if c.HTTPHeaders != nil {
		c.HTTPHeaders = shownHeaders(c.HTTPHeaders)
	}
	return c
}

func shownHeaders(h *pconfig.Headers) *pconfig.Headers {
	shown := maps.Clone(h.Headers)
	for name, header := range shown {
		if sla.SecretName(name) && len(header.Values) > 0 {
			header.Values = []string{hidden}
			shown[name] = header
		}
	}
	return &pconfig.Headers{Headers: shown}
}

// show writes modules as YAML, without secrets.
func show(v any) string {
	text, err := yaml.Marshal(v)
	if err != nil {
		return "Error marshalling config: " + err.Error() + "\n"
	}
	return string(text)
}

// secrets are what of a module no log may show.
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
