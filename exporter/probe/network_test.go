package probe_test

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/upheld-sla/upheld/exporter/guard"
	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

// zoneServer is a DNS server that knows the addresses of names, each with its
// final dot; it returns its address.
func zoneServer(t testing.TB, names map[string][]string) netip.AddrPort {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &dns.Server{PacketConn: pc, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		m.RecursionAvailable = true
		addresses, known := names[strings.ToLower(q.Question[0].Name)]
		if !known {
			m.Rcode = dns.RcodeNameError
		}
		for _, text := range addresses {
			a := netip.MustParseAddr(text)
			header := dns.RR_Header{Name: q.Question[0].Name, Rrtype: q.Question[0].Qtype, Class: dns.ClassINET, Ttl: 1}
			switch {
			case a.Is4() && q.Question[0].Qtype == dns.TypeA:
				m.Answer = append(m.Answer, &dns.A{Hdr: header, A: a.AsSlice()})
			case a.Is6() && q.Question[0].Qtype == dns.TypeAAAA:
				m.Answer = append(m.Answer, &dns.AAAA{Hdr: header, AAAA: a.AsSlice()})
			}
		}
		_ = w.WriteMsg(m)
	})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.ActivateAndServe()
	}()
	t.Cleanup(func() {
		pc.Close()
		<-done
	})
	return netip.MustParseAddrPort(pc.LocalAddr().String())
}

// listenBoth listens on one port of 127.0.0.1 and ::1.
func listenBoth(t *testing.T) (v4, v6 net.Listener, port string) {
	t.Helper()
	for range 20 {
		four, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ = net.SplitHostPort(four.Addr().String())
		six, err := net.Listen("tcp", "[::1]:"+port)
		if err == nil {
			return four, six, port
		}
		four.Close()
	}
	t.Skip("no port that both families have free")
	return nil, nil, ""
}

func TestFamilyOfTheAddressIsChosen(t *testing.T) {
	four, six, port := listenBoth(t)
	for family, l := range map[string]net.Listener{"4": four, "6": six} {
		srv := &http.Server{ErrorLog: discard, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Family", family)
		})}
		go func() { _ = srv.Serve(l) }()
		t.Cleanup(func() { srv.Close() })
	}
	resolver := zoneServer(t, map[string][]string{
		"both.example.": {"127.0.0.1", "::1"}, "four.example.": {"127.0.0.1"}, "six.example.": {"::1"},
	})
	for _, c := range []struct {
		host   string
		family sla.IPFamily
		want   string // family that answered; else a part of the detail
	}{
		{"both", sla.IPv4, "4"},
		{"both", sla.IPv6, "6"},
		{"both", sla.PreferIPv4, "4"},
		{"both", sla.PreferIPv6, "6"},
		{"four", sla.PreferIPv6, "4"},
		{"six", sla.PreferIPv4, "6"},
		{"four", sla.AnyIP, "4"},
		{"six", "", "6"},
		{"four", sla.IPv6, "none with an IPv6 address"},
		{"six", sla.IPv4, "none with an IPv4 address"},
		{"no", sla.AnyIP, "no such host"},
	} {
		for _, choice := range append(sla.AddressChoices, "") {
			check := &sla.HTTPCheck{URL: "http://" + c.host + ".example:" + port, HeaderMatches: map[string]string{"X-Family": "^" + c.want + "$"}}
			p, err := probe.NewFactory(probe.Env{}).New(&sla.Probe{Check: check, Timeout: 5 * time.Second, Network: &sla.Network{Family: c.family, Addresses: choice, Resolver: resolver}})
			if err != nil {
				t.Fatal(err)
			}
			r := p.Probe(t.Context(), time.Time{})
			if len(c.want) == 1 && r.Outcome != probe.Good || len(c.want) > 1 && (r.Reason != probe.DNS || !strings.Contains(r.Detail, c.want)) {
				t.Errorf("%s, %s, %s: %+v", c.host, c.family, choice, r)
			}
		}
	}
}

