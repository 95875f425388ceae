package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/coder/websocket"

	"github.com/upheld-sla/upheld/sla"
)

var webSocketReasons = []Reason{Status, Dialogue, Protocol, ProxyFailed}

// webSocketProber opens a WebSocket, and runs the dialogue if there is one.
type webSocketProber struct {
	client       httpClient
	first        *outgoing
	subprotocols []string
	steps        []step
	binary       []bool // whether a step sends a binary message
	ping         bool
	timeout      time.Duration
}

func newWebSocket(check sla.Check, timeout time.Duration, d *dialer) (Prober, error) {
	c, ok := check.(*sla.WebSocketCheck)
	if !ok {
		return nil, fmt.Errorf("a websocket prober was given a %T", check)
	}
	p := &webSocketProber{subprotocols: c.Subprotocols, ping: c.Ping, timeout: timeout}
	var err error
	if p.first, err = newOutgoing(&c.Request, d.env.UserAgent); err != nil {
		return nil, err
	}
	if p.client, err = newHTTPClient(&c.Request, p.first.url, d); err != nil {
		return nil, err
	}
	if p.steps, err = prepare(c.Dialogue, ""); err != nil {
		return nil, err
	}
	for i, s := range c.Dialogue {
		if s.StartTLS {
			return nil, fmt.Errorf("step %d begins TLS, which a WebSocket cannot", i+1)
		}
		p.binary = append(p.binary, s.SendBytes != nil)
	}
	return p, nil
}

// Phases of a WebSocket probe: Processing is waiting for the server.
func (p *webSocketProber) Phases() []Phase {
	address := p.first.address
	if route, fault := p.client.route(p.first); fault == nil {
		address = route.address
	}
	return append(connectPhases(address, p.first.url.Scheme == "https"), Processing, Transfer)
}

// Probe opens the WebSocket, runs the dialogue and closes the connection.
func (p *webSocketProber) Probe(ctx context.Context, by time.Time) Result {
	r := begin(p.timeout, by)
	r.excerpt = p.client.dialer.env.Excerpt
	ctx, cancel := context.WithDeadline(ctx, r.deadline)
	defer cancel()
	x := &exchange{client: &p.client, run: &r, first: p.first}
	defer x.close()
	if p.client.auth != nil || len(p.client.headerFiles) > 0 {
		var fault *failure
		if x.secrets, fault = p.client.secrets(ctx, &r); fault != nil {
			return r.failed(fault)
		}
	}
	conn, fault := p.openWebSocket(ctx, x)
	if fault != nil {
		return r.failed(fault)
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(maxStepRead)
	fault = p.talk(ctx, conn, &r)
	if fault == nil && p.ping {
		fault = p.sendPing(ctx, conn, &r)
	}
	if fault != nil {
		return r.failed(fault)
	}
	return r.good(dialogueDetail(p.steps))
}

// handshakeTransport is the transport of a handshake: one round trip of an exchange.
type handshakeTransport struct {
	x     *exchange
	fault *failure
	code  int
}

// upgraded is the body of a response that agreed: the connection itself.
type upgraded struct {
	io.Reader
	net.Conn
}

func (u upgraded) Read(b []byte) (int, error) { return u.Reader.Read(b) }

// RoundTrip sends the handshake over its own connection.
func (h *handshakeTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	o := *h.x.first
	o.headers = slices.Clone(o.headers)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		o.set(name, r.Header.Get(name))
	}
	o.upgrades = true
	if err := o.prepare(); err != nil {
		return nil, err
	}
	h.x.first = &o
	response, fault := h.x.roundTrip(r.Context(), &o)
	if fault != nil {
		h.fault = fault
		return nil, fault
	}
	h.x.run.tellHTTP(response, 0)
	h.code = response.StatusCode
	kept := *response
	h.x.answer = &kept
	response.Body = http.NoBody // the body of an error, which is not used
	if h.code == http.StatusSwitchingProtocols {
		response.Body = upgraded{h.x.reader, h.x.conn}
	}
	return response, nil
}

