package blackbox

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	pconfig "github.com/prometheus/common/config"
)

// Timeouts as in Prometheus' own clients.
const (
	tlsHandshakeTimeout   = 10 * time.Second
	expectContinueTimeout = time.Second
)

// hops is the transport of one HTTP probe. It sends each request (redirects make
// several) once, over its own connection, and measures its phases.
type hops struct {
	probe      *httpProbe
	first      *tls.Config                // with the target
	firstHosts [2]string                  // the target in the first request: its URL's host and its Host header
	transports map[string]roundTripCloser // by host, "" for the target's

	mu   sync.Mutex
	list []*hop
}

type roundTripCloser interface {
	http.RoundTripper
	CloseIdleConnections()
}

// hop is one request, and when its phases began and ended.
type hop struct {
	secure, dialed                       bool
	start, dnsDone, connected, gotConn   time.Time
	tlsStart, tlsDone, firstByte, finish time.Time
}

func (h *hops) prepare(p *httpProbe) (err error) {
	h.probe, h.transports = p, map[string]roundTripCloser{}
	h.first, err = p.tlsConfig(&p.conf.HTTPClientConfig.TLSConfig, p.serverName())
	return err
}

// RoundTrip sends one request.
func (h *hops) RoundTrip(r *http.Request) (*http.Response, error) {
	p := h.probe
	p.log.Debug("Making HTTP request", "url", r.URL.Redacted(), "host", r.Host)
	h.mu.Lock()
	h.list = append(h.list, &hop{secure: r.URL.Scheme == "https"})
	later := len(h.list) > 1
	h.mu.Unlock()
	if !later {
		h.firstHosts = [2]string{r.URL.Host, r.Host}
	} else if p.viaProxy() {
		if err := p.mayRedirect(r.Context(), r.URL.Hostname(), p.conf.SkipResolvePhaseWithProxy); err != nil {
			return nil, err
		}
	}
	transport, err := h.transport(r)
	if err != nil {
		return nil, err
	}
	response, err := transport.RoundTrip(r)
	if err == nil && response.StatusCode == http.StatusSwitchingProtocols { // its body is the connection, which no deadline ends
		_ = response.Body.Close()
		response.Body = http.NoBody
	}
	return response, err
}

// mayRedirect asks whether a proxy may be told to connect to a host. Only the proxy
// knows the address that it resolves the name to. With nameOnly the proxy resolves
// all names, so the name is not resolved here either.
func (a *attempt) mayRedirect(ctx context.Context, host string, nameOnly bool) error {
	if err := a.opts.Network.Host(host); err != nil {
		return err
	}
	if nameOnly && net.ParseIP(host) == nil {
		return nil
	}
	addresses, _ := a.opts.Network.Resolve(ctx, "ip", host)
	for _, resolved := range addresses {
		address, _ := netip.AddrFromSlice(resolved.IP)
		if err := a.opts.Network.Address(address); err != nil {
			return err
		}
	}
	return nil
}

// transport is the transport for the host of a request. Its TLS sessions ask for
// the module's server name where the request goes to the target as the first one
// did, and for the host's own name otherwise: for another host, and for the
// target after a redirect that drops the module's Host header.
func (h *hops) transport(r *http.Request) (roundTripCloser, error) {
	host, conf := "", h.first
	if r.URL.Host != h.firstHosts[0] || r.Host != h.firstHosts[1] && h.probe.conf.HTTPClientConfig.TLSConfig.ServerName == "" {
		host = r.URL.Host
	}
	if t := h.transports[host]; t != nil {
		return t, nil
	}
	if host != "" {
		other := h.probe.conf.HTTPClientConfig.TLSConfig
		other.ServerName = ""
		var err error
		if conf, err = h.probe.tlsConfig(&other, r.URL.Hostname()); err != nil {
			return nil, err
		}
	}
	t := h.plain(conf)
	if h.probe.conf.UseHTTP3 {
		t = h.quic(conf)
	}
	h.transports[host] = t
	return t, nil
}

