package blackbox

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// No released version of blackbox_exporter that tests can load has a prober
// websocket: what is expected here was written by hand after what v0.29.0
// documents.

// chat serves WebSockets: it says hello, and answers "price of x" with "x costs
// 3"; "/slow" says nothing, "/plain" is no WebSocket, "/moved" redirects to one,
// "/private" wants credentials, "/headers" says the headers that it was sent.
func chat(t *testing.T) http.Handler {
	t.Helper()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/plain":
			http.Error(w, "no WebSocket", http.StatusNotFound)
			return
		case "/moved":
			http.Redirect(w, r, "/", http.StatusFound)
			return
		case "/private":
			if user, password, _ := r.BasicAuth(); user != "bob" || password != "s3cret" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
		}
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = conn.CloseNow() }()
		ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
		defer cancel()
		switch r.URL.Path {
		case "/slow":
			_, _, _ = conn.Read(ctx)
			return
		case "/headers":
			_ = conn.Write(ctx, websocket.MessageText, fmt.Appendf(nil, "host=%s auth=%s agent=%s x=%v", r.Host, r.Header.Get("Authorization"), r.UserAgent(), r.Header["X-Test"]))
		case "/large":
			_ = conn.Write(ctx, websocket.MessageText, make([]byte, maxMatched+1))
		default:
			_ = conn.Write(ctx, websocket.MessageBinary, []byte("hello client 7"))
		}
		for {
			_, message, err := conn.Read(ctx)
			if err != nil {
				return
			}
			if what, ok := strings.CutPrefix(string(message), "price of "); ok {
				_ = conn.Write(ctx, websocket.MessageText, []byte(what+" costs 3"))
			}
		}
	})
}

const webSocketModules = `
modules:
  open: {prober: websocket, timeout: 2s}
  talk: {prober: websocket, timeout: 2s, websocket: {preferred_ip_protocol: ip4, query_response: [{expect: "^hello client ([0-9]+)$", send: "price of tea${1}"}, {expect: "^tea7 costs [0-9]+$"}]}}
  send_first: {prober: websocket, timeout: 2s, websocket: {query_response: [{expect: hello}, {send: price of milk}, {expect: ^milk}]}}
  other: {prober: websocket, timeout: 2s, websocket: {query_response: [{expect: goodbye}]}}
  waits: {prober: websocket, timeout: 300ms, websocket: {query_response: [{expect: hello}]}}
  twice: {prober: websocket, timeout: 300ms, websocket: {query_response: [{expect: hello}, {expect: more}]}}
  private: {prober: websocket, timeout: 2s, websocket: {http_config: {basic_auth: {username: bob, password_file: PASSWORD}}}}
  no_password: {prober: websocket, timeout: 2s, websocket: {http_config: {basic_auth: {username: bob, password_file: /nonexistent}}}}
  token: {prober: websocket, timeout: 2s, websocket: {http_config: {authorization: {credentials: t0ken}}, headers: {X-Test: {values: [a], secrets: [b], files: [PASSWORD]}, Host: {values: [shop.example]}, user-agent: {values: [me]}}, query_response: [{expect: "^host=shop.example auth=Bearer t.ken agent=me x=.a b s3.ret.$"}]}}
  any: {prober: websocket, timeout: 5s, websocket: {query_response: [{expect: .}]}}
  agent: {prober: websocket, timeout: 2s, websocket: {query_response: [{expect: "agent=Blackbox-Exporter/"}]}}
  tls: {prober: websocket, timeout: 2s, websocket: {http_config: {tls_config: {ca_file: CA}}}}
  tls_skip: {prober: websocket, timeout: 2s, websocket: {http_config: {tls_config: {insecure_skip_verify: true}}}}
  tls_named: {prober: websocket, timeout: 2s, websocket: {http_config: {tls_config: {ca_file: CA, server_name: other.example}}}}
  no_ca: {prober: websocket, timeout: 2s, websocket: {http_config: {tls_config: {ca_file: /nonexistent}}}}
  only6: {prober: websocket, timeout: 2s, websocket: {preferred_ip_protocol: ip6, ip_protocol_fallback: false}}
`

func newWebSocketPair(t *testing.T, ca *authority) *pair {
	t.Helper()
	password := filepath.Join(t.TempDir(), "password")
	writePlain(t, password, "s3cret\n")
	return oursWith(t, strings.NewReplacer("PASSWORD", password, "ca_file: CA", "ca_file: "+ca.file).Replace(webSocketModules))
}

