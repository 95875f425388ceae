package blackbox

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"time"

	"github.com/coder/websocket"
	"github.com/prometheus/blackbox_exporter/config"
	pconfig "github.com/prometheus/common/config"

	"github.com/upheld-sla/upheld/sla"
)

// maxHeader bounds the response to a handshake, in bytes.
const maxHeader = 1 << 20

// probeWebsocket opens a WebSocket and goes through the messages of the module.
func probeWebsocket(ctx context.Context, a *attempt) bool {
	u, err := url.Parse(a.target)
	if err != nil {
		a.log.Error("Could not parse target URL", "err", sla.URLReason(a.target, err))
		return false
	}
	for _, name := range []string{"status_code", "connection_upgraded", "failed_due_to_regex"} {
		a.out.set("probe_websocket_"+name, 0)
	}
	c := &a.module.Websocket
	conf, err := a.tlsConfig(&c.HTTPClientConfig.TLSConfig, u.Hostname())
	if err != nil {
		a.log.Error("Error creating TLS config", "err", err)
		return false
	}
	ip, took, err := a.resolve(ctx, u.Hostname(), c.IPProtocol, c.IPProtocolFallback)
	a.out.set("probe_websocket_duration_seconds", took, "resolve")
	if err != nil {
		return false
	}
	if u.Scheme != "ws" && u.Scheme != "wss" || u.User != nil {
		a.log.Error("The target must be a URL of ws or wss without user name and password")
		return false
	}
	header, err := a.webSocketHeader(ctx)
	if err != nil {
		a.log.Error("Error preparing headers", "err", err)
		return false
	}
	h := &webSocketHandshake{attempt: a, url: u, conf: conf, ip: ip}
	conn, _, err := websocket.Dial(ctx, u.String(), &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: h, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		HTTPHeader: header, Host: header.Get("Host"),
	})
	defer h.end()
	if err != nil {
		a.log.Error("Error dialing websocket", "err", err)
		return false
	}
	defer func() { _ = conn.CloseNow() }()
	h.body.upgraded = true
	a.out.set("probe_websocket_connection_upgraded", 1)
	conn.SetReadLimit(maxMatched)
	return a.exchangeMessages(ctx, conn, c.QueryResponse)
}

// exchangeMessages goes through the steps. A step with expect reads one message,
// and fails if that does not match.
func (a *attempt) exchangeMessages(ctx context.Context, conn *websocket.Conn, steps []config.QueryResponse) bool {
	if len(steps) == 0 {
		return true
	}
	start := time.Now()
	defer func() {
		a.out.set("probe_websocket_duration_seconds", time.Since(start).Seconds(), "transfer")
	}()
	for i := range steps {
		if !a.exchangeMessage(ctx, conn, i, &steps[i]) {
			a.out.set("probe_websocket_failed_due_to_regex", 1)
			return false
		}
	}
	return true
}

func (a *attempt) exchangeMessage(ctx context.Context, conn *websocket.Conn, i int, s *config.QueryResponse) bool {
	send := s.Send
	if s.Expect.Regexp != nil {
		_, message, err := conn.Read(ctx)
		if err != nil {
			a.log.Error("Error reading message", "entry_number", i, "err", err)
			return false
		}
		match := s.Expect.FindSubmatchIndex(message)
		if match == nil {
			a.log.Error("Regexp did not match", "entry_number", i, "regexp", s.Expect.Regexp, "message", string(message))
			return false
		}
		a.log.Debug("Regexp matched", "entry_number", i, "regexp", s.Expect.Regexp, "message", string(message))
		send = string(s.Expect.Expand(nil, []byte(send), message, match))
	}
	if send == "" {
		return true
	}
	a.log.Debug("Sending message", "entry_number", i, "message", send)
	if err := conn.Write(ctx, websocket.MessageText, []byte(send)); err != nil {
		a.log.Error("Error sending message", "entry_number", i, "err", err)
		return false
	}
	return true
}

// webSocketHeader is the module's part of the header of the handshake: credentials
// and headers.
func (a *attempt) webSocketHeader(ctx context.Context) (http.Header, error) {
	c := &a.module.Websocket
	header := http.Header{"User-Agent": {a.opts.UserAgent}}
	if b := c.HTTPClientConfig.BasicAuth; b != nil {
		user, err := fetch(ctx, pconfig.Secret(b.Username), b.UsernameFile)
		if err != nil {
			return nil, err
		}
		password, err := fetch(ctx, b.Password, b.PasswordFile)
		if err != nil {
			return nil, err
		}
		carrier := http.Request{Header: header}
		carrier.SetBasicAuth(user, password)
	}
	if auth := c.HTTPClientConfig.Authorization; auth != nil {
		credentials, err := fetch(ctx, auth.Credentials, auth.CredentialsFile)
		if err != nil {
			return nil, err
		}
		header.Set("Authorization", auth.Type+" "+credentials)
	}
	for name, h := range c.Headers.Headers {
		header.Del(name)
		values := h.Values
		for _, s := range h.Secrets {
			values = append(values, string(s))
		}
		for _, file := range h.Files {
			text, err := fetch(ctx, "", file)
			if err != nil {
				return nil, err
			}
			values = append(values, text)
		}
		for _, value := range values {
			header.Add(name, value)
		}
	}
	return header, nil
}

