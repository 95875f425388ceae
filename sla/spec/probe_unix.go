package spec

import (
	"path"

	"github.com/upheld-sla/upheld/sla"
)

const maxSocketPath = 107 // the longest path in a Unix socket address of Linux

var unixStepSection = stepSection("a step (unix)", "One step of a dialogue: exactly one of these, and `labels` beside `expect`.",
	field{key: "send", typ: textType, example: `"PING"`, doc: "A line to send; LF is added."}, sendReply, sendBytes, expectLine, expectLabels, expectBytes)

var unixSection = &section{
	name: "probe (unix)",
	doc:  "Connects to a Unix socket of the exporter's own host, and if asked talks. Good if all of that succeeds in time.",
	fields: append([]field{
		{key: "unix", typ: valueType{name: "path", sample: `"/run/app.sock"`, scalars: []schema{{"type": "string", "pattern": "^/."}}}, required: true, doc: "The socket, an absolute path."},
		dialogueField(unixStepSection, "What to send and to expect, in order, after connecting."),
	}, probeFields()...),
}

var unixKind = probeKind{key: "unix", section: unixSection, decode: decodeUnix}

func decodeUnix(o *object) sla.Check {
	c := &sla.UnixCheck{}
	c.Dialogue, _, _ = read(o, "dialogue", steps(unixStepSection))
	socket, _, ok := read(o, "unix", parseSocketPath)
	if !ok {
		return nil
	}
	c.Path = socket
	return c
}

func parseSocketPath(v value) (string, bool) {
	text, ok := v.text()
	switch {
	case !ok:
		return "", false
	case !path.IsAbs(text) || path.Clean(text) != text:
		v.error("bad-address", v.quoted()+" is not a plain absolute path", `write it like "/run/app.sock"`)
	case len(text) > maxSocketPath:
		v.error("bad-address", v.quoted()+" is longer than the 107 bytes that a socket's address holds", "give the socket a shorter path")
	default:
		return text, true
	}
	return "", false
}