func TestWebSocket(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	p := newWebSocketPair(t, ca)
	srv := httptest.NewServer(chat(t))
	defer srv.Close()
	plain := "ws" + strings.TrimPrefix(srv.URL, "http")
	secured := func(cert tls.Certificate) string {
		s := httptest.NewUnstartedServer(chat(t))
		s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
		s.Config.ErrorLog = discardLog()
		s.StartTLS()
		t.Cleanup(s.Close)
		return "wss" + strings.TrimPrefix(s.URL, "https")
	}
	good, expired := secured(ca.server(time.Hour, "127.0.0.1")), secured(ca.server(-time.Hour, "127.0.0.1"))
	closed := func() string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return "ws://" + l.Addr().String()
	}()
	const absent = ""
	for _, c := range []struct {
		module, target                   string
		success, status, upgraded, regex string
	}{
		{"open", plain, "1", "101", "1", "0"},
		{"talk", plain, "1", "101", "1", "0"},
		{"send_first", plain, "1", "101", "1", "0"},
		{"other", plain, "0", "101", "1", "1"},
		{"waits", plain + "/slow", "0", "101", "1", "1"},
		{"twice", plain, "0", "101", "1", "1"},
		{"any", plain, "1", "101", "1", "0"},
		{"any", plain + "/large", "0", "101", "1", "1"},
		{"open", plain + "/plain", "0", "404", "0", "0"},
		{"open", plain + "/moved", "0", "302", "0", "0"},
		{"open", plain + "/private", "0", "401", "0", "0"},
		{"private", plain + "/private", "1", "101", "1", "0"},
		{"no_password", plain, "0", "0", "0", "0"},
		{"token", plain + "/headers", "1", "101", "1", "0"},
		{"agent", plain + "/headers", "1", "101", "1", "0"},
		{"tls", good, "1", "101", "1", "0"},
		{"tls", expired, "0", "0", "0", "0"},
		{"tls_named", good, "0", "0", "0", "0"},
		{"tls_skip", expired, "1", "101", "1", "0"},
		{"open", good, "0", "0", "0", "0"},
		{"no_ca", good, "0", "0", "0", "0"},
		{"open", closed, "0", "0", "0", "0"},
		{"only6", plain, "0", "0", "0", "0"},
		{"open", "ws://nonexistent.invalid", "0", "0", "0", "0"},
		{"open", srv.URL, "0", "0", "0", "0"},
		{"open", strings.TrimPrefix(srv.URL, "http://"), "0", absent, absent, absent},
		{"open", "ws://bob:s3cret@" + strings.TrimPrefix(srv.URL, "http://"), "0", "0", "0", "0"},
		{"open", "wss://" + strings.TrimPrefix(srv.URL, "http://"), "0", "0", "0", "0"},
		{"open", "ws://[::1", "0", absent, absent, absent},
		{"open", "ws%3A%2F%2F" + strings.TrimPrefix(srv.URL, "http://"), "1", "101", "1", "0"},
	} {
		t.Run(c.module+" "+strings.NewReplacer(plain, "", good, "good", expired, "expired").Replace(c.target), func(t *testing.T) {
			got := ask(t, p.handler, query(c.module, c.target), nil)
			for series, want := range map[string]string{
				"probe_success": c.success, "probe_websocket_status_code": c.status, "probe_websocket_connection_upgraded": c.upgraded, "probe_websocket_failed_due_to_regex": c.regex,
			} {
				if got.value(series) != want {
					t.Errorf("%s is %q, want %q\n%s", series, got.value(series), want, p.lastLog())
				}
			}
			echoed := c.module == "token" // what a server says is logged
			if strings.Contains(p.lastLog(), "s3cret") && !echoed || strings.Contains(p.lastLog(), "t0ken") {
				t.Errorf("a secret is logged:\n%s", p.lastLog())
			}
		})
	}
	t.Run("TLS is reported", func(t *testing.T) {
		got := ask(t, p.handler, query("tls", good), nil)
		for _, name := range []string{"probe_ssl_earliest_cert_expiry ", "probe_ssl_last_chain_expiry_timestamp_seconds ", "probe_ssl_last_chain_info{", "probe_tls_version_info{", "probe_tls_cipher_info{", `probe_websocket_duration_seconds{phase="tls"} `} {
			if !strings.Contains(got.text, "\n"+name) {
				t.Errorf("no %s in %s", name, got.text)
			}
		}
	})
	t.Run("phases", func(t *testing.T) {
		got := ask(t, p.handler, query("talk", plain), nil)
		for _, phase := range []string{"resolve", "connect", "processing", "transfer"} {
			if v := got.value(fmt.Sprintf("probe_websocket_duration_seconds{phase=%q}", phase)); v == "" || strings.HasPrefix(v, "-") {
				t.Errorf("%s took %q", phase, v)
			}
		}
		if strings.Contains(got.text, `phase="tls"`) {
			t.Error("TLS took time without TLS")
		}
	})
}