// fetch is a secret that the module holds, or that is in a file.
func fetch(ctx context.Context, text pconfig.Secret, file string) (string, error) {
	reader := secret(text, file)
	if reader == nil {
		return "", nil
	}
	return reader.Fetch(ctx)
}

// webSocketHandshake is the transport of one handshake: one connection, one request
// and one response.
type webSocketHandshake struct {
	*attempt
	url  *url.URL    // of the target
	conf *tls.Config // of its session, if it is of wss
	ip   *net.IPAddr
	conn net.Conn
	body upgradedBody
	stop func() bool // stops waiting for the end of the context
}

// end closes the connection.
func (h *webSocketHandshake) end() {
	if h.conn != nil {
		h.stop()
		closeNow(h.conn)
	}
}

var errSentTwice = errors.New("a handshake is not sent twice")

// RoundTrip sends the request and reads the response, and measures both.
func (h *webSocketHandshake) RoundTrip(r *http.Request) (*http.Response, error) {
	if h.conn != nil {
		return nil, errSentTwice
	}
	ctx := r.Context()
	if err := h.connect(ctx); err != nil {
		return nil, err
	}
	defer h.phase("processing")()
	h.log.Debug("Making HTTP request", "url", h.url.Redacted(), "host", r.Host)
	if err := r.Write(h.conn); err != nil {
		return nil, err
	}
	limited := &io.LimitedReader{R: h.conn, N: maxHeader}
	reader := bufio.NewReader(limited)
	response, err := readResponse(reader, r)
	if err != nil {
		return nil, err
	}
	h.log.Debug("Received HTTP response", "status_code", response.StatusCode)
	h.out.set("probe_websocket_status_code", float64(response.StatusCode))
	response.Body = http.NoBody // the body of a refusal is not read
	if response.StatusCode == http.StatusSwitchingProtocols {
		limited.N = math.MaxInt64
		h.body.from, h.body.Conn = reader, h.conn
		response.Body = &h.body
	}
	return response, nil
}

// readResponse reads the response after informational ones.
func readResponse(reader *bufio.Reader, r *http.Request) (*http.Response, error) {
	for {
		response, err := http.ReadResponse(reader, r)
		if err != nil || response.StatusCode < 100 || response.StatusCode > 199 || response.StatusCode == http.StatusSwitchingProtocols {
			return response, err
		}
	}
}

// connect opens the connection, and the TLS session of wss.
func (h *webSocketHandshake) connect(ctx context.Context) error {
	port := h.url.Port()
	if port == "" {
		port = map[string]string{"ws": "80", "wss": "443"}[h.url.Scheme]
	}
	done := h.phase("connect")
	conn, err := h.opts.Network.Dial(ctx, family("tcp", h.ip.IP), net.JoinHostPort(h.ip.String(), port), nil)
	done()
	if err != nil {
		return err
	}
	h.conn = conn
	h.stop = context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	if h.url.Scheme == "ws" {
		return nil
	}
	defer h.phase("tls")()
	session, err := h.startSession(ctx, conn, h.conf)
	if err != nil {
		return err
	}
	h.conn = session
	return nil
}

// phase begins a phase, and returns a function that ends it.
func (h *webSocketHandshake) phase(name string) (end func()) {
	start := time.Now()
	return func() {
		h.out.set("probe_websocket_duration_seconds", time.Since(start).Seconds(), name)
	}
}

// upgradedBody is the body of a response 101: the connection. It is empty until the
// response has been found valid, because otherwise the library would wait for a
// body to quote.
type upgradedBody struct {
	net.Conn
	from     *bufio.Reader
	upgraded bool
}

// Read reads what follows the response.
func (b *upgradedBody) Read(p []byte) (int, error) {
	if !b.upgraded {
		return 0, io.EOF
	}
	return b.from.Read(p)
}

// reservedWebSocketHeader reports whether a module must not set a header of the
// handshake.
func reservedWebSocketHeader(name string) bool {
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case "Upgrade", "Connection", "Sec-Websocket-Key", "Sec-Websocket-Version", "Sec-Websocket-Extensions", "Sec-Websocket-Protocol":
		return true
	}
	return false
}
