package probe_test

import (
	"bufio"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

func x509Empty() *x509.CertPool { return x509.NewCertPool() }

// mustBeGood runs one probe and wants it good.
func mustBeGood(t *testing.T, env probe.Env, check sla.Check) probe.Result {
	t.Helper()
	r := once(t, env, check, 5*time.Second)
	if r.Outcome != probe.Good || r.Reason != "" {
		t.Fatalf("%s because of %s: %s", r.Outcome, r.Reason, r.Detail)
	}
	return r
}

func TestRequestIsSentAsSpecified(t *testing.T) {
	var got string
	srv := webServer(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		user, password, _ := r.BasicAuth()
		got = fmt.Sprintf("%s %s host=%s key=%s agent=%s user=%s:%s body=%s length=%d close=%t", r.Method, r.RequestURI, r.Host,
			r.Header.Get("X-Key"), r.UserAgent(), user, password, body, r.ContentLength, r.Close)
	})
	mustBeGood(t, probe.Env{UserAgent: "upheld-test"}, &sla.HTTPCheck{
		URL:    strings.Replace(srv.URL, "http://", "http://bob:pw@", 1) + "/health?full=1",
		Method: "POST", Headers: map[string]string{"host": "shop.example", "X-Key": "k"}, Body: "ping",
	})
	want := "POST /health?full=1 host=shop.example key=k agent=upheld-test user=bob:pw body=ping length=4 close=true"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAnswersThatAreGood(t *testing.T) {
	chunked := webServer(t, func(w http.ResponseWriter, _ *http.Request) {
		for range 3 {
			_, _ = io.WriteString(w, "all is well\n")
			w.(http.Flusher).Flush()
		}
	}).URL
	status := webServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }).URL
	moved := webServer(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusMovedPermanently) }).URL
	endless := webServer(t, func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := io.WriteString(w, strings.Repeat("x", 1<<16)); err != nil {
				return
			}
		}
	}).URL
	for name, check := range map[string]*sla.HTTPCheck{
		"chunked body that matches":              {URL: chunked, BodyMatches: `(?m)^all is well$`},
		"headers and a body that is not another": {URL: chunked, HeaderMatches: map[string]string{"Content-Type": "^text/plain"}, BodyNotMatches: "maintenance"},
		"HEAD":                                   {URL: chunked, Method: "HEAD"},
		"an accepted status":                     {URL: status, Status: []sla.StatusRange{{From: 200, To: 299}, {From: 418, To: 418}}},
		"a redirect that is not followed":        {URL: moved, Status: []sla.StatusRange{{From: 301, To: 301}}},
		"an endless body nobody looks into":      {URL: endless},
		"interim answers": {URL: "http://" + rawServer(t, answer(
			"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")), BodyMatches: "^ok$"},
		"HTTP/1.0 until the end of the connection": {URL: "http://" + rawServer(t, answer("HTTP/1.0 200 OK\r\n\r\nok")), BodyMatches: "^ok$"},
	} {
		t.Run(name, func(t *testing.T) { mustBeGood(t, probe.Env{}, check) })
	}
}

func TestBothIPVersions(t *testing.T) {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skipf("no IPv6 here: %v", err)
	}
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Listener = l
	srv.Start()
	defer srv.Close()
	mustBeGood(t, probe.Env{}, &sla.TCPCheck{Address: l.Addr().String()})
	r := mustBeGood(t, probe.Env{}, &sla.HTTPCheck{URL: "http://" + l.Addr().String(), Status: []sla.StatusRange{{From: 404, To: 404}}})
	if _, resolved := r.Phases.Get(probe.Resolve); resolved {
		t.Error("an address was resolved")
	}
}

func TestRedirectsAreFollowedAsBrowsersDo(t *testing.T) {
	var trail []string
	note := func(r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		trail = append(trail, fmt.Sprintf("%s %s %s %q", r.Method, r.URL.Path, r.Header.Get("Authorization"), body))
	}
	other := webServer(t, func(_ http.ResponseWriter, r *http.Request) { note(r) })
	elsewhere := strings.Replace(other.URL, "127.0.0.1", "localhost", 1)
	srv := webServer(t, func(w http.ResponseWriter, r *http.Request) {
		note(r)
		next, code := "/kept", http.StatusTemporaryRedirect
		switch r.URL.Path {
		case "/kept":
			next, code = "/seen", http.StatusSeeOther
		case "/seen":
			next, code = elsewhere+"/away", http.StatusFound
		}
		w.Header().Set("Location", next)
		w.WriteHeader(code)
		_, _ = io.WriteString(w, strings.Repeat("a long text that says where to go ", 10_000))
	})
	r := mustBeGood(t, probe.Env{}, &sla.HTTPCheck{URL: srv.URL + "/", Method: "POST", Body: "x", Headers: map[string]string{"Authorization": "Bearer t"}, FollowRedirects: true})
	want := []string{`POST / Bearer t "x"`, `POST /kept Bearer t "x"`, `GET /seen Bearer t ""`, `GET /away  ""`}
	if strings.Join(trail, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(trail, "\n"), strings.Join(want, "\n"))
	}
	if _, resolved := r.Phases.Get(probe.Resolve); !resolved {
		t.Error("the name in the redirect was not resolved")
	}
}

