package probe_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

// with is a GET of a URL with rarer options.
func with(url string, o sla.HTTPOptions) *sla.HTTPCheck {
	return &sla.HTTPCheck{URL: url, FollowRedirects: true, Options: &o}
}

func encodings(t *testing.T, text string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	add := func(name string, encoder func(io.Writer) io.WriteCloser) {
		var b bytes.Buffer
		w := encoder(&b)
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		all[name] = b.Bytes()
	}
	add("gzip", func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
	add("deflate", func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) })
	add("raw deflate", func(w io.Writer) io.WriteCloser { f, _ := flate.NewWriter(w, 9); return f })
	add("br", func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) })
	add("zstd", func(w io.Writer) io.WriteCloser { z, _ := zstd.NewWriter(w); return z })
	return all
}

func TestEncodedBodies(t *testing.T) {
	bodies, bombs := encodings(t, "all is well"), encodings(t, strings.Repeat("a", 10<<20))
	var asked atomic.Value
	srv := webServer(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.Header.Get("Accept-Encoding"))
		name := r.URL.Query().Get("as")
		w.Header().Set("Content-Encoding", strings.TrimPrefix(name, "raw "))
		switch r.URL.Path {
		case "/broken":
			_, _ = w.Write(bodies[name][:len(bodies[name])-4])
		case "/empty":
		case "/bomb":
			_, _ = w.Write(bombs[name])
		case "/lie":
			_, _ = io.WriteString(w, "\x00this is not encoded at all")
		default:
			_, _ = w.Write(bodies[name])
		}
	})
	for name := range bodies {
		url := func(path string) string { return srv.URL + path + "?as=" + strings.ReplaceAll(name, " ", "%20") }
		encoding := sla.Encoding(strings.TrimPrefix(name, "raw "))
		all := sla.HTTPOptions{Encodings: sla.Encodings}
		check := with(url("/"), all)
		check.BodyMatches = "^all is well$"
		if r := mustBeGood(t, probe.Env{}, check); r.HTTP.BodyBytes != 11 {
			t.Errorf("%s: %+v", name, r.HTTP)
		}
		if got := asked.Load(); got != "gzip, deflate, br, zstd" {
			t.Errorf("asked for %q", got)
		}
		mustBeGood(t, probe.Env{}, with(url("/empty"), all))
		one := []sla.Encoding{encoding}
		for path, want := range map[string]string{"/lie": "not " + string(encoding), "/broken": ""} {
			if name == "raw deflate" && path == "/lie" {
				continue // without a header, any bytes may be a beginning
			}
			r := once(t, probe.Env{}, with(url(path), sla.HTTPOptions{Encodings: one}), 5*time.Second)
			if r.Outcome != probe.Bad || r.Reason != probe.Body && r.Reason != probe.Reset || !strings.Contains(r.Detail, want) {
				t.Errorf("%s of %s: %+v", path, name, r)
			}
		}
		bomb := once(t, probe.Env{}, with(url("/bomb"), sla.HTTPOptions{Encodings: one, BodyLimit: 100_000}), 5*time.Second)
		if bomb.Reason != probe.Body || !strings.Contains(bomb.Detail, "longer than 100000 bytes") || bomb.HTTP.BodyBytes > 100_001 {
			t.Errorf("a bomb of %s: %+v %+v", name, bomb, bomb.HTTP)
		}
		others := once(t, probe.Env{}, with(url("/"), sla.HTTPOptions{Encodings: []sla.Encoding{otherThan(encoding)}}), 5*time.Second)
		if others.Reason != probe.Body || !strings.Contains(others.Detail, "which was not asked for") {
			t.Errorf("%s unasked: %+v", name, others)
		}
	}
}

func otherThan(e sla.Encoding) sla.Encoding {
	if e == "gzip" {
		return "br"
	}
	return "gzip"
}

