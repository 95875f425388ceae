package blackbox

import (
	"context"
	"net"
	"regexp"
	"slices"
	"time"

	"github.com/miekg/dns"
	"github.com/prometheus/blackbox_exporter/config"
)

// probeDNS asks a DNS server a question and judges the answer.
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
	client, err := a.dnsClient(host, ip)
	if err != nil {
		return false
	}
	question := a.module.question
	answer, err := a.ask(ctx, client, question, net.JoinHostPort(ip.String(), port))
	if err != nil {
		a.log.Error("Error while sending a DNS query", "err", err)
		return false
	}
	a.reportAnswer(answer, question.Qtype)
	return a.validAnswer(answer)
}

// dnsClient prepares the transport. Where the module cannot be followed the
// error has been logged.
func (a *attempt) dnsClient(host string, ip *net.IPAddr) (*dns.Client, error) {
	c := &a.module.DNS
	if err := a.module.dnsOverTLS(); err != nil {
		a.log.Error("Configuration error", "err", err)
		return nil, err
	}
	stream := c.TransportProtocol == "tcp"
	client := &dns.Client{Net: family("udp", ip.IP), Dialer: a.dialer()}
	if stream {
		client.Net = family("tcp", ip.IP)
	}
	if c.DNSOverTLS {
		client.Net += "-tls"
		conf, err := a.tlsConfig(&c.TLSConfig, host)
		if err != nil {
			a.log.Error("Failed to create TLS configuration", "err", err)
			return nil, err
		}
		client.TLSConfig = conf
	}
	source, err := a.source(c.SourceIPAddress)
	if err != nil {
		return nil, err
	}
	switch {
	case source != nil && stream:
		client.Dialer.LocalAddr = &net.TCPAddr{IP: source}
	case source != nil:
		client.Dialer.LocalAddr = &net.UDPAddr{IP: source}
	}
	return client, nil
}

// ask sends the question and reports how long the connection and the exchange
// over it took.
func (a *attempt) ask(ctx context.Context, client *dns.Client, question dns.Question, address string) (*dns.Msg, error) {
	m := new(dns.Msg)
	m.Id = dns.Id()
	m.RecursionDesired = a.module.DNS.Recursion
	m.Question = []dns.Question{question}
	a.log.Debug("Making DNS query", "target", address, "dial_protocol", client.Net, "query", question.Name,
		"type", dns.TypeToString[question.Qtype], "class", dns.ClassToString[question.Qclass])
	if deadline, ok := ctx.Deadline(); ok {
		client.Timeout = time.Until(deadline)
		client.Dialer.Deadline = deadline // it has a dialer of its own, which Timeout is not for
	}
	start := time.Now()
	answer, rtt, err := client.ExchangeContext(ctx, m, address)
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

// validRecords holds the records of a section to the rules of the module.
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

// expression is a compiled one of the module; nil if it cannot be compiled,
// which is then logged.
func (a *attempt) expression(text string) *regexp.Regexp {
	e := a.module.expressions[text]
	if e == nil {
		a.log.Error("Error matching regexp", "regexp", text)
	}
	return e
}
