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

// settings are one module as a blackbox.yml has it: the sections that the
// package config of blackbox_exporter v0.28.0 reads, and what v0.29.0 added to
// them, which is read here.
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

// UnmarshalYAML reads a module over the defaults of the sections that it lacks.
func (s *settings) UnmarshalYAML(unmarshal func(any) error) error {
	d := config.DefaultModule
	*s = settings{
		HTTP: httpSettings{HTTPProbe: d.HTTP}, TCP: tcpSettings{TCPProbe: d.TCP}, ICMP: d.ICMP, DNS: d.DNS,
		GRPC: grpcSettings{GRPCProbe: d.GRPC}, Unix: unixSettings{UnixProbe: d.Unix}, Websocket: defaultWebsocket,
	}
	type plain settings
	return unmarshal((*plain)(s))
}

// proberName is the name of a prober that there is.
type proberName string

// UnmarshalYAML reads the name. A module without the key keeps the empty name,
// which Load refuses.
func (p *proberName) UnmarshalYAML(n *yaml.Node) error {
	if err := n.Decode((*string)(p)); err != nil {
		return err
	}
	if proberOf(string(*p)) == nil {
		return mistakeAt(n.Line, "there is no prober %q; write one of %s", string(*p), strings.Join(Kinds(), ", "))
	}
	return nil
}

// mistakeAt is an error that the decoder collects with its own.
func mistakeAt(line int, format string, args ...any) error {
	return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: ", line) + fmt.Sprintf(format, args...)}}
}

// switchAt is a boolean that remembers where it stands.
type switchAt struct {
	on   bool
	line int
}

// UnmarshalYAML reads the boolean.
func (s *switchAt) UnmarshalYAML(n *yaml.Node) error {
	s.line = n.Line
	return n.Decode(&s.on)
}

// MarshalYAML is the boolean.
func (s switchAt) MarshalYAML() (any, error) { return s.on, nil }

// IsZero tells whether it is off, which is not shown.
func (s switchAt) IsZero() bool { return !s.on }

type httpSettings struct {
	config.HTTPProbe `yaml:",inline"`
	CheckRevoked     switchAt `yaml:"check_revoked,omitempty"`
}

// UnmarshalYAML reads the section.
func (s *httpSettings) UnmarshalYAML(unmarshal func(any) error) error {
	type plain config.HTTPProbe
	read := struct {
		Probe        plain    `yaml:",inline"`
		CheckRevoked switchAt `yaml:"check_revoked"`
	}{Probe: plain(config.DefaultHTTPProbe)}
	if err := unmarshal(&read); err != nil {
		return err
	}
	s.CheckRevoked = read.CheckRevoked
	return s.HTTPProbe.UnmarshalYAML(already(read.Probe))
}

// already gives what has been read of a section to the package config, which
// then checks it: it cannot read the section itself, because it refuses keys that
// it does not know.
func already(read any) func(any) error {
	return func(into any) error {
		to := reflect.ValueOf(into).Elem()
		to.Set(reflect.ValueOf(read).Convert(to.Type()))
		return nil
	}
}

type tcpSettings struct {
	config.TCPProbe `yaml:",inline"`
	CheckRevoked    switchAt `yaml:"check_revoked,omitempty"`
}

// UnmarshalYAML reads the section.
func (s *tcpSettings) UnmarshalYAML(unmarshal func(any) error) error {
	type plain config.TCPProbe
	read := struct {
		Probe        plain    `yaml:",inline"`
		CheckRevoked switchAt `yaml:"check_revoked"`
	}{Probe: plain(config.DefaultTCPProbe)}
	if err := unmarshal(&read); err != nil {
		return err
	}
	s.CheckRevoked = read.CheckRevoked
	if err := s.TCPProbe.UnmarshalYAML(already(read.Probe)); err != nil {
		return err
	}
	return revocationNeedsTLS(s.CheckRevoked, s.TLS, s.QueryResponse)
}

type unixSettings struct {
	config.UnixProbe `yaml:",inline"`
	CheckRevoked     switchAt `yaml:"check_revoked,omitempty"`
}

// UnmarshalYAML reads the section.
func (s *unixSettings) UnmarshalYAML(unmarshal func(any) error) error {
	type plain config.UnixProbe
	read := struct {
		Probe        plain    `yaml:",inline"`
		CheckRevoked switchAt `yaml:"check_revoked"`
	}{Probe: plain(config.DefaultUnixProbe)}
	if err := unmarshal(&read); err != nil {
		return err
	}
	s.CheckRevoked = read.CheckRevoked
	if err := s.UnixProbe.UnmarshalYAML(already(read.Probe)); err != nil {
		return err
	}
	return revocationNeedsTLS(s.CheckRevoked, s.TLS, s.QueryResponse)
}

type grpcSettings struct {
	config.GRPCProbe `yaml:",inline"`
	CheckRevoked     switchAt `yaml:"check_revoked,omitempty"`
}

// UnmarshalYAML reads the section.
func (s *grpcSettings) UnmarshalYAML(unmarshal func(any) error) error {
	type plain config.GRPCProbe
	read := struct {
		Probe        plain    `yaml:",inline"`
		CheckRevoked switchAt `yaml:"check_revoked"`
	}{Probe: plain(config.DefaultGRPCProbe)}
	if err := unmarshal(&read); err != nil {
		return err
	}
	s.CheckRevoked = read.CheckRevoked
	if err := s.GRPCProbe.UnmarshalYAML(already(read.Probe)); err != nil {
		return err
	}
	return revocationNeedsTLS(s.CheckRevoked, s.TLS, nil)
}

// revocationNeedsTLS refuses check_revoked where no certificate is ever seen.
func revocationNeedsTLS(check switchAt, tls bool, steps []config.QueryResponse) error {
	if !check.on || tls || slices.ContainsFunc(steps, func(q config.QueryResponse) bool { return q.StartTLS }) {
		return nil
	}
	return mistakeAt(check.line, "check_revoked has no certificate to check; add tls: true, or leave it out")
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
