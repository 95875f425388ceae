package blackbox

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// No released version of blackbox_exporter that tests can load has check_revoked:
// what is expected here was written by hand after what v0.29.0 documents.

// revokes is a list of the authority, of these serial numbers.
func (a *authority) revokes(thisUpdate, nextUpdate time.Duration, serials ...*big.Int) []byte {
	a.t.Helper()
	template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(thisUpdate), NextUpdate: time.Now().Add(nextUpdate)}
	for _, serial := range serials {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: serial, RevocationTime: time.Now().Add(-time.Hour)})
	}
	list, err := x509.CreateRevocationList(rand.Reader, template, a.cert, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return list
}

// listed makes a certificate of a server that names lists.
func (a *authority) listed(points ...string) tls.Certificate {
	return a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "server"}, NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, CRLDistributionPoints: points,
	})
}

// ofCertificate is the value of a metric of the certificate at a place in the chain; ""
// without.
func (a answer) ofCertificate(name string, position int) string {
	for line := range strings.Lines(a.text) {
		if strings.HasPrefix(line, name+"{") && strings.Contains(line, fmt.Sprintf("chain_pos=%q", fmt.Sprint(position))) {
			return strings.TrimSpace(line[strings.LastIndex(line, " "):])
		}
	}
	return ""
}

const revocationModules = `
modules:
  tls: {prober: tcp, timeout: 3s, tcp: {tls: true, check_revoked: true, tls_config: {ca_file: CA}}}
  skip: {prober: tcp, timeout: 3s, tcp: {tls: true, check_revoked: true, tls_config: {insecure_skip_verify: true}}}
  unasked: {prober: tcp, timeout: 3s, tcp: {tls: true, tls_config: {ca_file: CA}}}
  start: {prober: tcp, timeout: 3s, tcp: {check_revoked: true, tls_config: {ca_file: CA}, query_response: [{expect: go}, {starttls: true}]}}
  unix: {prober: unix, timeout: 3s, unix: {tls: true, check_revoked: true, tls_config: {ca_file: CA, server_name: 127.0.0.1}}}
  http: {prober: http, timeout: 3s, http: {check_revoked: true, tls_config: {ca_file: CA}}}
  proxied: {prober: http, timeout: 3s, http: {check_revoked: true, proxy_url: PROXY, tls_config: {ca_file: CA}}}
  grpc: {prober: grpc, timeout: 3s, grpc: {tls: true, check_revoked: true, tls_config: {ca_file: CA}}}
`

// TestRevocationListsAreRead of certificates as they can be.
func TestRevocationListsAreRead(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	lists := map[string][]byte{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/empty", http.StatusFound)
			return
		}
		list, ok := lists[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = w.Write(list)
	}))
	defer srv.Close()
	lists["/empty"] = ca.revokes(-time.Hour, time.Hour)
	lists["/stale"] = ca.revokes(-2*time.Hour, -time.Hour)
	lists["/future"] = ca.revokes(time.Hour, 2*time.Hour)
	lists["/forged"] = other.revokes(-time.Hour, time.Hour)
	lists["/garbage"] = []byte("no list")
	lists["/long"] = append(slices.Clone(lists["/empty"]), make([]byte, maxRevocationList)...)
	p := oursWith(t, strings.ReplaceAll(revocationModules, "ca_file: CA", "ca_file: "+ca.file))
	for _, c := range []struct {
		name                      string
		points                    []string
		available, revoked, stale string
		next                      bool
		url                       string
	}{
		{"in order", []string{"/empty"}, "1", "0", "0", true, "/empty"},
		{"revoked", []string{"/revoked"}, "1", "1", "0", true, "/revoked"},
		{"stale", []string{"/stale"}, "1", "0", "1", true, "/stale"},
		{"not valid yet", []string{"/future"}, "0", "0", "0", false, "/future"},
		{"of another authority", []string{"/forged"}, "0", "0", "0", false, "/forged"},
		{"no list", []string{"/garbage"}, "0", "0", "0", false, "/garbage"},
		{"too long", []string{"/long"}, "0", "0", "0", false, "/long"},
		{"not there", []string{"/nope"}, "0", "0", "0", false, "/nope"},
		{"moved", []string{"/moved"}, "1", "0", "0", true, "/moved"},
		{"the second", []string{"/nope", "/empty"}, "1", "0", "0", true, "/empty"},
		{"none named", nil, "0", "0", "0", false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			points := slices.Clone(c.points)
			for i := range points {
				points[i] = srv.URL + points[i]
			}
			cert := ca.listed(points...)
			lists["/revoked"] = ca.revokes(-time.Hour, time.Hour, big.NewInt(1), cert.Leaf.SerialNumber)
			target := serve(t, "tcp", "127.0.0.1:0", script(&tls.Config{Certificates: []tls.Certificate{cert}}, "*"))
			got := ask(t, p.handler, query("tls", target), nil)
			if got.value("probe_success") != "1" {
				t.Errorf("the probe failed\n%s", p.lastLog())
			}
			for name, want := range map[string]string{"available": c.available, "revoked": c.revoked, "stale": c.stale} {
				if v := got.ofCertificate("probe_ssl_crl_"+name, 0); v != want {
					t.Errorf("%s is %q, want %s\n%s", name, v, want, p.lastLog())
				}
			}
			if v := got.ofCertificate("probe_ssl_crl_next_update_timestamp_seconds", 0); (v != "") != c.next {
				t.Errorf("the next update is %q", v)
			}
			if c.url != "" && !strings.Contains(got.text, fmt.Sprintf("crl_url=%q", srv.URL+c.url)) {
				t.Error(got.text)
			}
			if v := got.ofCertificate("probe_ssl_crl_available", 1); v != "0" { // the authority names no list of its own
				t.Errorf("the authority's list is available: %q", v)
			}
			if v := got.value("probe_ssl_crl_fetch_time_seconds"); v == "" || (v == "0") != (len(points) == 0) {
				t.Errorf("fetching took %q", v)
			}
		})
	}
}

