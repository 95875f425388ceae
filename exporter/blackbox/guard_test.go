package blackbox

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"

	"github.com/upheld-sla/upheld/exporter/guard"
)

// names is a resolver for which a name has the addresses that its label says:
// the first time it is asked the first of them, then the others.
func names(t *testing.T, answers map[string][]string) *net.Resolver {
	t.Helper()
	asked := map[string]*atomic.Int64{}
	for name := range answers {
		asked[name] = new(atomic.Int64)
	}
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &dns.Server{PacketConn: conn, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(q)
		name := strings.ToLower(strings.TrimSuffix(q.Question[0].Name, "."))
		addresses := answers[name]
		if addresses == nil {
			m.Rcode = dns.RcodeNameError
		} else if q.Question[0].Qtype == dns.TypeA || q.Question[0].Qtype == dns.TypeAAAA {
			var rr dns.RR
			n := int(asked[name].Load())
			ip := net.ParseIP(addresses[min(n, len(addresses)-1)])
			kind := dns.TypeAAAA
			if ip.To4() != nil && !strings.Contains(addresses[0], ":") {
				kind = dns.TypeA
			}
			if q.Question[0].Qtype == kind {
				asked[name].Add(1)
				header := dns.RR_Header{Name: q.Question[0].Name, Rrtype: kind, Class: dns.ClassINET}
				if rr = (&dns.AAAA{Hdr: header, AAAA: ip}); kind == dns.TypeA {
					rr = &dns.A{Hdr: header, A: ip}
				}
				m.Answer = []dns.RR{rr}
			}
		}
		_ = w.WriteMsg(m)
	})}
	go func() { _ = s.ActivateAndServe() }()
	t.Cleanup(func() { _ = s.Shutdown() })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

const guardModules = `
modules:
  http: {prober: http, timeout: 2s, http: {preferred_ip_protocol: ip4}}
  http3: {prober: http, timeout: 2s, http: {enable_http3: true, enable_http2: false}}
  proxied: {prober: http, timeout: 2s, http: {proxy_url: PROXY}}
  proxied_names: {prober: http, timeout: 2s, http: {proxy_url: PROXY, skip_resolve_phase_with_proxy: true}}
  proxy_denied: {prober: http, timeout: 2s, http: {proxy_url: "http://169.254.1.1:3128", skip_resolve_phase_with_proxy: true}}
  token: {prober: http, timeout: 2s, http: {oauth2: {client_id: a, client_secret: b, token_url: "http://169.254.169.254/token"}}}
  tcp: {prober: tcp, timeout: 2s}
  dns: {prober: dns, timeout: 2s, dns: {query_name: example.com}}
  dns_tcp: {prober: dns, timeout: 2s, dns: {query_name: example.com, transport_protocol: tcp}}
  icmp: {prober: icmp, timeout: 2s}
  grpc: {prober: grpc, timeout: 2s, grpc: {}}
  unix: {prober: unix, timeout: 2s}
`

// TestDeniedTargets asks for what the guard denies, in every way and to every
// prober: nothing may be sent, and the answer says why.
func TestDeniedTargets(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("the proxy was asked for %s", r.URL) }))
	defer proxy.Close()
	p := newPair(t, strings.ReplaceAll(guardModules, "PROXY", proxy.URL))
	limits, err := guard.New(guard.Options{DenyCIDR: []string{"cloud-metadata", "link-local"}, DenyHost: []string{"*.secret.example"}})
	if err != nil {
		t.Fatal(err)
	}
	p.network().Limits = limits
	p.network().Resolver = names(t, map[string][]string{"metadata.example": {"169.254.169.254"}, "mapped.example": {"::ffff:169.254.169.254"}, "nat64.example": {"64:ff9b::a9fe:a9fe"}})
	hosts := []string{
		"169.254.169.254", "169.254.0.1", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::1]", "[fe80::1]", "[fd00:ec2::254]", "100.100.100.200",
		"metadata.example", "METADATA.example.", "mapped.example", "nat64.example", "db.secret.example", "db.secret.example.",
	}
	for module, prefix := range map[string]string{"http": "http://", "http3": "https://", "proxied": "http://", "tcp": "", "dns": "", "dns_tcp": "", "icmp": "", "grpc": ""} {
		for _, host := range hosts {
			target := prefix + host + ":80"
			if module == "icmp" {
				target = strings.Trim(host, "[]")
			}
			got := ask(t, p.handler, query(module, target), nil)
			if got.status != http.StatusForbidden || !strings.Contains(got.text, "may not be probed") || !strings.Contains(got.text, "denied") {
				t.Errorf("%s %s: %d %s\n%s", module, target, got.status, got.text, p.lastLog())
			}
		}
	}
	for _, target := range []string{"http://169.254.169.254/", "http://db.secret.example/"} {
		if got := ask(t, p.handler, query("proxied_names", target), nil); got.status != http.StatusForbidden {
			t.Errorf("%s through a proxy: %d %s", target, got.status, got.text)
		}
	}
	for _, module := range []string{"proxy_denied", "token"} { // it is not the target that is refused
		got := ask(t, p.handler, query(module, proxy.URL), nil)
		if got.value("probe_success") != "0" || !strings.Contains(p.lastLog(), "denied") {
			t.Errorf("%s: %s\n%s", module, got.text, p.lastLog())
		}
	}
}

