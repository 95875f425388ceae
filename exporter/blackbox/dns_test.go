package blackbox

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// zone answers as the name asks.
func zone(w dns.ResponseWriter, q *dns.Msg) {
	m := new(dns.Msg)
	m.SetReply(q)
	record := func(text string) dns.RR {
		rr, err := dns.NewRR(text)
		if err != nil {
			panic(err)
		}
		return rr
	}
	name := q.Question[0].Name
	switch label, _, _ := strings.Cut(name, "."); label {
	case "www":
		m.Answer = []dns.RR{record("www.example. 300 IN A 127.0.0.1"), record("www.example. 300 IN A 127.0.0.2")}
		m.Ns = []dns.RR{record("example. 300 IN NS ns.example.")}
		m.Extra = []dns.RR{record("ns.example. 300 IN A 127.0.0.3")}
	case "soa":
		m.Answer = []dns.RR{record("soa.example. 300 IN SOA ns.example. hostmaster.example. 2026112401 1 2 3 4")}
	case "none":
		m.Rcode = dns.RcodeNameError
	case "fail":
		m.Rcode = dns.RcodeServerFailure
	case "cut":
		m.Truncated = true
	case "class":
		m.Answer = []dns.RR{record("class.example. 0 CH TXT \"server 1\"")}
	case "recursion":
		if !q.RecursionDesired {
			m.Rcode = dns.RcodeRefused
		}
	case "silent":
		return
	}
	_ = w.WriteMsg(m)
}

func dnsServer(t *testing.T, network string, conf *tls.Config) string {
	t.Helper()
	s := &dns.Server{Net: network, Handler: dns.HandlerFunc(zone)}
	ready := make(chan struct{})
	s.NotifyStartedFunc = func() { close(ready) }
	if network == "udp" {
		conn, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s.PacketConn = conn
	} else {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if conf != nil {
			listener = tls.NewListener(listener, conf)
		}
		s.Listener = listener
	}
	go func() { _ = s.ActivateAndServe() }()
	<-ready
	t.Cleanup(func() { _ = s.Shutdown() })
	if s.PacketConn != nil {
		return s.PacketConn.LocalAddr().String()
	}
	return s.Listener.Addr().String()
}

