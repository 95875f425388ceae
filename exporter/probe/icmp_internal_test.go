package probe

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"

	"github.com/upheld-sla/upheld/sla"
)

func newEchoes(packets int, maxLoss string) (*icmpProber, *echoes) {
	p := &icmpProber{packets: packets, payload: 56, maxLoss: sla.MustDecimal(maxLoss), dialer: newDialer(Env{})}
	s := &echoes{prober: p, address: netip.MustParseAddr("192.0.2.1"), sent: make([]time.Time, packets), answers: make([]time.Duration, packets), next: packets}
	copy(s.token[:], "this probe's own")
	for i := range s.sent {
		s.sent[i] = time.Unix(1000, 0)
	}
	return p, s
}

func (s *echoes) reply(seq int, change func(*icmp.Message, *icmp.Echo)) []byte {
	echo := &icmp.Echo{ID: 7, Seq: seq, Data: append(s.token[:], make([]byte, s.prober.payload-tokenSize)...)}
	m := &icmp.Message{Type: ipv4.ICMPTypeEchoReply, Body: echo}
	if change != nil {
		change(m, echo)
	}
	packet, err := m.Marshal(nil)
	if err != nil {
		panic(err)
	}
	return packet
}

func TestOnlyAnswersToThisProbeCount(t *testing.T) {
	from := &net.IPAddr{IP: net.IPv4(192, 0, 2, 1)}
	at := time.Unix(1000, int64(time.Millisecond))
	for name, c := range map[string]struct {
		change func(*icmp.Message, *icmp.Echo)
		from   net.Addr
		want   int
	}{
		"an answer":            {nil, from, 1},
		"of a UDP-like socket": {nil, &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1)}, 1},
		"the request":          {func(m *icmp.Message, _ *icmp.Echo) { m.Type = ipv4.ICMPTypeEcho }, from, 0},
		"another token":        {func(_ *icmp.Message, e *icmp.Echo) { e.Data[3]++ }, from, 0},
		"shorter":              {func(_ *icmp.Message, e *icmp.Echo) { e.Data = e.Data[:tokenSize] }, from, 0},
		"nothing in it":        {func(_ *icmp.Message, e *icmp.Echo) { e.Data = nil }, from, 0},
		"not yet sent":         {func(_ *icmp.Message, e *icmp.Echo) { e.Seq = 3 }, from, 0},
		"another host":         {nil, &net.IPAddr{IP: net.IPv4(192, 0, 2, 9)}, 0},
	} {
		_, s := newEchoes(3, "0")
		s.accept(s.reply(1, c.change), c.from, at)
		s.accept(s.reply(1, c.change), c.from, at.Add(time.Second)) // the same again
		if s.received != c.want {
			t.Errorf("%s: %d count", name, s.received)
		}
		if f := s.facts(); c.want == 1 && f.Mean != time.Millisecond {
			t.Errorf("%s: %+v", name, f)
		}
	}
	_, s := newEchoes(1, "0")
	for _, garbage := range [][]byte{nil, {0}, {0, 0, 0, 0}, []byte("no ICMP at all, but long enough"), make([]byte, 2000)} {
		s.accept(garbage, from, at)
	}
	if s.received != 0 {
		t.Error("garbage counts")
	}
}

func TestLossIsHeldToItsBound(t *testing.T) {
	for _, c := range []struct {
		packets, answered int
		maxLoss           string
		want              Reason
	}{
		{5, 5, "0", ""},
		{5, 4, "0", Loss},
		{5, 4, "20", ""},
		{5, 3, "20", Loss},
		{5, 3, "39.9", Loss},
		{3, 2, "33.3", Loss},
		{3, 2, "33.4", ""},
		{5, 0, "99", Timeout},
		{1, 0, "0", Timeout},
	} {
		p, s := newEchoes(c.packets, c.maxLoss)
		for i := range c.answered {
			s.accept(s.reply(i, nil), &net.IPAddr{IP: net.IPv4(192, 0, 2, 1)}, time.Unix(1000, int64(i+1)*int64(time.Millisecond)))
		}
		var got Reason
		if fault := p.judge(s, s.facts()); fault != nil {
			got = fault.reason
		}
		if got != c.want {
			t.Errorf("%d of %d with a loss of up to %s: %q, want %q", c.answered, c.packets, c.maxLoss, got, c.want)
		}
	}
	_, s := newEchoes(4, "0")
	for i, ms := range []int64{10, 14, 11} {
		s.accept(s.reply(i, nil), &net.IPAddr{IP: net.IPv4(192, 0, 2, 1)}, time.Unix(1000, ms*int64(time.Millisecond)))
	}
	want := PacketFacts{Sent: 4, Received: 3, Min: 10e6, Mean: 35 * time.Millisecond / 3, Max: 14e6, Jitter: 35e5}
	if f := s.facts(); *f != want {
		t.Errorf("%+v, want %+v", *f, want)
	}
}

func TestRoutersErrorsAreTheirPackets(t *testing.T) {
	_, s := newEchoes(1, "0")
	quote := func(id uint16) []byte {
		header := make([]byte, 28)
		header[0] = 0x45
		header[20] = 8 // echo
		header[24], header[25] = byte(id>>8), byte(id)
		m := icmp.Message{Type: ipv4.ICMPTypeDestinationUnreachable, Code: 1, Body: &icmp.DstUnreach{Data: header}}
		packet, err := m.Marshal(nil)
		if err != nil {
			t.Fatal(err)
		}
		return packet
	}
	router := &net.IPAddr{IP: net.IPv4(192, 0, 2, 254)}
	if s.accept(quote(uint16(s.id())+1), router, time.Now()); s.unreachable {
		t.Error("another's error counts")
	}
	if s.accept(quote(uint16(s.id())), router, time.Now()); !s.unreachable {
		t.Error("the error does not count")
	}
}

func TestWantOfSocketsIsOurOwnFault(t *testing.T) {
	for err, want := range map[error]Reason{
		syscall.EPERM: Privilege, syscall.EACCES: Privilege, syscall.EMFILE: NoFD, syscall.ENOBUFS: NoMemory, syscall.EAFNOSUPPORT: LocalNetwork,
		errors.Join(syscall.EPROTONOSUPPORT): LocalNetwork,
	} {
		p, _ := newEchoes(1, "0")
		p.host, p.timeout, p.gap = "192.0.2.1", time.Second, time.Second
		p.listen = func(string, string) (*icmp.PacketConn, error) {
			return nil, &net.OpError{Op: "listen", Err: os.NewSyscallError("socket", err)}
		}
		if r := p.Probe(t.Context(), time.Time{}); r.Reason != want || r.Outcome != Inconclusive {
			t.Errorf("%v: %+v", err, r)
		}
	}
}
