package probe_test

import (
	"bytes"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/upheld-sla/upheld/exporter/guard"
	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

const umlaut, punycode = "München.example", "xn--mnchen-3ya.example"

// named is host:port or a URL with another host.
func named(host, address string) string { return strings.Replace(address, "127.0.0.1", host, 1) }

// TestNamesBeyondASCIIAreFound by every kind of probe, wherever a name stands:
// resolvers and certificates know their form in ASCII alone.
func TestNamesBeyondASCIIAreFound(t *testing.T) {
	ca := newAuthority()
	cert := ca.sign(t, punycode, time.Now().Add(time.Hour))
	local := ca.sign(t, "localhost", time.Now().Add(time.Hour))
	env := probe.Env{RootCAs: ca.pool(), Resolver: resolverWith(t, map[string]reply{
		punycode + ".": {code: dnsmessage.RCodeSuccess, address: [4]byte{127, 0, 0, 1}},
	})}
	at := func(address string) string { return named(umlaut, address) }
	secured := tlsServer(t, cert)
	var hosts []string
	plain := webServer(t, func(_ http.ResponseWriter, r *http.Request) { hosts = append(hosts, r.Host) })
	var asked []string
	proxy := proxyServer(t, &asked, 0)
	echo := packets(t, func(q []byte) [][]byte { return [][]byte{q} })
	query := func(server string, transport sla.DNSTransport, name string) *sla.DNSCheck {
		return &sla.DNSCheck{Server: server, Transport: transport, Name: name, Type: "A", RCodes: []string{"NOERROR", "NXDOMAIN", "REFUSED"}}
	}
	for name, check := range map[string]sla.Check{
		"http":             get(at(plain.URL)),
		"https":            get(at(secured.URL)),
		"https serverName": with(tlsServer(t, cert).URL, sla.HTTPOptions{ServerName: umlaut}),
		"by a proxy":       with(plain.URL, sla.HTTPOptions{Proxy: &sla.Proxy{URL: at("http://user:pw@" + proxy)}}),
		"through a proxy":  with(tlsServer(t, local).URL, sla.HTTPOptions{Proxy: &sla.Proxy{URL: at("http://" + proxy)}}),
		"tcp":              &sla.TCPCheck{Address: at(plain.Listener.Addr().String())},
		"tcp within TLS":   &sla.TCPCheck{Address: at(secured.Listener.Addr().String()), TLS: true},
		"tls":              &sla.TLSCheck{Address: at(secured.Listener.Addr().String())},
		"tls serverName":   &sla.TLSCheck{Address: secured.Listener.Addr().String(), TLSOptions: sla.TLSOptions{ServerName: umlaut}},
		"startTLS":         &sla.TCPCheck{Address: at(mailServer(t, cert, "")), Dialogue: smtp},
		"grpc":             &sla.GRPCCheck{Address: at(healthServer(t, nil, nil)), Service: "shop.Orders"},
		"grpc within TLS":  &sla.GRPCCheck{Address: at(healthServer(t, &cert, nil)), TLS: true, Service: "shop.Orders"},
		"grpc serverName":  &sla.GRPCCheck{Address: healthServer(t, &cert, nil), TLS: true, Service: "shop.Orders", TLSOptions: sla.TLSOptions{ServerName: umlaut}},
		"udp":              &sla.UDPCheck{Address: at(echo), Dialogue: []sla.Step{{Send: "x"}, {Expect: "^x$"}}},
		"dns over udp":     query(at(nameServer(t, "udp", cert, zone)), sla.DNSOverUDP, "shop.example"),
		"dns over tcp":     query(at(nameServer(t, "tcp", cert, zone)), sla.DNSOverTCP, "shop.example"),
		"dns over tls":     query(at(nameServer(t, "tls", cert, zone)), sla.DNSOverTLS, "shop.example"),
		"a dns question":   query(nameServer(t, "udp", cert, zone), sla.DNSOverUDP, umlaut),
		"websocket":        &sla.WebSocketCheck{Request: *get(at(socketServer(t, false, echoMessages))), Ping: true},
		"journey":          &sla.JourneyCheck{Steps: []sla.JourneyStep{{Name: "one", Request: *get(at(plain.URL))}}},
	} {
		t.Run(name, func(t *testing.T) { mustBeGood(t, env, check) })
	}
	t.Run("dns over https", func(t *testing.T) {
		check := query(at(httpsNameServer(t, cert)), sla.DNSOverHTTPS, "shop.example")
		mustBeGood(t, env, check)
	})
	t.Run("icmp", func(t *testing.T) {
		mayPing(t)
		mustBeGood(t, env, pings(umlaut, 1))
	})
	t.Run("a name that is pinned", func(t *testing.T) {
		network := &sla.Network{}
		p := &sla.Probe{Check: &sla.TCPCheck{Address: at(plain.Listener.Addr().String())}, Timeout: 5 * time.Second, Network: network, Discovery: &sla.Discovery{Host: umlaut}}
		prober, err := probe.NewFactory(probe.Env{Resolver: resolverWith(t, nil)}).New(p.WithTarget("127.0.0.1"))
		if err != nil {
			t.Fatal(err)
		}
		if r := prober.Probe(t.Context(), time.Time{}); r.Outcome != probe.Good {
			t.Errorf("%+v", r)
		}
	})
	for _, host := range hosts {
		if bytes.ContainsFunc([]byte(host), func(r rune) bool { return r >= 0x80 }) {
			t.Errorf("asked for %q", host)
		}
	}
}

// TestNamesThatAreNoneAreRefused, and what stands before a host.
func TestNamesThatAreNoneAreRefused(t *testing.T) {
	for _, host := range []string{"a\u200f\u05d0b.example", "xn--\u00fc.example", "bob:s3cret@shop.example", "s3cret@shop.example"} {
		for _, check := range []sla.Check{
			&sla.TCPCheck{Address: host + ":1"}, &sla.TLSCheck{Address: host + ":1"}, &sla.UDPCheck{Address: host + ":1", Dialogue: []sla.Step{{Send: "x"}, {Expect: "x"}}},
			&sla.GRPCCheck{Address: host + ":1"}, &sla.ICMPCheck{Host: host, Packets: 1, PayloadSize: 56}, &sla.DNSCheck{Server: host + ":1", Type: "A", Name: "a"},
		} {
			if _, err := probe.NewFactory(probe.Env{}).New(&sla.Probe{Check: check, Timeout: time.Second}); err == nil || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%s of %q: %v", check.ProbeKind(), host, err)
			}
		}
	}
}

// TestGuardsKnowNamesBeyondASCII in both forms.
func TestGuardsKnowNamesBeyondASCII(t *testing.T) {
	for _, pattern := range []string{umlaut, "*." + umlaut, punycode} {
		g, err := guard.New(guard.Options{DenyHost: []string{pattern}})
		if err != nil {
			t.Fatal(err)
		}
		host := strings.Replace(pattern, "*", "www", 1)
		for _, check := range []sla.Check{&sla.TCPCheck{Address: net.JoinHostPort(host, "1")}, get("http://" + host)} {
			if r := once(t, probe.Env{Guard: g}, check, time.Second); r.Reason != probe.Denied {
				t.Errorf("%s: %+v", pattern, r)
			}
		}
	}
}
