package probe_test

import (
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

func ping(host string) *sla.ICMPCheck {
	return &sla.ICMPCheck{Host: host, Packets: 1, PacketInterval: 10 * time.Millisecond, PayloadSize: 56}
}

func pings(host string, n int) *sla.ICMPCheck {
	c := ping(host)
	c.Packets = n
	return c
}

// mayPing skips where this process may not open ICMP sockets.
func mayPing(t *testing.T) {
	t.Helper()
	if r := once(t, probe.Env{}, ping("127.0.0.1"), time.Second); r.Reason == probe.Privilege {
		t.Skip(r.Detail)
	}
}

func TestICMP(t *testing.T) {
	mayPing(t)
	for name, check := range map[string]*sla.ICMPCheck{
		"one packet": ping("127.0.0.1"),
		"several":    pings("127.0.0.1", 5),
		"IPv6":       pings("::1", 3),
		"a name":     {Host: "localhost", Packets: 2, PacketInterval: 10 * time.Millisecond, PayloadSize: 16},
		"a bound":    {Host: "127.0.0.1", Packets: 1, PacketInterval: 10 * time.Millisecond, PayloadSize: 16, TTL: 3},
		"an IPv6":    {Host: "::1", Packets: 1, PacketInterval: 10 * time.Millisecond, PayloadSize: 16, TTL: 3},
		"large":      {Host: "127.0.0.1", Packets: 2, PacketInterval: 10 * time.Millisecond, PayloadSize: 1452},
	} {
		t.Run(name, func(t *testing.T) {
			r := mustBeGood(t, probe.Env{}, check)
			f := r.Packets
			if f == nil || f.Sent != check.Packets || f.Received != check.Packets || f.Min <= 0 || f.Min > f.Mean || f.Mean > f.Max || f.Max > time.Second {
				t.Fatalf("%+v", f)
			}
			if (f.Jitter > 0) != (check.Packets > 1) {
				t.Errorf("jitter %s of %d packets", f.Jitter, f.Received)
			}
			if got, _ := r.Phases.Get(probe.Processing); got != f.Mean || r.Duration < f.Mean || r.Duration > f.Mean+time.Second {
				t.Errorf("took %s, processing %s, mean round trip %s", r.Duration, got, f.Mean)
			}
		})
	}
}

// TestICMPPassesOverPacketsOfOthers runs many probes of one host at once: raw
// sockets get the answers of all of them.
func TestICMPPassesOverPacketsOfOthers(t *testing.T) {
	mayPing(t)
	results := make(chan probe.Result)
	for range 20 {
		go func() { results <- once(t, probe.Env{}, pings("127.0.0.1", 3), 5*time.Second) }()
	}
	for range 20 {
		if r := <-results; r.Outcome != probe.Good || r.Packets.Received != 3 {
			t.Errorf("%+v %+v", r, r.Packets)
		}
	}
}

func TestICMPOfNamesThatFail(t *testing.T) {
	names := map[string]reply{"gone.test.": {code: dnsmessage.RCodeNameError}}
	checkFailures(t, []failing{
		{name: "no such name", check: ping("gone.test"), env: probe.Env{Resolver: resolverWith(t, names)}, want: probe.DNS, outcome: probe.Bad, phases: []probe.Phase{probe.Resolve}},
		{name: "resolver silent", check: ping("gone2.test"), timeout: patience, env: probe.Env{Resolver: resolverWith(t, nil)}, want: probe.Resolver, outcome: probe.Inconclusive},
	})
}
