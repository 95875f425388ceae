package probe_test

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

// zone answers as a name server of shop.example does.
func zone(w dns.ResponseWriter, q *dns.Msg) {
	m := new(dns.Msg)
	m.SetReply(q)
	if m.Question[0].Qtype == dns.TypeANY { // as servers that keep to RFC 8482
		m.Question = nil
		m.Rcode = dns.RcodeNotImplemented
		_ = w.WriteMsg(m)
		return
	}
	for _, text := range map[string][]string{
		"shop.example. A":           {"shop.example. 300 IN A 192.0.2.1", "shop.example. 300 IN A 192.0.2.2"},
		"shop.example. AAAA":        {"shop.example. 300 IN AAAA 2001:db8::1"},
		"shop.example. SOA":         {"shop.example. 300 IN SOA ns1.shop.example. root.shop.example. 2026112301 7200 3600 1209600 300"},
		"shop.example. TXT":         {"shop.example. 300 IN TXT \"v=spf1 -all\""},
		"_x._tcp.shop.example. SRV": {"_x._tcp.shop.example. 300 IN SRV 0 5 5060 sip.shop.example."},
	}[strings.ToLower(m.Question[0].Name)+" "+dns.TypeToString[m.Question[0].Qtype]] {
		rr, err := dns.NewRR(text)
		if err != nil {
			panic(err)
		}
		m.Answer = append(m.Answer, rr)
	}
	soa, _ := dns.NewRR("shop.example. 300 IN SOA ns1.shop.example. root.shop.example. 2026112301 7200 3600 1209600 300")
	glue, _ := dns.NewRR("ns1.shop.example. 300 IN A 192.0.2.53")
	m.Ns, m.Extra = []dns.RR{soa}, append(m.Extra, glue)
	if q.IsEdns0() != nil {
		m.SetEdns0(1232, false)
	}
	switch strings.Split(m.Question[0].Name, ".")[0] {
	case "none":
		m.Rcode, m.Answer = dns.RcodeNameError, nil
	case "refused":
		m.Rcode = dns.RcodeRefused
	case "recursion":
		if q.RecursionDesired {
			m.Rcode = dns.RcodeRefused
		}
	case "version":
		if m.Question[0].Qclass == dns.ClassCHAOS {
			m.Answer = []dns.RR{&dns.TXT{Hdr: dns.RR_Header{Name: m.Question[0].Name, Rrtype: dns.TypeTXT, Class: dns.ClassCHAOS}, Txt: []string{"1.0"}}}
		}
	case "long":
		m.Truncated = true
	}
	_ = w.WriteMsg(m)
}

// nameServer runs a real DNS server over udp, tcp or tls.
func nameServer(t testing.TB, transport string, cert tls.Certificate, answer dns.HandlerFunc) string {
	t.Helper()
	srv := &dns.Server{Handler: answer}
	ready := make(chan struct{})
	srv.NotifyStartedFunc = func() { close(ready) }
	var address string
	if transport == "udp" {
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		srv.PacketConn, address = pc, pc.LocalAddr().String()
	} else {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address = l.Addr().String()
		if transport == "tls" {
			l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}})
		}
		srv.Listener = l
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.ActivateAndServe()
	}()
	<-ready
	t.Cleanup(func() {
		_ = srv.Shutdown()
		<-done
	})
	return address
}

// httpsNameServer answers DNS over HTTPS with the same zone.
func httpsNameServer(t testing.TB, cert tls.Certificate) string {
	t.Helper()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		q := new(dns.Msg)
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/dns-message" || r.URL.Path != "/dns-query" || q.Unpack(text) != nil {
			http.Error(w, "no", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/dns-message")
		zone(httpsWriter{ResponseWriter: nil, to: w}, q)
	}))
	srv.Config.ErrorLog = discard
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv.URL + "/dns-query"
}

type httpsWriter struct {
	dns.ResponseWriter
	to io.Writer
}

func (w httpsWriter) WriteMsg(m *dns.Msg) error {
	text, err := m.Pack()
	if err != nil {
		return err
	}
	_, err = w.to.Write(text)
	return err
}

// ask is a check of the record of a name.
func ask(server, transport, name, kind string) *sla.DNSCheck {
	return &sla.DNSCheck{Server: server, Transport: sla.DNSTransport(transport), Name: name, Type: kind, Recursion: true}
}