// TestDeniedRedirects has targets redirect to what the guard denies.
func TestDeniedRedirects(t *testing.T) {
	denied := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("asked for %s", r.URL) }))
	defer denied.Close()
	port := strings.TrimPrefix(denied.URL, "http://127.0.0.1:")
	redirecting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusFound)
	}))
	defer redirecting.Close()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("to") == "" {
			t.Errorf("the proxy was asked for %s", r.URL)
		}
		http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusFound)
	}))
	defer proxy.Close()
	p := newPair(t, strings.ReplaceAll(guardModules, "PROXY", proxy.URL))
	// The target listens on one address of loopback, what is denied is all the others.
	limits, err := guard.New(guard.Options{DenyCIDR: []string{"127.0.0.2/32", "link-local"}, DenyHost: []string{"secret.example"}})
	if err != nil {
		t.Fatal(err)
	}
	p.network().Limits = limits
	p.network().Resolver = names(t, map[string][]string{"metadata.example": {"169.254.169.254"}, "secret.example": {"127.0.0.1"}, "inner.example": {"127.0.0.2"}})
	for _, to := range []string{
		"http://127.0.0.2:" + port + "/", "http://[::ffff:127.0.0.2]:" + port + "/", "http://inner.example:" + port + "/", "http://secret.example:" + port + "/",
		"http://metadata.example/", "http://169.254.169.254/latest/meta-data/", "//169.254.169.254/",
	} {
		for _, module := range []string{"http", "proxied"} {
			got := ask(t, p.handler, query(module, redirecting.URL+"/?to="+to), nil)
			if got.status != http.StatusOK || got.value("probe_success") != "0" || got.value("probe_http_redirects") != "0" && got.value("probe_http_status_code") != "0" || !strings.Contains(p.lastLog(), "denied") {
				t.Errorf("%s, redirected to %s: %d %s\n%s", module, to, got.status, got.text, p.lastLog())
			}
		}
	}
}

// TestRebinding has a name resolve to an allowed address when it is checked,
// and to a denied one ever after: the connection goes to the address that was
// checked, or nowhere.
func TestRebinding(t *testing.T) {
	var asked atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Path == "/again" {
			http.Redirect(w, r, "http://other.example:"+r.URL.Query().Get("port")+"/", http.StatusFound)
		}
	}))
	defer srv.Close()
	port := strings.TrimPrefix(srv.URL, "http://127.0.0.1:")
	p := newPair(t, strings.ReplaceAll(guardModules, "PROXY", "http://127.0.0.1:1"))
	limits, err := guard.New(guard.Options{DenyCIDR: []string{"127.0.0.2"}})
	if err != nil {
		t.Fatal(err)
	}
	p.network().Limits = limits
	p.network().Resolver = names(t, map[string][]string{"flip.example": {"127.0.0.1", "127.0.0.2"}, "other.example": {"127.0.0.2"}})
	if got := ask(t, p.handler, query("http", "http://flip.example:"+port+"/"), nil); got.value("probe_success") != "1" || asked.Load() != 1 {
		t.Errorf("%s\n%s", got.text, p.lastLog())
	}
	if got := ask(t, p.handler, query("http", "http://flip.example:"+port+"/"), nil); got.status != http.StatusForbidden {
		t.Errorf("%d %s", got.status, got.text)
	}
	if got := ask(t, p.handler, query("http", srv.URL+"/again?port="+port), nil); got.value("probe_success") != "0" || asked.Load() != 2 {
		t.Errorf("%d asked: %s\n%s", asked.Load(), got.text, p.lastLog())
	}
}

func TestSocketsNeedAnAllowance(t *testing.T) {
	p := newPair(t, strings.ReplaceAll(guardModules, "PROXY", "http://127.0.0.1:1"))
	path := serve(t, "unix", t.TempDir()+"/s", script(nil))
	if got := ask(t, p.handler, query("unix", path), nil); got.value("probe_success") != "1" {
		t.Error(got.text)
	}
	limits, err := guard.New(guard.Options{AllowCIDR: []string{"192.0.2.0/24"}})
	if err != nil {
		t.Fatal(err)
	}
	p.network().Limits = limits
	if got := ask(t, p.handler, query("unix", path), nil); got.status != http.StatusForbidden {
		t.Error(got.status, got.text)
	}
}
