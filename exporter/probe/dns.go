package probe

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/upheld-sla/upheld/sla"
)

var dnsReasons = []Reason{RCode, Records, Status, Protocol}

// dnsPacket is the largest response over UDP that we announce to servers, in bytes.
// Packets of this size pass everywhere without being fragmented.
const dnsPacket = 1232

// dnsProber asks a DNS server a question and judges the response.
type dnsProber struct {
	address   string // host:port
	transport sla.DNSTransport
	query     []byte // packed, with an ID of 0
	question  dns.Question
	rcodes    []int
	records   []recordRule
	timeout   time.Duration
	session   *session
	https     *httpProber // for DNS over HTTPS
	dialer    *dialer
}

func newDNS(check sla.Check, timeout time.Duration, d *dialer) (Prober, error) {
	c, ok := check.(*sla.DNSCheck)
	if !ok {
		return nil, fmt.Errorf("a dns prober was given a %T", check)
	}
	p := &dnsProber{transport: c.Transport, timeout: timeout, dialer: d}
	if err := p.prepareQuery(c); err != nil {
		return nil, err
	}
	if err := p.prepareRules(c); err != nil {
		return nil, err
	}
	if c.Transport == sla.DNSOverHTTPS {
		return p, p.overHTTPS(c, timeout, d)
	}
	var host string
	var err error
	if p.address, host, err = hostPortOf(c.Server); err != nil {
		return nil, err
	}
	p.session, err = d.session(c.TLSOptions, host, "dot")
	return p, err
}

// prepareQuery prepares the question.
func (p *dnsProber) prepareQuery(c *sla.DNSCheck) error {
	kind, ok := dns.StringToType[c.Type]
	if !ok {
		return fmt.Errorf("there is no DNS record type %q", c.Type)
	}
	class, ok := dns.StringToClass[cmp.Or(c.Class, "IN")]
	if !ok {
		return fmt.Errorf("there is no DNS class %q", c.Class)
	}
	m := new(dns.Msg)
	name, err := sla.ASCIIHost(c.Name)
	if err != nil {
		return fmt.Errorf("the name %q cannot be asked for: %w", c.Name, err)
	}
	m.SetQuestion(dns.Fqdn(name), kind)
	m.Question[0].Qclass = class
	m.Id = 0
	m.RecursionDesired = c.Recursion
	m.SetEdns0(dnsPacket, false)
	p.question = m.Question[0]
	if p.query, err = m.Pack(); err != nil {
		return fmt.Errorf("the name %q cannot be asked for: %w", c.Name, err)
	}
	return nil
}

func (p *dnsProber) prepareRules(c *sla.DNSCheck) error {
	for _, name := range c.RCodes {
		code, ok := dns.StringToRcode[name]
		if !ok {
			return fmt.Errorf("there is no DNS code %q", name)
		}
		p.rcodes = append(p.rcodes, code)
	}
	if len(p.rcodes) == 0 {
		p.rcodes = []int{dns.RcodeSuccess}
	}
	for _, s := range []struct {
		name  string
		match sla.RecordMatch
		of    func(*dns.Msg) []dns.RR
	}{
		{"answer", c.Answer, func(m *dns.Msg) []dns.RR { return m.Answer }},
		{"authority", c.Authority, func(m *dns.Msg) []dns.RR { return m.Ns }},
		{"additional", c.Additional, func(m *dns.Msg) []dns.RR { return m.Extra }},
	} {
		for _, rule := range []struct {
			name, pattern string
			holds         func(matching, all int) bool
		}{
			{"any", s.match.Any, func(matching, _ int) bool { return matching > 0 }},
			{"all", s.match.All, func(matching, all int) bool { return all > 0 && matching == all }},
			{"none", s.match.None, func(matching, _ int) bool { return matching == 0 }},
		} {
			if rule.pattern == "" {
				continue
			}
			match, err := regexp.Compile(rule.pattern)
			if err != nil {
				return fmt.Errorf("%s.%s: %w", s.name, rule.name, err)
			}
			p.records = append(p.records, recordRule{name: s.name + "." + rule.name, of: s.of, match: match, holds: rule.holds})
		}
	}
	return nil
}

// overHTTPS prepares DNS over HTTPS (RFC 8484): the query is the body of a
// POST, and its ID stays 0.
func (p *dnsProber) overHTTPS(c *sla.DNSCheck, timeout time.Duration, d *dialer) error {
	const media = "application/dns-message"
	made, err := newHTTP(&sla.HTTPCheck{
		URL: c.Server, Method: http.MethodPost, Body: string(p.query),
		Headers:            map[string]string{"Content-Type": media, "Accept": media},
		Status:             []sla.StatusRange{{From: http.StatusOK, To: http.StatusOK}},
		InsecureSkipVerify: c.InsecureSkipVerify, CertificateValidFor: c.CertificateValidFor,
		Options: &sla.HTTPOptions{Files: c.Files},
	}, timeout, d)
	if err != nil {
		return err
	}
	p.https = made.(*httpProber)
	p.address = p.https.first.address
	return nil
}

// Phases of a DNS probe: a packet needs no connection.
func (p *dnsProber) Phases() []Phase {
	switch p.transport {
	case sla.DNSOverUDP:
		return append(resolvePhases(p.address), Processing)
	case sla.DNSOverHTTPS:
		return p.https.Phases()
	}
	return append(connectPhases(p.address, p.transport == sla.DNSOverTLS), Processing)
}

