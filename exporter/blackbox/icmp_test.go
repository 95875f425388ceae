package blackbox

import (
	"os"
	"testing"

	"golang.org/x/net/icmp"
)

// needsEchoes skips a test where no socket for echoes may be had.
func needsEchoes(t *testing.T) {
	t.Helper()
	for _, network := range []string{"udp4", "ip4:icmp"} {
		if conn, err := icmp.ListenPacket(network, "127.0.0.1"); err == nil {
			conn.Close()
			return
		}
	}
	t.Skip("no ICMP socket: needs net.ipv4.ping_group_range or CAP_NET_RAW")
}

func TestICMP(t *testing.T) {
	needsEchoes(t)
	modules := `
modules:
  ping: {prober: icmp, timeout: 1s}
  ip4: {prober: icmp, timeout: 1s, icmp: {preferred_ip_protocol: ip4}}
  ip4_only: {prober: icmp, timeout: 1s, icmp: {preferred_ip_protocol: ip4, ip_protocol_fallback: false}}
  source: {prober: icmp, timeout: 1s, icmp: {preferred_ip_protocol: ip4, source_ip_address: 127.0.0.1}}
  bad_source: {prober: icmp, timeout: 1s, icmp: {source_ip_address: here}}
  ttl: {prober: icmp, timeout: 1s, icmp: {ttl: 5}}
  small: {prober: icmp, timeout: 1s, icmp: {payload_size: 1}}
  large: {prober: icmp, timeout: 1s, icmp: {payload_size: 4000}}
  too_large: {prober: icmp, timeout: 1s, icmp: {payload_size: 70000}}
`
	if os.Getuid() == 0 {
		modules += "  whole: {prober: icmp, timeout: 1s, icmp: {preferred_ip_protocol: ip4, dont_fragment: true, ttl: 9}}\n"
	}
	p := newPair(t, modules)
	for name := range *p.ours.modules.Load() {
		for _, target := range []string{"127.0.0.1", "127.0.0.77", "localhost", "::1", "nonexistent.invalid", "127.0.0.1:80"} {
			t.Run(name+" "+target, func(t *testing.T) { p.both(t, query(name, target), nil) })
		}
	}
	t.Run("is answered", func(t *testing.T) {
		got := ask(t, p.handler, query("ip4", "127.0.0.1"), nil)
		if got.value("probe_success") != "1" || got.value("probe_icmp_reply_hop_limit") != "64" {
			t.Error(got.text, p.lastLog())
		}
	})
}