func TestBodyLimit(t *testing.T) {
	srv := webServer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", 3<<20)) })
	mustBeGood(t, probe.Env{}, with(srv.URL, sla.HTTPOptions{BodyLimit: 3 << 20}))
	if r := once(t, probe.Env{}, with(srv.URL, sla.HTTPOptions{BodyLimit: 3<<20 - 1}), 5*time.Second); r.Reason != probe.Body {
		t.Errorf("%+v", r)
	}
}

func TestJSONCondition(t *testing.T) {
	srv := webServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/html" {
			_, _ = io.WriteString(w, "<html>s3cret")
			return
		}
		_, _ = io.WriteString(w, `{"status": "ok", "queue": 7, "token": "s3cret"}`+"\n")
	})
	mustBeGood(t, probe.Env{}, with(srv.URL, sla.HTTPOptions{JSON: `body.status == "ok" && body.queue < 10`}))
	for text, want := range map[string]string{
		`body.queue < 5`:      "HTTP 200; the condition of json does not hold",
		`body.lag < 5`:        "HTTP 200; json: the body has no lag",
		`int(body.token) < 5`: "HTTP 200; json: the condition cannot be evaluated on this body",
	} {
		if r := once(t, probe.Env{}, with(srv.URL, sla.HTTPOptions{JSON: text}), 5*time.Second); r.Reason != probe.Body || r.Detail != want {
			t.Errorf("%s: %+v", text, r)
		}
	}
	if r := once(t, probe.Env{}, with(srv.URL+"/html", sla.HTTPOptions{JSON: "true"}), 5*time.Second); r.Detail != "HTTP 200; json: the body is not JSON" {
		t.Errorf("%+v", r)
	}
}

func TestRedirectsAreBoundedAndListed(t *testing.T) {
	other := webServer(t, func(http.ResponseWriter, *http.Request) {})
	srv := webServer(t, func(w http.ResponseWriter, r *http.Request) {
		var n int
		_, _ = fmt.Sscanf(r.URL.Path, "/%d", &n)
		switch {
		case n > 0:
			http.Redirect(w, r, fmt.Sprintf("/%d?token=s3cret", n-1), http.StatusFound)
		case r.URL.Path == "/away":
			http.Redirect(w, r, strings.Replace(other.URL, "127.0.0.1", "localhost", 1), http.StatusFound)
		case r.URL.Path == "/nowhere":
			w.WriteHeader(http.StatusFound)
		}
	})
	r := mustBeGood(t, probe.Env{}, with(srv.URL+"/3?token=s3cret", sla.HTTPOptions{MaxRedirects: 3}))
	if len(r.Parts) != 4 || r.HTTP.Redirects != 3 {
		t.Fatalf("%+v", r.Parts)
	}
	var sum, processing time.Duration
	for i, part := range r.Parts {
		want := 302
		if i == 3 {
			want = 200
		}
		if part.Status != want || part.URL != fmt.Sprintf("%s/%d", srv.URL, 3-i) {
			t.Errorf("%+v", part)
		}
		took, _ := part.Phases.Get(probe.Processing)
		processing += took
		sum += part.Duration
	}
	if all, _ := r.Phases.Get(probe.Processing); all != processing || sum > r.Duration {
		t.Errorf("processing %s of parts that have %s; %s of parts that have %s", all, processing, r.Duration, sum)
	}
	for name, c := range map[string]struct {
		check *sla.HTTPCheck
		want  string
	}{
		"too many":     {with(srv.URL+"/3", sla.HTTPOptions{MaxRedirects: 2}), "more than 2 redirects"},
		"another host": {with(srv.URL+"/away", sla.HTTPOptions{SameHost: true}), "another host, localhost:"},
	} {
		if r := once(t, probe.Env{}, c.check, 5*time.Second); r.Reason != probe.Redirect || !strings.Contains(r.Detail, c.want) {
			t.Errorf("%s: %+v", name, r)
		}
	}
	mustBeGood(t, probe.Env{}, with(srv.URL+"/away", sla.HTTPOptions{}))
	mustBeGood(t, probe.Env{}, &sla.HTTPCheck{URL: srv.URL + "/nowhere", FollowRedirects: true, Status: []sla.StatusRange{{From: 302, To: 302}}})
}

