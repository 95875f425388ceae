package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"
)

// withoutIPv6 gives this goroutine, and the processes that it starts, a network of
// their own, which has the loopback interface and no IPv6.
func withoutIPv6(t *testing.T) {
	t.Helper()
	runtime.LockOSThread() // and never lets go of it: the thread ends with the test
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("no network of its own can be had here: %v", err)
	}
	if err := os.WriteFile("/proc/sys/net/ipv6/conf/all/disable_ipv6", []byte("1"), 0); err != nil {
		t.Skipf("IPv6 cannot be turned off here: %v", err)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(fd) }()
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		t.Fatal(err)
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo); err != nil {
		t.Fatal(err)
	}
}

// ask is a request by this goroutine itself, and so from its network.
func ask(t *testing.T, address, path string) string {
	t.Helper()
	conn, err := net.Dial("tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = fmt.Fprintf(conn, "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n", path)
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// nameServer knows a name with addresses of both families, and one with those of
// IPv6 alone.
func nameServer(t *testing.T) string {
	t.Helper()
	socket, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan struct{})
	server := &dns.Server{PacketConn: socket, NotifyStartedFunc: func() { close(started) }, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(q)
		name, record := q.Question[0].Name, ""
		switch q.Question[0].Qtype {
		case dns.TypeA:
			if strings.HasPrefix(name, "both.") {
				record = name + " 60 IN A 127.0.0.1"
			}
		case dns.TypeAAAA:
			record = name + " 60 IN AAAA ::1"
		}
		if rr, err := dns.NewRR(record); err == nil && rr != nil {
			m.Answer = append(m.Answer, rr)
		}
		_ = w.WriteMsg(m)
	})}
	go func() { _ = server.ActivateAndServe() }()
	<-started
	t.Cleanup(func() { _ = server.Shutdown() })
	return socket.LocalAddr().String()
}

var failure = regexp.MustCompile(`(?m)^upheld_probe_failures_total\{.*reason="([^"]*)".*slo="([^"]*)"`)

// TestWithoutIPv6 probes targets of IPv6 on a host that has none of it: nobody is
// down for that, names with both families are reached, and the exporter listens.
func TestWithoutIPv6(t *testing.T) {
	withoutIPv6(t)
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	web.Start()
	t.Cleanup(web.Close)
	_, port, _ := net.SplitHostPort(web.Listener.Addr().String())
	names := nameServer(t)
	// A name of IPv6 alone, and each kind of probe at an address of it.
	levels := map[string]string{
		"both":      fmt.Sprintf("http: 'http://both.test:%s/', resolver: '%s'", port, names),
		"name":      fmt.Sprintf("http: 'http://six.test:%s/', resolver: '%s'", port, names),
		"chosen":    fmt.Sprintf("http: 'http://both.test:%s/', resolver: '%s', ipFamily: ipv6", port, names),
		"http":      fmt.Sprintf("http: 'http://[::1]:%s/'", port),
		"http3":     fmt.Sprintf("http: 'https://[::1]:%s/', httpVersions: ['3']", port),
		"tcp":       fmt.Sprintf("tcp: '[::1]:%s'", port),
		"tls":       fmt.Sprintf("tls: '[::1]:%s'", port),
		"grpc":      fmt.Sprintf("grpc: '[::1]:%s'", port),
		"udp":       fmt.Sprintf("udp: '[::1]:%s', dialogue: [{send: x}, {expect: x}]", port),
		"dns":       fmt.Sprintf("dns: '[::1]:%s', name: shop.test", port),
		"icmp":      "icmp: '::1'",
		"elsewhere": "tcp: '[2001:db8::1]:80'",
	}
	var text strings.Builder
	text.WriteString("apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: shop}\nspec:\n  serviceLevels:\n")
	for name, probe := range levels {
		fmt.Fprintf(&text, "    - {name: %s, target: '99.9', indicator: {probe: {interval: 1s, %s}}}\n", name, probe)
	}
	file := filepath.Join(t.TempDir(), "shop.yaml")
	write(t, file, text.String())
	d := startDaemon(t, "--spec.file", file, "--web.listen-address=:0")
	_, port, _ = net.SplitHostPort(strings.TrimPrefix(d.url, "http://"))
	address := "127.0.0.1:" + port
	if answer := ask(t, address, "/-/healthy"); !strings.Contains(answer, "200 OK") {
		t.Errorf("health: %s", answer)
	}
	d.eventually("metrics", "every level has an outcome", func() string {
		answer := ask(t, address, "/metrics")
		failed := map[string]string{}
		for _, m := range failure.FindAllStringSubmatch(answer, -1) {
			failed[m[2]] = m[1]
		}
		for name := range levels {
			good := strings.Contains(answer, `upheld_probe_last_outcome_good{location="default",service="shop",sla="shop",slo="`+name+`"`)
			if failed[name] == "" && !good {
				return name + " has none"
			}
		}
		for name := range levels {
			if reason := failed[name]; name == "both" && reason != "" || name != "both" && reason != "address_unavailable" && reason != "local_network" {
				t.Errorf("%s: %q", name, reason)
			}
		}
		return "every level has an outcome"
	})
}