// Probe asks the question once.
func (p *dnsProber) Probe(ctx context.Context, by time.Time) Result {
	r := begin(p.timeout, by)
	r.excerpt = p.dialer.env.Excerpt
	ctx, cancel := context.WithDeadline(ctx, r.deadline)
	defer cancel()
	answer, fault := p.exchange(ctx, &r)
	if fault == nil {
		if fault = p.judge(answer); fault != nil {
			r.captureDNS(answer)
		}
	}
	if fault != nil {
		return r.failed(fault)
	}
	return r.good(fmt.Sprintf("%s, %s", rcodeName(answer), count(len(answer.Answer), "record")))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func rcodeName(m *dns.Msg) string {
	if name, ok := dns.RcodeToString[m.Rcode]; ok {
		return name
	}
	return fmt.Sprintf("code %d", m.Rcode)
}

func (p *dnsProber) exchange(ctx context.Context, r *run) (*dns.Msg, *failure) {
	if p.transport == sla.DNSOverHTTPS {
		return p.post(ctx, r)
	}
	var conn net.Conn
	var fault *failure
	switch p.transport {
	case sla.DNSOverUDP:
		conn, fault = p.dialer.open(ctx, "udp", p.address, r)
	case sla.DNSOverTLS:
		conn, fault = p.dialer.connect(ctx, p.address, p.session, r)
	default:
		conn, fault = p.dialer.connect(ctx, p.address, nil, r)
	}
	if fault != nil {
		return nil, fault
	}
	defer closeNow(conn)
	defer interruptible(ctx, conn)()
	start := time.Now()
	id := dns.Id()
	answer, err := p.sendQuery(conn, id)
	r.phases.Add(Processing, time.Since(start))
	return answer, p.fault(ctx, err)
}

// errNotDNS is the error for an invalid response.
var errNotDNS = errors.New("the answer is not one to the question, or not DNS at all")

func (p *dnsProber) fault(ctx context.Context, err error) *failure {
	if err == nil {
		return nil
	}
	if errors.Is(err, errNotDNS) {
		return &failure{Protocol, "answer of " + p.address + ": " + err.Error()}
	}
	return p.dialer.classify(ctx, err, stage{phase: Processing, address: p.address, what: "answer of " + p.address})
}

// sendQuery sends the query and waits for the answer to it.
func (p *dnsProber) sendQuery(conn net.Conn, id uint16) (*dns.Msg, error) {
	stream := p.transport != sla.DNSOverUDP
	var packet []byte
	if stream {
		packet = binary.BigEndian.AppendUint16(packet, uint16(len(p.query)))
	}
	at := len(packet)
	packet = append(packet, p.query...)
	binary.BigEndian.PutUint16(packet[at:], id)
	if _, err := conn.Write(packet); err != nil {
		return nil, err
	}
	if stream {
		return p.readStream(conn, id)
	}
	return p.readPackets(conn, id)
}

func (p *dnsProber) readStream(conn net.Conn, id uint16) (*dns.Msg, error) {
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, err
	}
	text := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(conn, text); err != nil {
		return nil, err
	}
	return p.parse(text, id)
}

// readPackets waits for the response. It ignores packets with another ID or question,
// which are late or from somebody else.
func (p *dnsProber) readPackets(conn net.Conn, id uint16) (*dns.Msg, error) {
	buf := make([]byte, 64<<10)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return nil, err
		}
		if n < 2 || binary.BigEndian.Uint16(buf) != id {
			continue
		}
		return p.parse(buf[:n], id)
	}
}

func (p *dnsProber) parse(text []byte, id uint16) (*dns.Msg, error) {
	m := new(dns.Msg)
	if err := m.Unpack(text); err != nil || m.Id != id || !m.Response || len(m.Question) > 1 {
		return nil, errNotDNS
	}
	if len(m.Question) == 0 { // as in errors from some servers
		return m, nil
	}
	q := m.Question[0]
	if !strings.EqualFold(q.Name, p.question.Name) || q.Qtype != p.question.Qtype || q.Qclass != p.question.Qclass {
		return nil, errNotDNS
	}
	return m, nil
}

// post asks over HTTPS.
func (p *dnsProber) post(ctx context.Context, r *run) (*dns.Msg, *failure) {
	var answer *dns.Msg
	_, fault := (&exchange{client: &p.https.client, run: r}).ask(ctx, p.https.first, func(_ *http.Response, text []byte) *failure {
		var err error
		answer, err = p.parse(text, 0)
		return p.fault(ctx, err)
	})
	return answer, fault
}

// recordRule is a condition on the records of a section.
type recordRule struct {
	name  string // "answer.any"
	of    func(*dns.Msg) []dns.RR
	match *regexp.Regexp
	holds func(matching, all int) bool
}

func (p *dnsProber) judge(m *dns.Msg) *failure {
	if !slices.Contains(p.rcodes, m.Rcode) {
		return &failure{RCode, rcodeName(m)}
	}
	if m.Truncated && len(p.records) > 0 {
		return &failure{Records, rcodeName(m) + "; the answer was cut short to fit a packet, ask with transport: tcp"}
	}
	for _, rule := range p.records {
		matching, all := 0, 0
		for _, rr := range rule.of(m) {
			if rr.Header().Rrtype == dns.TypeOPT { // part of the packet, not of the zone
				continue
			}
			all++
			if rule.match.MatchString(strings.ReplaceAll(rr.String(), "\t", " ")) {
				matching++
			}
		}
		if !rule.holds(matching, all) {
			return &failure{Records, fmt.Sprintf("%s; %s does not hold: %d of %s match", rcodeName(m), rule.name, matching, count(all, "record"))}
		}
	}
	return nil
}