// plain is a transport of HTTP/1.1 and HTTP/2.
func (h *hops) plain(conf *tls.Config) roundTripCloser {
	c := &h.probe.conf.HTTPClientConfig
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(c.EnableHTTP2)
	return &http.Transport{
		Proxy:                 c.Proxy(),
		ProxyConnectHeader:    c.GetProxyConnectHeader(),
		DisableKeepAlives:     true,
		DisableCompression:    true,
		TLSClientConfig:       conf,
		TLSHandshakeTimeout:   tlsHandshakeTimeout,
		ExpectContinueTimeout: expectContinueTimeout,
		DialContext:           h.dial,
		Protocols:             protocols,
	}
}

var errSentOnce = errors.New("the server closed the connection without an answer; a request is not sent twice")

// dial opens the one connection of a hop. net/http would open another one to
// repeat a request that a server did not answer, which no probe may do.
func (h *hops) dial(ctx context.Context, network, address string) (net.Conn, error) {
	h.mu.Lock()
	current := h.list[len(h.list)-1]
	again := current.dialed
	current.dialed = true
	h.mu.Unlock()
	if again {
		return nil, errSentOnce
	}
	return h.probe.dialHost(ctx, network, h.dialAddress(address))
}

// dialAddress is what to connect to for host:port. For the target's host it is the
// address that was chosen.
func (h *hops) dialAddress(address string) string {
	host, port, err := net.SplitHostPort(address)
	if p := h.probe; err == nil && p.ip != nil && host == p.url.Hostname() {
		return net.JoinHostPort(p.ip.String(), port)
	}
	return address
}

// dialHost opens a connection to host:port if it may.
func (a *attempt) dialHost(ctx context.Context, network, address string) (net.Conn, error) {
	if host, _, err := net.SplitHostPort(address); err == nil {
		if err := a.opts.Network.Host(host); err != nil {
			return nil, err
		}
	}
	return a.opts.Network.Dial(ctx, network, address, nil)
}

// authenticated adds the module's credentials and headers to requests. It does not
// send them to another host after a redirect.
func (p *httpProbe) authenticated(next http.RoundTripper) http.RoundTripper {
	c := &p.conf.HTTPClientConfig
	if c.Authorization != nil {
		next = pconfig.NewAuthorizationCredentialsRoundTripper(c.Authorization.Type, secret(c.Authorization.Credentials, c.Authorization.CredentialsFile), next)
	}
	if c.BearerToken != "" || c.BearerTokenFile != "" {
		next = pconfig.NewAuthorizationCredentialsRoundTripper("Bearer", secret(c.BearerToken, c.BearerTokenFile), next)
	}
	if c.BasicAuth != nil {
		next = pconfig.NewBasicAuthRoundTripper(secret(pconfig.Secret(c.BasicAuth.Username), c.BasicAuth.UsernameFile), secret(c.BasicAuth.Password, c.BasicAuth.PasswordFile), next)
	}
	if c.OAuth2 != nil {
		key := secret(c.OAuth2.ClientSecret, c.OAuth2.ClientSecretFile)
		if c.OAuth2.ClientCertificateKey != "" || c.OAuth2.ClientCertificateKeyFile != "" {
			key = secret(c.OAuth2.ClientCertificateKey, c.OAuth2.ClientCertificateKeyFile)
		}
		next = pconfig.NewOAuth2RoundTripper(key, c.OAuth2, next, pconfig.WithDialContextFunc(p.dialHost), pconfig.WithKeepAlivesDisabled())
	}
	if c.HTTPHeaders != nil {
		next = pconfig.NewHeadersRoundTripper(c.HTTPHeaders, &targetOnlyHeaders{next, p})
	}
	return next
}

// secret is a secret that the module holds, or that is in a file.
func secret(text pconfig.Secret, file string) pconfig.SecretReader {
	if text != "" {
		return pconfig.NewInlineSecret(string(text))
	}
	if file != "" {
		return pconfig.NewFileSecret(file)
	}
	return nil
}

// targetOnlyHeaders removes the module's secret headers from requests to other hosts
// than the target's.
type targetOnlyHeaders struct {
	next  http.RoundTripper
	probe *httpProbe
}

