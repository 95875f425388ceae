package blackbox

import (
	"compress/flate"
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
)

// pages are what the test's web server shows.
func pages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Kind", "page")
		w.Header().Add("X-Many", "one")
		w.Header().Add("X-Many", "two")
		fmt.Fprintf(w, "hello from %s\n", r.Host)
	})
	mux.HandleFunc("/status/{code}", func(w http.ResponseWriter, r *http.Request) {
		code, _ := strconv.Atoi(r.PathValue("code"))
		w.WriteHeader(code)
		fmt.Fprintln(w, "status", code)
	})
	mux.HandleFunc("/redirect/{n}", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.PathValue("n"))
		to := "/"
		if n > 1 {
			to = fmt.Sprintf("/redirect/%d", n-1)
		}
		http.Redirect(w, r, to, http.StatusFound)
	})
	mux.HandleFunc("/absolute", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+r.Host+"/", http.StatusMovedPermanently)
	})
	mux.HandleFunc("/nowhere", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusFound) })
	mux.HandleFunc("/cookie", func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie("seen"); err != nil {
			http.SetCookie(w, &http.Cookie{Name: "seen", Value: "1"})
			http.Redirect(w, r, "/cookie", http.StatusFound)
		}
	})
	mux.HandleFunc("/modified", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")
	})
	mux.HandleFunc("/badmodified", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Last-Modified", "yesterday") })
	mux.HandleFunc("/chunked", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "one")
		w.(http.Flusher).Flush()
		fmt.Fprint(w, "two")
	})
	mux.HandleFunc("/big", func(w http.ResponseWriter, _ *http.Request) {
		for range 100 {
			_, _ = w.Write(make([]byte, 10<<10))
		}
	})
	mux.HandleFunc("/short", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "too little")
	})
	mux.HandleFunc("/json", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"foo": "bar", "n": 3, "list": [1]}`) })
	mux.HandleFunc("/encoded/{how}", func(w http.ResponseWriter, r *http.Request) {
		var z io.WriteCloser
		switch r.PathValue("how") {
		case "gzip":
			z = gzip.NewWriter(w)
		case "deflate":
			z, _ = flate.NewWriter(w, 5)
		case "br":
			z = brotli.NewWriter(w)
		}
		w.Header().Set("Content-Encoding", r.PathValue("how"))
		fmt.Fprint(z, strings.Repeat("compressed well ", 1000))
		z.Close()
	})
	mux.HandleFunc("/needs", func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		switch {
		case user == "user" && password == "s3cret", r.Header.Get("Authorization") == "Bearer t0ken", r.Header.Get("X-Api-Key") == "k3y":
		default:
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s %q", r.Method, r.Host, r.Header.Get("Content-Type"), r.Header.Get("Accept-Language"), body)
	})
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(5 * time.Second):
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("/slowbody", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		select {
		case <-time.After(5 * time.Second):
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("/hangup", func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.Close()
		}
	})
	return mux
}

const httpModules = `
modules:
  http_2xx: {prober: http, timeout: 5s}
  ip4: {prober: http, timeout: 5s, http: {preferred_ip_protocol: ip4}}
  ip6_only: {prober: http, http: {preferred_ip_protocol: ip6, ip_protocol_fallback: false}}
  ip4_only: {prober: http, http: {preferred_ip_protocol: ip4, ip_protocol_fallback: false}}
  codes: {prober: http, http: {valid_status_codes: [404, 302, 503]}}
  no_follow: {prober: http, http: {follow_redirects: false}}
  no_follow_302: {prober: http, http: {follow_redirects: false, valid_status_codes: [302]}}
  old_no_follow: {prober: http, http: {no_follow_redirects: true, valid_status_codes: [302], fail_if_body_matches_regexp: [never]}}
  body: {prober: http, http: {fail_if_body_not_matches_regexp: ["^hello", "from"]}}
  body_bad: {prober: http, http: {fail_if_body_matches_regexp: ["nothing", "hello"]}}
  header: {prober: http, http: {fail_if_header_not_matches: [{header: x-kind, regexp: "^page$"}]}}
  header_any: {prober: http, http: {fail_if_header_not_matches: [{header: X-Many, regexp: "^two$"}]}}
  header_missed: {prober: http, http: {fail_if_header_not_matches: [{header: X-Kind, regexp: "^pages$"}]}}
  header_absent: {prober: http, http: {fail_if_header_not_matches: [{header: X-None, regexp: "."}]}}
  header_may_be_absent: {prober: http, http: {fail_if_header_not_matches: [{header: X-None, regexp: ".", allow_missing: true}]}}
  header_refused: {prober: http, http: {fail_if_header_matches: [{header: X-Many, regexp: "^two$"}]}}
  header_refused_absent: {prober: http, http: {fail_if_header_matches: [{header: X-None, regexp: "."}]}}
  header_refused_may_be_absent: {prober: http, http: {fail_if_header_matches: [{header: X-None, regexp: ".", allow_missing: true}]}}
  cel: {prober: http, http: {fail_if_body_json_not_matches_cel: "body.foo == 'bar' && body.n > 2"}}
  cel_not: {prober: http, http: {fail_if_body_json_not_matches_cel: "body.foo == 'baz'"}}
  cel_refused: {prober: http, http: {fail_if_body_json_matches_cel: "body.foo == 'bar'"}}
  cel_fine: {prober: http, http: {fail_if_body_json_matches_cel: "body.foo == 'baz'"}}
  cel_error: {prober: http, http: {fail_if_body_json_matches_cel: "body.nothing.here == 1"}}
  cel_no_bool: {prober: http, http: {fail_if_body_json_matches_cel: "body.n"}}
  http1: {prober: http, http: {valid_http_versions: ["HTTP/1.1"]}}
  http2: {prober: http, http: {valid_http_versions: ["HTTP/2.0"]}}
  ssl: {prober: http, http: {fail_if_not_ssl: true}}
  no_ssl: {prober: http, http: {fail_if_ssl: true}}
  limit: {prober: http, http: {body_size_limit: 100KB}}
  limit_fits: {prober: http, http: {body_size_limit: 2MB}}
  gzip: {prober: http, http: {compression: gzip}}
  gzip_asked: {prober: http, http: {compression: gzip, headers: {Accept-Encoding: gzip}, fail_if_body_not_matches_regexp: [well]}}
  deflate: {prober: http, http: {compression: deflate}}
  br: {prober: http, http: {compression: br}}
  identity: {prober: http, http: {compression: identity}}
  other: {prober: http, http: {compression: zip}}
  gzip_limit: {prober: http, http: {compression: gzip, body_size_limit: 10KB}}
  basic: {prober: http, http: {basic_auth: {username: user, password: s3cret}}}
  basic_wrong: {prober: http, http: {basic_auth: {username: user, password: wrong}}}
  bearer: {prober: http, http: {authorization: {credentials: t0ken}}}
  old_bearer: {prober: http, http: {bearer_token: t0ken}}
  key: {prober: http, http: {http_headers: {X-Api-Key: {secrets: [k3y]}, Accept-Language: {values: [en-US]}}}}
  post: {prober: http, http: {method: POST, headers: {Content-Type: application/json, Host: vhost.example.com}, body: '{}', fail_if_body_not_matches_regexp: ['^POST vhost.example.com application/json  "{}"$']}}
  file: {prober: http, http: {method: POST, body_file: BODYFILE, fail_if_body_not_matches_regexp: ['"from a file"$']}}
  no_file: {prober: http, http: {method: POST, body_file: /nonexistent/file}}
  head: {prober: http, http: {method: HEAD}}
  odd_method: {prober: http, http: {method: "GE T"}}
  short: {prober: http, timeout: 300ms}