func TestCookiesOfARedirectAreSentOn(t *testing.T) {
	srv := webServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "s3cret"})
			http.Redirect(w, r, "/home", http.StatusSeeOther)
			return
		}
		if c, err := r.Cookie("session"); err != nil || c.Value != "s3cret" {
			w.WriteHeader(http.StatusForbidden)
		}
	})
	mustBeGood(t, probe.Env{}, &sla.HTTPCheck{URL: srv.URL + "/login", Method: "POST", Body: "user=a", FollowRedirects: true})
}

// TestNothingIsSentTwice counts what servers see that answer badly.
func TestNothingIsSentTwiceInAnyVersion(t *testing.T) {
	var requests atomic.Int64
	for name, serve := range map[string]http.HandlerFunc{
		"closes without an answer": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"answers 503":              func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
	} {
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			serve(w, r)
		})
		for _, version := range []sla.HTTPVersion{sla.HTTP11, sla.HTTP2, sla.HTTP3} {
			requests.Store(0)
			env, url := versionServer(t, version, handler)
			if r := once(t, env, with(url, sla.HTTPOptions{Versions: []sla.HTTPVersion{version}}), 5*time.Second); r.Outcome != probe.Bad || requests.Load() != 1 {
				t.Errorf("a server that %s over %s was asked %d times: %+v", name, version, requests.Load(), r)
			}
		}
	}
}

// TestAnswersOfAllVersions has answers that clients often get wrong.
func TestAnswersOfAllVersions(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hints":
			w.Header().Set("Link", "</style.css>")
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusOK)
			_, _ = io.WriteString(w, "ok")
		case "/trailers":
			w.Header().Set("Trailer", "X-Sum")
			_, _ = io.WriteString(w, "ok")
			w.Header().Set("X-Sum", "1")
		case "/204":
			w.WriteHeader(http.StatusNoContent)
		case "/304":
			w.WriteHeader(http.StatusNotModified)
		case "/echo":
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %s %d %s", r.Method, r.Host, r.ContentLength, body)
		case "/chunks":
			for range 3 {
				_, _ = io.WriteString(w, "ok")
				w.(http.Flusher).Flush()
			}
		case "/from":
			http.Redirect(w, r, "/chunks", http.StatusFound)
		}
	})
	for _, version := range []sla.HTTPVersion{sla.HTTP11, sla.HTTP2, sla.HTTP3} {
		env, url := versionServer(t, version, handler)
		options := &sla.HTTPOptions{Versions: []sla.HTTPVersion{version}}
		for name, check := range map[string]*sla.HTTPCheck{
			"early hints": {URL: url + "/hints", BodyMatches: "^ok$"},
			"trailers":    {URL: url + "/trailers", BodyMatches: "^ok$"},
			"no content":  {URL: url + "/204"},
			"unmodified":  {URL: url + "/304", Status: []sla.StatusRange{{From: 304, To: 304}}},
			"HEAD":        {URL: url + "/chunks", Method: "HEAD"},
			"POST":        {URL: url + "/echo", Method: "POST", Body: "ping", Headers: map[string]string{"Host": "shop.example"}, BodyMatches: "^POST shop.example 4 ping$"},
			"empty POST":  {URL: url + "/echo", Method: "POST", BodyMatches: "^POST .* (0|-1) $"},
			"chunks":      {URL: url + "/chunks", BodyMatches: "^okokok$"},
			"a redirect":  {URL: url + "/from", FollowRedirects: true, BodyMatches: "^okokok$"},
		} {
			check.Options = options
			t.Run(name+" over "+string(version), func(t *testing.T) {
				r := mustBeGood(t, env, check)
				if want := map[sla.HTTPVersion]string{"1.1": "HTTP/1.1", "2": "HTTP/2.0", "3": "HTTP/3.0"}[version]; r.HTTP.Version != want || !r.HTTP.TLS {
					t.Errorf("%+v", r.HTTP)
				}
				if r.TLS == nil || r.TLS.ChainExpiry.IsZero() || !r.Remote.IsLoopback() {
					t.Errorf("%+v from %s", r.TLS, r.Remote)
				}
			})
		}
	}
}

