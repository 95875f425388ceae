package blackbox

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/blackbox_exporter/config"
	pconfig "github.com/prometheus/common/config"
	"gopkg.in/yaml.v3"
)

// settings are one module of a blackbox.yml: the sections that the package config
// of blackbox_exporter v0.28.0 reads, and what v0.29.0 added to them.
type settings struct {
	Prober    proberName        `yaml:"prober,omitempty"`
	Timeout   time.Duration     `yaml:"timeout,omitempty"`
	HTTP      httpSettings      `yaml:"http,omitempty"`
	TCP       tcpSettings       `yaml:"tcp,omitempty"`
	ICMP      config.ICMPProbe  `yaml:"icmp,omitempty"`
	DNS       config.DNSProbe   `yaml:"dns,omitempty"`
	GRPC      grpcSettings      `yaml:"grpc,omitempty"`
	Unix      unixSettings      `yaml:"unix,omitempty"`
	Websocket websocketSettings `yaml:"websocket,omitempty"`
}

// moduleFile is a blackbox.yml.
type moduleFile struct {
	Modules map[string]settings `yaml:"modules"`
}

// UnmarshalYAML reads a module. Sections that it lacks have their defaults.
func (s *settings) UnmarshalYAML(unmarshal func(any) error) error {
	d := config.DefaultModule
	*s = settings{
		HTTP: httpSettings{HTTPProbe: d.HTTP}, TCP: tcpSettings{TCPProbe: d.TCP}, ICMP: d.ICMP, DNS: d.DNS,
		GRPC: grpcSettings{GRPCProbe: d.GRPC}, Unix: unixSettings{UnixProbe: d.Unix}, Websocket: defaultWebsocket,
	}
	type plain settings
	return unmarshal((*plain)(s))
}

// proberName is the name of an existing prober.
type proberName string

// UnmarshalYAML reads the name. It is not called for a module without the key,
// which Load refuses.
func (p *proberName) UnmarshalYAML(n *yaml.Node) error {
	if err := n.Decode((*string)(p)); err != nil {
		return err
	}
	if proberOf(string(*p)) == nil {
		return errorAt(n.Line, "there is no prober %q; write one of %s", string(*p), strings.Join(kindNames(), ", "))
	}
	return nil
}

// errorAt is an error of a line, which the decoder collects with its own errors.
func errorAt(line int, format string, args ...any) error {
	return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: ", line) + fmt.Sprintf(format, args...)}}
}

// boolAt is a boolean that knows its line.
type boolAt struct {
	on   bool
	line int
}

// UnmarshalYAML reads the boolean.
func (s *boolAt) UnmarshalYAML(n *yaml.Node) error {
	s.line = n.Line
	return n.Decode(&s.on)
}

// MarshalYAML is the boolean.
func (s boolAt) MarshalYAML() (any, error) { return s.on, nil }

// IsZero reports whether it is false, which is left out of YAML.
func (s boolAt) IsZero() bool { return !s.on }

type httpSettings struct {
	config.HTTPProbe `yaml:",inline"`
	CheckRevoked     boolAt `yaml:"check_revoked,omitempty"`
}

// UnmarshalYAML reads the section.
func (s *httpSettings) UnmarshalYAML(unmarshal func(any) error) error {
	type plain config.HTTPProbe
	read := struct {
		Probe        plain  `yaml:",inline"`
		CheckRevoked boolAt `yaml:"check_revoked"`
	}{Probe: plain(config.DefaultHTTPProbe)}
	if err := unmarshal(&read); err != nil {
		return err
	}
	s.CheckRevoked = read.CheckRevoked
	return s.HTTPProbe.UnmarshalYAML(alreadyRead(read.Probe))
}

// alreadyRead passes a section that has been read here to the package config, which
// checks it. That package cannot read the section, since it refuses unknown keys.
func alreadyRead(read any) func(any) error {
	return func(into any) error {
		to := reflect.ValueOf(into).Elem()
		to.Set(reflect.ValueOf(read).Convert(to.Type()))
		return nil
	}
}