// TestEveryProberOfTLSReadsRevocationLists if its module says so.
func TestEveryProberOfTLSReadsRevocationLists(t *testing.T) {
	ca := newAuthority(t)
	var list []byte
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(list) }))
	defer srv.Close()
	cert := ca.listed(srv.URL + "/list")
	list = ca.revokes(-time.Hour, time.Hour, cert.Leaf.SerialNumber)
	conf := &tls.Config{Certificates: []tls.Certificate{cert}}
	proxied := ""
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect {
			tunnel(w, r)
			return
		}
		proxied = r.URL.String()
		_, _ = w.Write(list)
	}))
	defer proxy.Close()
	p := oursWith(t, strings.NewReplacer("ca_file: CA", "ca_file: "+ca.file, "PROXY", proxy.URL).Replace(revocationModules))
	page := secured(t, cert, nil)
	for module, target := range map[string]string{
		"tls":     serve(t, "tcp", "127.0.0.1:0", script(conf, "*")),
		"skip":    serve(t, "tcp", "127.0.0.1:0", script(conf, "*")),
		"unasked": serve(t, "tcp", "127.0.0.1:0", script(conf, "*")),
		"start":   serve(t, "tcp", "127.0.0.1:0", script(conf, "go\n", "*")),
		"unix":    serve(t, "unix", filepath.Join(t.TempDir(), "s"), script(conf, "*")),
		"http":    page.URL,
		"proxied": page.URL,
		"grpc":    grpcServer(t, true, grpc.Creds(credentials.NewServerTLSFromCert(&cert))),
	} {
		got := ask(t, p.handler, query(module, target), nil)
		want := map[bool]string{true: "", false: "1"}[module == "unasked"]
		if module == "skip" { // which has only the server's certificate, and so none that the list could be held to
			want = "0"
		}
		if v := got.ofCertificate("probe_ssl_crl_revoked", 0); v != want || got.value("probe_success") != "1" {
			t.Errorf("%s: revoked is %q, want %q\n%s\n%s", module, v, want, got.text, p.lastLog())
		}
	}
	if proxied != srv.URL+"/list" {
		t.Errorf("the proxy was asked for %q", proxied)
	}
}

