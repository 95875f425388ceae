package blackbox

import (
	"context"
	"crypto/tls"
	"net"
	"regexp"
	"slices"
	"time"

	"github.com/miekg/dns"
	"github.com/prometheus/blackbox_exporter/config"
)

// probeDNS asks a DNS server a question and checks the response.
func probeDNS(ctx context.Context, a *attempt) bool {
	for _, phase := range []string{"resolve", "connect", "request"} {
		a.out.set("probe_dns_duration_seconds", 0, phase)
	}
	for _, name := range []string{"answer_rrs", "authority_rrs", "additional_rrs", "query_succeeded"} {
		a.out.set("probe_dns_"+name, 0)
	}
	c := &a.module.DNS
	if err := a.module.dnsTransport(); err != nil {
		a.log.Error("Configuration error", "err", err)
		return false
	}
	host, port, err := net.SplitHostPort(a.target)
	if err != nil {
		host, port = a.target, "53"
		if c.DNSOverTLS {
			port = "853"
		}
	}
	ip, took, err := a.resolve(ctx, host, c.IPProtocol, c.IPProtocolFallback)
	if err != nil {
		return false
	}
	a.out.set("probe_dns_duration_seconds", took, "resolve")
	path, err := a.dnsPath(host, ip)
	if err != nil {
		return false
	}
	question := a.module.question
	answer, err := a.ask(ctx, path, question, net.JoinHostPort(ip.String(), port))
	if err != nil {
		a.log.Error("Error while sending a DNS query", "err", err)
		return false
	}
	a.reportAnswer(answer, question.Qtype)
	return a.validAnswer(answer)
}

// dnsPath is how a DNS server is reached.
type dnsPath struct {
	network string      // "udp4"
	secure  *tls.Config // of DNS over TLS; nil otherwise
	source  net.IP
}

// dnsPath prepares how the server is reached. An error in the module has been
// logged.
func (a *attempt) dnsPath(host string, ip *net.IPAddr) (*dnsPath, error) {
	c := &a.module.DNS
	if err := a.module.dnsOverTLS(); err != nil {
		a.log.Error("Configuration error", "err", err)
		return nil, err
	}
	p := &dnsPath{network: family("udp", ip.IP)}
	if c.TransportProtocol == "tcp" {
		p.network = family("tcp", ip.IP)
	}
	var err error
	if c.DNSOverTLS {
		if p.secure, err = a.tlsConfig(&c.TLSConfig, host); err != nil {
			a.log.Error("Failed to create TLS configuration", "err", err)
			return nil, err
		}
	}
	p.source, err = a.source(c.SourceIPAddress)
	return p, err
}

// dialDNS connects to a DNS server.
func (a *attempt) dialDNS(ctx context.Context, p *dnsPath, address string) (*dns.Conn, error) {
	conn, err := a.opts.Network.Dial(ctx, p.network, address, p.source)
	if err != nil {
		return nil, err
	}
	if p.secure == nil {
		return &dns.Conn{Conn: conn}, nil
	}
	session := tls.Client(conn, p.secure)
	if err := session.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return &dns.Conn{Conn: session}, nil
}

// ask sends the question, and reports how long connecting took and how long the
// exchange.
func (a *attempt) ask(ctx context.Context, p *dnsPath, question dns.Question, address string) (*dns.Msg, error) {
	m := new(dns.Msg)
	m.Id = dns.Id()
	m.RecursionDesired = a.module.DNS.Recursion
	m.Question = []dns.Question{question}
	a.log.Debug("Making DNS query", "target", address, "dial_protocol", p.network, "tls", p.secure != nil, "query", question.Name,
		"type", dns.TypeToString[question.Qtype], "class", dns.ClassToString[question.Qclass])
	client := &dns.Client{Net: p.network}
	if deadline, ok := ctx.Deadline(); ok {
		client.Timeout = time.Until(deadline)
	}
	start := time.Now()
	var answer *dns.Msg
	var rtt time.Duration
	conn, err := a.dialDNS(ctx, p, address)
	if err == nil {
		defer conn.Close()
		answer, rtt, err = client.ExchangeWithConnContext(ctx, m, conn)
	}
	a.out.set("probe_dns_duration_seconds", (time.Since(start) - rtt).Seconds(), "connect")
	a.out.set("probe_dns_duration_seconds", rtt.Seconds(), "request")
	return answer, err
}

