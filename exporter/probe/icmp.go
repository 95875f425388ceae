package probe

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/upheld-sla/upheld/sla"
)

var icmpReasons = []Reason{Loss, Privilege}

// PacketFacts are the results for the packets of a probe that sends several of its own.
type PacketFacts struct {
	Sent, Received int
	Min, Mean, Max time.Duration // of the round trips; 0 without a response
	// Jitter is the mean difference between the round trips of consecutive responses; 0
	// with fewer than two.
	Jitter time.Duration
}

// icmpProber sends echo requests and counts the replies.
type icmpProber struct {
	host    string
	packets int
	gap     time.Duration
	maxLoss sla.Decimal
	payload int
	ttl     int // 0: the system's
	timeout time.Duration
	dialer  *dialer
	listen  func(network, address string) (*icmp.PacketConn, error)
}

func newICMP(check sla.Check, timeout time.Duration, d *dialer) (Prober, error) {
	c, ok := check.(*sla.ICMPCheck)
	if !ok {
		return nil, fmt.Errorf("an icmp prober was given a %T", check)
	}
	if c.Host == "" || c.Packets < 1 || c.Packets > 1<<15 || c.PayloadSize < tokenSize || c.PacketInterval <= 0 && c.Packets > 1 {
		return nil, errors.New("an icmp prober needs a host, packets, time between them and a payload of 16 bytes or more")
	}
	if strings.Contains(c.Host, "@") {
		return nil, errors.New("the host has a user name or token before it, which an icmp probe has no use for")
	}
	host, err := sla.ASCIIHost(c.Host)
	if err != nil {
		return nil, err
	}
	return &icmpProber{
		host: host, packets: c.Packets, gap: c.PacketInterval, maxLoss: c.MaxLoss, payload: c.PayloadSize, ttl: c.TTL,
		timeout: timeout, dialer: d, listen: icmp.ListenPacket,
	}, nil
}

// Phases of an ICMP probe: Processing is the mean round trip.
func (p *icmpProber) Phases() []Phase {
	if _, err := netip.ParseAddr(p.host); err == nil {
		return []Phase{Processing}
	}
	return []Phase{Resolve, Processing}
}

// Probe sends all packets, and waits for their replies.
func (p *icmpProber) Probe(ctx context.Context, by time.Time) Result {
	r := begin(p.timeout, by)
	ctx, cancel := context.WithDeadline(ctx, r.deadline)
	defer cancel()
	address, fault := p.resolve(ctx, &r)
	if fault != nil {
		return r.failed(fault)
	}
	if fault := p.dialer.checkAddress(p.host, address); fault != nil {
		return r.failed(fault)
	}
	s, fault := p.open(address)
	if fault != nil {
		return r.failed(fault)
	}
	defer s.conn.Close()
	defer context.AfterFunc(ctx, func() { _ = s.conn.SetDeadline(time.Unix(1, 0)) })()
	fault = s.run(ctx, r.deadline)
	r.packets = s.facts()
	if r.packets.Received > 0 {
		r.phases.Add(Processing, r.packets.Mean)
	}
	if fault == nil {
		fault = p.judge(s, r.packets)
	}
	if fault != nil {
		return r.failed(fault)
	}
	result := r.good(r.packets.String())
	resolved, _ := r.phases.Get(Resolve)
	result.Duration = resolved + r.packets.Mean
	return result
}

// resolve returns the address to send to: the first usable one.
func (p *icmpProber) resolve(ctx context.Context, r *run) (netip.Addr, *failure) {
	at := stage{phase: Connect, what: "echo to " + p.host}
	if guard := p.dialer.env.Guard; guard != nil {
		if err := guard.Host(p.host); err != nil {
			return netip.Addr{}, p.dialer.classify(ctx, &refusal{err}, at)
		}
	}
	addresses, err := p.dialer.lookup(ctx, p.host, &r.phases)
	if err != nil {
		return netip.Addr{}, p.dialer.classify(ctx, err, at)
	}
	return addresses[0], nil
}

