package probe_test

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter/guard"
	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

// forward copies both ways until one side ends.
func forward(a, b net.Conn) {
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = io.Copy(a, b); a.Close() })
	wg.Go(func() { _, _ = io.Copy(b, a); b.Close() })
	wg.Wait()
}

// proxyServer is an HTTP proxy that notes what it is asked for, and can refuse.
func proxyServer(t *testing.T, asked *[]string, refuse int) string {
	t.Helper()
	return rawServer(t, func(c net.Conn) {
		r, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		*asked = append(*asked, strings.Join([]string{r.Method, r.RequestURI, r.Header.Get("Proxy-Authorization"), r.Header.Get("X-Key")}, " "))
		if refuse != 0 {
			_, _ = io.WriteString(c, "HTTP/1.1 "+strconv.Itoa(refuse)+" No\r\n\r\n")
			return
		}
		to, err := net.Dial("tcp", r.URL.Host)
		if r.Method != http.MethodConnect {
			_ = r.Write(to)
		} else if err == nil {
			_, _ = io.WriteString(c, "HTTP/1.1 200 Connection established\r\nX-A: b\r\n\r\n")
		}
		if err == nil {
			forward(c, to)
		}
	})
}

// socksServer is a SOCKS 5 proxy without authentication.
func socksServer(t *testing.T) string {
	t.Helper()
	return rawServer(t, func(c net.Conn) {
		head := make([]byte, 2)
		_, _ = io.ReadFull(c, head)
		_, _ = io.CopyN(io.Discard, c, int64(head[1]))
		_, _ = c.Write([]byte{5, 0})
		request := make([]byte, 5)
		if _, err := io.ReadFull(c, request); err != nil {
			return
		}
		var host string
		switch request[3] {
		case 1:
			rest := make([]byte, 3)
			_, _ = io.ReadFull(c, rest)
			host = net.IP(append([]byte{request[4]}, rest...)).String()
		default:
			name := make([]byte, request[4])
			_, _ = io.ReadFull(c, name)
			host = string(name)
		}
		port := make([]byte, 2)
		_, _ = io.ReadFull(c, port)
		to, err := net.Dial("tcp", net.JoinHostPort(host, strconv.Itoa(int(binary.BigEndian.Uint16(port)))))
		if err != nil {
			_, _ = c.Write([]byte{5, 5, 0, 1, 0, 0, 0, 0, 0, 0})
			return
		}
		_, _ = c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
		forward(c, to)
	})
}

func TestProxies(t *testing.T) {
	var asked []string
	proxy := proxyServer(t, &asked, 0)
	plain := webServer(t, func(http.ResponseWriter, *http.Request) {})
	ca := newAuthority()
	env := probe.Env{RootCAs: ca.pool()}
	secured := tlsServer(t, ca.sign(t, "localhost", time.Now().Add(time.Hour)))
	by := sla.Proxy{URL: "http://bob:pw@" + proxy, Headers: map[string]string{"x-key": "k"}}
	for _, c := range []struct {
		url, want string
	}{
		{plain.URL + "/a?b=c", "GET " + plain.URL + "/a?b=c Basic Ym9iOnB3 "},
		{secured.URL, "CONNECT " + secured.Listener.Addr().String() + " Basic Ym9iOnB3 k"},
	} {
		asked = nil
		r := mustBeGood(t, env, with(c.url, sla.HTTPOptions{Proxy: &by}))
		if len(asked) != 1 || asked[0] != c.want {
			t.Errorf("asked for %q, want %q", asked, c.want)
		}
		if _, ok := r.Phases.Get(probe.Connect); !ok {
			t.Error("no phase connect")
		}
	}
	asked = nil
	skipping := by
	skipping.NoProxy = "127.0.0.0/8"
	mustBeGood(t, env, with(plain.URL, sla.HTTPOptions{Proxy: &skipping}))
	t.Setenv("HTTPS_PROXY", "http://"+proxy)
	mustBeGood(t, env, with(secured.URL, sla.HTTPOptions{}))
	mustBeGood(t, env, with(secured.URL, sla.HTTPOptions{Proxy: &sla.Proxy{Environment: true}})) // which leaves out 127.0.0.1
	if len(asked) != 0 {
		t.Errorf("asked although it should not be: %q", asked)
	}
	overTLS := tlsProxy(t, proxy)
	if r := mustBeGood(t, env, with(plain.URL, sla.HTTPOptions{Proxy: &sla.Proxy{URL: overTLS}})); r.TLS != nil || r.HTTP.TLS {
		t.Errorf("the proxy's certificate counts as the target's: %+v", r.TLS)
	}
	mustBeGood(t, env, with(secured.URL, sla.HTTPOptions{Proxy: &sla.Proxy{URL: overTLS}}))
	socks := socksServer(t)
	mustBeGood(t, env, with(plain.URL, sla.HTTPOptions{Proxy: &sla.Proxy{URL: "socks5://" + socks}}))
	mustBeGood(t, env, with(strings.Replace(secured.URL, "127.0.0.1", "localhost", 1), sla.HTTPOptions{Proxy: &sla.Proxy{URL: "socks5://" + socks}}))
}