func (a *attempt) reportAnswer(m *dns.Msg, kind uint16) {
	a.log.Debug("Got response", "response", m)
	a.out.set("probe_dns_answer_rrs", float64(len(m.Answer)))
	a.out.set("probe_dns_authority_rrs", float64(len(m.Ns)))
	a.out.set("probe_dns_additional_rrs", float64(len(m.Extra)))
	a.out.set("probe_dns_query_succeeded", 1)
	if kind != dns.TypeSOA {
		return
	}
	a.out.set("probe_dns_serial", 0)
	for _, rr := range m.Answer {
		if soa, ok := rr.(*dns.SOA); ok {
			a.out.set("probe_dns_serial", float64(soa.Serial))
		}
	}
}

func (a *attempt) validAnswer(m *dns.Msg) bool {
	c := &a.module.DNS
	valid := c.ValidRcodes
	if valid == nil {
		valid = []string{"NOERROR"}
	}
	codes := make([]int, 0, len(valid))
	for _, name := range valid {
		code, ok := dns.StringToRcode[name]
		if !ok {
			a.log.Error("Invalid rcode", "rcode", name)
			return false
		}
		codes = append(codes, code)
	}
	if !slices.Contains(codes, m.Rcode) {
		a.log.Error("Rcode is not one of the valid rcodes", "rcode", m.Rcode, "string_rcode", dns.RcodeToString[m.Rcode], "valid_rcodes", valid)
		return false
	}
	for _, section := range []struct {
		name    string
		records []dns.RR
		rules   *config.DNSRRValidator
	}{
		{"Answer", m.Answer, &c.ValidateAnswer},
		{"Authority", m.Ns, &c.ValidateAuthority},
		{"Additional", m.Extra, &c.ValidateAdditional},
	} {
		a.log.Debug("Validating " + section.name + " RRs")
		if !a.validRecords(section.records, section.rules) {
			a.log.Error(section.name + " RRs validation failed")
			return false
		}
	}
	return true
}

// validRecords checks the records of a section against the rules of the module.
func (a *attempt) validRecords(records []dns.RR, v *config.DNSRRValidator) bool {
	if len(records) == 0 {
		for name, expressions := range map[string][]string{
			"fail_if_not_matches_regexp": v.FailIfNotMatchesRegexp, "fail_if_none_matches_regexp": v.FailIfNoneMatchesRegexp,
		} {
			if len(expressions) > 0 {
				a.log.Error(name + " specified but no RRs returned")
				return false
			}
		}
	}
	all, some := true, false
	for _, rr := range records {
		text := rr.String()
		for _, e := range v.FailIfMatchesRegexp {
			if re := a.expression(e); re == nil || re.MatchString(text) {
				a.log.Error("At least one RR matched regexp", "regexp", e, "rr", text)
				return false
			}
		}
		for _, e := range v.FailIfNotMatchesRegexp {
			if re := a.expression(e); re == nil || !re.MatchString(text) {
				a.log.Error("At least one RR did not match regexp", "regexp", e, "rr", text)
				return false
			}
		}
		for _, e := range v.FailIfAllMatchRegexp {
			re := a.expression(e)
			all = all && re != nil && re.MatchString(text)
		}
		for _, e := range v.FailIfNoneMatchesRegexp {
			re := a.expression(e)
			some = some || re != nil && re.MatchString(text)
		}
	}
	if len(v.FailIfAllMatchRegexp) > 0 && !all {
		a.log.Error("Not all RRs matched regexp") // blackbox_exporter fails there too, whatever the name says
		return false
	}
	if len(v.FailIfNoneMatchesRegexp) > 0 && !some {
		a.log.Error("None of the RRs did matched any regexp")
		return false
	}
	return true
}

// expression is a compiled expression of the module. It logs and returns nil if
// the expression does not compile.
func (a *attempt) expression(text string) *regexp.Regexp {
	e := a.module.expressions[text]
	if e == nil {
		a.log.Error("Error matching regexp", "regexp", text)
	}
	return e
}
