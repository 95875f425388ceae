package spec

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

const hexPattern = `^([0-9A-Fa-f]{2}\s*)+$`

var (
	hexType    = valueType{name: "bytes in hexadecimal", sample: `"0d 0a"`, scalars: []schema{{"type": "string", "pattern": hexPattern}}}
	regexpType = valueType{name: "RE2", sample: `"ok"`, scalars: textType.scalars}
)

// dialogueField is the key dialogue of a kind of probe.
func dialogueField(steps *section, doc string) field {
	return field{key: "dialogue", typ: valueType{name: "list", sample: `[{expect: "ready"}]`, sections: []*section{steps}, shape: listOf}, doc: doc}
}

// The keys that steps may have.
var (
	sendLine     = field{key: "send", typ: textType, example: `"QUIT"`, doc: "A line to send; CR LF is added."}
	sendReply    = field{key: "reply", typ: textType, example: `"PONG ${1}"`, doc: "A line to send like `send`, in which `${1}` stands for what the first group of the `expect` before it has matched, `${name}` for a group with a name and `$$` for a dollar."}
	sendBytes    = field{key: "sendBytes", typ: hexType, example: `"50494e47 0d0a"`, doc: "Bytes to send, in hexadecimal, exactly."}
	expectLine   = field{key: "expect", typ: regexpType, example: `"^220 "`, doc: "A regular expression. Lines are read until one matches. The line end is not part of the line."}
	expectBytes  = field{key: "expectBytes", typ: hexType, example: `"2b504f4e47"`, doc: "Bytes, in hexadecimal, to wait for. Bytes before them are ignored."}
	expectLabels = field{key: "labels", typ: valueType{name: "labels", sample: `{software: "${1}"}`, scalars: labelsType.scalars}, doc: "Beside `expect`: labels of `upheld_probe_dialogue_info`, in which `${1}` and `${name}` stand for what its groups have matched. At most 5; values are cut at 64 bytes."}
	startTLS     = field{key: "startTLS", typ: booleanType, example: "true", doc: "Always `true`: begin the TLS session here."}
)

func stepSection(name, doc string, fields ...field) *section {
	s := &section{name: name, doc: doc, fields: fields}
	var keys []string
	for _, f := range fields {
		if f.key != expectLabels.key { // beside one of them
			keys = append(keys, f.key)
		}
	}
	s.oneOf = [][]string{keys}
	return s
}

// steps reads a dialogue whose steps have the keys of a section.
func steps(s *section) func(value) ([]sla.Step, bool) {
	return func(v value) ([]sla.Step, bool) {
		items, ok := v.list()
		if !ok {
			return nil, false
		}
		var list []sla.Step
		var lastExpect *regexp.Regexp // of the last expect
		for _, item := range items {
			step, stepOK := decodeStep(item, s, lastExpect)
			if match, err := regexp.Compile(step.Expect); step.Expect != "" && err == nil {
				lastExpect = match
			}
			ok = ok && stepOK
			list = append(list, step)
		}
		return list, ok
	}
}

func decodeStep(v value, s *section, lastExpect *regexp.Regexp) (step sla.Step, ok bool) {
	o := v.object(s)
	if o == nil {
		return step, false
	}
	found := 0
	for _, f := range s.fields {
		var read bool
		switch f.key {
		case "send":
			step.Send, read = readStep(o, f.key, parseLine)
		case "reply":
			step.Reply, read = readStep(o, f.key, replyTo(lastExpect))
		case "sendBytes":
			step.SendBytes, read = readStep(o, f.key, parseHexBytes)
		case "expect":
			step.Expect, read = readStep(o, f.key, parseRegexp)
		case "expectBytes":
			step.ExpectBytes, read = readStep(o, f.key, parseHexBytes)
		case "startTLS":
			step.StartTLS, read = readStep(o, f.key, parseOnlyTrue)
		}
		if read {
			found++
		}
	}
	if s.field(expectLabels.key) != nil {
		step.Labels = decodeExpectLabels(o, step.Expect)
	}
	return step, found == 1
}

// maxExpectLabels bounds the labels of a step.
const maxExpectLabels = 5

