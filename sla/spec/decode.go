package spec

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla"
)

// decoder reads the values of one document and collects what is wrong.
type decoder struct {
	src      *source
	named    Files
	findings sla.Findings
	// thresholds are where those of response-time levels stand, which are
	// checked when the probe is known.
	thresholds map[sla.Indicator]sla.Position
	// probeDefaults are what was filled in for probes, for the level to tell.
	probeDefaults map[sla.Indicator][]sla.Default
	// zone is the agreement's default time zone, and periodDefaults are what was
	// filled in for calendar periods, by their place.
	zone           string
	periodDefaults map[sla.Position][]sla.Default
	windows        int // at most, of those that were read
	hours          int // that calendars begin in a week, of those that were read
	// broken are the levels with errors.
	broken map[*sla.ServiceLevel]bool
	// read and given are the witnesses of a test, where it makes them:
	// "section.key" of the keys that were asked for, and found.
	read, given map[string]bool
}

func newDecoder(src *source, named Files) *decoder {
	return &decoder{
		src: src, named: named, thresholds: map[sla.Indicator]sla.Position{}, probeDefaults: map[sla.Indicator][]sla.Default{},
		periodDefaults: map[sla.Position][]sla.Default{}, broken: map[*sla.ServiceLevel]bool{},
	}
}

func (d *decoder) pos(node *yaml.Node) sla.Position {
	return d.src.position(node.Line, node.Column)
}

// aboutAddress are the rules whose findings quote addresses of what is probed,
// with whatever stands before an "@" in them.
var aboutAddress = map[string]bool{"bad-address": true, "bad-url": true, "bad-name": true, "no-targets": true, "no-variable": true}

func (d *decoder) report(severity sla.Severity, pos sla.Position, rule, message, remedy string) {
	bare := aboutAddress[rule]
	d.findings = append(d.findings, sla.Finding{
		Severity: severity, Rule: rule, Pos: pos, Message: sla.Mask(message, bare), Remedy: sla.Mask(remedy, bare), Snippet: sla.Mask(d.src.shown(pos.Line), bare),
	})
}

func (d *decoder) errorAt(node *yaml.Node, rule, message, remedy string) {
	d.report(sla.Error, d.pos(node), rule, message, remedy)
}

// value is a node and the key it stands under; a list item has the list's key.
type value struct {
	d     *decoder
	key   *yaml.Node // nil for the root of a document
	node  *yaml.Node
	name  string // of the key, as messages call the value
	field *field // what describes the key, if its section does
	item  bool   // of a list
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
	if remedy == "" {
		remedy = "write " + want
		if v.field != nil {
			remedy = "write it like " + v.name + ": " + v.field.sample()
		}
	}
	if isNull(v.node) {
		v.wrong("wrong-type", v.name+" has no value; it must be "+want, v.giveValue("a value"))
		return
	}
	v.wrong("wrong-type", v.name+" must be "+want+", this is "+describe(v.node), remedy)
}

// giveValue is the remedy of an empty value.
func (v value) giveValue(what string) string {
	if v.field != nil && v.field.required || v.item {
		return "give it " + what
	}
	return "give it " + what + " or leave the key out"
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
		v.wrong("empty-value", v.name+" is empty", v.giveValue("a value"))
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
	if v.node.Kind == yaml.ScalarNode && Nearest(v.node.Value, []string{"true", "false"}) != "" {
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
			if len(v.node.Content) > 0 && v.field != nil && len(v.field.typ.sections) > 0 {
				if first := v.node.Content[0].Value; v.field.typ.sections[0].field("name") == nil {
					remedy += ", e.g. - " + first + ": …"
				} else if first == "name" {
					remedy += ", e.g. - name: " + v.node.Content[1].Value
				} else {
					remedy += ", e.g. - name: " + first
				}
			}
		}
		v.wrongType("a list", remedy)
		return nil, false
	}
	if len(v.node.Content) == 0 {
		v.d.errorAt(v.key, "empty-value", v.name+" is an empty list", v.giveValue("at least one item"))
		return nil, false
	}
	items := make([]value, len(v.node.Content))
	for i, item := range v.node.Content {
		items[i] = value{d: v.d, key: v.key, node: item, name: "an item of " + v.name, item: true}
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
	kind    *probeKind // of a probe; nil otherwise
}

// object reads the value as a section, and reports keys that the section does
// not have and required ones that are missing. It is nil if the value is no
// mapping.
func (v value) object(s *section) *object {
	if v.node.Kind != yaml.MappingNode {
		v.wrongType("a mapping", v.mappingRemedy(s))
		return nil
	}
	o := &object{value: v, section: s, values: map[string]value{}}
	var meant []string // by misspelt keys, which is complaint enough
	pairs, _ := v.entries()
	for _, pair := range pairs {
		f := s.field(pair.name)
		if f == nil {
			v.d.errorAt(pair.key, "unknown-key", "unknown key "+quote(pair.name)+" in "+s.name, unknownRemedy(s, pair.name))
			meant = append(meant, meantKey(s, pair.name))
			continue
		}
		pair.field = f
		o.values[pair.name] = pair
	}
	for _, f := range s.fields {
		if _, given := o.values[f.key]; f.required && !given && !slices.Contains(meant, f.key) {
			o.missing(quote(f.key)+" is missing in "+s.name, "add "+f.key+": "+f.sample())
		}
	}
	for _, group := range s.oneOf {
		o.exactlyOne(group, meant)
	}
	return o
}

// mappingRemedy is what to write for a section that was given as something else:
// where text is meant for its only key, the mapping with that.
func (v value) mappingRemedy(s *section) string {
	if only := s.fields[0]; len(s.fields) == 1 && len(only.typ.sections) == 0 && v.node.Kind == yaml.ScalarNode && v.node.ShortTag() == "!!str" {
		text := only.sample()
		if given := sla.Mask(v.node.Value, false); len(given) <= mostQuoted && !strings.Contains(given, "\n") {
			text = "'" + strings.ReplaceAll(given, "'", "''") + "'"
		}
		return "write " + v.name + ": {" + only.key + ": " + text + "}"
	}
	return "its keys are " + list(s.keys())
}

func (o *object) exactlyOne(group, meant []string) {
	var given []string
	for _, key := range group {
		if _, ok := o.values[key]; ok {
			given = append(given, key)
		}
	}
	switch {
	case len(given) == 0 && slices.ContainsFunc(meant, func(key string) bool { return key == "" || slices.Contains(group, key) }):
		// What nobody can read may have been meant as one of them.
	case len(given) == 0:
		o.missing(o.section.name+" needs "+either(group), "add "+group[0]+": "+o.section.field(group[0]).sample())
	case len(given) > 1:
		o.d.errorAt(o.values[given[1]].key, "conflicting-keys",
			list(given)+" exclude each other in "+o.section.name, "keep one of them")
	}
}

// missing reports what is not there, at the key of the mapping it is not in.
func (o *object) missing(message, remedy string) {
	at := o.node
	if o.key != nil && !o.item {
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
	if ok && o.d.given != nil {
		o.d.given[o.section.name+"."+key] = true
	}
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

// mostQuoted is how many bytes of a text messages show.
const mostQuoted = 80

// quote is text in double quotes, shortened where it is very long, and free of
// passwords.
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
