package blackbox

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/quic-go/quic-go/http3"
	"golang.org/x/net/http2"
)

func TestHTTP3(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http3.Server{Handler: pages(), TLSConfig: http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{ca.server(time.Hour, "127.0.0.1", "localhost")}})}
	go func() { _ = srv.Serve(socket) }()
	t.Cleanup(func() { srv.Close(); socket.Close() })
	p := newPair(t, strings.ReplaceAll(`
modules:
  plain: {prober: http, timeout: 1s, http: {preferred_ip_protocol: ip4, enable_http3: true, enable_http2: false, tls_config: {ca_file: CA}}}
  version: {prober: http, timeout: 1s, http: {enable_http3: true, enable_http2: false, valid_http_versions: ["HTTP/3.0"], tls_config: {ca_file: CA}}}
  skip: {prober: http, timeout: 1s, http: {enable_http3: true, enable_http2: false, tls_config: {insecure_skip_verify: true}}}
  system: {prober: http, timeout: 1s, http: {enable_http3: true, enable_http2: false}}
  basic: {prober: http, timeout: 1s, http: {enable_http3: true, enable_http2: false, basic_auth: {username: user, password: s3cret}, tls_config: {ca_file: CA}}}
`, "CA", ca.file))
	address := socket.LocalAddr().String()
	for _, c := range []struct {
		module, target string
		success        bool
		without        []string
	}{
		{"plain", "https://" + address + "/", true, nil},
		{"plain", "http://" + address + "/", true, nil},
		{"plain", address, true, nil},
		{"plain", strings.Replace(address, "127.0.0.1", "localhost", 1), true, nil},
		{"plain", "https://" + address + "/status/500", false, nil},
		{"plain", "https://" + address + "/redirect/2", true, nil},
		{"version", "https://" + address + "/", true, nil},
		{"skip", "https://" + address + "/", true, []string{"probe_ssl_last_chain_expiry_timestamp_seconds"}},
		{"system", "https://" + address + "/", false, []string{"probe_ssl_earliest_cert_expiry", "probe_ssl_last_chain_info", "probe_tls_version_info"}},
		{"plain", "https://127.0.0.1:1/", false, nil},
	} {
		t.Run(c.module+" "+c.target, func(t *testing.T) {
			got := p.both(t, query(c.module, c.target), nil, c.without...)
			if want := map[bool]string{true: "1", false: "0"}[c.success]; got.value("probe_success") != want {
				t.Errorf("probe_success %s, want %s\n%s", got.value("probe_success"), want, p.lastLog())
			}
		})
	}
	got := ask(t, p.handler, query("basic", "https://"+address+"/needs"), nil)
	if got.value("probe_success") != "1" {
		t.Errorf("authentication is not sent: %s", p.lastLog())
	}
}

// forward is a proxy that records what it was asked for.
type forward struct {
	mu    sync.Mutex
	asked []string
}

func (f *forward) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.asked = append(f.asked, fmt.Sprintf("%s %s %s %q", r.Method, r.RequestURI, r.Host, r.Header.Get("X-Proxy-Token")))
	f.mu.Unlock()
	if r.Method != http.MethodConnect {
		(&httputil.ReverseProxy{Rewrite: func(*httputil.ProxyRequest) {}, ErrorLog: discardLog()}).ServeHTTP(w, r)
		return
	}
	tunnel(w, r)
}

// tunnel connects the client with what it wants to be connected to.
func tunnel(w http.ResponseWriter, r *http.Request) {
	out, err := net.Dial("tcp", r.Host)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer out.Close()
	in, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer in.Close()
	_, _ = io.WriteString(in, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { _, _ = io.Copy(out, in) }()
	_, _ = io.Copy(in, out)
}

func (f *forward) take() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	asked := f.asked
	f.asked = nil
	return asked
}

