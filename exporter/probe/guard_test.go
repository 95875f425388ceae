package probe_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/upheld-sla/upheld/exporter/guard"
	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

func guarded(t *testing.T, o guard.Options, resolver *net.Resolver, check sla.Check) probe.Result {
	t.Helper()
	g, err := guard.New(o)
	if err != nil {
		t.Fatal(err)
	}
	p, err := probe.NewFactory(probe.Env{Guard: g, Resolver: resolver}).New(&sla.Probe{Check: check, Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return p.Probe(context.Background(), time.Time{})
}

// TestDeniedAddressesAreNotConnectedTo reaches for a forbidden server in every
// way, and sees that it never gets a connection.
func TestDeniedAddressesAreNotConnectedTo(t *testing.T) {
	var reached atomic.Int64
	secret := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	l, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Skipf("no second loopback address: %v", err)
	}
	secret.Listener.Close()
	secret.Listener = l
	secret.Config.ConnState = func(net.Conn, http.ConnState) { reached.Add(1) }
	secret.Start()
	defer secret.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	var redirect atomic.Value
	open := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, redirect.Load().(string), http.StatusFound)
	}))
	defer open.Close()
	known := resolverWith(t, map[string]reply{"harmless.example.": {address: [4]byte{127, 0, 0, 2}}})
	deny := guard.Options{DenyCIDR: []string{"127.0.0.2/32"}}
	named := "http://harmless.example:" + port
	well := webServer(t, func(http.ResponseWriter, *http.Request) {}).URL
	follow := &sla.HTTPCheck{URL: open.URL, FollowRedirects: true}
	for _, c := range []struct {
		name     string
		options  guard.Options
		resolver *net.Resolver
		check    sla.Check
		location string // of the redirect
	}{
		{"the address", deny, nil, get(secret.URL), ""},
		{"as IPv4 in IPv6", deny, nil, get("http://[::ffff:127.0.0.2]:" + port), ""},
		{"as hexadecimal IPv4 in IPv6", deny, nil, &sla.TCPCheck{Address: "[::ffff:7f00:2]:" + port}, ""},
		{"a name that resolves to it", deny, known, get(named), ""},
		{"a redirect to the address", deny, nil, follow, secret.URL},
		{"a redirect to a name that resolves to it", deny, known, follow, named},
		{"an echo request to the address", deny, nil, &sla.ICMPCheck{Host: "127.0.0.2", Packets: 1, PacketInterval: time.Second, PayloadSize: 56}, ""},
		{"an echo request to a name that resolves to it", deny, known, &sla.ICMPCheck{Host: "harmless.example", Packets: 1, PacketInterval: time.Second, PayloadSize: 56}, ""},
		{"an echo request to a denied host", guard.Options{DenyHost: []string{"*.example"}}, known, &sla.ICMPCheck{Host: "harmless.example", Packets: 1, PacketInterval: time.Second, PayloadSize: 56}, ""},
		{"the address over HTTP/3", deny, nil, with("https://127.0.0.2:"+port, sla.HTTPOptions{Versions: []sla.HTTPVersion{"3"}}), ""},
		{"a name over HTTP/3 that resolves to it", deny, known, with("https://harmless.example:"+port, sla.HTTPOptions{Versions: []sla.HTTPVersion{"3"}}), ""},
		{"a proxy there", deny, nil, with("https://shop.example", sla.HTTPOptions{Proxy: &sla.Proxy{URL: secret.URL}}), ""},
		{"a WebSocket there", deny, nil, &sla.WebSocketCheck{Request: sla.HTTPCheck{URL: secret.URL}}, ""},
		{"a WebSocket at a name that resolves to it", deny, known, &sla.WebSocketCheck{Request: sla.HTTPCheck{URL: named}}, ""},
		{"as one number", deny, nil, get("http://2130706434:" + port), ""},
		{"as octal numbers", deny, nil, get("http://0177.0.0.2:" + port), ""},
		{"as hexadecimal numbers", deny, nil, &sla.TCPCheck{Address: "0x7f.2:" + port}, ""},
		{"a redirect to one number", deny, nil, follow, "http://2130706434:" + port},
		{"a redirect to IPv4 in IPv6", deny, nil, follow, "http://[::ffff:7f00:2]:" + port},
		{"a redirect to NAT64", deny, nil, follow, "http://[64:ff9b::7f00:2]:" + port},
		{"a connection", deny, known, &sla.TCPCheck{Address: "harmless.example:" + port}, ""},
		{"a connection for STARTTLS", deny, nil, &sla.TCPCheck{Address: "127.0.0.2:" + port, Dialogue: []sla.Step{{StartTLS: true}}}, ""},
		{"a TLS session", deny, known, &sla.TLSCheck{Address: "harmless.example:" + port}, ""},
		{"packets", deny, known, &sla.UDPCheck{Address: "harmless.example:" + port, Dialogue: []sla.Step{{Send: "a"}, {Expect: "b"}}}, ""},
		{"a gRPC call", deny, known, &sla.GRPCCheck{Address: "harmless.example:" + port}, ""},
		{"a question of DNS", deny, nil, ask("127.0.0.2:"+port, "udp", "a.test", "A"), ""},
		{"a question of DNS over TCP", deny, known, ask("harmless.example:"+port, "tcp", "a.test", "A"), ""},
		{"a question of DNS over HTTPS", deny, known, ask("https://harmless.example:"+port+"/q", "https", "a.test", "A"), ""},
		{"the second step of a journey", deny, known, &sla.JourneyCheck{Steps: []sla.JourneyStep{{Name: "a", Request: *get(well)}, {Name: "b", Request: *get(named)}}}, ""},
		{"a redirect in a journey", deny, known, &sla.JourneyCheck{Steps: []sla.JourneyStep{{Name: "a", Request: *follow}}}, named},
		{"a token there", deny, known, with(well, sla.HTTPOptions{Auth: &sla.HTTPAuth{OAuth2: &sla.OAuth2{ClientID: "a", ClientSecret: sla.SecretText("x"), TokenURL: named}}}), ""},
		{"by way of a proxy", deny, nil, with(secret.URL, sla.HTTPOptions{Proxy: &sla.Proxy{URL: well}}), ""},
		{"outside of what is allowed", guard.Options{AllowCIDR: []string{"127.0.0.1/32"}}, nil, get(secret.URL), ""},
		{"a redirect out of what is allowed", guard.Options{AllowCIDR: []string{"127.0.0.1/32"}}, nil, follow, secret.URL},
		{"a denied host", guard.Options{DenyHost: []string{"*.example"}}, known, get(named), ""},
		{"a redirect to a denied host", guard.Options{DenyHost: []string{"*.example"}}, known, follow, named},
	} {
		redirect.Store(c.location)
		r := guarded(t, c.options, c.resolver, c.check)
		if r.Reason != probe.Denied || r.Outcome != probe.Inconclusive || r.Detail == "" {
			t.Errorf("%s: %+v", c.name, r)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("the forbidden server got %d connections", n)
	}
	if r := guarded(t, guard.Options{DenyCIDR: []string{"127.0.0.3"}}, known, get(named)); r.Outcome != probe.Good {
		t.Errorf("what is not denied: %+v", r)
	}
}

// TestRebindingIsNoWayIn has a name that resolves to an allowed address first,
// as a check before connecting would see it, and to a denied one afterwards.
func TestRebindingIsNoWayIn(t *testing.T) {
	var asked atomic.Int64
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil {
				continue
			}
			address := [4]byte{127, 0, 0, 2}
			if m.Questions[0].Type == dnsmessage.TypeA && asked.Add(1) == 1 {
				address[3] = 1
			}
			if out, ok := respond(m, map[string]reply{"rebinding.example.": {address: address}}); ok {
				_, _ = pc.WriteTo(out, from)
			}
		}
	}()
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
	if ips, err := resolver.LookupHost(context.Background(), "rebinding.example"); err != nil || ips[0] != "127.0.0.1" {
		t.Fatalf("%v %v", ips, err)
	}
	r := guarded(t, guard.Options{DenyCIDR: []string{"127.0.0.2"}}, resolver, get("http://rebinding.example:1"))
	if r.Reason != probe.Denied {
		t.Errorf("%+v", r)
	}
}