type tcpSettings struct {
	config.TCPProbe `yaml:",inline"`
	CheckRevoked    boolAt `yaml:"check_revoked,omitempty"`
}

// UnmarshalYAML reads the section.
func (s *tcpSettings) UnmarshalYAML(unmarshal func(any) error) error {
	type plain config.TCPProbe
	read := struct {
		Probe        plain  `yaml:",inline"`
		CheckRevoked boolAt `yaml:"check_revoked"`
	}{Probe: plain(config.DefaultTCPProbe)}
	if err := unmarshal(&read); err != nil {
		return err
	}
	s.CheckRevoked = read.CheckRevoked
	if err := s.TCPProbe.UnmarshalYAML(alreadyRead(read.Probe)); err != nil {
		return err
	}
	return revocationNeedsTLS(s.CheckRevoked, s.TLS, s.QueryResponse)
}

type unixSettings struct {
	config.UnixProbe `yaml:",inline"`
	CheckRevoked     boolAt `yaml:"check_revoked,omitempty"`
}

// UnmarshalYAML reads the section.
func (s *unixSettings) UnmarshalYAML(unmarshal func(any) error) error {
	type plain config.UnixProbe
	read := struct {
		Probe        plain  `yaml:",inline"`
		CheckRevoked boolAt `yaml:"check_revoked"`
	}{Probe: plain(config.DefaultUnixProbe)}
	if err := unmarshal(&read); err != nil {
		return err
	}
	s.CheckRevoked = read.CheckRevoked
	if err := s.UnixProbe.UnmarshalYAML(alreadyRead(read.Probe)); err != nil {
		return err
	}
	return revocationNeedsTLS(s.CheckRevoked, s.TLS, s.QueryResponse)
}

type grpcSettings struct {
	config.GRPCProbe `yaml:",inline"`
	CheckRevoked     boolAt `yaml:"check_revoked,omitempty"`
}

// UnmarshalYAML reads the section.
func (s *grpcSettings) UnmarshalYAML(unmarshal func(any) error) error {
	type plain config.GRPCProbe
	read := struct {
		Probe        plain  `yaml:",inline"`
		CheckRevoked boolAt `yaml:"check_revoked"`
	}{Probe: plain(config.DefaultGRPCProbe)}
	if err := unmarshal(&read); err != nil {
		return err
	}
	s.CheckRevoked = read.CheckRevoked
	if err := s.GRPCProbe.UnmarshalYAML(alreadyRead(read.Probe)); err != nil {
		return err
	}
	return revocationNeedsTLS(s.CheckRevoked, s.TLS, nil)
}

// revocationNeedsTLS refuses check_revoked in a module that never begins TLS.
func revocationNeedsTLS(check boolAt, tls bool, steps []config.QueryResponse) error {
	if !check.on || tls || slices.ContainsFunc(steps, func(q config.QueryResponse) bool { return q.StartTLS }) {
		return nil
	}
	return errorAt(check.line, "check_revoked has no certificate to check; add tls: true, or leave it out")
}

// websocketSettings are the section websocket of v0.29.0.
type websocketSettings struct {
	HTTPClientConfig   pconfig.HTTPClientConfig `yaml:"http_config,omitempty"`
	Headers            pconfig.Headers          `yaml:"headers,omitempty"`
	QueryResponse      []config.QueryResponse   `yaml:"query_response,omitempty"`
	IPProtocol         string                   `yaml:"preferred_ip_protocol,omitempty"`
	IPProtocolFallback bool                     `yaml:"ip_protocol_fallback,omitempty"`
}

var defaultWebsocket = websocketSettings{IPProtocolFallback: true}

// UnmarshalYAML reads the section.
func (s *websocketSettings) UnmarshalYAML(unmarshal func(any) error) error {
	*s = defaultWebsocket
	type plain websocketSettings
	if err := unmarshal((*plain)(s)); err != nil {
		return err
	}
	return s.HTTPClientConfig.Validate()
}