func TestDNS(t *testing.T) {
	ca := newAuthority()
	cert := ca.sign(t, "localhost", time.Now().Add(time.Hour))
	env := probe.Env{RootCAs: ca.pool()}
	servers := map[string]string{"https": httpsNameServer(t, cert)}
	for _, transport := range []string{"udp", "tcp", "tls"} {
		servers[transport] = nameServer(t, transport, cert, zone)
	}
	for transport, server := range servers {
		for name, check := range map[string]*sla.DNSCheck{
			"an address":                   ask(server, transport, "shop.example", "A"),
			"a dot":                        ask(server, transport, "SHOP.example.", "AAAA"),
			"a service":                    ask(server, transport, "_x._tcp.shop.example", "SRV"),
			"no records":                   ask(server, transport, "shop.example", "MX"),
			"an error that is wanted":      {Server: server, Transport: sla.DNSTransport(transport), Name: "none.example", Type: "A", RCodes: []string{"NXDOMAIN"}},
			"an answer without a question": {Server: server, Transport: sla.DNSTransport(transport), Name: "shop.example", Type: "ANY", RCodes: []string{"NOTIMP"}},
			"another class":                {Server: server, Transport: sla.DNSTransport(transport), Name: "version.example", Type: "TXT", Class: "CH", Answer: sla.RecordMatch{All: ` CH TXT "1\.0"$`}},
			"without recursion":            {Server: server, Transport: sla.DNSTransport(transport), Name: "recursion.example", Type: "A"},
			"records": {
				Server: server, Transport: sla.DNSTransport(transport), Name: "shop.example", Type: "A",
				Answer:     sla.RecordMatch{Any: `^shop\.example\. 300 IN A 192\.0\.2\.2$`, All: ` A 192\.0\.2\.\d$`, None: ` A 10\.`},
				Authority:  sla.RecordMatch{All: ` SOA ns1\.shop\.example\. .* 2026112301 `},
				Additional: sla.RecordMatch{All: `^ns1\.shop\.example\. \d+ IN A 192\.0\.2\.53$`},
			},
		} {
			t.Run(transport+": "+name, func(t *testing.T) {
				r := mustBeGood(t, env, check)
				if _, seen := r.Phases.Get(probe.Processing); !seen {
					t.Error("the server took no time")
				}
				if (r.TLS != nil) != (transport == "tls" || transport == "https") {
					t.Errorf("facts of TLS: %+v", r.TLS)
				}
			})
		}
	}
}

// packets answers each DNS packet with what reply makes of it.
func packets(t testing.TB, reply func(query []byte) [][]byte) string {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			for _, answer := range reply(buf[:n]) {
				_, _ = pc.WriteTo(answer, from)
			}
		}
	}()
	t.Cleanup(func() {
		pc.Close()
		<-done
	})
	return pc.LocalAddr().String()
}

func respondTo(query []byte, change func(*dns.Msg)) []byte {
	q, m := new(dns.Msg), new(dns.Msg)
	if q.Unpack(query) != nil {
		return nil
	}
	m.SetReply(q)
	change(m)
	text, _ := m.Pack()
	return text
}

func TestDNSPassesOverPacketsOfOthers(t *testing.T) {
	server := packets(t, func(query []byte) [][]byte {
		other := respondTo(query, func(m *dns.Msg) { m.Id++; m.Rcode = dns.RcodeServerFailure })
		return [][]byte{{1}, other, respondTo(query, func(*dns.Msg) {})}
	})
	mustBeGood(t, probe.Env{}, ask(server, "udp", "shop.example", "A"))
}

