package probe_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

// unixServer hands every connection to talk, and closes it after.
func unixServer(t testing.TB, talk func(net.Conn)) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				talk(conn)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
	return path
}

// upper answers a line in capitals.
func upper(c net.Conn) {
	line, _ := bufio.NewReader(c).ReadString('\n')
	_, _ = io.WriteString(c, strings.ToUpper(line))
}

var shout = []sla.Step{{Send: "ping"}, {Expect: "^PING$"}}

func TestUnix(t *testing.T) {
	mustBeGood(t, probe.Env{}, &sla.UnixCheck{Path: unixServer(t, upper), Dialogue: shout})
	mustBeGood(t, probe.Env{}, &sla.UnixCheck{Path: unixServer(t, upper)})
	hang := unixServer(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	closing := unixServer(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 10)) })
	dead := func() string {
		path := filepath.Join(t.TempDir(), "dead")
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		l.SetUnlinkOnClose(false)
		l.Close()
		return path
	}()
	checkFailures(t, []failing{
		{name: "no such socket", check: &sla.UnixCheck{Path: filepath.Join(t.TempDir(), "none")}, want: probe.ConnectRefused, outcome: probe.Bad, detail: "no such file", phases: []probe.Phase{probe.Connect}},
		{name: "nobody listens", check: &sla.UnixCheck{Path: dead}, want: probe.ConnectRefused, outcome: probe.Bad},
		{name: "no socket", check: &sla.UnixCheck{Path: "/proc/self/status"}, want: probe.ConnectRefused, outcome: probe.Bad},
		{name: "silence", check: &sla.UnixCheck{Path: hang, Dialogue: shout}, timeout: patience, want: probe.Timeout, outcome: probe.Bad, phases: []probe.Phase{probe.Connect, probe.Processing}},
		{name: "closed", check: &sla.UnixCheck{Path: closing, Dialogue: shout}, want: probe.Reset, outcome: probe.Bad},
		{name: "another answer", check: &sla.UnixCheck{Path: unixServer(t, upper), Dialogue: []sla.Step{{Send: "x"}, {Expect: "y"}}}, want: probe.Dialogue, outcome: probe.Bad},
	})
}

func TestUDP(t *testing.T) {
	chatty := packets(t, func(q []byte) [][]byte { return [][]byte{[]byte("noise"), {0, 1}, []byte(strings.ToUpper(string(q)))} })
	mute := packets(t, func([]byte) [][]byte { return nil })
	empty := func() string {
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer pc.Close()
		return pc.LocalAddr().String()
	}()
	mustBeGood(t, probe.Env{}, &sla.UDPCheck{Address: chatty, Dialogue: shout})
	mustBeGood(t, probe.Env{}, &sla.UDPCheck{Address: chatty, Dialogue: []sla.Step{{SendBytes: []byte("abc")}, {ExpectBytes: []byte("BC")}}})
	checkFailures(t, []failing{
		{name: "silence", check: &sla.UDPCheck{Address: mute, Dialogue: shout}, timeout: patience, want: probe.Timeout, outcome: probe.Bad, detail: "step 2 of 2 (expect)", phases: []probe.Phase{probe.Processing}},
		{name: "nobody there", check: &sla.UDPCheck{Address: empty, Dialogue: shout}, want: probe.ConnectRefused, outcome: probe.Bad},
		{name: "only other packets", check: &sla.UDPCheck{Address: chatty, Dialogue: []sla.Step{{Send: "x"}, {Expect: "^never$"}}}, timeout: patience, want: probe.Timeout, outcome: probe.Bad, detail: "received 3 packets"},
	})
	for name, steps := range map[string][]sla.Step{"nothing expected": {{Send: "x"}}, "TLS": {{Expect: "x"}, {StartTLS: true}}, "a step of nothing": {{Expect: "x"}, {}}} {
		if _, err := probe.NewFactory(probe.Env{}).New(&sla.Probe{Check: &sla.UDPCheck{Address: mute, Dialogue: steps}, Timeout: time.Second}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// noAddresses is a guard that lets names pass and no address.
type noAddresses struct{}

func (noAddresses) Host(string) error        { return nil }
func (noAddresses) Address(netip.Addr) error { return errors.New("no") }
func (noAddresses) Socket(string) error      { return errors.New("no") }

// TestEveryKindAsksTheGuard demands that no kind goes where it may not.
func TestEveryKindAsksTheGuard(t *testing.T) {
	for _, kind := range probe.Kinds() {
		t.Run(kind, func(t *testing.T) {
			r := once(t, probe.Env{Guard: noAddresses{}, RootCAs: newAuthority().pool()}, realServers[kind](t), time.Second)
			if r.Reason != probe.Denied {
				t.Errorf("%+v", r)
			}
		})
	}
}
