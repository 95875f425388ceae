package probe_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

// road is a network between prober and server that takes its time with the n-th
// piece of each direction, counted from 0, or loses it.
type road func(n int) (takes time.Duration, lost bool)

const roadTakes = 40 * time.Millisecond

// long is a road on which every third piece is sent again, as TCP does it.
func long(n int) (time.Duration, bool) {
	if n%3 == 2 {
		return 3 * roadTakes, false
	}
	return roadTakes, false
}

// losing is a road on which every third packet is lost.
func losing(n int) (time.Duration, bool) { return roadTakes, n%3 == 2 }

// broken is a road on which nothing arrives from the n-th piece on.
func broken(from int) road { return func(n int) (time.Duration, bool) { return 0, n >= from } }

// carry hands pieces on in order, each when its time has come, and reports whether
// the end of them arrives too.
func (r road) carry(read func([]byte) (int, error), write func([]byte) error) (ends bool) {
	type piece struct {
		content []byte
		arrives time.Time
	}
	pieces := make(chan piece, 1000)
	var done sync.WaitGroup
	done.Go(func() {
		for p := range pieces {
			time.Sleep(time.Until(p.arrives))
			if write(p.content) != nil {
				break
			}
		}
		for range pieces { // nobody wants them
			continue
		}
	})
	for n := 0; ; n++ {
		buf := make([]byte, 4096)
		k, err := read(buf)
		takes, lost := r(n)
		if k > 0 && !lost {
			pieces <- piece{buf[:k], time.Now().Add(takes)}
		}
		if err != nil {
			close(pieces)
			done.Wait()
			return !lost
		}
	}
}

// overTCP is the address of a road to a server.
func (r road) overTCP(t testing.TB, to string) string {
	return rawServer(t, func(near net.Conn) {
		far, err := net.Dial("tcp", to)
		if err != nil {
			return
		}
		var both sync.WaitGroup
		both.Go(func() {
			r.carry(near.Read, func(b []byte) error { _, err := far.Write(b); return err })
			far.Close()
		})
		if r.carry(far.Read, func(b []byte) error { _, err := near.Write(b); return err }) {
			near.Close()
		}
		both.Wait()
	})
}

// overUDP is the address of a road to a server of packets, for one prober after
// the other.
func (r road) overUDP(t testing.TB, to string) string {
	t.Helper()
	near, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	roads := map[string]chan []byte{}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			buf := make([]byte, 2048)
			k, from, err := near.ReadFrom(buf)
			mu.Lock()
			if err != nil {
				for _, packets := range roads {
					close(packets)
				}
				mu.Unlock()
				return
			}
			packets := roads[from.String()]
			if packets == nil {
				packets = make(chan []byte, 1000)
				roads[from.String()] = packets
				all.Go(func() { r.packets(near, from, to, packets) })
			}
			mu.Unlock()
			packets <- buf[:k]
		}
	})
	t.Cleanup(func() {
		near.Close()
		all.Wait()
	})
	return near.LocalAddr().String()
}

// packets carries those of one prober, until there are no more.
func (r road) packets(near net.PacketConn, from net.Addr, to string, packets <-chan []byte) {
	far, err := net.Dial("udp", to)
	if err != nil {
		return
	}
	var back sync.WaitGroup
	back.Go(func() {
		r.carry(far.Read, func(b []byte) error { _, err := near.WriteTo(b, from); return err })
	})
	r.carry(func(b []byte) (int, error) {
		p, ok := <-packets
		if !ok {
			return 0, io.EOF
		}
		return copy(b, p), nil
	}, func(b []byte) error { _, err := far.Write(b); return err })
	far.Close()
	back.Wait()
}

func hostOf(url string) string {
	return strings.TrimPrefix(strings.TrimPrefix(url, "http://"), "https://")
}

