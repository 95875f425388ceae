package spec

import (
	"net/http"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

var webSocketStepSection = stepSection("a step (websocket)", "One step of a dialogue of messages: exactly one of these.",
	field{key: "send", typ: textType, example: `"subscribe prices"`, doc: "A text message to send."},
	field{key: "sendBytes", typ: hexType, example: `"0801"`, doc: "A binary message to send, in hexadecimal."},
	field{key: "expect", typ: regexpType, example: `"^subscribed"`, doc: "A regular expression. Messages are read until one matches."},
	field{key: "expectBytes", typ: hexType, example: `"0801"`, doc: "Bytes, in hexadecimal. Messages are read until one contains them."})

var webSocketSection = &section{
	name: "probe (websocket)",
	doc:  "Opens a WebSocket. Good if the server agrees to it, and what is expected comes in time.",
	fields: slices.Concat([]field{
		{key: "websocket", typ: valueType{name: "URL", sample: `"wss://shop.example/prices"`, scalars: []schema{{"type": "string", "pattern": "^wss?://"}}}, required: true, doc: "The URL, `ws://` or `wss://`, without user name and password."},
		dialogueField(webSocketStepSection, "Messages to send and to expect, in order."),
		{key: "ping", typ: booleanType, doc: "Whether to send a ping after that, which the server must answer."},
		{key: "subprotocols", typ: valueType{name: "list of text", sample: "[graphql-transport-ws]", scalars: textType.scalars, shape: listOf}, doc: "Subprotocols to offer. The server must choose one."},
		{key: "headers", typ: headersType, doc: "Sent with the handshake. `Host` sets the requested host."},
		{key: "headerFiles", typ: filesType, doc: "Headers of the handshake whose values are in files: read for every probe, and never shown."},
	}, authFields(), tlsFields(" Only for `wss://`."), proxyFields(), networkFields(true), probeFields()),
}

var webSocketKind = probeKind{key: "websocket", section: webSocketSection, decode: decodeWebSocket, placeholder: "ws://" + placeholderTarget + "/"}

func decodeWebSocket(o *object) sla.Check {
	c := &sla.WebSocketCheck{Request: sla.HTTPCheck{Method: http.MethodGet}}
	c.Dialogue, _, _ = read(o, "dialogue", steps(webSocketStepSection))
	c.Ping, _, _ = read(o, "ping", value.boolean)
	c.Subprotocols, _, _ = read(o, "subprotocols", value.texts)
	c.Request.Headers, _, _ = read(o, "headers", parseHeaders)
	text, _, ok := read(o, "websocket", parseWebSocketURL)
	t := decodeTLSOptions(o, !ok || strings.HasPrefix(text, "wss:"), "connect to wss://")
	c.Request.InsecureSkipVerify, c.Request.CertificateValidFor = t.InsecureSkipVerify, t.CertificateValidFor
	more := sla.HTTPOptions{ServerName: t.ServerName, Files: t.Files, Auth: decodeAuth(o), Proxy: decodeProxy(o)}
	more.HeaderFiles, _, _ = read(o, "headerFiles", parseHeaderFiles)
	if !more.IsZero() {
		c.Request.Options = &more
	}
	if c.Request.URL = "http" + strings.TrimPrefix(text, "ws"); !ok {
		return nil
	}
	return c
}
