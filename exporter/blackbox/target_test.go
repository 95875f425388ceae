package blackbox

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// TestTargetsThatAreEncodedTwiceAreDecoded, and no others: those have escaped
// signs where they belong.
func TestTargetsThatAreEncodedTwiceAreDecoded(t *testing.T) {
	for target, want := range map[string]string{
		"shop.example%3A80":                          "shop.example:80",
		"http://shop.example%3a8080/x":               "http://shop.example:8080/x",
		"http%3A%2F%2Fshop.example%3A8080%2Fa%252Fb": "http://shop.example:8080/a%2Fb",
		"%5B%3A%3A1%5D%3A80":                         "[::1]:80",
		"%2Frun%2Fapp.sock":                          "/run/app.sock",
		"wss%3A%2F%2Fshop.example":                   "wss://shop.example",
		// Encoded once, as it should be.
		"http://shop.example/a%3Ab?u=http%3A%2F%2Fx": "http://shop.example/a%3Ab?u=http%3A%2F%2Fx",
		"http://shop.example?u=http%3A%2F%2Fx":       "http://shop.example?u=http%3A%2F%2Fx",
		"http://bob:p%3Aw@shop.example/":             "http://bob:p%3Aw@shop.example/",
		"http://[fe80::1%25eth0]/":                   "http://[fe80::1%25eth0]/",
		"fe80::1%eth0":                               "fe80::1%eth0",
		"/run/a%3Ab":                                 "/run/a%3Ab",
		"shop.example%3A80%":                         "shop.example%3A80%", // no encoding of anything
		"":                                           "",
	} {
		if got := decodeTarget(target); got != want {
			t.Errorf("%s: %s, want %s", target, got, want)
		}
	}
}

// TestTargetsEncodedTwiceAreProbed, shown decoded, and found by either in /logs.
func TestTargetsEncodedTwiceAreProbed(t *testing.T) {
	var path string
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { path = r.URL.EscapedPath() }))
	defer srv.Close()
	p := newPair(t, "modules: {http_2xx: {prober: http}, tcp: {prober: tcp}}")
	host, port, _ := net.SplitHostPort(strings.TrimPrefix(srv.URL, "http://"))
	for module, target := range map[string]string{"http_2xx": url.QueryEscape(srv.URL + "/a%2Fb"), "tcp": host + "%3A" + port} {
		if got := ask(t, p.handler, query(module, target), nil); got.value("probe_success") != "1" {
			t.Errorf("%s: %s\n%s", target, got.text, p.lastLog())
		}
		if got := get(t, p.handler, "/logs?target="+url.QueryEscape(target), nil); got.status != http.StatusOK || strings.Contains(got.text, "%3A") {
			t.Errorf("%s: %d %s", target, got.status, got.text)
		}
	}
	if path != "/a%2Fb" {
		t.Errorf("asked for %s", path)
	}
}

// TestTargetsEncodedTwiceAreHeldToTheLimits as they are connected to.
func TestTargetsEncodedTwiceAreHeldToTheLimits(t *testing.T) {
	p := newPair(t, "modules: {http_2xx: {prober: http}, tcp: {prober: tcp}}")
	p.network().Limits = denying(t, "link-local")
	for module, target := range map[string]string{"http_2xx": "http%3A%2F%2F169.254.169.254%2F", "tcp": "169.254.169.254%3A80"} {
		if got := ask(t, p.handler, query(module, target), nil); got.status != http.StatusForbidden {
			t.Errorf("%s: %d %s", target, got.status, got.text)
		}
	}
}