func TestProxies(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	plain := httptest.NewServer(pages())
	defer plain.Close()
	secure := secured(t, ca.server(time.Hour, "127.0.0.1", "localhost"), nil)
	f := &forward{}
	proxy := httptest.NewServer(f)
	defer proxy.Close()
	p := newPair(t, strings.NewReplacer("PROXY", proxy.URL, "CAFILE", ca.file).Replace(`
modules:
  via: {prober: http, http: {preferred_ip_protocol: ip4, proxy_url: PROXY, tls_config: {ca_file: CAFILE}}}
  names: {prober: http, http: {proxy_url: PROXY, skip_resolve_phase_with_proxy: true, tls_config: {ca_file: CAFILE}}}
  token: {prober: http, http: {proxy_url: PROXY, proxy_connect_header: {X-Proxy-Token: [t0ken]}, tls_config: {ca_file: CAFILE}}}
  not: {prober: http, http: {proxy_url: PROXY, no_proxy: 127.0.0.1, tls_config: {ca_file: CAFILE}}}
  dead: {prober: http, http: {proxy_url: "http://127.0.0.1:1", tls_config: {ca_file: CAFILE}}}
  environment: {prober: http, http: {proxy_from_environment: true}}
`))
	named := func(u string) string { return strings.Replace(u, "127.0.0.1", "localhost", 1) }
	for _, c := range []struct{ module, target string }{
		{"via", plain.URL},
		{"via", named(plain.URL)},
		{"via", secure.URL},
		{"via", named(secure.URL)},
		{"via", plain.URL + "/redirect/2"},
		{"via", secure.URL + "/redirect/1"},
		{"via", named(plain.URL) + "/absolute"},
		{"via", "http://127.0.0.1:1/"},
		{"via", "https://127.0.0.1:1/"},
		{"via", "nonexistent.invalid"},
		{"names", named(plain.URL)},
		{"names", named(secure.URL)},
		{"names", "http://nonexistent.invalid/"},
		{"token", secure.URL},
		{"token", plain.URL},
		{"not", plain.URL},
		{"not", secure.URL},
		{"dead", plain.URL},
		{"dead", secure.URL},
		{"environment", plain.URL},
	} {
		t.Run(c.module+" "+c.target, func(t *testing.T) {
			f.take()
			ask(t, p.theirs, query(c.module, c.target), nil)
			want := f.take()
			ask(t, p.handler, query(c.module, c.target), nil)
			if diff := gocmp.Diff(want, f.take()); diff != "" {
				t.Errorf("the proxy was asked otherwise (-theirs +ours):\n%s", diff)
			}
			p.both(t, query(c.module, c.target), nil)
		})
	}
}

func TestOAuth2(t *testing.T) {
	var tokens, seen atomic.Int64
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tokens.Add(1)
		if id, secret, _ := r.BasicAuth(); id != "id" || secret != "s3cret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"access_token": "t0ken", "token_type": "Bearer", "expires_in": 3600}`)
	}))
	defer issuer.Close()
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			seen.Add(1)
		}
	}))
	defer other.Close()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "Bearer t0ken":
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/away":
			http.Redirect(w, r, strings.Replace(other.URL, "127.0.0.1", "localhost", 1), http.StatusFound)
		case r.URL.Path == "/here":
			http.Redirect(w, r, "/", http.StatusFound)
		}
	}))
	defer srv.Close()
	p := newPair(t, strings.ReplaceAll(`
modules:
  good: {prober: http, http: {preferred_ip_protocol: ip4, oauth2: {client_id: id, client_secret: s3cret, token_url: ISSUER}}}
  wrong: {prober: http, http: {preferred_ip_protocol: ip4, oauth2: {client_id: id, client_secret: other, token_url: ISSUER}}}
  dead: {prober: http, http: {preferred_ip_protocol: ip4, oauth2: {client_id: id, client_secret: s3cret, token_url: "http://127.0.0.1:1/"}}}
`, "ISSUER", issuer.URL))
	for target, module := range map[string]string{srv.URL: "good", srv.URL + "/here": "good", srv.URL + "/": "wrong", srv.URL + "/x": "dead"} {
		t.Run(module+" "+target, func(t *testing.T) { p.both(t, query(module, target), nil) })
	}
	seen.Store(0)
	tokens.Store(0)
	if got := ask(t, p.handler, query("good", srv.URL+"/away"), nil); got.value("probe_success") != "1" || seen.Load() != 0 || tokens.Load() != 1 {
		t.Errorf("%d tokens, of which another host saw %d: %s\n%s", tokens.Load(), seen.Load(), got.text, p.lastLog())
	}
}

