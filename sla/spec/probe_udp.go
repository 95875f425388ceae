package spec

import (
	"slices"

	"github.com/upheld-sla/upheld/sla"
)

var udpStepSection = stepSection("a step (udp)", "One step of a dialogue of packets: exactly one of these.",
	field{key: "send", typ: textType, example: `"status"`, doc: "A packet to send; nothing is added."},
	field{key: "sendBytes", typ: hexType, example: `"ffffffff 54"`, doc: "A packet to send, in hexadecimal."},
	field{key: "expect", typ: regexpType, example: `"^ok"`, doc: "A regular expression. Packets are read until one matches."},
	field{key: "expectBytes", typ: hexType, example: `"ffffffff 49"`, doc: "Bytes, in hexadecimal. Packets are read until one contains them."})

var udpSection = &section{
	name: "probe (udp)",
	doc:  "Sends UDP packets and waits for answers. Good if those come in time.",
	fields: append([]field{
		{key: "udp", typ: orTarget(hostPortType(`"game.example:27015"`)), required: true, doc: "Where to send to."},
		{
			key: "dialogue", typ: valueType{name: "list", sample: `[{send: "status"}, {expect: "^ok"}]`, sections: []*section{udpStepSection}, shape: listOf}, required: true,
			doc: "Packets to send and to expect, in order. There must be an `expect`: silence says nothing.",
		},
	}, append(networkFields(true), probeFields()...)...),
}

var udpKind = probeKind{key: "udp", section: udpSection, decode: decodeUDP, placeholder: placeholderTarget + ":1", usualPort: "443"}

func decodeUDP(o *object) sla.Check {
	c := &sla.UDPCheck{}
	dialogue, at, dialogueOK := read(o, "dialogue", steps(udpStepSection))
	c.Dialogue = dialogue
	if dialogueOK && !slices.ContainsFunc(dialogue, func(s sla.Step) bool { return s.Expect != "" || s.ExpectBytes != nil }) {
		at.error("bad-value", "the dialogue expects no answer, and without one nothing is known of the target", "add a step expect or expectBytes")
		dialogueOK = false
	}
	address, _, ok := read(o, "udp", o.hostPort)
	if !ok || !dialogueOK {
		return nil
	}
	c.Address = address
	return c
}