func TestAcceptedVersions(t *testing.T) {
	old := "http://" + rawServer(t, answer("HTTP/1.0 200 OK\r\n\r\nok"))
	env, one := versionServer(t, sla.HTTP11, http.NotFoundHandler())
	_, two := versionServer(t, sla.HTTP2, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for name, c := range map[string]struct {
		url      string
		versions []sla.HTTPVersion
		want     string
	}{
		"1.0 by default":      {old, nil, ""},
		"1.0 wanted":          {old, []sla.HTTPVersion{"1.0"}, ""},
		"1.0 refused":         {old, []sla.HTTPVersion{"1.1"}, "HTTP/1.0 is not an accepted version"},
		"2 not spoken":        {one, []sla.HTTPVersion{"2"}, "no application protocol"},
		"the best of two":     {two, []sla.HTTPVersion{"1.1", "2"}, ""},
		"3 where nobody is":   {"https://" + closedPort(t), []sla.HTTPVersion{"3"}, "QUIC handshake"},
		"2 of a server of 1":  {old, []sla.HTTPVersion{"2"}, "HTTP/1.0 is not an accepted version"},
		"1 of a server of 2":  {two, []sla.HTTPVersion{"1.1"}, ""},
		"1.1 of a server of1": {one, []sla.HTTPVersion{"1.1", "1.0"}, "HTTP 404"},
	} {
		r := once(t, env, with(c.url, sla.HTTPOptions{Versions: c.versions}), time.Second)
		if (r.Outcome == probe.Good) != (c.want == "") || !strings.Contains(r.Detail, c.want) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// TestCertificatesOfAllVersions refuses the same certificates whatever is
// spoken over them, and returns them.
func TestCertificatesOfAllVersions(t *testing.T) {
	ca := newAuthority()
	for _, version := range []sla.HTTPVersion{sla.HTTP11, sla.HTTP2, sla.HTTP3} {
		for want, c := range map[probe.Reason]struct {
			name    string
			expires time.Duration
			env     probe.Env
		}{
			probe.TLSExpired:   {"localhost", -time.Hour, probe.Env{RootCAs: ca.pool()}},
			probe.TLSName:      {"else.example", time.Hour, probe.Env{RootCAs: ca.pool()}},
			probe.TLSAuthority: {"localhost", time.Hour, probe.Env{RootCAs: x509Empty()}},
		} {
			url := serveVersion(t, version, ca.sign(t, c.name, time.Now().Add(c.expires)), http.NotFoundHandler())
			r := once(t, c.env, with(url, sla.HTTPOptions{Versions: []sla.HTTPVersion{version}}), 5*time.Second)
			if r.Reason != want || r.TLS == nil || r.TLS.Certificate == nil || r.TLS.EarliestExpiry.IsZero() || !strings.Contains(r.Detail, "the certificate of CN="+c.name+" by CN=test authority, until ") {
				t.Errorf("%s over %s: %+v", want, version, r)
			}
		}
	}
}

func TestSilentQUIC(t *testing.T) {
	t.Parallel()
	silent := packets(t, func([]byte) [][]byte { return nil })
	r := once(t, probe.Env{}, with("https://"+silent, sla.HTTPOptions{Versions: []sla.HTTPVersion{"3"}}), patience)
	if r.Reason != probe.ConnectTimeout || r.Duration > 2*time.Second {
		t.Errorf("%+v", r)
	}
}

// file writes a file that only this test has.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