// open makes a socket for echoes: one that needs no privilege, or else a raw one. It is
// not the target's fault if neither is allowed.
func (p *icmpProber) open(address netip.Addr) (*echoes, *failure) {
	s := &echoes{prober: p, address: address, to: &net.UDPAddr{IP: address.AsSlice(), Zone: address.Zone()}, answers: make([]time.Duration, p.packets), sent: make([]time.Time, p.packets)}
	_, _ = rand.Read(s.token[:])
	free, raw, local := "udp4", "ip4:icmp", "0.0.0.0"
	if address.Is6() {
		free, raw, local = "udp6", "ip6:ipv6-icmp", "::"
	}
	if source := p.dialer.network.Source; source.IsValid() {
		local = source.String()
	}
	var err error
	if s.conn, err = p.listen(free, local); err != nil && (errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.EPROTONOSUPPORT)) {
		s.to = &net.IPAddr{IP: address.AsSlice(), Zone: address.Zone()}
		if s.conn, err = p.listen(raw, local); err == nil {
			s.filter()
		}
	}
	if errors.Is(err, os.ErrPermission) {
		return nil, &failure{Privilege, "open an ICMP socket: not permitted; allow net.ipv4.ping_group_range or CAP_NET_RAW"}
	}
	if err != nil {
		return nil, p.dialer.classify(context.Background(), err, stage{phase: Connect, what: "open an ICMP socket"})
	}
	if err := s.limitHops(p.ttl); err != nil {
		s.conn.Close()
		return nil, p.dialer.classify(context.Background(), err, stage{phase: Connect, what: "limit the hops of ICMP packets"})
	}
	return s, nil
}

// limitHops bounds how far packets go; 0 means the system's default.
func (s *echoes) limitHops(ttl int) error {
	if ttl == 0 {
		return nil
	}
	if c := s.conn.IPv4PacketConn(); c != nil {
		return c.SetTTL(ttl)
	}
	return s.conn.IPv6PacketConn().SetHopLimit(ttl)
}

// tokenSize is how much of a payload identifies a reply as this probe's.
const tokenSize = 16

// echoes are the packets of one running probe.
type echoes struct {
	prober      *icmpProber
	conn        *icmp.PacketConn
	address     netip.Addr
	to          net.Addr
	token       [tokenSize]byte
	next        int // packet to send
	sent        []time.Time
	answers     []time.Duration // 0: none so far
	received    int
	unreachable bool // a router said so
}

// filter keeps only replies and errors on a raw socket, which gets every ICMP packet of
// the host.
func (s *echoes) filter() {
	if c := s.conn.IPv4PacketConn(); c != nil {
		var f ipv4.ICMPFilter
		f.SetAll(true)
		f.Accept(ipv4.ICMPTypeEchoReply)
		f.Accept(ipv4.ICMPTypeDestinationUnreachable)
		_ = c.SetICMPFilter(&f)
		return
	}
	if c := s.conn.IPv6PacketConn(); c != nil {
		var f ipv6.ICMPFilter
		f.SetAll(true)
		f.Accept(ipv6.ICMPTypeEchoReply)
		f.Accept(ipv6.ICMPTypeDestinationUnreachable)
		_ = c.SetICMPFilter(&f)
	}
}

// run sends and listens until every packet is answered, or until the deadline.
func (s *echoes) run(ctx context.Context, deadline time.Time) *failure {
	start := time.Now()
	buf := make([]byte, 64<<10)
	for s.received < s.prober.packets {
		due := start.Add(time.Duration(s.next) * s.prober.gap)
		if s.next < s.prober.packets && !time.Now().Before(due) {
			if fault := s.send(ctx); fault != nil {
				return fault
			}
			continue
		}
		wait := deadline
		if s.next < s.prober.packets && due.Before(wait) {
			wait = due
		}
		if err := s.conn.SetReadDeadline(wait); err != nil {
			return s.classify(ctx, err)
		}
		if ctx.Err() != nil { // check it after setting the deadline, since the end of ctx sets it too
			return s.timeUp(ctx)
		}
		n, from, err := s.conn.ReadFrom(buf)
		now := time.Now()
		switch {
		case err == nil:
			s.accept(buf[:n], from, now)
		case !isTimeout(err):
			return s.classify(ctx, err)
		case !now.Before(deadline):
			return s.timeUp(ctx)
		}
	}
	return nil
}

// timeUp returns a failure if the probe ran out of time through somebody else's fault
// than the target's.
func (s *echoes) timeUp(ctx context.Context) *failure {
	fault := s.prober.dialer.classify(ctx, context.DeadlineExceeded, stage{phase: Processing, what: "echo of " + s.address.String()})
	if fault.reason == Timeout {
		return nil // to be judged by the share of lost packets
	}
	return fault
}

func (s *echoes) classify(ctx context.Context, err error) *failure {
	address := net.JoinHostPort(s.address.String(), "7") // only to ask for a route; nothing is sent there
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		err = errno // without the address of a packet, which has no port
	}
	return s.prober.dialer.classify(ctx, err, stage{phase: Connect, address: address, what: "echo to " + s.address.String()})
}