func TestDNSFailures(t *testing.T) {
	ca := newAuthority()
	trusting := probe.Env{RootCAs: ca.pool()}
	valid := ca.sign(t, "localhost", time.Now().Add(time.Hour))
	expired := ca.sign(t, "localhost", time.Now().Add(-time.Hour))
	udp := nameServer(t, "udp", valid, zone)
	tcp := nameServer(t, "tcp", valid, zone)
	hang := func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }
	mute := packets(t, func([]byte) [][]byte { return nil })
	garbage := packets(t, func(q []byte) [][]byte { return [][]byte{append(q[:2:2], "garbage!!"...)} })
	foreign := packets(t, func(q []byte) [][]byte {
		return [][]byte{respondTo(q, func(m *dns.Msg) { m.Question[0].Name = "other.example." })}
	})
	echo := packets(t, func(q []byte) [][]byte { return [][]byte{q} })
	framed := func(text string) string {
		return string(binary.BigEndian.AppendUint16(nil, uint16(len(text)))) + text
	}
	closedUDP := func() string {
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer pc.Close()
		return pc.LocalAddr().String()
	}()
	with := func(m sla.RecordMatch) *sla.DNSCheck {
		c := ask(udp, "udp", "shop.example", "A")
		c.Answer = m
		return c
	}
	long := ask(udp, "udp", "long.example", "A")
	long.Answer.Any = "x"
	web := webServer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "s3cret") }).URL
	gone := webServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }).URL
	P := probe.Processing
	checkFailures(t, []failing{
		{name: "silence", check: ask(mute, "udp", "shop.example", "A"), timeout: patience, want: probe.Timeout, outcome: probe.Bad, detail: "no answer in time", phases: []probe.Phase{P}},
		{name: "nobody there", check: ask(closedUDP, "udp", "shop.example", "A"), want: probe.ConnectRefused, outcome: probe.Bad},
		{name: "nobody there over tcp", check: ask(closedPort(t), "tcp", "shop.example", "A"), want: probe.ConnectRefused, outcome: probe.Bad},
		{name: "garbage", check: ask(garbage, "udp", "shop.example", "A"), want: probe.Protocol, outcome: probe.Bad},
		{name: "another question", check: ask(foreign, "udp", "shop.example", "A"), want: probe.Protocol, outcome: probe.Bad},
		{name: "the query itself", check: ask(echo, "udp", "shop.example", "A"), want: probe.Protocol, outcome: probe.Bad},
		{name: "no such name", check: ask(udp, "udp", "none.example", "A"), want: probe.RCode, outcome: probe.Bad, detail: "NXDOMAIN"},
		{name: "refused", check: ask(tcp, "tcp", "refused.example", "A"), want: probe.RCode, outcome: probe.Bad, detail: "REFUSED"},
		{name: "no record matches", check: with(sla.RecordMatch{Any: "192.0.2.9"}), want: probe.Records, outcome: probe.Bad, detail: "answer.any does not hold: 0 of 2 records match"},
		{name: "not all match", check: with(sla.RecordMatch{All: `\.1$`}), want: probe.Records, outcome: probe.Bad, detail: "answer.all does not hold: 1 of 2"},
		{name: "one matches that must not", check: with(sla.RecordMatch{None: `\.1$`}), want: probe.Records, outcome: probe.Bad, detail: "answer.none"},
		{name: "all of no records", check: &sla.DNSCheck{Server: udp, Transport: "udp", Name: "shop.example", Type: "MX", Answer: sla.RecordMatch{All: "."}}, want: probe.Records, outcome: probe.Bad, detail: "0 of 0 records"},
		{name: "cut short", check: long, want: probe.Records, outcome: probe.Bad, detail: "cut short"},
		{name: "tcp: silence", check: ask(rawServer(t, hang), "tcp", "shop.example", "A"), timeout: patience, want: probe.Timeout, outcome: probe.Bad, phases: []probe.Phase{probe.Connect, P}},
		{name: "tcp: half an answer", check: ask(rawServer(t, func(c net.Conn) { answer("\x00\x50half")(c); hang(c) }), "tcp", "shop.example", "A"), timeout: patience, want: probe.Timeout, outcome: probe.Bad},
		{name: "tcp: closed", check: ask(rawServer(t, answer("\x00\x50half")), "tcp", "shop.example", "A"), want: probe.Reset, outcome: probe.Bad},
		{name: "tcp: garbage", check: ask(rawServer(t, answer(framed("this is not DNS"))), "tcp", "shop.example", "A"), want: probe.Protocol, outcome: probe.Bad},
		{name: "tls: silence", check: ask(rawServer(t, hang), "tls", "shop.example", "A"), timeout: patience, want: probe.Timeout, outcome: probe.Bad, detail: "handshake"},
		{name: "tls: expired", check: ask(nameServer(t, "tls", expired, zone), "tls", "shop.example", "A"), env: trusting, want: probe.TLSExpired, outcome: probe.Bad},
		{name: "https: another status", check: ask(gone, "https", "shop.example", "A"), want: probe.Status, outcome: probe.Bad, detail: "HTTP 502"},
		{name: "https: not DNS", check: ask(web, "https", "shop.example", "A"), want: probe.Protocol, outcome: probe.Bad},
		{name: "https: expired", check: ask(tlsServer(t, expired).URL, "https", "shop.example", "A"), env: trusting, want: probe.TLSExpired, outcome: probe.Bad},
	})
}

// TestDNSWordsAreKnown holds the words of specifications to those of the
// protocol's library.
func TestDNSWordsAreKnown(t *testing.T) {
	for _, kind := range sla.DNSTypes {
		if _, ok := dns.StringToType[kind]; !ok {
			t.Errorf("type %s is unknown", kind)
		}
	}
	for _, class := range sla.DNSClasses {
		if _, ok := dns.StringToClass[class]; !ok {
			t.Errorf("class %s is unknown", class)
		}
	}
	for _, code := range sla.DNSRCodes {
		if _, ok := dns.StringToRcode[code]; !ok {
			t.Errorf("code %s is unknown", code)
		}
	}
}
