package httpguard_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/internal/httpguard"
)

func guarded(t *testing.T, o httpguard.Options) http.Handler {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "read") })
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		fmt.Fprint(w, "changed")
	})
	handler, err := httpguard.New(mux, o)
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

func TestOnlyHostsThatAreMeantAreAnswered(t *testing.T) {
	public := &url.URL{Scheme: "https", Host: "sla.example"}
	for _, c := range []struct {
		name    string
		options httpguard.Options
		host    string
		allowed bool
	}{
		{"the address itself", httpguard.Options{Listen: "127.0.0.1:9798"}, "127.0.0.1:9798", true},
		{"localhost", httpguard.Options{Listen: "127.0.0.1:9798"}, "localhost:9798", true},
		{"another port, as of a tunnel", httpguard.Options{Listen: "127.0.0.1:9798"}, "localhost:8080", true},
		{"IPv6", httpguard.Options{Listen: "[::1]:9798"}, "[::1]:9798", true},
		{"IPv6 without a port", httpguard.Options{Listen: "[::1]:9798"}, "[::1]", true},
		{"a name that was made to point here", httpguard.Options{Listen: "127.0.0.1:9798"}, "rebound.example:9798", false},
		{"an address of the network", httpguard.Options{Listen: "127.0.0.1:9798"}, "192.0.2.1", false},
		{"no host", httpguard.Options{Listen: "localhost:9798"}, "", false},
		{"the external name, by a proxy on this machine", httpguard.Options{Listen: "127.0.0.1:9798", External: public}, "sla.example", true},
		{"a name that was allowed", httpguard.Options{Listen: "127.0.0.1:9798", AllowedHosts: []string{"Grafana.example"}}, "grafana.example:9798", true},
		{"a name that was allowed with a port", httpguard.Options{Listen: "127.0.0.1:9798", AllowedHosts: []string{"grafana.example:9798"}}, "grafana.example", true},
		{"any name where all interfaces are listened on", httpguard.Options{Listen: ":9798"}, "upheld.monitoring.svc:9798", true},
		{"one of those that were named", httpguard.Options{Listen: "0.0.0.0:9798", AllowedHosts: []string{"upheld.monitoring.svc"}}, "upheld.monitoring.svc:9798", true},
		{"none of those that were named", httpguard.Options{Listen: "0.0.0.0:9798", AllowedHosts: []string{"upheld.monitoring.svc"}}, "rebound.example", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Host = c.host
			guarded(t, c.options).ServeHTTP(w, r)
			if allowed := w.Code == http.StatusOK; allowed != c.allowed {
				t.Errorf("%q is answered with %d", c.host, w.Code)
			}
			if !c.allowed && (w.Code != http.StatusMisdirectedRequest || !strings.Contains(w.Body.String(), "--web.allowed-hosts")) {
				t.Errorf("refused with %d %s", w.Code, w.Body)
			}
		})
	}
}

func TestNoPageOfAnotherSiteChangesAnything(t *testing.T) {
	options := httpguard.Options{Listen: "127.0.0.1:9798", External: &url.URL{Scheme: "https", Host: "sla.example"}}
	for _, c := range []struct {
		name, method string
		header       map[string]string
		allowed      bool
	}{
		{"curl", http.MethodPost, nil, true},
		{"a page of ours", http.MethodPost, map[string]string{"Sec-Fetch-Site": "same-origin"}, true},
		{"a page behind the external URL", http.MethodPost, map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://sla.example"}, true},
		{"another site", http.MethodPost, map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, false},
		{"another site, from a browser that says only its origin", http.MethodPost, map[string]string{"Origin": "https://evil.example"}, false},
		{"another port of this machine", http.MethodPost, map[string]string{"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:3000"}, false},
		{"another site that only reads", http.MethodGet, map[string]string{"Sec-Fetch-Site": "cross-site"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(c.method, "/", nil)
			r.Host = "127.0.0.1:9798"
			for name, value := range c.header {
				r.Header.Set(name, value)
			}
			guarded(t, options).ServeHTTP(w, r)
			if allowed := w.Code == http.StatusOK; allowed != c.allowed {
				t.Errorf("answered with %d %s", w.Code, w.Body)
			}
		})
	}
}

func TestEveryAnswerTellsBrowsersToBeCareful(t *testing.T) {
	for _, path := range []string{"/", "/nothing"} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Host = "evil.example"
		if path == "/" {
			r.Host = "localhost"
		}
		guarded(t, httpguard.Options{Listen: "127.0.0.1:9798"}).ServeHTTP(w, r)
		if w.Header().Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s is answered with %v", path, w.Header())
		}
	}
}

func TestLargeBodiesAreNotRead(t *testing.T) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Repeat("x", 2<<20)))
	r.Host = "localhost"
	guarded(t, httpguard.Options{Listen: "127.0.0.1:9798"}).ServeHTTP(w, r)
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("2 MiB are answered with %d", w.Code)
	}
}

// A client that keeps its connection is answered again and again: deadlines of one
// request hold for no other.
func TestAConnectionServesManyRequests(t *testing.T) {
	server := httptest.NewUnstartedServer(guarded(t, httpguard.Options{Listen: "127.0.0.1:0"}))
	server.Config = httpguard.Server(server.Config.Handler)
	server.Start()
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	for i := range 20 {
		request := "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
		if i%2 == 1 {
			request = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc"
		}
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("request %d: %s %v", i, resp.Status, err)
		}
		resp.Body.Close()
	}
}
