package probe_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

// That this host cannot send packets is no fault of a target of HTTP/3. Of a
// broadcast that the socket may not send the kernel says so at once, as it does
// where a firewall, or an address family that is turned off, is in the way.
func TestPacketsThatCannotBeSent(t *testing.T) {
	env := probe.Env{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_BROADCAST, 0) })
	}}
	check := &sla.HTTPCheck{URL: "https://255.255.255.255/", Options: &sla.HTTPOptions{Versions: []sla.HTTPVersion{sla.HTTP3}}}
	if r := once(t, env, check, 5*time.Second); r.Reason != probe.LocalNetwork || r.Outcome != probe.Inconclusive {
		t.Errorf("%s %q: %s", r.Outcome, r.Reason, r.Detail)
	}
}
