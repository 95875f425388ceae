package sla_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/sla"
)

func TestRedactHidesWhatStandsBeforeAnAt(t *testing.T) {
	for text, want := range map[string]string{
		"HTTP 503":                                                          "HTTP 503",
		"lookup bob:pw@db.example: no such host":                            "lookup <hidden>@db.example: no such host",
		"address http://bob:pw@host/: too many colons":                      "address http://<hidden>@host/: too many colons",
		`parse "https://bob:p/w?x#y@host": invalid port`:                    `parse "https://<hidden>@host": invalid port`,
		"connect token@db.example:5432: connection refused":                 "connect <hidden>@db.example:5432: connection refused",
		"connect unix /run/user@1000.service/db: no such file or directory": "connect unix /run/user@1000.service/db: no such file or directory",
		"dial unix http://bob:pw@host/: no such file":                       "dial unix http://<hidden>@host/: no such file",
		"dial unix //bob:pw@host/":                                          "dial unix <hidden>@host/",
		"rate(x[5m] @ end())":                                               "rate(x[5m] @ end())",
		`invalid argument "120%@20m", write it like 2.5x@3d`:                `invalid argument "120%@20m", write it like 2.5x@3d`,
		"30%x@db.example: no such host":                                     "<hidden>@db.example: no such host",
		"a@b and c:d@e":                                                     "<hidden>@b and <hidden>@e",
		"get https://npm.example:8080/@scope/x@1":                           "get https://npm.example:8080/@scope/x@1",
		"https://@host/":                                                    "https://@host/",
		"get http://bob:12#s3cret@host/: refused":                           "get http://<hidden>@host/: refused",
		"get http://bob:12?s3cret@host/: refused":                           "get http://<hidden>@host/: refused",
		"get http://s3#cret@host/: refused":                                 "get http://<hidden>@host/: refused",
	} {
		if got := sla.Redact(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
		if got := sla.Mask(text, true); len(got) != len(text) || strings.Contains(got, "pw") {
			t.Errorf("%q is masked as %q", text, got)
		}
	}
	for text, want := range map[string]string{
		`  - tcp: "bob:pw@db.example:1"`:  `  - tcp: "******@db.example:1"`,
		`  email: ops@shop.example`:       `  email: ops@shop.example`,
		`  http: "https://tok@x.example"`: `  http: "https://***@x.example"`,
	} {
		if got := sla.Mask(text, false); got != want {
			t.Errorf("%q is masked as %q, want %q", text, got, want)
		}
	}
}

func TestTargetsHaveNoUserInfo(t *testing.T) {
	for _, address := range []string{"http://bob:s3cret@[::1/", "bob:s3cret@db.example:5432", "s3cret@db.example:1", "http://bob:s3cret@host/", "https://bob:my s3cret@host/", "http://bob:12#s3cret@host/", "http://bob:12?s3cret@host/", "http://s3cret?7@host/", "http://bob:%zzs3cret@host/", "@", "http://@", "a@"} {
		for _, check := range []sla.Check{
			&sla.HTTPCheck{URL: address}, &sla.TCPCheck{Address: address}, &sla.TLSCheck{Address: address}, &sla.UDPCheck{Address: address},
			&sla.GRPCCheck{Address: address}, &sla.ICMPCheck{Host: address}, &sla.DNSCheck{Server: address}, &sla.UnixCheck{Path: address},
			&sla.WebSocketCheck{Request: sla.HTTPCheck{URL: address}}, &sla.JourneyCheck{Steps: []sla.JourneyStep{{Request: sla.HTTPCheck{URL: address}}}},
		} {
			if strings.Contains(check.Target()+check.Words(), "s3cret") {
				t.Errorf("%s: %s, %s", check.ProbeKind(), check.Target(), check.Words())
			}
		}
	}
	if got := (&sla.HTTPCheck{URL: "https://npm.example/@scope/x"}).Target(); got != "https://npm.example/@scope/x" {
		t.Errorf("an @ of a path: %s", got)
	}
}

// TestURLReasonQuotesNoPassword, and says what is wrong with other texts.
func TestURLReasonQuotesNoPassword(t *testing.T) {
	for text, want := range map[string]string{
		"http://bob:s3cret#7@h/": `what stands before its "@" cannot be read`,
		"http://bob:s3cret?7@h/": `what stands before its "@" cannot be read`,
		"http://h:s3cret/":       `invalid port ":s3cret" after host`,
	} {
		_, err := url.Parse(text)
		if got := sla.URLReason(text, err); got != want {
			t.Errorf("%s: %s", text, got)
		}
	}
}

// TestRedactParametersHidesSecretsOfURLs by their names, and escaped user info.
func TestRedactParametersHidesSecretsOfURLs(t *testing.T) {
	for text, want := range map[string]string{
		"http://x/?token=s3cret&a=b":                        "http://x/?token=<hidden>&a=b",
		`Get "http://x/?a=b&X-Api-Key=s3cret": refused`:     `Get "http://x/?a=b&X-Api-Key=<hidden>": refused`,
		"http://x/?target=http%3A%2F%2Fbob%3As3cret%40y%2F": "http://x/?target=<hidden>%40y%2F",
		"http://x/?target=bob%3as3cret%40y&z=1":             "http://x/?target=<hidden>%40y&z=1",
		"http://x/?mail=me%40y&page=2":                      "http://x/?mail=me%40y&page=2",
		"a = b":                                             "a = b",
	} {
		if got := sla.RedactParameters(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"mail bob@example.com":                  "mail bob@example.com",
		"url: http://s3cret@x and bob:s3cret@y": "url: http://<hidden>@x and <hidden>@y",
	} {
		if got := sla.RedactAddresses(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
