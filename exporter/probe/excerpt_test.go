package probe_test

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

// TestExcerptsShowWhatTheTargetSaid asks targets of every kind that talks.
func TestExcerptsShowWhatTheTargetSaid(t *testing.T) {
	t.Parallel()
	web := func(talk http.HandlerFunc) *sla.HTTPCheck { return get(webServer(t, talk).URL) }
	matching := func(c *sla.HTTPCheck) *sla.HTTPCheck { c.BodyMatches = "what it does not say"; return c }
	packed := matching(web(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, "was packed")
		_ = z.Close()
	}))
	packed.Options = &sla.HTTPOptions{Encodings: []sla.Encoding{"gzip"}}
	talking := func(text string) string { return rawServer(t, answer(text)) }
	greeting := func(text string) string { return rawServer(t, func(c net.Conn) { _, _ = io.WriteString(c, text) }) }
	expecting := []sla.Step{{Expect: "^250 "}}
	for _, c := range []struct {
		name  string
		check sla.Check
		wants []string
	}{
		{"the body is not read for the verdict", web(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Backend", "node-7")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, "database <down>")
		}), []string{"HTTP/1.1 503 Service Unavailable\n", "\nX-Backend: node-7\n", "\n\ndatabase <down>"}},
		{"a header", &sla.HTTPCheck{
			URL:           web(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "a page") }).URL,
			HeaderMatches: map[string]string{"X-Version": "2"},
		}, []string{"HTTP/1.1 200 OK", "a page"}},
		{"a body", matching(web(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "another text") })), []string{"another text"}},
		{"a body that is cut short", get("http://" + talking("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it")), []string{"half of it"}},
		{"a packed body", packed, []string{"Content-Encoding: gzip", "was packed"}},
		{"the last redirect", &sla.HTTPCheck{
			URL: web(func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "ftp://elsewhere/", http.StatusFound)
			}).URL, FollowRedirects: true,
		}, []string{"HTTP/1.1 302 Found", "Location: ftp://elsewhere/"}},
		{"no HTTP", get("http://" + talking("SSH-2.0-OpenSSH_9\r\n")), []string{"SSH-2.0-OpenSSH_9"}},
		{"tcp", &sla.TCPCheck{Address: greeting("554 go away\r\n"), Dialogue: expecting}, []string{"554 go away"}},
		{"what was read ahead", &sla.TCPCheck{Address: greeting("220 hello\r\n421 busy\r\n"), Dialogue: append([]sla.Step{{Expect: "^220 "}}, expecting...)}, []string{"421 busy"}},
		{"udp", &sla.UDPCheck{Address: packets(t, func([]byte) [][]byte { return [][]byte{[]byte("nothing")} }), Dialogue: append([]sla.Step{{Send: "x"}}, expecting...)}, []string{"nothing"}},
		{"websocket", &sla.WebSocketCheck{
			Request: *get(socketServer(t, false, func(ctx context.Context, c *websocket.Conn) {
				_ = c.Write(ctx, websocket.MessageText, []byte("closing time"))
			})),
			Dialogue: expecting,
		}, []string{"closing time"}},
		{"no websocket", &sla.WebSocketCheck{Request: *web(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "not here", http.StatusNotFound) })}, []string{"404 Not Found", "not here"}},
		{"grpc", &sla.GRPCCheck{Address: healthServer(t, nil, func(context.Context) error { return status.Error(codes.Unavailable, "pool is empty") })}, []string{"gRPC Unavailable", "pool is empty"}},
		{"dns", func() sla.Check {
			c := ask(nameServer(t, "udp", tls.Certificate{}, zone), "udp", "shop.example", "A")
			c.Answer.Any = "203.0.113.99"
			return c
		}(), []string{"NOERROR", "answer: shop.example."}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := once(t, probe.Env{}, c.check, time.Second)
			if r.Outcome != probe.Bad {
				t.Fatalf("%+v", r)
			}
			for _, want := range c.wants {
				if !strings.Contains(r.Excerpt, want) {
					t.Errorf("%s: %s: no %q in %q", r.Reason, r.Detail, want, r.Excerpt)
				}
			}
		})
	}
}