// TestWhichAddressesAreTried has a name whose first address refuses, or is
// silent, and whose second answers.
func TestWhichAddressesAreTried(t *testing.T) {
	t.Parallel()
	srv := webServer(t, func(http.ResponseWriter, *http.Request) {})
	_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())
	l, err := net.Listen("tcp", "127.0.0.3:"+port) // takes connections and never answers
	if err != nil {
		t.Skip(err)
	}
	defer l.Close()
	deaf := deafPort(t)
	_, deafPort, _ := net.SplitHostPort(deaf)
	late, err := net.Listen("tcp", "127.0.0.2:"+deafPort)
	if err != nil {
		t.Skip(err)
	}
	defer late.Close()
	resolver := zoneServer(t, map[string][]string{
		"refusing.example.": {"127.0.0.2", "127.0.0.1"}, "silent.example.": {"127.0.0.1", "127.0.0.2"}, "nobody.example.": {"127.0.0.4", "127.0.0.5"},
	})
	for _, c := range []struct {
		host   string
		choice sla.AddressChoice
		want   probe.Reason
		less   time.Duration // than what is waited for an address where they are tried in order; 0: any
	}{
		{"refusing.example:" + port, sla.FirstAddress, probe.ConnectRefused, 0},
		{"refusing.example:" + port, sla.AddressesInOrder, "", 0},
		{"refusing.example:" + port, sla.RaceAddresses, "", 0},
		{"silent.example:" + deafPort, sla.RaceAddresses, "", time.Second},
		{"silent.example:" + deafPort, sla.AddressesInOrder, "", 0},
		{"silent.example:" + deafPort, sla.FirstAddress, probe.ConnectTimeout, 0},
		{"nobody.example:" + port, sla.RaceAddresses, probe.ConnectRefused, 0},
	} {
		p, err := probe.NewFactory(probe.Env{}).New(&sla.Probe{Check: &sla.TCPCheck{Address: c.host}, Timeout: 4 * time.Second, Network: &sla.Network{Addresses: c.choice, Resolver: resolver}})
		if err != nil {
			t.Fatal(err)
		}
		r := p.Probe(t.Context(), time.Time{})
		for again := 0; again < 5 && c.less > 0 && r.Duration >= c.less; again++ { // a busy machine is late now and then
			r = p.Probe(t.Context(), time.Time{})
		}
		if r.Reason != c.want || c.less > 0 && r.Duration >= c.less {
			t.Errorf("%s, %s: %s (%s) after %s", c.host, c.choice, r.Reason, r.Detail, r.Duration)
		}
	}
}

// TestSourceAddress has every kind that connects come from another address of
// the host.
func TestSourceAddress(t *testing.T) {
	from := make(chan string, 1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			host, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
			conn.Close()
			from <- host
		}
	}()
	address := l.Addr().String()
	source := &sla.Network{Source: netip.MustParseAddr("127.0.0.7")}
	for _, check := range []sla.Check{
		&sla.TCPCheck{Address: address}, get("http://" + address), &sla.TLSCheck{Address: address}, &sla.GRPCCheck{Address: address},
		ask(address, "tcp", "shop.example", "A"),
	} {
		p, err := probe.NewFactory(probe.Env{}).New(&sla.Probe{Check: check, Timeout: 5 * time.Second, Network: source})
		if err != nil {
			t.Fatal(err)
		}
		p.Probe(t.Context(), time.Time{})
		if got := <-from; got != "127.0.0.7" {
			t.Errorf("%s came from %s", check.ProbeKind(), got)
		}
	}
	for name, c := range map[string]struct {
		source, to string
		want       probe.Reason
	}{
		"an address of another host": {"192.0.2.1", address, probe.AddressUnavailable},
		"another family":             {"::1", address, probe.DNS},
	} {
		p, err := probe.NewFactory(probe.Env{}).New(&sla.Probe{Check: &sla.TCPCheck{Address: c.to}, Timeout: 5 * time.Second, Network: &sla.Network{Source: netip.MustParseAddr(c.source)}})
		if err != nil {
			t.Fatal(err)
		}
		if r := p.Probe(t.Context(), time.Time{}); r.Reason != c.want {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestResolverOfAProbe(t *testing.T) {
	t.Parallel()
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	knowing := zoneServer(t, map[string][]string{"shop.example.": {"127.0.0.1"}})
	g, err := guard.New(guard.Options{DenyCIDR: []string{"127.0.0.9/32"}})
	if err != nil {
		t.Fatal(err)
	}
	port := strings.TrimPrefix(closedPort(t), "127.0.0.1")
	factory := probe.NewFactory(probe.Env{Guard: g})
	for name, c := range map[string]struct {
		resolver netip.AddrPort
		host     string
		want     probe.Reason
	}{
		"knows the name":       {knowing, "shop.example", probe.ConnectRefused},
		"does not know it":     {knowing, "shop.invalid", probe.DNS},
		"is silent":            {netip.MustParseAddrPort(silent.LocalAddr().String()), "shop.example", probe.Resolver},
		"may not be asked":     {netip.MustParseAddrPort("127.0.0.9:53"), "shop.example", probe.Denied},
		"is asked for nothing": {netip.MustParseAddrPort("127.0.0.9:53"), "127.0.0.1", probe.ConnectRefused},
	} {
		p, err := factory.New(&sla.Probe{Check: &sla.TCPCheck{Address: c.host + port}, Timeout: time.Second, Network: &sla.Network{Resolver: c.resolver}})
		if err != nil {
			t.Fatal(err)
		}
		if r := p.Probe(t.Context(), time.Time{}); r.Reason != c.want {
			t.Errorf("a resolver that %s: %+v", name, r)
		}
	}
}

func TestMaxDuration(t *testing.T) {
	slow := webServer(t, func(http.ResponseWriter, *http.Request) { time.Sleep(30 * time.Millisecond) })
	for most, want := range map[time.Duration]probe.Reason{10 * time.Millisecond: probe.Slow, 4 * time.Second: ""} {
		p, err := probe.NewFactory(probe.Env{}).New(&sla.Probe{Check: get(slow.URL), Timeout: 5 * time.Second, MaxDuration: most})
		if err != nil {
			t.Fatal(err)
		}
		if r := p.Probe(t.Context(), time.Time{}); r.Reason != want || want != "" && (r.Outcome != probe.Bad || !strings.Contains(r.Detail, "HTTP 200; took")) {
			t.Errorf("at most %s: %+v", most, r)
		}
	}
}
