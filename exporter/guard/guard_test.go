package guard

import (
	"net/netip"
	"strings"
	"testing"
)

func TestAddresses(t *testing.T) {
	deny := func(texts ...string) Options { return Options{DenyCIDR: texts} }
	for _, c := range []struct {
		options Options
		address string
		refused string // part of the error; empty: allowed
	}{
		{Options{}, "127.0.0.1", ""},
		{deny("10.0.0.0/8"), "10.1.2.3", "10.1.2.3 is denied"},
		{deny("10.0.0.0/8"), "11.1.2.3", ""},
		{deny("10.0.0.7/8"), "10.1.2.3", "denied"},
		{deny("10.1.2.3"), "10.1.2.3", "denied"},
		{deny("::ffff:10.0.0.0/104"), "10.1.2.3", "denied"},
		{deny("loopback"), "0.0.0.0", "denied"},
		{deny("loopback"), "::", "denied"},
		{deny("loopback"), "::1", "denied"},
		{deny("fe80::/10"), "fe80::1%eth0", "denied"},
		{deny("link-local"), "2001:db8::1", ""},
		// IPv4 within IPv6
		{deny("cloud-metadata"), "169.254.169.254", "denied"},
		{deny("cloud-metadata"), "::ffff:169.254.169.254", "denied"},
		{deny("cloud-metadata"), "::ffff:0:169.254.169.254", "leads to 169.254.169.254"},
		{deny("cloud-metadata"), "::169.254.169.254", "leads to"},
		{deny("cloud-metadata"), "64:ff9b::169.254.169.254", "leads to"},
		{deny("cloud-metadata"), "64:ff9b:1::169.254.169.254", "leads to"},
		{deny("cloud-metadata"), "2002:a9fe:a9fe::1", "leads to"},
		{deny("cloud-metadata"), "2001:0:c000:201::5601:5601", "leads to"}, // the client, inverted
		{deny("cloud-metadata"), "2001:0:a9fe:a9fe::1", "leads to"},
		{deny("cloud-metadata"), "2001:db8::5efe:169.254.169.254", "leads to"},
		{deny("cloud-metadata"), "2001:db8::200:5efe:169.254.169.254", "leads to"},
		{deny("cloud-metadata"), "64:ff9b::192.0.2.1", ""},
		{deny("cloud-metadata"), "fd00:ec2::254", "denied"},
		// the most specific decides
		{Options{DenyCIDR: []string{"10.0.0.0/8"}, AllowCIDR: []string{"10.1.0.0/16", "0.0.0.0/0"}}, "10.1.2.3", ""},
		{Options{DenyCIDR: []string{"10.0.0.0/8"}, AllowCIDR: []string{"10.1.0.0/16", "0.0.0.0/0"}}, "10.2.2.3", "denied"},
		{Options{DenyCIDR: []string{"10.0.0.0/8"}, AllowCIDR: []string{"10.0.0.0/8"}}, "10.2.2.3", "denied"},
		{Options{AllowCIDR: []string{"10.0.0.0/8"}, DenyCIDR: []string{"10.9.9.9"}}, "10.9.9.9", "denied"},
		{Options{AllowCIDR: []string{"10.0.0.0/8"}}, "192.0.2.1", "not among those allowed"},
		{Options{AllowCIDR: []string{"10.0.0.0/8"}}, "2001:db8::1", "not among those allowed"},
		{Options{AllowCIDR: []string{"192.0.2.0/24"}}, "::ffff:192.0.2.1", ""},
	} {
		g, err := New(c.options)
		if err != nil {
			t.Fatal(err)
		}
		err = g.Address(netip.MustParseAddr(c.address))
		if (err == nil) != (c.refused == "") || err != nil && !strings.Contains(err.Error(), c.refused) {
			t.Errorf("%+v: %s: %v, want %q", c.options, c.address, err, c.refused)
		}
	}
}

func TestHosts(t *testing.T) {
	g, err := New(Options{DenyHost: []string{"*.Internal.example", "db.example."}, AllowHost: []string{"*.example", "192.0.2.1"}})
	if err != nil {
		t.Fatal(err)
	}
	for host, allowed := range map[string]bool{
		"shop.example": true, "SHOP.example.": true, "a.internal.example": false, "A.INTERNAL.EXAMPLE.": false,
		"internal.example": true, "db.example": false, "example": false, "shop.example.org": false, "192.0.2.1": true, "192.0.2.2": false,
	} {
		if err := g.Host(host); (err == nil) != allowed {
			t.Errorf("%s: %v", host, err)
		}
	}
}

// TestNumbersAreAddresses in all notations that resolvers take.
func TestNumbersAreAddresses(t *testing.T) {
	g, err := New(Options{DenyCIDR: []string{"loopback"}})
	if err != nil {
		t.Fatal(err)
	}
	for host, allowed := range map[string]bool{
		"2130706433": false, "0x7f000001": false, "0X7F000001": false, "017700000001": false, "0x7f.1": false, "127.1": false, "127.0.1": false, "0177.0.0.1": false,
		"0x7f.0.0.0x1": false, "127.0.0.1.": false, "0": false, "0x": false, "127.65535": false, "0177.0x0.0.1": false,
		"3221225985": true, "0xc0.0.513": true, // 192.0.2.1
		"127.0.0.256": true, "4294967296": true, "127.0.0.1.2": true, "0x7g.1": true, "089.1": true, "127..1": true, "127.0.0.1.example": true, "7f000001": true,
	} {
		if err := g.Host(host); (err == nil) != allowed {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestSockets(t *testing.T) {
	for _, c := range []struct {
		options Options
		allowed bool
	}{{Options{}, true}, {Options{DenyCIDR: []string{"loopback"}}, true}, {Options{AllowCIDR: []string{"loopback"}}, false}, {Options{AllowHost: []string{"a"}}, false}} {
		g, err := New(c.options)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Socket("/run/db.sock"); (err == nil) != c.allowed {
			t.Errorf("%+v: %v", c.options, err)
		}
	}
}

func TestMistakesAreNamed(t *testing.T) {
	_, err := New(Options{DenyCIDR: []string{"10.0.0.0/33", "metadata"}, AllowCIDR: []string{"fe80::1%eth0"}, DenyHost: []string{"*", "a.*.b"}})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{`"10.0.0.0/33"`, `"metadata"`, `"fe80::1%eth0"`, `"*"`, `"a.*.b"`, "cloud-metadata"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %s in %v", want, err)
		}
	}
}
