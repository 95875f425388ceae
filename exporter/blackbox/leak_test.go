package blackbox

import (
	"crypto/tls"
	"net"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go/http3"
	"go.uber.org/goleak"
)

// TestNothingIsLeftBehind probes with every prober, with and without success, and wants
// every goroutine and connection back.
func TestNothingIsLeftBehind(t *testing.T) {
	ca := newAuthority(t)
	cert := ca.server(time.Hour, "127.0.0.1")
	plain := httptest.NewServer(pages())
	defer plain.Close()
	secure := secured(t, cert, nil)
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http3.Server{Handler: pages(), TLSConfig: http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{cert}})}
	go func() { _ = srv.Serve(socket) }()
	defer srv.Close()
	health := grpcServer(t, true)
	names := dnsServer(t, "udp", nil)
	mute := serve(t, "tcp", "127.0.0.1:0", script(nil, "-"))
	p := newPair(t, strings.ReplaceAll(`
modules:
  http: {prober: http, timeout: 300ms, http: {tls_config: {ca_file: CA}}}
  http3: {prober: http, timeout: 300ms, http: {enable_http3: true, enable_http2: false, tls_config: {ca_file: CA}}}
  tcp: {prober: tcp, timeout: 300ms, tcp: {query_response: [{expect: x}]}}
  tls: {prober: tcp, timeout: 300ms, tcp: {tls: true, tls_config: {ca_file: CA}}}
  grpc: {prober: grpc, timeout: 300ms, grpc: {}}
  dns: {prober: dns, timeout: 300ms, dns: {query_name: www.example}}
  silent: {prober: dns, timeout: 300ms, dns: {query_name: silent.example}}
  icmp: {prober: icmp, timeout: 300ms, icmp: {preferred_ip_protocol: ip4}}
  websocket: {prober: websocket, timeout: 300ms}
`, "ca_file: CA", "ca_file: "+ca.file))
	sockets := httptest.NewServer(chat(t))
	defer sockets.Close()
	chats := "ws" + strings.TrimPrefix(sockets.URL, "http")
	for module, target := range map[string]string{"websocket": chats, "http": secure.URL, "http3": "https://" + socket.LocalAddr().String(), "grpc": health, "dns": names, "tcp": mute} {
		ask(t, p.handler, query(module, target), nil) // so that all servers run
	}
	before := goleak.IgnoreCurrent()
	for module, targets := range map[string][]string{
		"http":   {plain.URL + "/redirect/3", plain.URL + "/slow", plain.URL + "/slowbody", secure.URL, secure.URL + "/slow", secure.URL + "/big", "https://" + mute, "http://127.0.0.1:1"},
		"http3":  {"https://" + socket.LocalAddr().String() + "/redirect/2", "https://" + socket.LocalAddr().String() + "/slow", "https://127.0.0.1:1"},
		"tcp":    {mute, "127.0.0.1:1"},
		"tls":    {strings.TrimPrefix(secure.URL, "https://"), mute},
		"grpc":   {health, mute, "127.0.0.1:1"},
		"dns":    {names, "127.0.0.1:1"},
		"silent": {names},
		"icmp":   {"127.0.0.1", "nonexistent.invalid"},

		"websocket": {chats, chats + "/plain", "ws://" + mute, "wss://" + mute, "ws://127.0.0.1:1"},
	} {
		for _, target := range targets {
			if got := ask(t, p.handler, query(module, target), nil); got.status != 200 {
				t.Errorf("%s %s: %d", module, target, got.status)
			}
		}
	}
	runtime.GC()
	goleak.VerifyNone(t, before)
}

// TestHTTP2HoldsNoMemory wants the memory of connections back at once. A timer
// of each keeps 23 KB for a minute in blackbox_exporter.
func TestHTTP2HoldsNoMemory(t *testing.T) {
	secure := secured(t, newAuthority(t).server(time.Hour, "127.0.0.1"), nil)
	p := newPair(t, "modules: {http_2xx: {prober: http, http: {tls_config: {insecure_skip_verify: true}}}}")
	probe := func(n int) (held uint64) {
		for range n {
			if got := ask(t, p.handler, query("http_2xx", secure.URL), nil); got.value("probe_http_version") != "2" {
				t.Fatal(got.text)
			}
		}
		time.Sleep(100 * time.Millisecond)
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := probe(2 * DefaultHistoryLimit) // which fills the history
	const n = 200
	if after := probe(n); after > before+n*4096 {
		t.Errorf("%d bytes a probe are held", (after-before)/n)
	}
}
