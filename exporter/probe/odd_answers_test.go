package probe_test

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

// TestCookiesStandInOneHeader: in every version of HTTP, the cookies of the check and
// those that a response set are in one header. Some servers read only one.
func TestCookiesStandInOneHeader(t *testing.T) {
	for _, version := range []sla.HTTPVersion{sla.HTTP11, sla.HTTP2} {
		var seen []string
		env, url := versionServer(t, version, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen = append(seen, strings.Join(r.Header["Cookie"], " | "))
			if r.URL.Path == "/login" {
				http.SetCookie(w, &http.Cookie{Name: "sid", Value: "new", Path: "/"})
				http.Redirect(w, r, "/home", http.StatusFound)
			}
		}))
		request := sla.HTTPCheck{URL: url + "/login", FollowRedirects: true, Headers: map[string]string{"Cookie": "lang=de; sid=old"}, Options: &sla.HTTPOptions{Versions: []sla.HTTPVersion{version}}}
		mustBeGood(t, env, &request)
		second := request
		second.URL = url + "/shop"
		mustBeGood(t, env, &sla.JourneyCheck{Steps: []sla.JourneyStep{{Name: "login", Request: request}, {Name: "shop", Request: second}}})
		const own, both = "lang=de; sid=old", "lang=de; sid=new"
		if got, want := strings.Join(seen, ", "), strings.Join([]string{own, both, own, both, both}, ", "); got != want {
			t.Errorf("%s: %s, want %s", version, got, want)
		}
	}
}

// TestAProxyThatAsksForAPasswordIsNotTheTarget, whatever the scheme of the URL.
func TestAProxyThatAsksForAPasswordIsNotTheTarget(t *testing.T) {
	var asked []string
	proxy := proxyServer(t, &asked, http.StatusProxyAuthRequired)
	for _, url := range []string{"http://shop.example/", "https://shop.example/"} {
		check := with(url, sla.HTTPOptions{Proxy: &sla.Proxy{URL: "http://" + proxy}})
		check.Status = []sla.StatusRange{{From: 100, To: 599}}
		if r := once(t, probe.Env{}, check, 5*time.Second); r.Reason != probe.ProxyFailed || r.Outcome != probe.Inconclusive || !strings.Contains(r.Detail, "407") {
			t.Errorf("%s: %+v", url, r)
		}
	}
	direct := webServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusProxyAuthRequired) })
	if r := once(t, probe.Env{}, get(direct.URL), 5*time.Second); r.Reason != probe.Status {
		t.Errorf("without a proxy: %+v", r)
	}
}

