package spec_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/sla/spec"
)

// finds loads a level with a probe, and returns everything that its findings say.
func finds(t *testing.T, probe string) string {
	t.Helper()
	text := fmt.Sprintf("apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: shop}\nspec:\n  serviceLevels:\n    - {name: a, service: b, target: \"99.9\", indicator: {probe: {%s}}}\n", probe)
	_, findings := spec.LoadText("shop.yaml", text)
	all := ""
	for _, f := range findings {
		all += "\n" + f.Message + "\n" + f.Remedy + "\n" + f.Snippet
	}
	return all + "\n" + findings.Error()
}

// TestFindingsShowNoPasswords of any kind of probe, whether they stand before a
// host with a user name or alone, also where it is another key that is wrong.
func TestFindingsShowNoPasswords(t *testing.T) {
	for _, info := range []string{"bob:s3cret@", "s3cret@", "bob:p/s3cret@", "bob:s3cret/7@", "bob:s3cret#7@", "bob:s3cret?7@", "bob:12#s3cret@", "bob:12?s3cret@", "s3cret#7@"} {
		for kind, address := range map[string]string{
			"http": "https://%sshop.example/", "websocket": "wss://%sshop.example/", "tcp": "%sdb.example:5432", "tls": "%sdb.example:443",
			"udp": "%sdb.example:53", "grpc": "%sdb.example:50051", "icmp": "%sdb.example", "unix": "http://%sdb.example/", "dns": "%sdb.example:53",
		} {
			value := fmt.Sprintf("%q", fmt.Sprintf(address, info))
			if kind == "dns" {
				value = "{server: " + value + ", name: " + value + "}"
			}
			for _, wrong := range []string{"", ", oddly: 1", ", interval: 0s"} {
				said := finds(t, kind+": "+value+wrong)
				if strings.Contains(said, "s3cret") {
					t.Errorf("%s: %s%s\n%s", kind, value, wrong, said)
				}
			}
		}
	}
}

// TestSignsThatEndAHostShowNoPasswords that have them in them, also of proxies.
func TestSignsThatEndAHostShowNoPasswords(t *testing.T) {
	if said := finds(t, `http: "https://bob:770077#7@shop.example/"`); strings.Contains(said, "770077") {
		t.Error(said)
	}
	for _, sign := range []string{"#", "?", "/"} {
		said := finds(t, `http: "https://shop.example/", proxyURL: "http://bob:s3cret`+sign+`7@proxy.example:3128"`)
		if strings.Contains(said, "s3cret") || !strings.Contains(said, "proxyURL is not a URL") {
			t.Errorf("%s: %s", sign, said)
		}
	}
}

// A password may begin with digits, which then look like a port: a URL in which
// a "#" or "?" stands right after those is refused, since the "@" after it is more
// likely the end of user info.
func TestDigitsOfPasswordsAreNoPorts(t *testing.T) {
	for _, url := range []string{"http://bob:12#s3cret@shop.example/", "http://bob:12?s3cret@shop.example/", "http://s3cret#7@shop.example/"} {
		for _, probe := range []string{
			"http: %q", "websocket: %q", "http: \"https://a.example/\", proxyURL: %q", "dns: %q, name: a.example",
			"http: \"https://${target}/\", targets: {http: %q}", "journey: [{name: a, http: %q}]",
		} {
			address := url
			switch {
			case strings.HasPrefix(probe, "websocket"):
				address = strings.Replace(url, "http", "ws", 1)
			case strings.HasPrefix(probe, "dns"):
				address = strings.Replace(url, "http", "https", 1)
			}
			said := finds(t, fmt.Sprintf(probe, address))
			if strings.Contains(said, "s3cret") || !strings.Contains(said, "error: ") {
				t.Errorf("%s: %s", fmt.Sprintf(probe, address), said)
			}
		}
	}
	for _, url := range []string{"https://npm.example:8080/@scope/x", "https://shop.example/?mail=a@b.example", "https://shop.example:80/?mail=a@b.example"} {
		if said := finds(t, fmt.Sprintf("http: %q", url)); strings.TrimSpace(said) != "" {
			t.Errorf("%s: %s", url, said)
		}
	}
}

// TestUserInfoIsNamedAsWhatIsWrong rather than the colon in it.
func TestUserInfoIsNamedAsWhatIsWrong(t *testing.T) {
	if said := finds(t, `tcp: "bob:s3cret@db.example:5432"`); !strings.Contains(said, `tcp "**********@db.example:5432" has a user name or password before its host`) {
		t.Error(said)
	}
}

// TestHostsThatAreNoNamesAreFound, and names beyond ASCII are names.
func TestHostsThatAreNoNamesAreFound(t *testing.T) {
	for _, key := range []string{"http: 'https://%s/'", "tcp: '%s:1'", "tls: '%s:1'", "grpc: '%s:1'", "icmp: '%s'", "tls: 'a:1', serverName: '%s'"} {
		if said := finds(t, fmt.Sprintf(key, "münchen.example")); strings.Contains(said, "host") {
			t.Errorf("%s: %s", key, said)
		}
		if said := finds(t, fmt.Sprintf(key, "xn--ü.example")); !strings.Contains(said, "has a host that is not a name") {
			t.Errorf("%s: %s", key, said)
		}
	}
}

// TestTargetsThatCannotExistAreFound, whether they are declared or in a list of
// targets.
func TestTargetsThatCannotExistAreFound(t *testing.T) {
	long := strings.Repeat("a", 300)
	for _, host := range []string{"a..b", ".example", "*.example", long} {
		for _, key := range []string{"http: 'https://%s/'", "websocket: 'wss://%s/'", "tcp: '%s:80'", "http: 'https://a/', proxyURL: 'http://%s:1'"} {
			if said := finds(t, fmt.Sprintf(key, host)); !strings.Contains(said, "has a host that is not a name") {
				t.Errorf("%s: %s", key, said)
			}
		}
	}
	if said := finds(t, "http: 'http://http://127.0.0.1/'"); !strings.Contains(said, "has two schemes\nwrite one: http://127.0.0.1/") {
		t.Error(said)
	}
	for pattern, entries := range map[string][]string{
		"tcp: '${target}'":           {"host:abc", "127.0.0.1:47090?q=1", "127.0.0.1:47090#f", "127.0.0.1:65536", "127.0.0.1:0", "a..b:80", ".example:80", "*.example:80", long + ":80"},
		"http: 'http://${target}/'":  {"http://127.0.0.1:47090", "host:abc", "a..b:80"},
		"icmp: '${target}'":          {"host:80"},
		"websocket: '${target}'":     {"a.example"},
		"http: 'https://${target}/'": {"bob:s3cret#7@a.example"},
	} {
		for _, entry := range entries {
			said := finds(t, fmt.Sprintf("%s, targets: {static: [good.example:80, %q]}", pattern, entry))
			if !strings.Contains(said, "cannot be probed: ") || strings.Contains(said, "s3cret") {
				t.Errorf("%s %s: %s", pattern, entry, said)
			}
		}
	}
	if said := finds(t, "http: 'http://${target}/', targets: {static: ['good.example:80', '[::1]:80', '::1', 'münchen.example']}"); strings.Contains(said, "probed") {
		t.Error(said)
	}
}