// TestWebSocketAnswersThatAreNone are taken for what they are, within the
// module's timeout.
func TestWebSocketAnswersThatAreNone(t *testing.T) {
	p := newWebSocketPair(t, newAuthority(t))
	const upgrade = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
	for name, c := range map[string]struct {
		answer, status string
		hold           bool
	}{
		"another key":       {upgrade + "Sec-WebSocket-Accept: AAAA\r\n\r\n", "101", true},
		"no upgrade":        {"HTTP/1.1 101 Switching Protocols\r\n\r\n", "101", true},
		"a subprotocol":     {upgrade + "Sec-WebSocket-Protocol: soap\r\n\r\n", "101", true},
		"no HTTP":           {"220 mail ESMTP\r\n", "0", false},
		"nothing":           {"", "0", false},
		"silence":           {"", "0", true},
		"half a header":     {"HTTP/1.1 101 Switch", "0", false},
		"an endless header": {"HTTP/1.1 403 x\r\nX: " + strings.Repeat("x", maxHeader) + "\r\n\r\n", "0", true},
		"only hints":        {strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 50_000), "0", true},
		"hints, and then":   {"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "403", false},
		"a body that stays": {"HTTP/1.1 500 x\r\nContent-Length: 1000\r\n\r\n", "500", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := "ws://" + serve(t, "tcp", "127.0.0.1:0", func(conn net.Conn) {
				_, _ = conn.Read(make([]byte, 4096))
				_, _ = io.WriteString(conn, c.answer)
				if c.hold {
					_, _ = io.Copy(io.Discard, conn)
				}
			})
			got := ask(t, p.handler, query("open", target), nil)
			if got.value("probe_success") != "0" || got.value("probe_websocket_status_code") != c.status || got.value("probe_websocket_connection_upgraded") != "0" {
				t.Errorf("%s\n%s", got.text, p.lastLog())
			}
		})
	}
}

// TestNothingIsReadOfAnUpgradeThatIsNone because it would be waited for.
func TestNothingIsReadOfAnUpgradeThatIsNone(t *testing.T) {
	b := &upgradedBody{from: bufio.NewReader(strings.NewReader("more"))}
	if text, err := io.ReadAll(b); err != nil || len(text) > 0 {
		t.Errorf("%q, %v", text, err)
	}
	b.upgraded = true
	if text, err := io.ReadAll(b); err != nil || string(text) != "more" {
		t.Errorf("%q, %v", text, err)
	}
}

// TestWebSocketIsHeldToTheLimits by name and by address.
func TestWebSocketIsHeldToTheLimits(t *testing.T) {
	p := newWebSocketPair(t, newAuthority(t))
	p.network().Limits = denying(t, "link-local")
	p.network().Resolver = names(t, map[string][]string{"metadata.example": {"169.254.169.254"}})
	for _, target := range []string{"ws://169.254.169.254/", "wss://metadata.example/", "ws://[::ffff:169.254.169.254]/"} {
		if got := ask(t, p.handler, query("open", target), nil); got.status != http.StatusForbidden {
			t.Errorf("%s: %d %s", target, got.status, got.text)
		}
	}
}

// TestWebSocketModules are read as v0.29.0 does, and shown without secrets.
func TestWebSocketModules(t *testing.T) {
	p := newWebSocketPair(t, newAuthority(t))
	shown := get(t, p.handler, "/config", nil).text
	if strings.Contains(shown, "t0ken") || strings.Count(shown, "preferred_ip_protocol: ip6") != 1 || strings.Count(shown, "prober: websocket") != 16 {
		t.Error(shown)
	}
	for text, want := range map[string]string{
		"websocket: {http_config: {basic_auth: {username: a}, authorization: {credentials: b}}}": "at most one of",
		"websocket: {query_response: [{expect: '('}]}":                                           "Could not compile regular expression",
		"websocket: {url: x}": "blackbox.yml:1: there is no field url here",
		"websocket: {query_response: [{expect: a, expect_bytes: b}]}": "mutually exclusive",
	} {
		file := filepath.Join(t.TempDir(), "blackbox.yml")
		writePlain(t, file, "modules: {a: {prober: websocket, "+text+"}}")
		if _, _, err := Load(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for text, want := range map[string]string{
		"websocket: {http_config: {proxy_url: 'http://proxy.example:3128'}}":                                   "http_config: proxy_url is not used",
		"websocket: {http_config: {oauth2: {client_id: a, client_secret: b, token_url: 'http://a.example/'}}}": "http_config: oauth2 is not used",
		"websocket: {http_config: {http_headers: {X: {values: [a]}}}}":                                         "http_config: http_headers is not used",
		"websocket: {headers: {Sec-WebSocket-Key: {values: [a]}}}":                                             "headers: Sec-WebSocket-Key is not the module's to set",
		"websocket: {headers: {\"X\\ny\": {values: [a]}}}":                                                     "is not the name of a header",
		"websocket: {headers: {X: {values: [\"a\\nb\"]}}}":                                                     "the value of X",
		"websocket: {headers: {X: {files: [/nonexistent]}}}":                                                   "headers: X: open /nonexistent",
		"websocket: {query_response: [{starttls: true}]}":                                                      "starttls has no effect",
		"websocket: {query_response: [{expect_bytes: a}]}":                                                     "expect_bytes has no effect",
		"websocket: {query_response: [{expect: a, labels: [{name: b, value: c}]}]}":                            "labels have no effect",
		"websocket: {http_config: {tls_config: {ca_file: /nonexistent}}}":                                      "tls_config: ca_file",
		"websocket: {http_config: {basic_auth: {username: a, password_file: /nope}}}":                          "password_file: open /nope",
	} {
		file := filepath.Join(t.TempDir(), "blackbox.yml")
		writePlain(t, file, "modules: {a: {prober: websocket, "+text+"}}")
		_, warnings, err := Load(file)
		if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], want) {
			t.Errorf("%s: %v, %q", text, err, warnings)
		}
	}
}