// TestExcerptsHoldNoSecrets has servers repeat all that they are told, and
// tell secrets of their own.
func TestExcerptsHoldNoSecrets(t *testing.T) {
	echo := webServer(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, password, _ := r.BasicAuth()
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: canary + "-cookie"})
		w.Header().Set("X-Repeated", r.Header.Get("X-Tenant"))
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "seen: %v %s %s %s %q", r.Header, body, password, r.URL.Query().Get("api_key"), r.Header.Get("X-Tenant"))
	}).URL
	file := func(text string) sla.Secret {
		path := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return sla.Secret{File: path}
	}
	with := func(url string, o sla.HTTPOptions) *sla.HTTPCheck { c := get(url); c.Options = &o; return c }
	saying := func(text string) *sla.HTTPCheck {
		return get(webServer(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, text)
		}).URL)
	}
	post := get(echo)
	post.Method, post.Body = http.MethodPost, `{"user": "probe", "pin": "`+canary+` & more"}`
	form := get(echo)
	form.Method, form.Body = http.MethodPost, "user=probe&pin="+canary
	headed := get(echo)
	headed.Headers = map[string]string{"X-Tenant": canary, "Cookie": "a=" + canary}
	spoken := rawServer(t, func(c net.Conn) {
		b := make([]byte, 100)
		n, _ := c.Read(b)
		fmt.Fprintf(c, "500 what is %s\r\n", b[:n])
	})
	for name, check := range map[string]sla.Check{
		"basic":               with(echo, sla.HTTPOptions{Auth: &sla.HTTPAuth{Basic: &sla.BasicAuth{Username: "probe", Password: file(canary)}}}),
		"bearer":              with(echo, sla.HTTPOptions{Auth: &sla.HTTPAuth{Authorization: &sla.Authorization{Credentials: file(canary)}}}),
		"a header of a file":  with(echo, sla.HTTPOptions{HeaderFiles: map[string]sla.Secret{"X-Key": file(canary)}}),
		"user info":           get(strings.Replace(echo, "http://", "http://probe:"+canary+"@", 1)),
		"headers":             headed,
		"a key in the query":  get(echo + "?api_key=" + canary),
		"a body of JSON":      post,
		"a form":              form,
		"a token in JSON":     saying(`{"message": "no", "access_token": "` + canary + `\" more"}`),
		"a token in a text":   saying("it was token=" + canary + ", wrong"),
		"quoted twice":        saying(`{"log": "{\"password\":\"` + canary + `\"}"}`),
		"a list of tokens":    saying(`{"tokens": ["` + canary + `"]}`),
		"a hidden field":      saying(`<input type="hidden" name="state" value="` + canary + `">`),
		"a bearer":            saying("Authorization was Bearer " + canary),
		"a web token":         saying("eyJhbGciOi." + canary + ".x"),
		"user info of others": saying("see http://bob:" + canary + "@backend.example/ for more"),
		"a redirect with it": get(webServer(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "ftp://bob:"+canary+"@backend.example/")
			w.WriteHeader(http.StatusFound)
		}).URL),
		"a redirect's query": get(webServer(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "ftp://x/?code="+canary, http.StatusFound)
		}).URL),
		"a password sent":     &sla.TCPCheck{Address: spoken, Dialogue: []sla.Step{{Send: "PASS " + canary}, {Expect: "^250"}}},
		"a password in bytes": &sla.TCPCheck{Address: spoken, Dialogue: []sla.Step{{SendBytes: []byte("PASS " + canary)}, {Expect: "^250"}}},
		"captured": &sla.JourneyCheck{Steps: []sla.JourneyStep{
			{Name: "first", Request: sla.HTTPCheck{URL: echo, Status: []sla.StatusRange{{From: 403, To: 403}}, Headers: map[string]string{"X-Tenant": canary}}, Captures: []sla.Capture{{Name: "tenant", Header: "X-Repeated"}}},
			{Name: "second", Request: sla.HTTPCheck{URL: echo, Headers: map[string]string{"X-Tenant": "${tenant}"}}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := once(t, probe.Env{}, check, time.Second)
			if r.Outcome != probe.Bad || r.Excerpt == "" {
				t.Fatalf("%+v", r)
			}
			for _, secret := range []string{canary, base64.StdEncoding.EncodeToString([]byte(canary))} {
				if strings.Contains(r.Excerpt, secret) || strings.Contains(r.Detail, secret) {
					t.Errorf("%s is in %q", secret, r.Excerpt)
				}
			}
		})
	}
}