func TestTLS(t *testing.T) {
	ca := newAuthority()
	env := probe.Env{RootCAs: ca.pool()}
	valid := tlsServer(t, ca.sign(t, "localhost", time.Now().Add(time.Hour)))
	byName := strings.Replace(valid.URL, "127.0.0.1", "localhost", 1)
	r := mustBeGood(t, env, get(byName))
	for _, p := range []probe.Phase{probe.Resolve, probe.Connect, probe.TLS, probe.Processing, probe.Transfer} {
		if d, seen := r.Phases.Get(p); !seen || d <= 0 {
			t.Errorf("phase %s took %s", p, d)
		}
	}
	mustBeGood(t, env, get(valid.URL))
	mustBeGood(t, env, &sla.TCPCheck{Address: valid.Listener.Addr().String(), TLS: true})
	mustBeGood(t, env, &sla.TCPCheck{Address: valid.Listener.Addr().String(), TLS: true, TLSOptions: sla.TLSOptions{ServerName: "localhost"}})
	expired := tlsServer(t, ca.sign(t, "localhost", time.Now().Add(-time.Hour)))
	mustBeGood(t, env, &sla.HTTPCheck{URL: expired.URL, InsecureSkipVerify: true})
	mustBeGood(t, env, &sla.TCPCheck{Address: expired.Listener.Addr().String(), TLS: true, TLSOptions: sla.TLSOptions{InsecureSkipVerify: true}})
	away := webServer(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, byName, http.StatusFound) })
	mustBeGood(t, env, get(away.URL))
}

func TestPhasesSumToTheDuration(t *testing.T) {
	address := rawServer(t, func(c net.Conn) {
		_, _ = http.ReadRequest(bufio.NewReader(c))
		time.Sleep(60 * time.Millisecond)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
		time.Sleep(30 * time.Millisecond)
		_, _ = io.WriteString(c, "k")
	})
	// A busy machine may take its time between any two readings of the clock, but
	// not every time.
	for range 20 {
		r := mustBeGood(t, probe.Env{}, get("http://"+address))
		processing, _ := r.Phases.Get(probe.Processing)
		transfer, _ := r.Phases.Get(probe.Transfer)
		var sum time.Duration
		for _, d := range r.Phases.All() {
			sum += d
		}
		if sum > r.Duration || transfer <= 0 {
			t.Fatalf("phases sum to %s of %s, of which transfer is %s", sum, r.Duration, transfer)
		}
		// The first byte may be noticed late, at the cost of transfer.
		if processing >= 59*time.Millisecond && processing+transfer >= 88*time.Millisecond && r.Duration-sum <= 50*time.Millisecond {
			return
		}
		t.Logf("processing %s, transfer %s, all phases %s, the probe %s", processing, transfer, sum, r.Duration)
	}
	t.Error("the phases are never as long as the server makes them, nor all of the probe")
}

func TestBadChecksAreRefusedWithoutTellingSecrets(t *testing.T) {
	for name, check := range map[string]sla.Check{
		"unparseable URL": get("http://bob:s3cret@[::1/"),
		"no scheme":       get("bob:s3cret@shop.example"),
		"bad method":      &sla.HTTPCheck{URL: "http://bob:s3cret@shop.example/", Method: "A B"},
		"bad regexp":      &sla.HTTPCheck{URL: "http://bob:s3cret@shop.example/", BodyMatches: "("},
		"no port":         &sla.TCPCheck{Address: "shop.example"},
	} {
		_, err := probe.NewFactory(probe.Env{}).New(&sla.Probe{Check: check, Timeout: time.Second})
		if err == nil {
			t.Errorf("%s: no error", name)
		} else if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: the error tells the password: %v", name, err)
		}
	}
}

func TestDetailsTellNoSecrets(t *testing.T) {
	t.Parallel()
	leaky := rawServer(t, answer("s3cret is not HTTP\r\n"))
	location := webServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "http://[s3cret")
		w.WriteHeader(http.StatusFound)
	})
	body := webServer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "s3cret") })
	chunks := rawServer(t, answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\ns3cret\r\n"))
	header := rawServer(t, answer("HTTP/1.1 200 OK\r\ns3cret s3cret\r\n\r\n"))
	secret := map[string]string{"X-Token": "s3cret"}
	for _, check := range []*sla.HTTPCheck{
		get("http://bob:s3cret@" + leaky), get("http://bob:s3cret@" + closedPort(t)), get("http://bob:s3cret@no-such-name.invalid"),
		get(location.URL),
		{URL: body.URL, BodyMatches: "x", Headers: secret, Body: "s3cret"},
		get("http://" + chunks), get("http://" + header),
	} {
		r := once(t, probe.Env{Resolver: resolverWith(t, nil)}, check, patience)
		if r.Outcome == probe.Good || strings.Contains(r.Detail, "s3cret") {
			t.Errorf("%s %s: %s", r.Outcome, r.Reason, r.Detail)
		}
	}
}
