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

// parseWebSocketURL parses a ws or wss URL.
func parseWebSocketURL(v value) (string, bool) {
	text, ok := v.text()
	if !ok {
		return "", false
	}
	u, err := sla.ParseURL(text)
	switch {
	case err != nil:
		v.error("bad-url", v.name+" is not a URL: "+sla.URLReason(text, err), "write it as wss://host/path")
	case u.Scheme == "http" || u.Scheme == "https":
		v.error("bad-url", v.quoted()+" is a URL of "+u.Scheme, "write ws"+strings.TrimPrefix(u.Scheme, "http")+"://"+u.Host+u.Path)
	case u.Scheme != "ws" && u.Scheme != "wss":
		v.error("bad-url", v.quoted()+" does not begin with ws:// or wss://", "write it in full, e.g. wss://"+afterScheme(text))
	case sla.TwoSchemes(u):
		v.error("bad-url", v.quoted()+" has two schemes", "write one: "+afterScheme(text))
	case u.Hostname() == "" || u.Port() != "" && !sla.ValidPort(u.Port()):
		v.error("bad-url", v.quoted()+" names no host, or no port from 1 to 65535", "write it as wss://host/path")
	case u.User != nil:
		v.error("bad-url", v.quoted()+" has a user name or password before its host, which would be shown in labels and logs", "leave it out of the URL and use basicAuth")
	case u.Fragment != "":
		v.error("bad-url", v.quoted()+" has a fragment, which is never sent to a server", "leave #"+u.Fragment+" out")
	default:
		return text, checkHost(v, u.Hostname())
	}
	return "", false
}