// TestExcerptsAreBounded: what they hold, and how long they may take.
func TestExcerptsAreBounded(t *testing.T) {
	serve := func(talk http.HandlerFunc) probe.Result {
		return once(t, probe.Env{}, get(webServer(t, talk).URL), 5*time.Second)
	}
	long := serve(func(w http.ResponseWriter, _ *http.Request) {
		for i := range 100 {
			w.Header().Set(fmt.Sprintf("X-Long-%d", i), strings.Repeat("h", 300))
		}
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, strings.Repeat("äb", 10_000))
	})
	if n := len(long.Excerpt); n < probe.DefaultExcerpt || n > 2*probe.DefaultExcerpt+20 || !utf8.ValidString(long.Excerpt) {
		t.Errorf("%d bytes: %q", n, long.Excerpt)
	}
	binary := serve(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte("\x89PNG\x00\x01 and more of it, on and on"))
	})
	if !strings.Contains(binary.Excerpt, "(no text; at least 32 bytes, beginning with 89 50 4e 47 00") || strings.Contains(binary.Excerpt, "more of it") {
		t.Errorf("%q", binary.Excerpt)
	}
	tricky := serve(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, "an order\x1b[2J, and a turn \u202e of the direction, in a text that is long enough")
	})
	if strings.ContainsAny(tricky.Excerpt, "\x1b\u202e") || !strings.Contains(tricky.Excerpt, "long enough") {
		t.Errorf("%q", tricky.Excerpt)
	}

	release := make(chan struct{})
	defer close(release)
	start := time.Now()
	silent := serve(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, "the beginning")
		w.(http.Flusher).Flush()
		<-release
	})
	waited := time.Since(start)
	if silent.Reason != probe.Status || !strings.Contains(silent.Excerpt, "the beginning") {
		t.Errorf("%+v", silent)
	}
	if waited > 4*time.Second || silent.Duration > waited-200*time.Millisecond {
		t.Errorf("the probe took %s, and reports %s: the wait for the body is no part of it", waited, silent.Duration)
	}
}

// TestGoodAnswersHaveNoExcerpt, and nothing is kept where nobody asks.
func TestGoodAnswersHaveNoExcerpt(t *testing.T) {
	srv := webServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/bad" {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = io.WriteString(w, "a text")
	})
	if r := mustBeGood(t, probe.Env{}, get(srv.URL)); r.Excerpt != "" {
		t.Errorf("%+v", r)
	}
	p, err := probe.NewFactory(probe.Env{}).New(&sla.Probe{Check: get(srv.URL + "/bad"), Interval: time.Minute, Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if r := p.Probe(t.Context(), time.Time{}); r.Outcome != probe.Bad || r.Excerpt != "" {
		t.Errorf("%+v", r)
	}
}

// TestExcerptsOfEveryVersionOfHTTP, of bodies that end and of such that do not.
func TestExcerptsOfEveryVersionOfHTTP(t *testing.T) {
	t.Parallel()
	for _, version := range []sla.HTTPVersion{sla.HTTP11, sla.HTTP2, sla.HTTP3} {
		t.Run(string(version), func(t *testing.T) {
			release := make(chan struct{})
			env, url := versionServer(t, version, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(http.StatusBadGateway)
				_, _ = io.WriteString(w, "upstream is gone")
				w.(http.Flusher).Flush()
				if r.URL.Path == "/silent" {
					select {
					case <-release:
					case <-r.Context().Done():
					}
				}
			}))
			defer close(release)
			for _, path := range []string{"/", "/silent"} {
				r := once(t, env, with(url+path, sla.HTTPOptions{Versions: []sla.HTTPVersion{version}}), 10*time.Second)
				if r.Reason != probe.Status || !strings.HasPrefix(r.Excerpt, "HTTP/"+string(version)) || !strings.HasSuffix(r.Excerpt, "upstream is gone") || r.Duration > 5*time.Second {
					t.Errorf("%s: %+v", path, r)
				}
			}
		})
	}
}