// TestRevocationListsAreHeldToTheLimits of what may be connected to: who makes
// the certificate chooses where they are.
func TestRevocationListsAreHeldToTheLimits(t *testing.T) {
	ca := newAuthority(t)
	inner := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("asked for %s", r.URL) }))
	defer inner.Close()
	address, err := url.Parse(inner.URL)
	if err != nil {
		t.Fatal(err)
	}
	outer := httptest.NewServer(http.RedirectHandler("http://127.0.0.2:"+address.Port()+"/", http.StatusFound))
	defer outer.Close()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect {
			tunnel(w, r)
			return
		}
		if "http://"+r.URL.Host != outer.URL { // which may be asked for, and redirects
			t.Errorf("the proxy was asked for %s", r.URL)
		}
		http.Redirect(w, r, "http://127.0.0.2:"+address.Port()+"/", http.StatusFound)
	}))
	defer proxy.Close()
	p := oursWith(t, strings.NewReplacer("ca_file: CA", "ca_file: "+ca.file, "PROXY", proxy.URL).Replace(revocationModules))
	p.network().Limits = denying(t, "127.0.0.2/32", "link-local")
	cert := ca.listed("http://127.0.0.2:"+address.Port()+"/", outer.URL, "http://169.254.169.254/latest", "file:///etc/passwd", "ldap://127.0.0.2/", "not a url", "")
	for _, module := range []string{"http", "proxied"} {
		got := ask(t, p.handler, query(module, secured(t, cert, nil).URL), nil)
		if got.value("probe_success") != "1" || got.ofCertificate("probe_ssl_crl_available", 0) != "0" || !strings.Contains(p.lastLog(), "denied") {
			t.Errorf("%s: %s\n%s", module, got.text, p.lastLog())
		}
	}
}

// TestRevocationChecksAreBounded in number, and in time by the probe's.
func TestRevocationChecksAreBounded(t *testing.T) {
	ca := newAuthority(t)
	mute := serve(t, "tcp", "127.0.0.1:0", script(nil, "-"))
	cert := ca.listed("http://" + mute + "/")
	for range 30 {
		cert.Certificate = append(cert.Certificate, ca.cert.Raw)
	}
	p := oursWith(t, "modules: {skip: {prober: tcp, timeout: 700ms, tcp: {tls: true, check_revoked: true, tls_config: {insecure_skip_verify: true}}}}")
	got := ask(t, p.handler, query("skip", serve(t, "tcp", "127.0.0.1:0", script(&tls.Config{Certificates: []tls.Certificate{cert}}, "*", "-"))), nil)
	if n := strings.Count(got.text, "\nprobe_ssl_crl_available{"); n != maxRevocationChecks {
		t.Errorf("%d certificates are checked", n)
	}
}

// TestCheckRevokedNeedsTLS, and says where it stands.
func TestCheckRevokedNeedsTLS(t *testing.T) {
	for text, good := range map[string]bool{
		"tcp: {check_revoked: true}":                                                   false,
		"tcp: {check_revoked: false}":                                                  true,
		"tcp: {check_revoked: true, tls: true}":                                        true,
		"tcp: {check_revoked: true, query_response: [{starttls: true}]}":               true,
		"unix: {check_revoked: true}":                                                  false,
		"unix: {check_revoked: true, query_response: [{starttls: true}]}":              true,
		"grpc: {check_revoked: true}":                                                  false,
		"grpc: {check_revoked: true, tls: true}":                                       true,
		"http: {check_revoked: true}":                                                  true,
		"http: {check_revoked: perhaps}":                                               false,
		"http: {check_revoked: true, body: a, body_file: b}":                           false,
		"http: {check_revoked: true, valid_http_versions: [HTTP/3.0]}":                 false,
		"tcp: {check_revoked: true, tls: true, query_respond: []}":                     false,
		"http: {check_revoked: true, basic_auth: {user: a}}":                           false,
		"grpc: {check_revoked: true, tls: true, metadata: {a: [b]}}":                   true,
		"http: {check_revoked: true, body_size_limit: 1MB, no_follow_redirects: true}": true,
	} {
		kind, _, _ := strings.Cut(text, ":")
		file := filepath.Join(t.TempDir(), "blackbox.yml")
		writePlain(t, file, "modules:\n  a:\n    prober: "+kind+"\n    "+text+"\n")
		modules, _, err := Load(file)
		if (err == nil) != good || err != nil && strings.Contains(text, "check_revoked: true}") && !strings.Contains(err.Error(), "blackbox.yml:4: check_revoked has no certificate to check") {
			t.Errorf("%s: %v", text, err)
		}
		if err == nil && strings.Contains(toYAML(modules["a"].settings), "check_revoked") != strings.Contains(text, "check_revoked: true") {
			t.Errorf("%s is shown as\n%s", text, toYAML(modules["a"].settings))
		}
		if strings.Contains(text, "no_follow") && (modules["a"].HTTP.HTTPClientConfig.FollowRedirects || modules["a"].HTTP.BodySizeLimit == 0) {
			t.Errorf("%s: %+v", text, modules["a"].HTTP)
		}
	}
}