`

func TestHTTP(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/body"
	writePlain(t, file, "from a file")
	p := newPair(t, strings.ReplaceAll(httpModules, "BODYFILE", file))
	srv := httptest.NewServer(pages())
	defer srv.Close()
	port := srv.Listener.Addr().(*net.TCPAddr).Port
	for _, c := range []struct {
		module, path string
		success      bool
	}{
		{"http_2xx", "/", true},
		{"http_2xx", "/status/204", true},
		{"http_2xx", "/status/404", false},
		{"http_2xx", "/status/500", false},
		{"http_2xx", "/redirect/1", true},
		{"http_2xx", "/redirect/10", true},
		{"http_2xx", "/redirect/11", false},
		{"http_2xx", "/nowhere", false},
		{"http_2xx", "/cookie", true},
		{"http_2xx", "/absolute", true},
		{"http_2xx", "/modified", true},
		{"http_2xx", "/badmodified", true},
		{"http_2xx", "/chunked", true},
		{"http_2xx", "/big", true},
		{"http_2xx", "/short", false},
		{"http_2xx", "/hangup", false},
		{"codes", "/status/404", true},
		{"codes", "/", false},
		{"codes", "/redirect/3", false},
		{"no_follow", "/redirect/1", false},
		{"no_follow_302", "/redirect/1", true},
		{"old_no_follow", "/redirect/1", false},
		{"no_follow", "/", true},
		{"body", "/", true},
		{"body", "/big", false},
		{"body", "/status/404", false},
		{"body", "/short", false},
		{"body_bad", "/", false},
		{"body_bad", "/big", true},
		{"header", "/", true},
		{"header_any", "/", true},
		{"header_missed", "/", false},
		{"header_absent", "/", false},
		{"header_may_be_absent", "/", true},
		{"header_refused", "/", false},
		{"header_refused_absent", "/", false},
		{"header_refused_may_be_absent", "/", true},
		{"cel", "/json", true},
		{"cel_not", "/json", false},
		{"cel_refused", "/json", false},
		{"cel_fine", "/json", true},
		{"cel_error", "/json", false},
		{"cel_no_bool", "/json", false},
		{"cel", "/", false},
		{"cel", "/status/404", false},
		{"http1", "/", true},
		{"http2", "/", false},
		{"ssl", "/", false},
		{"no_ssl", "/", true},
		{"limit", "/big", false},
		{"limit_fits", "/big", true},
		{"limit", "/", true},
		{"gzip", "/encoded/gzip", true},
		{"gzip", "/", false},
		{"gzip_asked", "/encoded/gzip", true},
		{"deflate", "/encoded/deflate", true},
		{"br", "/encoded/br", true},
		{"br", "/", false},
		{"identity", "/", true},
		{"other", "/", false},
		{"gzip_limit", "/encoded/gzip", false},
		{"http_2xx", "/encoded/gzip", true},
		{"http_2xx", "/needs", false},
		{"basic", "/needs", true},
		{"basic_wrong", "/needs", false},
		{"bearer", "/needs", true},
		{"old_bearer", "/needs", true},
		{"key", "/needs", true},
		{"post", "/echo", true},
		{"file", "/echo", true},
		{"no_file", "/echo", false},
		{"head", "/", true},
		{"odd_method", "/", false},
		{"short", "/slow", false},
		{"short", "/slowbody", false},
		{"ip4_only", "/", true},
		{"ip6_only", "/", false},
	} {
		t.Run(c.module+c.path, func(t *testing.T) {
			got := p.both(t, query(c.module, srv.URL+c.path), nil)
			if want := map[bool]string{true: "1", false: "0"}[c.success]; got.value("probe_success") != want {
				t.Errorf("probe_success %s, want %s\n%s", got.value("probe_success"), want, p.lastLog())
			}
		})
	}
	for _, target := range []string{
		fmt.Sprintf("127.0.0.1:%d", port), fmt.Sprintf("localhost:%d/status/201", port), fmt.Sprintf("http://user:s3cret@127.0.0.1:%d/needs", port),
		"http://127.0.0.1:1/", "nonexistent.invalid", "http://[::1", "ftp://127.0.0.1/", "http://127.0.0.1:99999/", "http:///", "http://::1/", fmt.Sprintf("http://[::ffff:127.0.0.1]:%d/", port),
	} {
		for _, module := range []string{"http_2xx", "ip4", "ip4_only", "ip6_only"} {
			t.Run(module+" "+target, func(t *testing.T) { p.both(t, query(module, target), nil) })
		}
	}
	t.Run("hostname", func(t *testing.T) {
		q := query("http_2xx", srv.URL)
		q.Set("hostname", "named.example")
		p.both(t, q, nil)
		q.Set("module", "post")
		p.both(t, q, nil)
		q.Set("hostname", "vhost.example.com")
		p.both(t, q, nil)
	})
}

// secured is a web server that speaks TLS with a certificate.
func secured(t *testing.T, cert tls.Certificate, change func(*httptest.Server)) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(pages())
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	srv.EnableHTTP2 = true
	srv.Config.ErrorLog = discardLog()
	if change != nil {
		change(srv)
	}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv
}

func TestHTTPS(t *testing.T) {
	ca := newAuthority(t)
	client := ca.server(time.Hour, "client")
	files := t.TempDir()
	writePEM(t, files+"/cert.pem", "CERTIFICATE", client.Certificate[0])
	key, err := x509.MarshalPKCS8PrivateKey(client.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, files+"/key.pem", "PRIVATE KEY", key)
	p := newPair(t, strings.NewReplacer("CA", ca.file, "FILES", files).Replace(`