// TestServerNamesOfRedirects has targets redirect to themselves by whole URLs,
// with other names in TLS.
func TestServerNamesOfRedirects(t *testing.T) {
	ca := newAuthority(t)
	var asked sync.Map
	certs := map[string]tls.Certificate{"localhost": ca.server(time.Hour, "localhost"), "vhost.example": ca.server(time.Hour, "vhost.example")}
	srv := secured(t, certs["localhost"], func(s *httptest.Server) {
		s.TLS.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			asked.Store(hello.ServerName, true)
			cert := certs[hello.ServerName]
			return &cert, nil
		}
		s.TLS.Certificates = nil
		s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if to := r.URL.Query().Get("to"); to != "" {
				http.Redirect(w, r, to, http.StatusFound)
			}
		})
	})
	p := newPair(t, strings.ReplaceAll(`
modules:
  host: {prober: http, http: {preferred_ip_protocol: ip4, headers: {Host: vhost.example}, tls_config: {ca_file: CA}}}
  named: {prober: http, http: {preferred_ip_protocol: ip4, tls_config: {ca_file: CA, server_name: vhost.example}}}
`, "CA", ca.file))
	target := strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
	for _, c := range []struct{ module, to, names string }{
		{"host", "", "vhost.example"},
		{"host", "/x", "vhost.example"},
		{"host", target + "/", "vhost.example localhost"},
		{"named", "", "vhost.example"},
		{"named", "/x", "vhost.example"},
		{"named", target + "/", "vhost.example"},
	} {
		asked.Clear()
		got := ask(t, p.handler, query(c.module, target+"/?to="+c.to), nil)
		if got.value("probe_success") != "1" {
			t.Errorf("%s to %q: %s", c.module, c.to, p.lastLog())
		}
		for _, name := range []string{"vhost.example", "localhost"} {
			if _, ok := asked.Load(name); ok != strings.Contains(c.names, name) {
				t.Errorf("%s to %q: %s asked for: %t", c.module, c.to, name, ok)
			}
		}
	}
}

// TestSecretsStayWithTheTarget has a target redirect to another host.
func TestSecretsStayWithTheTarget(t *testing.T) {
	var leaked atomic.Value
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { leaked.Store(r.Header.Clone()) }))
	defer other.Close()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := strings.Replace(other.URL, "127.0.0.1", "localhost", 1)
		if r.URL.Path == "/here" {
			to = "http://" + r.Host + "/"
		}
		if r.URL.Path == "/" && r.Header.Get("Authorization") == "" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.URL.Path != "/" {
			http.Redirect(w, r, to, http.StatusFound)
		}
	}))
	defer srv.Close()
	p := newPair(t, `
modules:
  basic: {prober: http, http: {preferred_ip_protocol: ip4, basic_auth: {username: user, password: s3cret}}}
  bearer: {prober: http, http: {preferred_ip_protocol: ip4, authorization: {credentials: s3cret}}}
  header: {prober: http, http: {preferred_ip_protocol: ip4, basic_auth: {username: user, password: s3cret}, http_headers: {X-Api-Key: {secrets: [s3cret]}, Cookie: {values: [s3cret]}, X-Kind: {values: [kept]}}}}
  plain: {prober: http, http: {preferred_ip_protocol: ip4, headers: {Authorization: s3cret}}}
`)
	for _, module := range []string{"basic", "bearer", "header", "plain"} {
		if got := ask(t, p.handler, query(module, srv.URL+"/away"), nil); got.value("probe_success") != "1" {
			t.Errorf("%s: %s", module, p.lastLog())
		}
		header, _ := leaked.Load().(http.Header)
		if header.Get("Authorization") != "" || header.Get("Cookie") != "" || header.Get("X-Api-Key") != "" || module == "header" && header.Get("X-Kind") != "kept" {
			t.Errorf("%s: another host got %v", module, header)
		}
		// To the target's own host they go along, by its name too.
		named := strings.Replace(srv.URL, "127.0.0.1", "localhost", 1) + "/here"
		if got := ask(t, p.handler, query(module, named), nil); got.value("probe_success") != "1" || got.value("probe_http_redirects") != "1" {
			t.Errorf("%s: %s\n%s", module, got.text, p.lastLog())
		}
	}
}

