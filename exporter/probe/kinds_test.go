package probe_test

import (
	"slices"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// realServers start, for each kind of probe, a server of the protocol, and give
// a check that it must pass with the certificates of the test authority.
var realServers = map[string]func(t *testing.T) sla.Check{
	"dns": func(t *testing.T) sla.Check {
		cert := newAuthority().sign(t, "localhost", time.Now().Add(time.Hour))
		return ask(nameServer(t, "tls", cert, zone), "tls", "shop.example", "A")
	},
	"grpc": func(t *testing.T) sla.Check {
		cert := newAuthority().sign(t, "localhost", time.Now().Add(time.Hour))
		return &sla.GRPCCheck{Address: healthServer(t, &cert, nil), TLS: true, Service: "shop.Orders"}
	},
	"http": func(t *testing.T) sla.Check {
		return get(tlsServer(t, newAuthority().sign(t, "localhost", time.Now().Add(time.Hour))).URL)
	},
	"icmp": func(t *testing.T) sla.Check {
		mayPing(t)
		return pings("localhost", 3)
	},
	"tls": func(t *testing.T) sla.Check {
		return &sla.TLSCheck{Address: tlsServer(t, newAuthority().sign(t, "localhost", time.Now().Add(time.Hour))).Listener.Addr().String()}
	},
	"udp": func(t *testing.T) sla.Check {
		return &sla.UDPCheck{Address: packets(t, func(q []byte) [][]byte { return [][]byte{q} }), Dialogue: []sla.Step{{Send: "x"}, {Expect: "^x$"}}}
	},
	"unix": func(t *testing.T) sla.Check {
		return &sla.UnixCheck{Path: unixServer(t, upper), Dialogue: shout}
	},
	"journey": func(t *testing.T) sla.Check {
		url := tlsServer(t, newAuthority().sign(t, "localhost", time.Now().Add(time.Hour))).URL
		return &sla.JourneyCheck{Steps: []sla.JourneyStep{{Name: "one", Request: *get(url)}, {Name: "two", Request: *get(url)}}}
	},
	"websocket": func(t *testing.T) sla.Check {
		return &sla.WebSocketCheck{Request: *get(socketServer(t, true, echoMessages)), Dialogue: []sla.Step{{Send: "hello"}, {Expect: "^hello$"}}, Ping: true}
	},
	"tcp": func(t *testing.T) sla.Check {
		return &sla.TCPCheck{Address: mailServer(t, newAuthority().sign(t, "localhost", time.Now().Add(time.Hour)), ""), Dialogue: smtp}
	},
}

// TestEveryKindProbesARealServer demands a server of each kind, and that the
// probes go through exactly the phases that were foretold.
func TestEveryKindProbesARealServer(t *testing.T) {
	for _, kind := range probe.Kinds() {
		t.Run(kind, func(t *testing.T) {
			start, ok := realServers[kind]
			if !ok {
				t.Fatal("no server in the table")
			}
			check := start(t)
			if check.ProbeKind() != kind {
				t.Fatalf("the check is of the kind %q", check.ProbeKind())
			}
			p, err := probe.NewFactory(probe.Env{RootCAs: newAuthority().pool()}).New(&sla.Probe{Check: check, Timeout: 5 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			r := p.Probe(t.Context(), time.Time{})
			if r.Outcome != probe.Good || r.Detail == "" || r.Duration <= 0 {
				t.Fatalf("%+v", r)
			}
			var seen []probe.Phase
			for phase := range r.Phases.All() {
				seen = append(seen, phase)
			}
			if want := p.Phases(); !slices.Equal(seen, want) {
				t.Errorf("went through %v, foretold were %v", seen, want)
			}
			mustBeHeldToMaxDuration(t, check)
		})
	}
}

// mustBeHeldToMaxDuration probes what is good, with a bound that nothing keeps
// and with one that is kept.
func mustBeHeldToMaxDuration(t *testing.T, check sla.Check) {
	t.Helper()
	for most, want := range map[time.Duration]probe.Reason{time.Nanosecond: probe.Slow, 4 * time.Second: ""} {
		p, err := probe.NewFactory(probe.Env{RootCAs: newAuthority().pool()}).New(&sla.Probe{Check: check, Timeout: 5 * time.Second, MaxDuration: most})
		if err != nil {
			t.Fatal(err)
		}
		r := p.Probe(t.Context(), time.Time{})
		for try := 0; try < 5 && r.Reason == probe.Starved; try++ { // a busy machine, says the probe
			r = p.Probe(t.Context(), time.Time{})
		}
		if r.Reason != want || want != "" && r.Outcome != probe.Bad {
			t.Errorf("at most %s: %+v", most, r)
		}
	}
}

// TestEveryExampleHasAProber: there is a prober for every kind that a specification
// can have.
func TestEveryExampleHasAProber(t *testing.T) {
	agreements, findings := spec.Load("../../examples/probes.yaml")
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	var kinds []string
	for _, target := range sla.ProbeTargets(agreements) {
		if _, err := probe.NewFactory(probe.Env{}).New(target.Probe); err != nil {
			t.Errorf("%s: %v", target.ID, err)
		}
		kinds = append(kinds, target.Probe.Check.ProbeKind())
	}
	slices.Sort(kinds)
	if kinds = slices.Compact(kinds); !slices.Equal(kinds, probe.Kinds()) {
		t.Errorf("the examples are of %v, probers of %v", kinds, probe.Kinds())
	}
}