const dnsModules = `
modules:
  www: {prober: dns, dns: {query_name: www.example, query_type: A}}
  any: {prober: dns, dns: {query_name: www.example}}
  soa: {prober: dns, dns: {query_name: soa.example, query_type: SOA}}
  soa_none: {prober: dns, dns: {query_name: www.example, query_type: SOA}}
  none: {prober: dns, dns: {query_name: none.example}}
  none_valid: {prober: dns, dns: {query_name: none.example, valid_rcodes: [NOERROR, NXDOMAIN]}}
  odd_code: {prober: dns, dns: {query_name: www.example, valid_rcodes: [NOERROR, STRANGE]}}
  fail: {prober: dns, dns: {query_name: fail.example}}
  cut: {prober: dns, dns: {query_name: cut.example}}
  class: {prober: dns, dns: {query_name: class.example, query_class: CH, query_type: TXT}}
  recursion: {prober: dns, dns: {query_name: recursion.example}}
  no_recursion: {prober: dns, dns: {query_name: recursion.example, recursion_desired: false}}
  silent: {prober: dns, timeout: 300ms, dns: {query_name: silent.example}}
  tcp: {prober: dns, dns: {query_name: www.example, transport_protocol: tcp, preferred_ip_protocol: ip4}}
  sctp: {prober: dns, dns: {query_name: www.example, transport_protocol: sctp}}
  dot: {prober: dns, dns: {query_name: www.example, transport_protocol: tcp, dns_over_tls: true, tls_config: {ca_file: CA}}}
  dot_udp: {prober: dns, dns: {query_name: www.example, dns_over_tls: true}}
  dot_system: {prober: dns, dns: {query_name: www.example, transport_protocol: tcp, dns_over_tls: true}}
  source: {prober: dns, dns: {query_name: www.example, source_ip_address: 127.0.0.9}}
  bad_source: {prober: dns, dns: {query_name: www.example, source_ip_address: here}}
  match: {prober: dns, dns: {query_name: www.example, validate_answer_rrs: {fail_if_matches_regexp: ["127.0.0.2"]}}}
  match_fine: {prober: dns, dns: {query_name: www.example, validate_answer_rrs: {fail_if_matches_regexp: ["127.0.0.3"]}}}
  all: {prober: dns, dns: {query_name: www.example, validate_answer_rrs: {fail_if_all_match_regexp: ["127.0.0.[12]"]}}}
  all_some: {prober: dns, dns: {query_name: www.example, validate_answer_rrs: {fail_if_all_match_regexp: ["127.0.0.1"]}}}
  all_none: {prober: dns, dns: {query_name: none.example, valid_rcodes: [NXDOMAIN], validate_answer_rrs: {fail_if_all_match_regexp: ["127.0.0.1"]}}}
  not: {prober: dns, dns: {query_name: www.example, validate_answer_rrs: {fail_if_not_matches_regexp: ["www.example.\t300\tIN\tA\t127.0.0.[12]"]}}}
  not_some: {prober: dns, dns: {query_name: www.example, validate_answer_rrs: {fail_if_not_matches_regexp: ["127.0.0.1"]}}}
  not_empty: {prober: dns, dns: {query_name: soa.example, validate_authority_rrs: {fail_if_not_matches_regexp: ["."]}}}
  nothing: {prober: dns, dns: {query_name: www.example, validate_answer_rrs: {fail_if_none_matches_regexp: ["127.0.0.1"]}}}
  nothing_bad: {prober: dns, dns: {query_name: www.example, validate_answer_rrs: {fail_if_none_matches_regexp: ["127.0.0.9"]}}}
  nothing_empty: {prober: dns, dns: {query_name: soa.example, validate_additional_rrs: {fail_if_none_matches_regexp: ["."]}}}
  sections: {prober: dns, dns: {query_name: www.example, validate_authority_rrs: {fail_if_not_matches_regexp: ["NS"]}, validate_additional_rrs: {fail_if_matches_regexp: ["127.0.0.3"]}}}
  bad_regexp: {prober: dns, dns: {query_name: www.example, validate_answer_rrs: {fail_if_matches_regexp: ["("]}}}
  bad_regexp_all: {prober: dns, dns: {query_name: www.example, validate_answer_rrs: {fail_if_all_match_regexp: ["("]}}}
  bad_regexp_unused: {prober: dns, dns: {query_name: soa.example, validate_additional_rrs: {fail_if_matches_regexp: ["("]}}}
`

func TestDNS(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	p := newPair(t, strings.ReplaceAll(dnsModules, "CA", ca.file))
	udp, tcp := dnsServer(t, "udp", nil), dnsServer(t, "tcp", nil)
	overTLS := dnsServer(t, "tcp", &tls.Config{Certificates: []tls.Certificate{ca.server(time.Hour, "127.0.0.1")}})
	for module, success := range map[string]bool{
		"www": true, "any": true, "soa": true, "soa_none": true, "none": false, "none_valid": true, "odd_code": false, "fail": false, "cut": true, "class": true,
		"recursion": true, "no_recursion": false, "silent": false, "sctp": false, "dot_udp": false, "source": true, "bad_source": false,
		"match": false, "match_fine": true, "all": true, "all_some": false, "all_none": true, "not": true, "not_some": false, "not_empty": false,
		"nothing": true, "nothing_bad": false, "nothing_empty": false, "sections": false, "bad_regexp": false, "bad_regexp_all": false, "bad_regexp_unused": true,
		"tcp": true, "dot": true, "dot_system": false,
	} {
		server := udp
		switch module {
		case "tcp":
			server = tcp
		case "dot", "dot_system":
			server = overTLS
		}
		t.Run(module, func(t *testing.T) {
			got := p.both(t, query(module, server), nil)
			if want := map[bool]string{true: "1", false: "0"}[success]; got.value("probe_success") != want {
				t.Errorf("probe_success %s, want %s\n%s", got.value("probe_success"), want, p.lastLog())
			}
		})
	}
	for _, target := range []string{"127.0.0.1:1", "127.0.0.1", "nonexistent.invalid", "nonexistent.invalid:53", "localhost", "[::1]:1", "::1"} {
		t.Run("udp "+target, func(t *testing.T) { p.both(t, query("silent", target), nil) })
		t.Run("tcp "+target, func(t *testing.T) { p.both(t, query("tcp", target), map[string]string{timeoutHeader: "1"}) })
	}
}
