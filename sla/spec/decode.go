package spec

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla"
)

// decoder reads the values of one document and collects what is wrong.
type decoder struct {
	src      *source
	findings sla.Findings
	read     map[string]bool // "section.key" of the keys that were asked for, where it is made: a test's witness
}

func (d *decoder) pos(node *yaml.Node) sla.Position {
	return d.src.position(node.Line, node.Column)
}

func (d *decoder) report(severity sla.Severity, pos sla.Position, rule, message, remedy string) {
	d.findings = append(d.findings, sla.Finding{
		Severity: severity, Rule: rule, Pos: pos, Message: message, Remedy: remedy, Snippet: d.src.line(pos.Line),
	})
}

func (d *decoder) errorAt(node *yaml.Node, rule, message, remedy string) {
	d.report(sla.Error, d.pos(node), rule, message, remedy)
}

// mask blots a secret out of the source lines of findings.
func (d *decoder) mask(secret string) {
	for i, f := range d.findings {
		d.findings[i].Snippet = strings.ReplaceAll(f.Snippet, secret+"@", strings.Repeat("*", len(secret))+"@")
	}
}

// value is a node and the key it stands under; a list item has the list's key.
type value struct {
	d    *decoder
	key  *yaml.Node // nil for the root of a document
	node *yaml.Node
	name string // of the key, as messages call the value
}

// wrong reports an error at the value.
func (v value) wrong(rule, message, remedy string) { v.d.errorAt(v.node, rule, message, remedy) }

// warn reports a warning at the value.
func (v value) warn(rule, message, remedy string) {
	v.d.report(sla.Warning, v.pos(), rule, message, remedy)
}

func (v value) pos() sla.Position { return v.d.pos(v.node) }

// said is the value's name and text as messages begin: target "100".
func (v value) said() string { return v.name + " " + quote(v.node.Value) }

// wrongType reports that the value is not of the type wanted.
func (v value) wrongType(want, remedy string) {
	if isNull(v.node) {
		v.wrong("wrong-type", v.name+" has no value; it is "+want, "give it a value or leave the key out")
		return
	}
	v.wrong("wrong-type", v.name+" must be "+want+", this is "+describe(v.node), remedy)
}

// text is a non-empty string.
func (v value) text() (string, bool) {
	if v.node.Kind != yaml.ScalarNode || v.node.ShortTag() != "!!str" {
		remedy := ""
		if v.node.Kind == yaml.ScalarNode && !isNull(v.node) {
			remedy = "write " + v.name + ": " + strconv.Quote(v.node.Value)
		}
		v.wrongType("text", remedy)
		return "", false
	}
	if strings.TrimSpace(v.node.Value) == "" {
		v.wrong("empty-value", v.name+" is empty", "give it a value or leave the key out")
		return "", false
	}
	return v.node.Value, true
}

// boolean is true or false.
func (v value) boolean() (val, ok bool) {
	if v.node.Kind == yaml.ScalarNode && v.node.ShortTag() == "!!bool" {
		return strings.EqualFold(v.node.Value, "true"), true
	}
	remedy := "write true or false"
	if v.node.Kind == yaml.ScalarNode && nearest(v.node.Value, []string{"true", "false"}) != "" {
		remedy += ", without quotes"
	}
	v.wrongType("true or false", remedy)
	return false, false
}

// list is the items of a sequence that is not empty.
func (v value) list() ([]value, bool) {
	if v.node.Kind != yaml.SequenceNode {
		remedy := ""
		if v.node.Kind == yaml.ScalarNode && !isNull(v.node) {
			remedy = "write " + v.name + ": [" + strconv.Quote(v.node.Value) + "]"
		}
		if v.node.Kind == yaml.MappingNode {
			remedy = "start each item with '- '"
		}
		v.wrongType("a list", remedy)
		return nil, false
	}
	if len(v.node.Content) == 0 {
		v.d.errorAt(v.key, "empty-value", v.name+" is an empty list", "give it at least one item or leave the key out")
		return nil, false
	}
	items := make([]value, len(v.node.Content))
	for i, item := range v.node.Content {
		items[i] = value{d: v.d, key: v.key, node: item, name: "an item of " + v.name}
	}
	return items, true
}

// entries are the pairs of a mapping whose keys the user chooses; ok is false
// if it is not a mapping.
func (v value) entries() ([]value, bool) {
	if v.node.Kind != yaml.MappingNode {
		v.wrongType("a mapping of names to values", "")
		return nil, false
	}
	var entries []value
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		key := v.node.Content[i]
		entries = append(entries, value{d: v.d, key: key, node: v.node.Content[i+1], name: key.Value})
	}
	return entries, true
}

// object is a mapping with the keys of a section.
type object struct {
	value
	section *section
	values  map[string]value
}

// object reads the value as a section, and reports keys that the section does
// not have and required ones that are missing. It is nil if the value is no
// mapping.
func (v value) object(s *section) *object {
	if v.node.Kind != yaml.MappingNode {
		v.wrongType("a mapping", "its keys are "+list(s.keys()))
		return nil
	}
	o := &object{value: v, section: s, values: map[string]value{}}
	pairs, _ := v.entries()
	for _, pair := range pairs {
		if s.field(pair.name) == nil {
			v.d.errorAt(pair.key, "unknown-key", "unknown key "+quote(pair.name)+" in "+s.name, unknownRemedy(s, pair.name))
			continue
		}
		o.values[pair.name] = pair
	}
	for _, f := range s.fields {
		if _, given := o.values[f.key]; f.required && !given {
			o.missing(quote(f.key)+" is missing in "+s.name, "add "+f.key+": "+f.sample())
		}
	}
	for _, group := range s.oneOf {
		o.exactlyOne(group)
	}
	return o
}

func (o *object) exactlyOne(group []string) {
	var given []string
	for _, key := range group {
		if _, ok := o.values[key]; ok {
			given = append(given, key)
		}
	}
	switch {
	case len(given) == 0:
		o.missing(o.section.name+" needs one of "+list(group), "add "+group[0]+": "+o.section.field(group[0]).sample())
	case len(given) > 1:
		o.d.errorAt(o.values[given[1]].key, "conflicting-keys",
			list(given)+" exclude each other in "+o.section.name, "keep one of them")
	}
}

// missing reports what is not there, at the key of the mapping it is not in.
func (o *object) missing(message, remedy string) {
	at := o.node
	if o.key != nil && o.node.Line >= o.key.Line && !strings.HasPrefix(o.name, "an item of") {
		at = o.key
	}
	o.d.errorAt(at, "missing-key", message, remedy)
}

// get is the value of a key of the section, if it was given.
func (o *object) get(key string) (value, bool) {
	if o.section.field(key) == nil {
		panic("spec: section " + o.section.name + " has no key " + key)
	}
	if o.d.read != nil {
		o.d.read[o.section.name+"."+key] = true
	}
	v, ok := o.values[key]
	return v, ok
}

func isNull(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null"
}

// describe says what a node is, as a message goes on after "this is".
func describe(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch tag := node.ShortTag(); tag {
	case "!!str":
		return "the text " + quote(node.Value)
	case "!!int", "!!float":
		return "the number " + node.Value
	case "!!bool":
		return node.Value + " without quotes"
	case "!!null":
		return "nothing"
	case "!!timestamp":
		return "the date " + node.Value
	default:
		return "a value with the tag " + tag
	}
}

// quote is text in double quotes, shortened where it is very long.
func quote(text string) string {
	const most = 80
	if len(text) > most {
		cut := most
		for !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut] + "…"
	}
	return strconv.Quote(text)
}

func itoa(n int) string { return strconv.Itoa(n) }