modules:
  ca: {prober: http, http: {preferred_ip_protocol: ip4, tls_config: {ca_file: CA}}}
  ca_http1: {prober: http, http: {enable_http2: false, preferred_ip_protocol: ip4, tls_config: {ca_file: CA}}}
  skip: {prober: http, http: {tls_config: {insecure_skip_verify: true}}}
  system: {prober: http}
  named: {prober: http, http: {tls_config: {ca_file: CA, server_name: other.example}}}
  old: {prober: http, http: {tls_config: {ca_file: CA, max_version: TLS12}}}
  mutual: {prober: http, http: {tls_config: {ca_file: CA, cert_file: FILES/cert.pem, key_file: FILES/key.pem}}}
  no_ssl: {prober: http, http: {fail_if_ssl: true, tls_config: {ca_file: CA}}}
  ssl: {prober: http, http: {fail_if_not_ssl: true, tls_config: {ca_file: CA}}}
  http2: {prober: http, http: {valid_http_versions: ["HTTP/2.0"], tls_config: {ca_file: CA}}}
  no_ca: {prober: http, http: {tls_config: {ca_file: /nonexistent}}}
  host: {prober: http, http: {headers: {Host: other.example}, tls_config: {ca_file: CA}}}
`))
	good := secured(t, ca.server(time.Hour, "127.0.0.1", "localhost"), nil)
	expired := secured(t, ca.server(-time.Hour, "127.0.0.1"), nil)
	other := secured(t, ca.server(time.Hour, "other.example", "more.example"), nil)
	mutual := secured(t, ca.server(time.Hour, "127.0.0.1"), func(s *httptest.Server) {
		pool := x509.NewCertPool()
		pool.AddCert(ca.cert)
		s.TLS.ClientAuth, s.TLS.ClientCAs = tls.RequireAndVerifyClientCert, pool
	})
	plain := httptest.NewServer(pages())
	defer plain.Close()
	toTLS := httptest.NewServer(http.RedirectHandler(strings.Replace(good.URL, "127.0.0.1", "localhost", 1)+"/", http.StatusFound))
	defer toTLS.Close()

	chain := "probe_ssl_last_chain_expiry_timestamp_seconds"
	seen := []string{"probe_ssl_earliest_cert_expiry", "probe_ssl_last_chain_info", "probe_tls_version_info"}
	for _, c := range []struct {
		module, target string
		success        bool
		without        []string // what we add to or leave out of a failure, see docs/blackbox.md
	}{
		{"ca", good.URL, true, nil},
		{"ca", strings.Replace(good.URL, "127.0.0.1", "localhost", 1), true, nil},
		{"ca_http1", good.URL, true, nil},
		{"skip", good.URL, true, []string{chain}},
		{"skip", expired.URL, true, []string{chain}},
		{"skip", other.URL, true, []string{chain}},
		{"ca", expired.URL, false, seen},
		{"ca", other.URL, false, seen},
		{"system", good.URL, false, seen},
		{"named", other.URL, true, nil},
		{"named", good.URL, false, seen},
		{"old", good.URL, true, nil},
		{"host", other.URL, true, nil},
		{"host", good.URL, false, seen},
		{"mutual", mutual.URL, true, nil},
		{"ca", mutual.URL, false, seen},
		{"no_ssl", good.URL, false, nil},
		{"no_ssl", plain.URL, true, nil},
		{"ssl", good.URL, true, nil},
		{"ssl", plain.URL, false, nil},
		{"http2", good.URL, true, nil},
		{"no_ca", good.URL, false, nil},
		{"ca", strings.Replace(good.URL, "https", "http", 1), false, nil},
		{"ca", strings.Replace(plain.URL, "http", "https", 1), false, nil},
		{"ca", toTLS.URL, true, nil},
		{"ca", good.URL + "/redirect/3", true, nil},
		{"ssl", toTLS.URL, true, nil},
		{"no_ssl", toTLS.URL, false, nil},
	} {
		t.Run(c.module+" "+c.target, func(t *testing.T) {
			got := p.both(t, query(c.module, c.target), nil, c.without...)
			if want := map[bool]string{true: "1", false: "0"}[c.success]; got.value("probe_success") != want {
				t.Errorf("probe_success %s, want %s\n%s", got.value("probe_success"), want, p.lastLog())
			}
		})
	}
	t.Run("hostname", func(t *testing.T) {
		q := query("ca", other.URL)
		q.Set("hostname", "other.example")
		if got := p.both(t, q, nil); got.value("probe_success") != "1" {
			t.Error(p.lastLog())
		}
	})
	t.Run("expiry of a certificate that is refused", func(t *testing.T) {
		got := ask(t, p.handler, query("ca", expired.URL), nil)
		if v, err := strconv.ParseFloat(got.value("probe_ssl_earliest_cert_expiry"), 64); err != nil || v > float64(time.Now().Unix()) || v < float64(time.Now().Add(-2*time.Hour).Unix()) {
			t.Errorf("probe_ssl_earliest_cert_expiry %g, %v", v, err)
		}
		if strings.Contains(got.text, chain) {
			t.Error("a chain that was not verified has an expiry")
		}
	})
}