// decodeExpectLabels reads the labels that a step takes from what it received.
func decodeExpectLabels(o *object, expect string) map[string]string {
	labels, at, ok := read(o, expectLabels.key, parseLabels)
	if !ok {
		return nil
	}
	match, err := regexp.Compile(expect)
	switch {
	case expect == "" && len(o.given("expect")) == 0:
		o.d.errorAt(at.key, "conflicting-keys", "labels has no effect without expect", "put it beside the expect whose groups it repeats")
		return nil
	case err != nil || expect == "": // reported already
		return nil
	case len(labels) > maxExpectLabels:
		at.error("bad-label", fmt.Sprintf("labels has %d labels", len(labels)), fmt.Sprintf("at most %d", maxExpectLabels))
	}
	entries, _ := at.entries()
	for _, entry := range entries {
		if slices.Contains(ownLabels, entry.name) {
			o.d.errorAt(entry.key, "bad-label", quote(entry.name)+" is a label that upheld sets itself", "choose another")
		}
		if group, ok := missingGroup(match, labels[entry.name]); !ok {
			entry.error("bad-label", fmt.Sprintf("%s repeats the group %q, which expect has not", entry.quoted(), group), "put a group in parentheses there; where a letter or digit follows, write ${1}")
		}
	}
	return labels
}

// missingGroup finds a group that a text refers to and that the expression does not
// have. ok is true if there is none.
func missingGroup(match *regexp.Regexp, text string) (group string, ok bool) {
	for _, m := range groupRegexp.FindAllStringSubmatch(text, -1) {
		name := m[1] + m[2]
		n, err := strconv.Atoi(name)
		if err == nil && n > match.NumSubexp() || err != nil && name != "" && match.SubexpIndex(name) < 0 {
			return name, false
		}
	}
	return "", true
}

// groupRegexp finds references to groups as regexp.Expand reads them: $1, ${1}, $name
// and ${name}.
var groupRegexp = regexp.MustCompile(`\$(?:\$|\{(\w*)\}|(\w+))`)

// replyTo parses a reply. It must refer to groups of lastExpect, the expression of the last
// expect, which is nil if there is none.
func replyTo(lastExpect *regexp.Regexp) func(value) (string, bool) {
	return func(v value) (string, bool) {
		text, ok := parseLine(v)
		if !ok {
			return "", false
		}
		if lastExpect == nil {
			v.error("bad-reply", "reply stands before any expect, and so has nothing to repeat", "put an expect with a group before it, or write send")
			return "", false
		}
		if group, ok := missingGroup(lastExpect, text); !ok {
			v.error("bad-reply", fmt.Sprintf("reply repeats the group %q, which the expect before it has not", group), "put a group in parentheses there; where a letter or digit follows, write ${1}")
			return "", false
		}
		repeats := false
		for _, m := range groupRegexp.FindAllStringSubmatch(text, -1) {
			repeats = repeats || m[1]+m[2] != ""
		}
		if !repeats {
			v.error("bad-reply", "reply repeats nothing", "write ${1} for what the first group of the expect before it matched, or send instead of reply")
		}
		return text, repeats
	}
}

func readStep[T any](o *object, key string, parse func(value) (T, bool)) (T, bool) {
	got, _, ok := read(o, key, parse)
	return got, ok
}

// parseLine is text without a line break.
func parseLine(v value) (string, bool) {
	text, ok := v.text()
	if ok && strings.ContainsAny(text, "\r\n") {
		v.error("bad-value", v.name+" has a line break in it", "write each line as a step of its own; its end is added")
		return "", false
	}
	return text, ok
}

func parseOnlyTrue(v value) (yes, ok bool) {
	yes, ok = v.boolean()
	if ok && !yes {
		v.error("bad-value", v.name+" false does nothing", "leave the step out")
	}
	return yes, ok && yes
}

var hexRegexp = regexp.MustCompile(hexPattern)

// parseHexBytes parses bytes in hexadecimal, with spaces anywhere between them.
func parseHexBytes(v value) ([]byte, bool) {
	text, ok := v.text()
	if !ok {
		return nil, false
	}
	if !hexRegexp.MatchString(text) {
		v.error("bad-value", v.name+" is not bytes in hexadecimal", fmt.Sprintf("two digits a byte; the text itself would be %q", hex.EncodeToString([]byte(text))))
		return nil, false
	}
	b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	return b, err == nil
}

// checkSharedLabels reports labels of a dialogue that the targets' series have already.
func checkSharedLabels(o *object, p *sla.Probe) {
	talk, ok := p.Check.(sla.WithDialogue)
	if !ok || p.Discovery == nil {
		return
	}
	at, _ := o.get("dialogue")
	for _, step := range talk.DialogueSteps() {
		for _, name := range p.Discovery.Labels {
			if _, both := step.Labels[name]; both {
				at.error("bad-label", "the label "+quote(name)+" of a step is one that the targets have", "choose another name for one of them")
			}
		}
	}
}
