package sla_test

import (
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/sla"
)

// TestCheckAddressFindsWhatNothingCanAnswerAt, and nothing else.
func TestCheckAddressFindsWhatNothingCanAnswerAt(t *testing.T) {
	long := strings.Repeat("a", 300)
	tcp, http, icmp := &sla.TCPCheck{}, &sla.HTTPCheck{}, &sla.ICMPCheck{}
	for _, c := range []struct {
		check     sla.Addressed
		good, bad []string
	}{
		{
			tcp,
			[]string{"a.example:80", "a.example.:80", "127.0.0.1:1", "[::1]:65535", "[fe80::1%eth0]:1", "_x-y.example:1", "münchen.example:1", "2130706433:1", strings.Repeat("a", 63) + ".example:1"},
			[]string{
				"host:abc", "127.0.0.1:47090?q=1", "127.0.0.1:47090#f", "127.0.0.1:65536", "127.0.0.1:0", "a:http", "a:", ":80", "a", "a..b:80", ".example:80", "*.example:80", ".:80",
				long + ":80", strings.Repeat("a", 64) + ".example:80", strings.Repeat("a.", 130) + "b:80", "http://a.example:80", "bob:pw@a:80", "a b:80", "xn--ü.example:80",
			},
		},
		{
			http,
			[]string{"http://a.example/", "https://[::1]:8080/x?y=//z", "http://bob:pw@a.example/", "http://a.example//x", "http://a:/"},
			[]string{"http://http://127.0.0.1:47090/", "http://a:0/", "http://a:65536/", "http://a:b/", "http://a..b/", "http://*.example/", "http:///x", "ftp://a/", "a.example", "127.0.0.1:1", "http://a/#f", "http://" + long + "/"},
		},
		{icmp, []string{"a.example", "::1", "127.0.0.1"}, []string{"a:80", "[::1]", ".example", "a..b", "http://a/", ""}},
		{&sla.WebSocketCheck{}, []string{"wss://a.example/"}, []string{"ws://ws://a.example/"}},
		{&sla.DNSCheck{Transport: sla.DNSOverHTTPS}, []string{"https://a.example/"}, []string{"a.example:53"}},
		{&sla.DNSCheck{Transport: sla.DNSOverUDP}, []string{"a.example:53"}, []string{"a.example:x"}},
	} {
		for _, text := range c.good {
			if err := c.check.WithTarget(text).(sla.Addressed).CheckAddress(); err != nil {
				t.Errorf("%s %s: %v", c.check.ProbeKind(), text, err)
			}
		}
		for _, text := range c.bad {
			err := c.check.WithTarget(text).(sla.Addressed).CheckAddress()
			if err == nil {
				t.Errorf("%s %s is taken", c.check.ProbeKind(), text)
			} else if strings.Contains(err.Error(), "pw") {
				t.Error(err)
			}
		}
	}
}