// TestNothingIsSentTwice counts the requests that reach servers which do not
// answer them. Each prober has servers of its own: what one sends may be counted
// when the other has begun.
func TestNothingIsSentTwice(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	conf := &tls.Config{Certificates: []tls.Certificate{ca.server(time.Hour, "127.0.0.1")}, NextProtos: []string{"h2"}}
	plain := func(t *testing.T, requests *atomic.Int64) string {
		return "http://" + serve(t, "tcp", "127.0.0.1:0", func(conn net.Conn) {
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				requests.Add(1)
			}
		})
	}
	h2 := func(reply func(*http2.Framer, uint32) bool) func(*testing.T, *atomic.Int64) string {
		return func(t *testing.T, requests *atomic.Int64) string {
			return "https://" + serve(t, "tcp", "127.0.0.1:0", func(conn net.Conn) {
				session := tls.Server(conn, conf)
				preface := make([]byte, len(http2.ClientPreface))
				if _, err := io.ReadFull(session, preface); err != nil {
					return
				}
				framer := http2.NewFramer(session, session)
				_ = framer.WriteSettings()
				for {
					frame, err := framer.ReadFrame()
					if err != nil {
						return
					}
					if header, ok := frame.(*http2.HeadersFrame); ok {
						requests.Add(1)
						if !reply(framer, header.StreamID) {
							return
						}
					}
				}
			})
		}
	}
	servers := map[string]func(*testing.T, *atomic.Int64) string{
		"HTTP/1.1 hung up": plain,
		"HTTP/2 hung up":   h2(func(*http2.Framer, uint32) bool { return false }),
		"HTTP/2 going away": h2(func(f *http2.Framer, _ uint32) bool {
			_ = f.WriteGoAway(0, http2.ErrCodeNo, nil)
			return false
		}),
		"HTTP/2 refused": h2(func(f *http2.Framer, stream uint32) bool {
			_ = f.WriteRSTStream(stream, http2.ErrCodeRefusedStream)
			return true
		}),
	}
	p := newPair(t, "modules: {http_2xx: {prober: http, timeout: 30s, http: {tls_config: {ca_file: "+ca.file+"}}}}")
	for name, server := range servers {
		t.Run(name, func(t *testing.T) {
			var theirs, ours atomic.Int64
			ask(t, p.theirs, query("http_2xx", server(t, &theirs)), map[string]string{timeoutHeader: "1"})
			t.Logf("blackbox_exporter sends %d", theirs.Load())
			target, start := server(t, &ours), time.Now()
			got := ask(t, p.handler, query("http_2xx", target), nil)
			if n := ours.Load(); n != 1 || got.value("probe_success") != "0" || time.Since(start) > 25*time.Second {
				t.Errorf("%d requests in %s: %s\n%s", n, time.Since(start), got.value("probe_success"), p.lastLog())
			}
		})
	}
}
