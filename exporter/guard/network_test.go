package guard_test

import (
	"net"
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/exporter/guard"
)

// TestNetworkDialsWithinItsLimits whether the address is written or resolved, and
// from the source that is asked for.
func TestNetworkDialsWithinItsLimits(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	conn, err := new(guard.Network).Dial(t.Context(), "tcp", l.Addr().String(), net.IPv4(127, 0, 0, 7))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if from, _, _ := net.SplitHostPort(conn.LocalAddr().String()); from != "127.0.0.7" {
		t.Errorf("connected from %s", from)
	}
	limits, err := guard.New(guard.Options{DenyCIDR: []string{"loopback"}, DenyHost: []string{"*.secret.example"}})
	if err != nil {
		t.Fatal(err)
	}
	n := &guard.Network{Limits: limits}
	for _, host := range []string{"127.0.0.1", "localhost", "::ffff:127.0.0.1"} {
		if conn, err := n.Dial(t.Context(), "tcp", net.JoinHostPort(host, port), nil); err == nil || !strings.Contains(err.Error(), "denied") {
			t.Errorf("%s: %v %v", host, conn, err)
		}
	}
	if n.Host("db.secret.example") == nil || n.Socket("/run/app.sock") != nil {
		t.Error("the limits are not asked")
	}
	if conn, err := n.Dial(t.Context(), "udp", net.JoinHostPort("127.0.0.1", port), nil); err == nil {
		t.Errorf("udp: %v", conn)
	}
}

// TestNetworkResolvesOneVersionOfIP or both.
func TestNetworkResolvesOneVersionOfIP(t *testing.T) {
	n := new(guard.Network)
	for network, want := range map[string]string{"ip": "127.0.0.1", "ip4": "127.0.0.1"} {
		got, err := n.Resolve(t.Context(), network, "127.0.0.1")
		if err != nil || len(got) != 1 || got[0].String() != want {
			t.Errorf("%s: %v, %v", network, got, err)
		}
	}
	if got, err := n.Resolve(t.Context(), "ip6", "127.0.0.1"); err == nil {
		t.Errorf("an address of version 6 for 127.0.0.1: %v", got)
	}
	if got, err := n.Resolve(t.Context(), "ip", "fe80::1%lo"); err != nil || got[0].Zone != "lo" {
		t.Errorf("the zone is lost: %v, %v", got, err)
	}
}
