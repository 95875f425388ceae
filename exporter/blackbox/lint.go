package blackbox

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/prometheus/blackbox_exporter/config"
	pconfig "github.com/prometheus/common/config"
	"golang.org/x/net/http/httpguts"
)

// maxPayload is the most that an ICMP packet of IPv4 can hold, in bytes.
const maxPayload = 65535 - 20 - 8

// lintHTTP finds what makes every HTTP probe of the module fail.
func (m *Module) lintHTTP(warn func(format string, args ...any)) {
	c := &m.HTTP
	m.lintVersions(warn)
	if c.FailIfSSL && c.FailIfNotSSL {
		warn("fail_if_ssl and fail_if_not_ssl exclude each other")
	}
	if c.Method != "" && !httpguts.ValidHeaderFieldName(c.Method) {
		warn("method is %q, which is none of HTTP", c.Method)
	}
	if codes := c.ValidStatusCodes; len(codes) > 0 && !slices.ContainsFunc(codes, func(code int) bool { return code >= 100 && code <= 999 }) {
		warn("valid_status_codes are %v; a status has three digits", codes)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		if !httpguts.ValidHeaderFieldName(name) {
			warn("headers: %q is not the name of a header", name)
		} else if !httpguts.ValidHeaderFieldValue(c.Headers[name]) {
			warn("headers: the value of %s has characters that headers cannot have", name)
		}
	}
	switch strings.ToLower(c.Compression) {
	case "", "identity", "br", "deflate", "gzip":
	default:
		warn("compression is %q; it must be br, deflate, gzip or identity", c.Compression)
	}
	if u := c.HTTPClientConfig.ProxyURL.URL; u != nil && u.String() != "" && (u.Host == "" || !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme)) {
		warn("proxy_url is no URL of a proxy; write it like http://proxy.example:3128")
	}
	for _, rule := range []struct {
		key     string
		program *config.CELProgram
	}{{"fail_if_body_json_matches_cel", c.FailIfBodyJsonMatchesCEL}, {"fail_if_body_json_not_matches_cel", c.FailIfBodyJsonNotMatchesCEL}} {
		if rule.program != nil && !isCondition(rule.program.Expression) {
			warn("%s: %q is neither true nor false", rule.key, rule.program.Expression)
		}
	}
	if err := readable(c.BodyFile); err != nil {
		warn("body_file: %v", err)
	}
	lintCredentials(warn, "", &c.HTTPClientConfig)
}

// lintCredentials finds files of credentials that cannot be read.
func lintCredentials(warn func(format string, args ...any), prefix string, c *pconfig.HTTPClientConfig) {
	file := func(key, path string) {
		if err := readable(path); err != nil {
			warn("%s%s: %v", prefix, key, err)
		}
	}
	if b := c.BasicAuth; b != nil {
		file("basic_auth: username_file", b.UsernameFile)
		file("basic_auth: password_file", b.PasswordFile)
	}
	if a := c.Authorization; a != nil { // which bearer_token_file has become
		file("credentials_file of authorization, or bearer_token_file", a.CredentialsFile)
	}
	if o := c.OAuth2; o != nil {
		file("oauth2: client_secret_file", o.ClientSecretFile)
	}
}

// lintWebsocket finds what makes every WebSocket probe of the module fail, and what
// the prober does not use, as blackbox_exporter does not either.
func (m *Module) lintWebsocket(warn func(format string, args ...any)) {
	c := &m.Websocket
	client := &c.HTTPClientConfig
	for key, used := range map[string]bool{
		"proxy_url": client.ProxyURL.URL != nil, "proxy_from_environment": client.ProxyFromEnvironment, "oauth2": client.OAuth2 != nil, "http_headers": client.HTTPHeaders != nil,
	} {
		if used {
			warn("http_config: %s is not used by the prober websocket; leave it out", key)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Headers.Headers)) {
		h := c.Headers.Headers[name]
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			warn("headers: %q is not the name of a header", name)
		case reservedWebSocketHeader(name):
			warn("headers: %s is not the module's to set: it belongs to the handshake", name)
		case slices.ContainsFunc(h.Values, func(v string) bool { return !httpguts.ValidHeaderFieldValue(v) }):
			warn("headers: the value of %s has characters that headers cannot have", name)
		}
		for _, file := range h.Files {
			if err := readable(file); err != nil {
				warn("headers: %s: %v", name, err)
			}
		}
	}
	lintCredentials(warn, "http_config: ", client)
	for _, s := range c.QueryResponse {
		switch {
		case s.StartTLS:
			warn("query_response: starttls has no effect; use a target of wss")
		case s.ExpectBytes != "":
			warn("query_response: expect_bytes has no effect; write expect")
		case s.Labels != nil:
			warn("query_response: labels have no effect")
		}
	}
}

// lintVersions finds versions that no response can have.
func (m *Module) lintVersions(warn func(format string, args ...any)) {
	c := &m.HTTP
	if len(c.ValidHTTPVersions) == 0 {
		return
	}
	possible := []string{"HTTP/1.0", "HTTP/1.1"}
	switch {
	case c.UseHTTP3:
		possible = []string{"HTTP/3.0"}
	case c.HTTPClientConfig.EnableHTTP2:
		possible = append(possible, "HTTP/2.0")
	}
	var none []string
	for _, version := range c.ValidHTTPVersions {
		if !slices.Contains(possible, version) {
			none = append(none, fmt.Sprintf("%q", version))
		}
	}
	if len(none) > 0 {
		warn("valid_http_versions: no response has %s; with these settings it has one of %s", strings.Join(none, " or "), strings.Join(possible, ", "))
	}
}

// lintFiles finds TLS files of the module's prober that cannot be read.
func (m *Module) lintFiles(warn func(format string, args ...any)) {
	for _, c := range []struct {
		prober string
		tls    *pconfig.TLSConfig
	}{{"http", &m.HTTP.HTTPClientConfig.TLSConfig}, {"tcp", &m.TCP.TLSConfig}, {"unix", &m.Unix.TLSConfig}, {"dns", &m.DNS.TLSConfig}, {"grpc", &m.GRPC.TLSConfig}, {"websocket", &m.Websocket.HTTPClientConfig.TLSConfig}} {
		if c.prober != string(m.Prober) {
			continue
		}
		for _, file := range [][2]string{{"ca_file", c.tls.CAFile}, {"cert_file", c.tls.CertFile}, {"key_file", c.tls.KeyFile}} {
			if err := readable(file[1]); err != nil {
				warn("tls_config: %s: %v", file[0], err)
			}
		}
	}
}

// readable is why a file cannot be read; nil if it can, or if file is "".
func readable(file string) error {
	if file == "" {
		return nil
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	return f.Close()
}

// isCondition reports whether an expression can be true or false.
func isCondition(expression string) bool {
	env, err := cel.NewEnv(cel.Variable("body", cel.DynType))
	if err != nil {
		return true
	}
	tree, issues := env.Compile(expression)
	if issues != nil && issues.Err() != nil {
		return true // refused elsewhere
	}
	kind := tree.OutputType()
	return kind.IsExactType(cel.BoolType) || kind.IsExactType(cel.DynType)
}