// tlsProxy speaks TLS in front of a proxy.
func tlsProxy(t *testing.T, proxy string) string {
	t.Helper()
	conf := tlsConfigFor(t, "localhost", time.Hour)
	return "https://" + rawServer(t, func(c net.Conn) {
		to, err := net.Dial("tcp", proxy)
		if err == nil {
			forward(tls.Server(c, conf), to)
		}
	})
}

func TestFaultsOfProxies(t *testing.T) {
	var asked []string
	forbidden, unreachable := proxyServer(t, &asked, 403), proxyServer(t, &asked, 502)
	working := proxyServer(t, &asked, 0)
	env := probe.Env{RootCAs: newAuthority().pool()}
	secured := tlsServer(t, newAuthority().sign(t, "else.example", time.Now().Add(time.Hour)))
	for name, c := range map[string]struct {
		proxy, url string
		want       probe.Reason
	}{
		"nobody there":           {"http://" + closedPort(t), "https://shop.example", probe.ProxyFailed},
		"nobody there, plain":    {"http://" + closedPort(t), "http://shop.example", probe.ProxyFailed},
		"it forbids":             {"http://" + forbidden, "https://shop.example", probe.ProxyFailed},
		"it cannot reach":        {"http://" + unreachable, "https://shop.example", probe.Unreachable},
		"not HTTP":               {"http://" + rawServer(t, answer("SSH-2.0-x\r\n\r\n")), "https://shop.example", probe.ProxyFailed},
		"it hangs up":            {"http://" + rawServer(t, answer("")), "https://shop.example", probe.ProxyFailed},
		"the target's own fault": {"http://" + working, secured.URL, probe.TLSName},
		"a SOCKS proxy, refused": {"socks5://" + socksServer(t), "http://" + closedPort(t), probe.Unreachable},
		"no SOCKS proxy":         {"socks5://" + rawServer(t, answer("HTTP/1.1 400 Bad\r\n\r\n")), "http://shop.example", probe.ProxyFailed},
	} {
		if r := once(t, env, with(c.url, sla.HTTPOptions{Proxy: &sla.Proxy{URL: c.proxy}}), 2*time.Second); r.Reason != c.want || r.Outcome != c.want.Outcome() {
			t.Errorf("%s: %+v", name, r)
		}
	}
	g, err := guard.New(guard.Options{DenyCIDR: []string{"127.0.0.9/32"}, DenyHost: []string{"*.internal"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{"https://127.0.0.9", "http://127.0.0.9", "https://db.internal"} {
		asked = nil
		r := once(t, probe.Env{Guard: g}, with(url, sla.HTTPOptions{Proxy: &sla.Proxy{URL: "http://" + working}}), 2*time.Second)
		if r.Reason != probe.Denied || len(asked) != 0 {
			t.Errorf("%s by a proxy: %+v, %q", url, r, asked)
		}
	}
}
