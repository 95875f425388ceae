package probe

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpproxy"
	socks "golang.org/x/net/proxy"

	"github.com/upheld-sla/upheld/sla"
)

// proxy says which proxy to use for a URL.
type proxy struct {
	of      func(*url.URL) (*url.URL, error) // nil for none
	headers []pair                           // of CONNECT
}

func newProxy(o *sla.Proxy) (*proxy, error) {
	p := &proxy{}
	for _, name := range slices.Sorted(maps.Keys(o.Headers)) {
		h := pair{http.CanonicalHeaderKey(name), o.Headers[name]}
		if !h.valid() {
			return nil, errors.New("the header " + clip(h.name) + " cannot be sent to a proxy")
		}
		p.headers = append(p.headers, h)
	}
	if o.Environment {
		p.of = httpproxy.FromEnvironment().ProxyFunc()
		return p, nil
	}
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "socks5" && u.Scheme != "socks5h" {
		return nil, errors.New("the URL of the proxy must begin with http://, https:// or socks5:// and name a host")
	}
	p.of = func(*url.URL) (*url.URL, error) { return u, nil }
	if o.NoProxy != "" {
		p.of = (&httpproxy.Config{HTTPProxy: o.URL, HTTPSProxy: o.URL, NoProxy: o.NoProxy}).ProxyFunc()
	}
	return p, nil
}

// route is how a request reaches its URL: directly or by a proxy.
type route struct {
	address     string // the host:port to connect to
	target      string // host:port of the URL
	proxy       *url.URL
	tunnel      []pair // headers of CONNECT
	headers     []pair // of the request itself
	absoluteURL bool   // the request has the whole URL
	secure      bool   // the URL is https
}

// route returns the route of a request.
func (h *httpClient) route(o *outgoing) (route, *failure) {
	r := route{address: o.address, target: o.address, secure: o.url.Scheme == "https"}
	if h.proxy == nil {
		return r, nil
	}
	via, err := h.proxy.of(o.url)
	if err != nil {
		return r, &failure{ProxyFailed, "the proxy of the environment is not a URL"}
	}
	if via == nil {
		return r, nil
	}
	if via, err = asciiURL(via); err != nil {
		return r, &failure{ProxyFailed, "the proxy: " + err.Error()}
	}
	r.proxy, r.address = via, hostPort(via)
	var auth []pair
	if via.User != nil && strings.HasPrefix(via.Scheme, "http") {
		password, _ := via.User.Password()
		auth = []pair{{"Proxy-Authorization", basicAuth(via.User.Username(), password).value}}
	}
	if r.secure {
		r.tunnel = slices.Concat(h.proxy.headers, auth)
	} else if strings.HasPrefix(via.Scheme, "http") {
		r.headers, r.absoluteURL = auth, true
	}
	return r, nil
}

// connect opens the connection that the request is sent over, with a TLS
// session over it if s is not nil.
func (r route) connect(ctx context.Context, d *dialer, s *session, run *run) (net.Conn, *failure) {
	if r.proxy == nil {
		return d.connect(ctx, r.address, s, run)
	}
	if fault := d.checkProxied(ctx, r.target); fault != nil {
		return nil, fault
	}
	var outer *session
	if r.proxy.Scheme == "https" {
		outer, _ = d.session(sla.TLSOptions{}, r.proxy.Hostname(), "http/1.1") // the host is ASCII
	}
	targets := run.tls
	conn, fault := d.connect(ctx, r.address, outer, run)
	run.tls, run.usesTLS = targets, false // the proxy's TLS facts are not the target's
	if fault != nil {
		return nil, blameProxy(fault)
	}
	if strings.HasPrefix(r.proxy.Scheme, "socks5") {
		conn, fault = r.socks(ctx, d, conn)
	} else if r.secure {
		fault = r.connectThrough(ctx, d, conn)
	}
	if fault != nil {
		closeNow(conn)
		return nil, fault
	}
	if s == nil {
		return conn, nil
	}
	secured, fault := d.secure(ctx, conn, s, r.target, run)
	if fault != nil {
		return nil, fault
	}
	return secured, nil
}

// blameProxy gives a failure to reach the proxy the reason ProxyFailed: the proxy is
// the exporter's own, not the target's.
func blameProxy(fault *failure) *failure {
	if fault.reason.Outcome() == Bad {
		return &failure{ProxyFailed, "the proxy: " + fault.detail}
	}
	return fault
}

