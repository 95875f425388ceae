package spec

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla"
)

// value is a YAML node and its key. An item of a list has the key of the list.
type value struct {
	d     *decoder
	key   *yaml.Node // nil for the root of a document
	node  *yaml.Node
	name  string // what messages call the value, usually the key
	field *field // the description of the key; nil if the user chose it
	item  bool   // it is an item of a list
}

// error reports an error at the value.
func (v value) error(rule, message, remedy string) { v.d.errorAt(v.node, rule, message, remedy) }

// warn reports a warning at the value.
func (v value) warn(rule, message, remedy string) {
	v.d.report(sla.Warning, v.pos(), rule, message, remedy)
}

func (v value) pos() sla.Position { return v.d.pos(v.node) }

// quoted is the value's name and text, for the beginning of a message: target "100".
func (v value) quoted() string { return v.name + " " + quote(v.node.Value) }

// typeError reports that the value has the wrong type.
func (v value) typeError(want, remedy string) {
	if remedy == "" {
		remedy = "write " + want
		if v.field != nil {
			remedy = "write it like " + v.name + ": " + v.field.sample()
		}
	}
	if isNull(v.node) {
		v.error("wrong-type", v.name+" has no value; it must be "+want, v.emptyRemedy("a value"))
		return
	}
	v.error("wrong-type", v.name+" must be "+want+", this is "+describe(v.node), remedy)
}

// emptyRemedy is the remedy for an empty value.
func (v value) emptyRemedy(what string) string {
	if v.field != nil && v.field.required || v.item {
		return "give it " + what
	}
	return "give it " + what + " or leave the key out"
}

// text returns a string that is not empty.
func (v value) text() (string, bool) {
	if v.node.Kind != yaml.ScalarNode || v.node.ShortTag() != "!!str" {
		remedy := ""
		if v.node.Kind == yaml.ScalarNode && !isNull(v.node) {
			remedy = "write " + v.name + ": " + strconv.Quote(v.node.Value)
		}
		v.typeError("text", remedy)
		return "", false
	}
	if strings.TrimSpace(v.node.Value) == "" {
		v.error("empty-value", v.name+" is empty", v.emptyRemedy("a value"))
		return "", false
	}
	return v.node.Value, true
}

// boolean parses true or false.
func (v value) boolean() (val, ok bool) {
	if v.node.Kind == yaml.ScalarNode && v.node.ShortTag() == "!!bool" {
		return strings.EqualFold(v.node.Value, "true"), true
	}
	remedy := "write true or false"
	if v.node.Kind == yaml.ScalarNode && Nearest(v.node.Value, []string{"true", "false"}) != "" {
		remedy += ", without quotes"
	}
	v.typeError("true or false", remedy)
	return false, false
}

func isNull(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null"
}

// describe says what a node is, for messages: "this is …".
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

// mostQuoted is how many bytes of a text messages show.
const mostQuoted = 80

// quote is text in double quotes, shortened if it is long, and without passwords.
func quote(text string) string {
	text = sla.Mask(text, false)
	if len(text) > mostQuoted {
		cut := mostQuoted
		for !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut] + "…"
	}
	return strconv.Quote(text)
}

func itoa(n int) string { return strconv.Itoa(n) }

// scalarText is the text of a scalar, also if YAML reads it as a date.
func (v value) scalarText() (string, bool) {
	if v.node.Kind == yamlScalar && v.node.ShortTag() == "!!timestamp" {
		return v.node.Value, true
	}
	return v.text()
}
