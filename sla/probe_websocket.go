package sla

import (
	"fmt"
	"strings"
)

// WebSocketCheck opens a WebSocket, and if configured goes through a dialogue.
type WebSocketCheck struct {
	// Request is the handshake. Its URL is of http or https; what it says about the
	// response has no effect.
	Request      HTTPCheck
	Subprotocols []string // one of which the server must choose, if there are any
	Dialogue     []Step   // without StartTLS; Send is a text message, SendBytes a binary one
	Ping         bool     // after the dialogue, which must be answered
}

// ProbeKind is "websocket".
func (*WebSocketCheck) ProbeKind() string { return "websocket" }

// Target is the URL as it is written: of ws or wss, without user info.
func (c *WebSocketCheck) Target() string {
	return "ws" + strings.TrimPrefix(c.Request.Target(), "http")
}

// Words says what is connected to.
func (c *WebSocketCheck) Words() string {
	ping := ""
	if c.Ping {
		ping = ", and a ping"
	}
	return fmt.Sprintf("WebSocket %s%s%s", c.Target(), dialogueWords(c.Dialogue), ping)
}

// HostName is that of the URL.
func (c *WebSocketCheck) HostName() string { return c.Request.HostName() }

// WithTarget is the check of another URL, of ws or wss.
func (c *WebSocketCheck) WithTarget(target string) Check {
	other := *c
	other.Request.URL = "http" + strings.TrimPrefix(target, "ws")
	return &other
}

// CheckAddress is why nothing can answer at the URL.
func (c *WebSocketCheck) CheckAddress() error { return checkURL(c.Request.URL) }

// DialogueSteps are the steps of the dialogue.
func (c *WebSocketCheck) DialogueSteps() []Step { return c.Dialogue }

// ViaProxy reports whether the handshake goes through a proxy.
func (c *WebSocketCheck) ViaProxy() bool { return c.Request.ViaProxy() }