// checkProxied asks the guard whether a proxy may connect to a target. Since the
// proxy resolves names, only addresses can be checked.
func (d *dialer) checkProxied(ctx context.Context, target string) *failure {
	err := d.checkName("tcp", target)
	if host, _, split := net.SplitHostPort(target); err == nil && split == nil && d.env.Guard != nil {
		if address, parse := netip.ParseAddr(host); parse == nil {
			if err = d.env.Guard.Address(address); err != nil {
				err = &refusal{err}
			}
		}
	}
	if err != nil {
		return d.classify(ctx, err, connecting(target))
	}
	return nil
}

// maxTunnelHeader bounds, in bytes, the response of a proxy to CONNECT.
const maxTunnelHeader = 64 << 10

// connectThrough asks an HTTP proxy for a tunnel. It reads the response byte by
// byte, because what comes after it is from the target.
func (r route) connectThrough(ctx context.Context, d *dialer, conn net.Conn) *failure {
	stop := interruptible(ctx, conn)
	defer stop()
	b := []byte("CONNECT " + r.target + " HTTP/1.1\r\nHost: " + r.target + "\r\n")
	for _, h := range r.tunnel {
		b = append(b, h.name+": "+h.value+"\r\n"...)
	}
	at := stage{phase: Connect, address: r.address, what: "CONNECT by the proxy " + r.address}
	if _, err := conn.Write(append(b, "\r\n"...)); err != nil {
		return blameProxy(d.classify(ctx, err, at))
	}
	header := make([]byte, 0, 256)
	for one := make([]byte, 1); !strings.HasSuffix(string(header), "\r\n\r\n"); {
		if _, err := io.ReadFull(conn, one); err != nil {
			return blameProxy(d.classify(ctx, err, at))
		}
		if header = append(header, one[0]); len(header) > maxTunnelHeader {
			return &failure{ProxyFailed, at.what + ": the header is longer than 64 KiB"}
		}
	}
	return r.judgeTunnel(at.what, string(header))
}

// judgeTunnel judges the response to CONNECT. If the proxy could not reach the
// target, it is the target's fault; anything else is the proxy's.
func (r route) judgeTunnel(what, header string) *failure {
	line, _, _ := strings.Cut(header, "\r\n")
	fields := strings.Fields(line)
	code := 0
	if len(fields) > 1 && strings.HasPrefix(fields[0], "HTTP/1.") {
		code, _ = strconv.Atoi(fields[1])
	}
	switch {
	case code >= 200 && code < 300:
		return nil
	case code == http.StatusBadGateway || code == http.StatusServiceUnavailable || code == http.StatusGatewayTimeout:
		return &failure{Unreachable, what + ": it cannot reach " + r.target + " (HTTP " + strconv.Itoa(code) + ")"}
	case code == 0:
		return &failure{ProxyFailed, what + ": not HTTP/1.x"}
	}
	return &failure{ProxyFailed, what + ": HTTP " + strconv.Itoa(code)}
}

// connectedDialer is a dialer that returns an open connection.
type connectedDialer struct{ net.Conn }

func (m connectedDialer) Dial(string, string) (net.Conn, error) { return m.Conn, nil }

// socks asks a SOCKS 5 proxy for a connection.
func (r route) socks(ctx context.Context, d *dialer, conn net.Conn) (net.Conn, *failure) {
	stop := interruptible(ctx, conn)
	defer stop()
	var auth *socks.Auth
	if user := r.proxy.User; user != nil {
		password, _ := user.Password()
		auth = &socks.Auth{User: user.Username(), Password: password}
	}
	by, err := socks.SOCKS5("tcp", r.address, auth, connectedDialer{conn})
	if err == nil {
		var through net.Conn
		if through, err = by.Dial("tcp", r.target); err == nil {
			return through, nil
		}
	}
	at := stage{phase: Connect, address: r.address, what: "the SOCKS proxy " + r.address}
	if strings.Contains(err.Error(), "unreachable") || strings.Contains(err.Error(), "refused") || strings.Contains(err.Error(), "TTL expired") {
		return conn, &failure{Unreachable, at.what + " cannot reach " + r.target}
	}
	return conn, blameProxy(d.classify(ctx, err, at))
}
