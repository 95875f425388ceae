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

// maxPayload is the most that an ICMP packet of IPv4 holds, in bytes.
const maxPayload = 65535 - 20 - 8

// lintHTTP finds what will fail every probe of HTTP.
func (m *Module) lintHTTP(say func(format string, args ...any)) {
	c := &m.HTTP
	m.lintVersions(say)
	if c.FailIfSSL && c.FailIfNotSSL {
		say("fail_if_ssl and fail_if_not_ssl exclude each other")
	}
	if c.Method != "" && !httpguts.ValidHeaderFieldName(c.Method) {
		say("method is %q, which is none of HTTP", c.Method)
	}
	if codes := c.ValidStatusCodes; len(codes) > 0 && !slices.ContainsFunc(codes, func(code int) bool { return code >= 100 && code <= 999 }) {
		say("valid_status_codes are %v; a status has three digits", codes)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		if !httpguts.ValidHeaderFieldName(name) {
			say("headers: %q is not the name of a header", name)
		} else if !httpguts.ValidHeaderFieldValue(c.Headers[name]) {
			say("headers: the value of %s has characters that headers cannot have", name)
		}
	}
	switch strings.ToLower(c.Compression) {
	case "", "identity", "br", "deflate", "gzip":
	default:
		say("compression is %q; it must be br, deflate, gzip or identity", c.Compression)
	}
	if u := c.HTTPClientConfig.ProxyURL.URL; u != nil && u.String() != "" && (u.Host == "" || !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme)) {
		say("proxy_url is no URL of a proxy; write it like http://proxy.example:3128")
	}
	for _, rule := range []struct {
		key     string
		program *config.CELProgram
	}{{"fail_if_body_json_matches_cel", c.FailIfBodyJsonMatchesCEL}, {"fail_if_body_json_not_matches_cel", c.FailIfBodyJsonNotMatchesCEL}} {
		if rule.program != nil && !isCondition(rule.program.Expression) {
			say("%s: %q is neither true nor false", rule.key, rule.program.Expression)
		}
	}
	if err := readable(c.BodyFile); err != nil {
		say("body_file: %v", err)
	}
	lintCredentials(say, "", &c.HTTPClientConfig)
}

// lintCredentials finds files of credentials that cannot be read.
func lintCredentials(say func(format string, args ...any), prefix string, c *pconfig.HTTPClientConfig) {
	file := func(key, path string) {
		if err := readable(path); err != nil {
			say("%s%s: %v", prefix, key, err)
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

// lintWebsocket finds what will fail every probe of a WebSocket, and what the
// prober does not use, which is so in blackbox_exporter too.
func (m *Module) lintWebsocket(say func(format string, args ...any)) {
	c := &m.Websocket
	client := &c.HTTPClientConfig
	for key, used := range map[string]bool{
		"proxy_url": client.ProxyURL.URL != nil, "proxy_from_environment": client.ProxyFromEnvironment, "oauth2": client.OAuth2 != nil, "http_headers": client.HTTPHeaders != nil,
	} {
		if used {
			say("http_config: %s is not used by the prober websocket; leave it out", key)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Headers.Headers)) {
		h := c.Headers.Headers[name]
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			say("headers: %q is not the name of a header", name)
		case reservedWebSocketHeader(name):
			say("headers: %s is not the module's to set: it belongs to the handshake", name)
		case slices.ContainsFunc(h.Values, func(v string) bool { return !httpguts.ValidHeaderFieldValue(v) }):
			say("headers: the value of %s has characters that headers cannot have", name)
		}
		for _, file := range h.Files {
			if err := readable(file); err != nil {
				say("headers: %s: %v", name, err)
			}
		}
	}
	lintCredentials(say, "http_config: ", client)
	for _, s := range c.QueryResponse {
		switch {
		case s.StartTLS:
			say("query_response: starttls has no effect; use a target of wss")
		case s.ExpectBytes != "":
			say("query_response: expect_bytes has no effect; write expect")
		case s.Labels != nil:
			say("query_response: labels have no effect")
		}
	}
}

// lintVersions finds versions that no answer can have.
func (m *Module) lintVersions(say func(format string, args ...any)) {
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
		say("valid_http_versions: no answer is of %s; with these settings they are of %s", strings.Join(none, " or "), strings.Join(possible, ", "))
	}
}

// lintFiles finds files of TLS that cannot be read, of the module's prober.
func (m *Module) lintFiles(say func(format string, args ...any)) {
	for _, c := range []struct {
		prober string
		tls    *pconfig.TLSConfig
	}{{"http", &m.HTTP.HTTPClientConfig.TLSConfig}, {"tcp", &m.TCP.TLSConfig}, {"unix", &m.Unix.TLSConfig}, {"dns", &m.DNS.TLSConfig}, {"grpc", &m.GRPC.TLSConfig}, {"websocket", &m.Websocket.HTTPClientConfig.TLSConfig}} {
		if c.prober != string(m.Prober) {
			continue
		}
		for _, file := range [][2]string{{"ca_file", c.tls.CAFile}, {"cert_file", c.tls.CertFile}, {"key_file", c.tls.KeyFile}} {
			if err := readable(file[1]); err != nil {
				say("tls_config: %s: %v", file[0], err)
			}
		}
	}
}

// readable is why a file that a module names cannot be read; nil for none.
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

// isCondition tells whether an expression can be true or false.
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