// RoundTrip sends a request.
func (s *targetOnlyHeaders) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.probe.isTarget(r.URL) {
		return s.next.RoundTrip(r)
	}
	r = r.Clone(r.Context())
	for name, header := range s.probe.conf.HTTPClientConfig.HTTPHeaders.Headers {
		if len(header.Secrets) > 0 || len(header.Files) > 0 || strings.EqualFold(name, "Cookie") {
			r.Header.Del(name)
		}
	}
	return s.next.RoundTrip(r)
}

// isTarget reports whether a URL is on the target's host.
func (p *httpProbe) isTarget(u *url.URL) bool {
	host := u.Hostname()
	return host == p.url.Hostname() || p.ip != nil && host == p.ip.String()
}

// trace records the times of the current hop.
func (h *hops) trace() *httptrace.ClientTrace {
	note := func(take func(*hop, time.Time)) {
		now := time.Now()
		h.mu.Lock()
		defer h.mu.Unlock()
		if len(h.list) > 0 {
			take(h.list[len(h.list)-1], now)
		}
	}
	return &httptrace.ClientTrace{
		DNSStart: func(httptrace.DNSStartInfo) { note(func(x *hop, t time.Time) { x.start = t }) },
		DNSDone:  func(httptrace.DNSDoneInfo) { note(func(x *hop, t time.Time) { x.dnsDone = t }) },
		ConnectStart: func(string, string) {
			note(func(x *hop, t time.Time) {
				if x.dnsDone.IsZero() { // connecting to an address
					x.start, x.dnsDone = t, t
				}
			})
		},
		ConnectDone:          func(string, string, error) { note(func(x *hop, t time.Time) { x.connected = t }) },
		GotConn:              func(httptrace.GotConnInfo) { note(func(x *hop, t time.Time) { x.gotConn = t }) },
		GotFirstResponseByte: func() { note(func(x *hop, t time.Time) { x.firstByte = t }) },
		TLSHandshakeStart:    func() { note(func(x *hop, t time.Time) { x.tlsStart = t }) },
		TLSHandshakeDone:     func(tls.ConnectionState, error) { note(func(x *hop, t time.Time) { x.tlsDone = t }) },
	}
}

// finished records that the last response has been read.
func (h *hops) finished() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list[len(h.list)-1].finish = time.Now()
}

// report adds up the times of all hops, without resolving of the first one, which
// address has reported.
func (h *hops) report() {
	h.mu.Lock()
	defer h.mu.Unlock()
	add := func(phase string, from, to time.Time) {
		h.probe.out.add("probe_http_duration_seconds", to.Sub(from).Seconds(), phase)
	}
	for i, x := range h.list {
		if i > 0 {
			add("resolve", x.start, x.dnsDone)
		}
		if x.gotConn.IsZero() {
			continue
		}
		if x.secure {
			add("connect", x.dnsDone, x.connected)
			add("tls", x.tlsStart, x.tlsDone)
		} else {
			add("connect", x.dnsDone, x.gotConn)
		}
		if x.firstByte.IsZero() {
			continue
		}
		add("processing", x.gotConn, x.firstByte)
		if !x.finish.IsZero() { // it is not, of one that failed or was redirected
			add("transfer", x.firstByte, x.finish)
		}
	}
}

func (h *hops) close() {
	for _, t := range h.transports {
		t.CloseIdleConnections()
	}
}

// udpAddress is where QUIC packets for host:port go, if they may.
func (h *hops) udpAddress(ctx context.Context, address string) (*net.UDPAddr, error) {
	a := h.probe.attempt
	host, portText, err := net.SplitHostPort(h.dialAddress(address))
	if err != nil {
		return nil, err
	}
	if err := a.opts.Network.Host(host); err != nil {
		return nil, err
	}
	addresses, err := a.opts.Network.Resolve(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	to := addresses[0]
	if address, ok := netip.AddrFromSlice(to.IP); ok {
		if err := a.opts.Network.Address(address); err != nil {
			return nil, err
		}
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, err
	}
	return &net.UDPAddr{IP: to.IP, Port: int(port), Zone: to.Zone}, nil
}
