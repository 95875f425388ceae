package sla

import (
	"fmt"
	"strings"
)

// WebSocketCheck opens a WebSocket, and on request talks over it.
type WebSocketCheck struct {
	// Request is what asks for the WebSocket; its URL is of http or https, and of
	// its fields and options only those matter that make a request.
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
