package probe_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

// socketServer accepts WebSockets, and wants a header of those to /private; it
// returns its URL.
func socketServer(t testing.TB, secure bool, talk func(context.Context, *websocket.Conn)) string {
	t.Helper()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/private" && (r.Header.Get("Authorization") != "Bearer t" || r.Host != "shop.example") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"chat"}})
		if err != nil {
			return
		}
		defer func() { _ = conn.CloseNow() }()
		talk(r.Context(), conn)
	}))
	srv.Config.ErrorLog = discard
	if secure {
		srv.TLS = tlsConfigFor(t, "localhost", time.Hour)
		srv.StartTLS()
	} else {
		srv.Start()
	}
	t.Cleanup(srv.Close)
	return srv.URL
}

// echoMessages says every message again.
func echoMessages(ctx context.Context, conn *websocket.Conn) {
	for {
		kind, message, err := conn.Read(ctx)
		if err != nil || conn.Write(ctx, kind, message) != nil {
			return
		}
	}
}

func TestWebSocket(t *testing.T) {
	url := socketServer(t, false, echoMessages)
	check := func(path string, steps ...sla.Step) *sla.WebSocketCheck {
		return &sla.WebSocketCheck{Request: sla.HTTPCheck{URL: url + path}, Dialogue: steps}
	}
	private := check("/private")
	private.Request.Headers = map[string]string{"Host": "shop.example"}
	private.Request.Options = &sla.HTTPOptions{Auth: bearerOf(sla.SecretText("t"))}
	pinged := check("/")
	pinged.Ping = true
	chat := check("/")
	chat.Subprotocols = []string{"other", "chat"}
	proxied := check("/", sla.Step{Send: "a"}, sla.Step{Expect: "a"})
	proxied.Request.Options = &sla.HTTPOptions{Proxy: &sla.Proxy{URL: "socks5://" + socksServer(t)}}
	for name, c := range map[string]*sla.WebSocketCheck{
		"no dialogue": check("/"), "headers": private, "ping": pinged, "subprotocol": chat, "by a proxy": proxied,
		"text":   check("/", sla.Step{Send: "one"}, sla.Step{Send: "two"}, sla.Step{Expect: "^two$"}),
		"binary": check("/", sla.Step{SendBytes: []byte{1, 2, 3}}, sla.Step{ExpectBytes: []byte{2, 3}}),
	} {
		t.Run(name, func(t *testing.T) {
			if r := mustBeGood(t, probe.Env{}, c); r.HTTP.Status != 101 {
				t.Errorf("%+v", r.HTTP)
			}
		})
	}
}

func TestWebSocketFailures(t *testing.T) {
	ws := func(url string, steps ...sla.Step) *sla.WebSocketCheck {
		return &sla.WebSocketCheck{Request: sla.HTTPCheck{URL: url}, Dialogue: steps}
	}
	echoes := socketServer(t, false, echoMessages)
	unspoken := ws(echoes)
	unspoken.Subprotocols = []string{"mqtt"}
	silent := socketServer(t, false, func(context.Context, *websocket.Conn) { time.Sleep(2 * patience) })
	deaf := ws(silent)
	deaf.Ping = true
	chatty := socketServer(t, false, func(ctx context.Context, c *websocket.Conn) {
		for c.Write(ctx, websocket.MessageText, []byte(strings.Repeat("x", 1<<16))) == nil {
		}
	})
	closing := socketServer(t, false, func(ctx context.Context, c *websocket.Conn) {
		_ = c.Write(ctx, websocket.MessageText, []byte("bye"))
		_ = c.Close(websocket.StatusTryAgainLater, canary)
	})
	checkFailures(t, []failing{
		{name: "refused", check: ws("http://" + closedPort(t)), want: probe.ConnectRefused, outcome: probe.Bad},
		{name: "a web page", check: ws(webServer(t, func(http.ResponseWriter, *http.Request) {}).URL), want: probe.Status, outcome: probe.Bad, detail: "HTTP 200, and not a WebSocket"},
		{name: "without credentials", check: ws(echoes + "/private"), want: probe.Status, outcome: probe.Bad, detail: "HTTP 401"},
		{name: "a wrong handshake", check: ws("http://" + rawServer(t, answer("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: "+canary+"\r\n\r\n"))), want: probe.Protocol, outcome: probe.Bad},
		{name: "no subprotocol", check: unspoken, want: probe.Protocol, outcome: probe.Bad, detail: "none of the subprotocols"},
		{name: "silence", check: ws(silent, sla.Step{Expect: "x"}), timeout: patience, want: probe.Timeout, outcome: probe.Bad, detail: "step 1 of 1 (expect)"},
		{name: "no pong", check: deaf, timeout: patience, want: probe.Timeout, outcome: probe.Bad, detail: "ping"},
		{name: "another message", check: ws(echoes, sla.Step{Send: "a"}, sla.Step{Expect: "b"}), timeout: patience, want: probe.Timeout, outcome: probe.Bad, detail: "received 1 message"},
		{name: "endless messages", check: ws(chatty, sla.Step{Expect: "y"}), want: probe.Dialogue, outcome: probe.Bad, detail: "more than 1 MiB"},
		{name: "closed", check: ws(closing, sla.Step{Expect: "never"}), want: probe.Dialogue, outcome: probe.Bad, detail: "closed the WebSocket (1013); received 1 message"},
		{name: "expired", check: ws(tlsServer(t, newAuthority().sign(t, "localhost", time.Now().Add(-time.Hour))).URL), env: probe.Env{RootCAs: newAuthority().pool()}, want: probe.TLSExpired, outcome: probe.Bad},
		{name: "not WebSocket after the handshake", check: ws(socketServer(t, false, func(_ context.Context, c *websocket.Conn) { _ = c.CloseNow() }), sla.Step{Expect: "x"}), want: probe.Reset, outcome: probe.Bad},
	})
}