func (s *echoes) send(ctx context.Context) *failure {
	var kind icmp.Type = ipv4.ICMPTypeEcho
	if s.address.Is6() {
		kind = ipv6.ICMPTypeEchoRequest
	}
	data := make([]byte, s.prober.payload)
	copy(data, s.token[:])
	message := icmp.Message{Type: kind, Body: &icmp.Echo{ID: s.id(), Seq: s.next, Data: data}}
	packet, err := message.Marshal(nil)
	if err != nil {
		return &failure{Protocol, "an ICMP packet could not be made"}
	}
	s.sent[s.next] = time.Now()
	s.next++
	if _, err := s.conn.WriteTo(packet, s.to); err != nil {
		return s.classify(ctx, err)
	}
	return nil
}

// id names the probe in packets of raw sockets; for others the kernel does.
func (s *echoes) id() int { return int(binary.BigEndian.Uint16(s.token[:])) }

// accept takes a packet if it replies to one of this probe's; the first reply counts.
func (s *echoes) accept(packet []byte, from net.Addr, at time.Time) {
	protocol := 1
	if s.address.Is6() {
		protocol = 58
	}
	message, err := icmp.ParseMessage(protocol, packet)
	if err != nil {
		return
	}
	switch body := message.Body.(type) {
	case *icmp.Echo:
		reply := message.Type == ipv4.ICMPTypeEchoReply || message.Type == ipv6.ICMPTypeEchoReply
		if !reply || body.Seq >= s.next || len(body.Data) != s.prober.payload || [tokenSize]byte(body.Data) != s.token || !s.isFrom(from) {
			return
		}
		if s.answers[body.Seq] == 0 {
			s.answers[body.Seq] = max(at.Sub(s.sent[body.Seq]), 1)
			s.received++
		}
	case *icmp.DstUnreach:
		s.unreachable = s.unreachable || s.quotesOwnPacket(body.Data)
	}
}

func (s *echoes) isFrom(from net.Addr) bool {
	var ip net.IP
	switch a := from.(type) {
	case *net.UDPAddr:
		ip = a.IP
	case *net.IPAddr:
		ip = a.IP
	}
	address, ok := netip.AddrFromSlice(ip)
	return ok && address.Unmap() == s.address.WithZone("")
}

// quotesOwnPacket reports whether an error is about a packet of this probe: it quotes the
// packet's IP header and at least 8 bytes more.
func (s *echoes) quotesOwnPacket(data []byte) bool {
	header := 40
	if !s.address.Is6() {
		if len(data) < 20 {
			return false
		}
		header = int(data[0]&0x0f) * 4
	}
	if len(data) < header+8 {
		return false
	}
	return int(binary.BigEndian.Uint16(data[header+4:])) == s.id()
}

func (s *echoes) facts() *PacketFacts {
	f := &PacketFacts{Sent: s.next, Received: s.received}
	if s.received == 0 {
		return f
	}
	var sum, differences, previous time.Duration
	for _, rtt := range s.answers {
		if rtt == 0 {
			continue
		}
		sum += rtt
		if previous != 0 {
			differences += (rtt - previous).Abs()
		}
		if f.Min == 0 || rtt < f.Min {
			f.Min = rtt
		}
		f.Max = max(f.Max, rtt)
		previous = rtt
	}
	f.Mean = sum / time.Duration(s.received)
	if s.received > 1 {
		f.Jitter = differences / time.Duration(s.received-1)
	}
	return f
}

// String is the facts for people.
func (f *PacketFacts) String() string {
	text := fmt.Sprintf("%d of %s answered", f.Received, count(f.Sent, "packet"))
	if f.Received > 0 {
		text += fmt.Sprintf(", round trip min %s, mean %s, max %s", micro(f.Min), micro(f.Mean), micro(f.Max))
	}
	if f.Received > 1 {
		text += ", jitter " + micro(f.Jitter)
	}
	return text
}

func micro(d time.Duration) string { return d.Round(time.Microsecond).String() }

// judge checks whether too many packets were lost.
func (p *icmpProber) judge(s *echoes, f *PacketFacts) *failure {
	if f.Received == 0 {
		if s.unreachable {
			return &failure{Unreachable, "echo to " + s.address.String() + ": a router says that it cannot be reached"}
		}
		return &failure{Timeout, "echo to " + s.address.String() + ": " + f.String()}
	}
	lost := sla.NewDecimal(int64(p.packets-f.Received)*100, int64(p.packets))
	if lost.Cmp(p.maxLoss) > 0 {
		return &failure{Loss, "echo to " + s.address.String() + ": " + f.String()}
	}
	return nil
}