// TestLongRoads probes each kind of server over a road on which a round trip takes
// 80 ms, and each third piece longer: all is well, the durations are those of the
// road, and the exporter does not take them for its own.
func TestLongRoads(t *testing.T) {
	ca := newAuthority()
	cert := ca.sign(t, "localhost", time.Now().Add(time.Hour))
	env := probe.Env{RootCAs: ca.pool()}
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	echo := packets(t, func(query []byte) [][]byte { return [][]byte{query} })
	version := func(v sla.HTTPVersion, over func(testing.TB, string) string) *sla.HTTPCheck {
		check := get("https://" + over(t, hostOf(serveVersion(t, v, cert, hello))))
		check.Options = &sla.HTTPOptions{Versions: []sla.HTTPVersion{v}}
		return check
	}
	tcp, udp := road(long).overTCP, road(long).overUDP
	for name, c := range map[string]struct {
		check sla.Check
		trips int // at least
		tls   bool
	}{
		"http":          {get("http://" + tcp(t, hostOf(webServer(t, hello).URL))), 1, false},
		"https":         {version(sla.HTTP11, tcp), 2, true},
		"http2":         {version(sla.HTTP2, tcp), 2, true},
		"http3":         {version(sla.HTTP3, udp), 2, true},
		"smtp":          {&sla.TCPCheck{Address: tcp(t, mailServer(t, cert, "")), Dialogue: smtp}, 5, true},
		"tls":           {&sla.TLSCheck{Address: tcp(t, hostOf(tlsServer(t, cert).URL))}, 1, true},
		"dns":           {ask(udp(t, nameServer(t, "udp", cert, zone)), "udp", "shop.example", "A"), 1, false},
		"dns over tcp":  {ask(tcp(t, nameServer(t, "tcp", cert, zone)), "tcp", "shop.example", "A"), 1, false},
		"udp":           {&sla.UDPCheck{Address: udp(t, echo), Dialogue: []sla.Step{{Send: "x"}, {Expect: "x"}}}, 1, false},
		"grpc with tls": {&sla.GRPCCheck{Address: tcp(t, healthServer(t, &cert, func(context.Context) error { return nil })), TLS: true}, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			least := time.Duration(c.trips) * 2 * roadTakes
			for range 20 { // other work on the machine may make the exporter late indeed
				r := once(t, env, c.check, 20*time.Second)
				if r.Outcome != probe.Good || r.Duration < least {
					t.Fatalf("%d round trips and more: %+v", c.trips, r)
				}
				if handshake, _ := r.Phases.Get(probe.TLS); c.tls && handshake < 2*roadTakes {
					t.Errorf("the handshake took %s", handshake)
				}
				if r.Duration-r.Late >= least {
					return
				}
				t.Logf("of %s, %s are said to be the exporter's own", r.Duration, r.Late)
			}
			t.Error("the time on the road is said to be the exporter's own")
		})
	}
}

// TestLossyRoads has packets lost: where the protocol sends them again all is well,
// and where not, or where the road ends, the target is not reached, for the reason
// that fits.
func TestLossyRoads(t *testing.T) {
	ca := newAuthority()
	cert := ca.sign(t, "localhost", time.Now().Add(time.Hour))
	env := probe.Env{RootCAs: ca.pool()}
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 5 {
			_, _ = io.WriteString(w, strings.Repeat("hello", 100))
			_ = http.NewResponseController(w).Flush()
			time.Sleep(20 * time.Millisecond)
		}
	})
	quic := func(r road) *sla.HTTPCheck {
		check := get("https://" + r.overUDP(t, hostOf(serveVersion(t, sla.HTTP3, cert, page))))
		check.Options = &sla.HTTPOptions{Versions: []sla.HTTPVersion{sla.HTTP3}}
		return check
	}
	h2 := func(r road) *sla.HTTPCheck {
		check := get("https://" + r.overTCP(t, hostOf(serveVersion(t, sla.HTTP2, cert, page))))
		check.Options = &sla.HTTPOptions{Versions: []sla.HTTPVersion{sla.HTTP2}}
		return check
	}
	health := func(r road) *sla.GRPCCheck {
		return &sla.GRPCCheck{Address: r.overTCP(t, healthServer(t, nil, func(context.Context) error { return nil }))}
	}
	web, secure := hostOf(webServer(t, page).URL), hostOf(tlsServer(t, cert).URL)
	names := nameServer(t, "udp", cert, zone)
	for name, c := range map[string]struct {
		check sla.Check
		want  probe.Reason // "" for good
	}{
		"http3 over a road that loses packets": {quic(losing), ""},
		"http3 over no road":                   {quic(broken(0)), probe.ConnectTimeout},
		"http3 that breaks off":                {quic(broken(6)), probe.Timeout},
		"http2 whose request is lost":          {h2(broken(2)), probe.Timeout},
		"http2 whose body breaks off":          {h2(broken(5)), probe.Timeout},
		"grpc whose request is lost":           {health(broken(0)), probe.Timeout},
		"grpc whose answer is lost":            {health(broken(1)), probe.Timeout},
		"dns whose question is lost":           {ask(broken(0).overUDP(t, names), "udp", "shop.example", "A"), probe.Timeout},
		"http whose request is lost":           {get("http://" + broken(0).overTCP(t, web)), probe.Timeout},
		"http whose body breaks off":           {get("http://" + broken(2).overTCP(t, web)), probe.Timeout},
		"https whose handshake is lost":        {get("https://" + broken(0).overTCP(t, secure)), probe.Timeout},
		"https that breaks off after it":       {get("https://" + broken(1).overTCP(t, secure)), probe.Timeout},
		"smtp that breaks off":                 {&sla.TCPCheck{Address: broken(2).overTCP(t, mailServer(t, cert, "")), Dialogue: smtp}, probe.Timeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			timeout := 20 * time.Second
			if c.want != "" {
				timeout = time.Second
			}
			r := once(t, env, c.check, timeout)
			if r.Reason != c.want {
				t.Errorf("%s %q: %s", r.Outcome, r.Reason, r.Detail)
			}
			if c.want != "" && r.Outcome != probe.Bad {
				t.Errorf("%q is the exporter's fault", r.Reason)
			}
		})
	}
}