func (p *webSocketProber) openWebSocket(ctx context.Context, x *exchange) (*websocket.Conn, *failure) {
	h := &handshakeTransport{x: x}
	conn, _, err := websocket.Dial(ctx, p.first.url.String(), &websocket.DialOptions{
		HTTPClient:   &http.Client{Transport: h, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		Subprotocols: p.subprotocols,
	})
	what := "handshake with " + p.first.address
	switch {
	case h.fault != nil:
		x.captureResponse()
		return nil, h.fault
	case err != nil && h.code != 0 && h.code != http.StatusSwitchingProtocols:
		if h.code == http.StatusUnauthorized && p.client.auth != nil {
			p.client.auth.refused()
		}
		x.captureResponse()
		x.run.http = &HTTPFacts{Status: h.code}
		return nil, &failure{Status, httpDetail(h.code) + ", and not a WebSocket"}
	case err != nil:
		return nil, &failure{Protocol, what + ": not one of a WebSocket"} // the error would quote the response
	case len(p.subprotocols) > 0 && conn.Subprotocol() == "":
		_ = conn.CloseNow()
		return nil, &failure{Protocol, what + ": the server chose none of the subprotocols"}
	}
	return conn, nil
}

// talk runs the dialogue.
func (p *webSocketProber) talk(ctx context.Context, conn *websocket.Conn, r *run) *failure {
	for i := range p.steps {
		s := &p.steps[i]
		if !s.expects() {
			kind := websocket.MessageText
			if p.binary[i] {
				kind = websocket.MessageBinary
			}
			if err := conn.Write(ctx, kind, s.send); err != nil {
				return p.fault(ctx, err, s.what, 0)
			}
			continue
		}
		start := time.Now()
		unmatched, err := readMessage(ctx, conn, s, func(message []byte) { r.captureExcerpt("", message, sentTexts(p.steps)) })
		r.phases.Add(Processing, time.Since(start))
		if err != nil {
			return p.fault(ctx, err, s.what, unmatched)
		}
	}
	return nil
}

// readMessage reads until a message is what the step expects. It counts the
// others, and passes the first of them to other.
func readMessage(ctx context.Context, conn *websocket.Conn, s *step, other func([]byte)) (unmatched int, err error) {
	for total := 0; total <= maxStepRead; unmatched++ {
		_, message, err := conn.Read(ctx)
		if err != nil {
			return unmatched, err
		}
		if s.match != nil && s.match.Match(message) || s.bytes != nil && bytes.Contains(message, s.bytes) {
			return unmatched, nil
		}
		if unmatched == 0 {
			other(message)
		}
		total += len(message) + 1
	}
	return unmatched, errNoMatch
}

// sendPing sends a ping and waits for the pong. Messages in between are ignored.
func (p *webSocketProber) sendPing(ctx context.Context, conn *websocket.Conn, r *run) *failure {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			if _, _, err := conn.Read(ctx); err != nil {
				return
			}
		}
	}()
	start := time.Now()
	err := conn.Ping(ctx)
	r.phases.Add(Processing, time.Since(start))
	var fault *failure
	if err != nil {
		fault = p.fault(ctx, err, "ping", 0)
	}
	_ = conn.CloseNow()
	<-ended
	return fault
}

// fault says why a dialogue failed. It does not quote the server.
func (p *webSocketProber) fault(ctx context.Context, err error, what string, unmatched int) *failure {
	if errors.Is(err, errNoMatch) || errors.Is(err, websocket.ErrMessageTooBig) {
		return &failure{Dialogue, what + ": more than 1 MiB, and not what is expected"}
	}
	vain := ""
	if unmatched > 0 {
		vain = "; received " + count(unmatched, "message") + ", and not what is expected"
	}
	if code := websocket.CloseStatus(err); code != -1 {
		return &failure{Dialogue, fmt.Sprintf("%s: the server closed the WebSocket (%d)%s", what, code, vain)}
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	fault := p.client.dialer.classify(ctx, err, stage{phase: Processing, address: p.first.address, what: what})
	if fault.reason == Protocol {
		fault.detail = what + ": not what a WebSocket may hold"
	}
	fault.detail += vain
	return fault
}