// TestTokenServersThatWantTheSecretInTheBody get it there, once the header has
// been refused.
func TestTokenServersThatWantTheSecretInTheBody(t *testing.T) {
	var requests []string
	endpoint := webServer(t, func(w http.ResponseWriter, r *http.Request) {
		_, _, header := r.BasicAuth()
		_ = r.ParseForm()
		requests = append(requests, fmt.Sprint(header, " ", r.Form.Get("client_id"), " ", r.Form.Get("client_secret") == canary))
		if r.Form.Get("client_secret") != canary {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(w, `{"access_token": "t", "expires_in": 10}`)
	})
	var revoked bool
	srv := webServer(t, func(w http.ResponseWriter, _ *http.Request) {
		if revoked {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	oauth := func(secret string) *sla.HTTPCheck {
		return with(srv.URL, sla.HTTPOptions{Auth: &sla.HTTPAuth{OAuth2: &sla.OAuth2{ClientID: "probe", ClientSecret: sla.SecretText(secret), TokenURL: endpoint.URL}}})
	}
	p := prober(t, probe.Env{}, oauth(canary))
	if r := p.Probe(t.Context(), time.Time{}); r.Outcome != probe.Good {
		t.Fatalf("%+v", r)
	}
	revoked = true
	p.Probe(t.Context(), time.Time{}) // forgets the token
	revoked = false
	if r := p.Probe(t.Context(), time.Time{}); r.Outcome != probe.Good {
		t.Errorf("%+v", r)
	}
	if got, want := strings.Join(requests, ", "), "true  false, false probe true, false probe true"; got != want {
		t.Errorf("asked %q, want %q", got, want)
	}
	r := prober(t, probe.Env{}, oauth("wrong-"+canary)).Probe(t.Context(), time.Time{})
	if r.Reason != probe.Credentials || !strings.Contains(r.Detail, "HTTP 400") || strings.Contains(r.Detail, canary) {
		t.Errorf("a wrong secret: %+v", r)
	}
}

// TestASecretOfOneTargetGoesToNoOther: what fetches a token must not leave its
// secret with requests that have no credentials of their own.
func TestASecretOfOneTargetGoesToNoOther(t *testing.T) {
	endpoint := webServer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"access_token": "t"}`) })
	var seen []string
	srv := webServer(t, func(_ http.ResponseWriter, r *http.Request) { seen = append(seen, r.Header.Get("Authorization")) })
	mustBeGood(t, probe.Env{}, with(srv.URL, sla.HTTPOptions{Auth: &sla.HTTPAuth{OAuth2: &sla.OAuth2{ClientID: "probe", ClientSecret: sla.SecretText(canary), TokenURL: endpoint.URL}}}))
	mustBeGood(t, probe.Env{}, get(srv.URL))
	if got := strings.Join(seen, "|"); got != "Bearer t|" {
		t.Errorf("sent %q", got)
	}
}

// TestAHeaderThatCannotBeReadIsNamed, and what came is shown without secrets.
func TestAHeaderThatCannotBeReadIsNamed(t *testing.T) {
	for line, want := range map[string]string{
		"(X-Odd): 1":                        `"(X-Odd)" is not the name of a header`,
		"no colon at all":                   "a line of the header has no colon",
		"Content-Length: many":              "the header Content-Length cannot be read",
		"Transfer-Encoding: sideways":       "the header Transfer-Encoding cannot be read",
		strings.Repeat("x", 90) + "(y): 12": `"` + strings.Repeat("x", 40) + `" is not`,
	} {
		address := rawServer(t, answer("HTTP/1.1 200 OK\r\nServer: shop/1.0\r\nSet-Cookie: sid="+canary+"\r\n"+line+"\r\n\r\nhello"))
		r := once(t, probe.Env{}, get("http://"+address), 5*time.Second)
		if r.Reason != probe.Protocol || !strings.Contains(r.Detail, want) {
			t.Errorf("%q: %q (%s), want %q", line, r.Reason, r.Detail, want)
		}
		if !strings.Contains(r.Excerpt, "Server: shop/1.0") || strings.Contains(r.Excerpt, canary) {
			t.Errorf("%q: the excerpt is %q", line, r.Excerpt)
		}
	}
}

// TestDetailsSayWhatWasThere where what is expected is there, and yet not seen.
func TestDetailsSayWhatWasThere(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = io.WriteString(z, "all is well")
	_ = z.Close()
	packed := webServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(zipped.Bytes())
	}).URL
	marked := webServer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "\ufeff{\"ok\": true}") }).URL
	prompt := rawServer(t, func(c net.Conn) {
		_, _ = io.WriteString(c, "welcome\r\nlogin: ")
		_, _ = io.Copy(io.Discard, c)
	})
	checkFailures(t, []failing{
		{name: "gzip that nobody asked for", check: &sla.HTTPCheck{URL: packed, BodyMatches: "well"}, want: probe.Body, outcome: probe.Bad, detail: "encoded as gzip though nobody asked for it"},
		{name: "JSON with a mark", check: with(marked, sla.HTTPOptions{JSON: "body.ok"}), want: probe.Body, outcome: probe.Bad, detail: "byte-order mark"},
		{name: "a prompt", check: &sla.TCPCheck{Address: prompt, Dialogue: []sla.Step{{Expect: "^login:"}}}, timeout: patience, want: probe.Timeout, outcome: probe.Bad, detail: "in a line without an end: use expectBytes"},
		{name: "another prompt", check: &sla.TCPCheck{Address: prompt, Dialogue: []sla.Step{{Expect: "^user:"}}}, timeout: patience, want: probe.Timeout, outcome: probe.Bad, detail: "received 2 lines, and not what is expected"},
	})
}

// TestAServerThatWantsACertificateIsJudgedAlike in TLS 1.2, where that is a part
// of the handshake, and in 1.3, where the client hears of it afterwards.
func TestAServerThatWantsACertificateIsJudgedAlike(t *testing.T) {
	t.Parallel()
	ca := newAuthority()
	cert := ca.sign(t, "localhost", time.Now().Add(time.Hour))
	own := pemFiles(t, ca.sign(t, "probe-1", time.Now().Add(time.Hour)))
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for auth, want := range map[tls.ClientAuthType]probe.Reason{tls.RequireAnyClientCert: probe.TLSOther, tls.RequestClientCert: "", tls.NoClientCert: ""} {
			conf := &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: auth, MaxVersion: version}
			address := rawServer(t, func(c net.Conn) {
				secured := tls.Server(c, conf)
				if secured.Handshake() == nil {
					_, _ = io.Copy(io.Discard, secured)
				}
			})
			starting := rawServer(t, func(c net.Conn) {
				_, _ = io.WriteString(c, "220 go\r\n")
				secured := tls.Server(c, conf)
				if secured.Handshake() == nil {
					_, _ = io.Copy(io.Discard, secured)
				}
			})
			for name, check := range map[string]sla.Check{
				"tls": &sla.TLSCheck{Address: address}, "tcp": &sla.TCPCheck{Address: address, TLS: true},
				"startTLS": &sla.TCPCheck{Address: starting, Dialogue: []sla.Step{{Expect: "^220"}, {StartTLS: true}}},
			} {
				began := time.Now()
				r := once(t, probe.Env{RootCAs: ca.pool()}, check, 5*time.Second)
				if r.Reason != want {
					t.Errorf("%s, %s, %s: %q (%s), want %q", tls.VersionName(version), auth, name, r.Reason, r.Detail, want)
				}
				if all := time.Since(began); auth == tls.RequestClientCert && version == tls.VersionTLS13 && r.Duration > all-200*time.Millisecond {
					t.Errorf("%s: %s of %s: waiting for a refusal is no part of the probe", name, r.Duration, all)
				}
			}
			if r := once(t, probe.Env{RootCAs: ca.pool()}, &sla.TLSCheck{Address: address, TLSOptions: sla.TLSOptions{Files: own}}, 5*time.Second); r.Outcome != probe.Good {
				t.Errorf("with a certificate: %+v", r)
			}
		}
	}
}
