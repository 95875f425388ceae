package foreign

import (
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// entryOf is the value of a key of a mapping, nil if there is none.
func entryOf(node *yaml.Node, key string) *yaml.Node {
	if node == nil || node.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	return nil
}

// scalarOf is the text of a scalar under a key, or "".
func scalarOf(node *yaml.Node, key string) string {
	if v := entryOf(node, key); v != nil && v.Kind == yaml.ScalarNode {
		return v.Value
	}
	return ""
}

// isObject recognizes a Kubernetes-like object by its group and kind.
func isObject(root *yaml.Node, group, kind string) bool {
	return strings.HasPrefix(scalarOf(root, "apiVersion"), group) && (kind == "" || scalarOf(root, "kind") == kind)
}

func isNull(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null"
}

// object is a mapping of a foreign document.
type object struct {
	place
	what    string
	entries []entry
}

type entry struct {
	name       string
	key, value place
}

// object reads a mapping. Keys that are not known are reported: what they say is not
// carried. It is nil after an error.
func (p place) object(what string, known ...string) *object {
	if p.node.Kind != yaml.MappingNode {
		p.error("wrong-type", what+" must be a mapping, this is "+describe(p.node), "write it as key: value")
		return nil
	}
	o := &object{place: p, what: what}
	for i := 0; i+1 < len(p.node.Content); i += 2 {
		key, value := p.node.Content[i], p.node.Content[i+1]
		e := entry{key.Value, place{p.doc, key}, place{p.doc, value}}
		if len(known) > 0 && !slices.Contains(known, key.Value) {
			e.key.notCarried("unknown key "+strconv.Quote(shortened(key.Value))+" in "+what+": it is not carried", "its keys are "+strings.Join(known, ", "))
			continue
		}
		if !isNull(value) {
			o.entries = append(o.entries, e)
		}
	}
	return o
}

func describe(node *yaml.Node) string {
	switch {
	case node.Kind == yaml.MappingNode:
		return "a mapping"
	case node.Kind == yaml.SequenceNode:
		return "a list"
	case isNull(node):
		return "nothing"
	}
	return strconv.Quote(shortened(node.Value))
}

// shortened is a text as messages show it.
func shortened(text string) string {
	if r := []rune(text); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return text
}

// get is the value of a key.
func (o *object) get(key string) (place, bool) {
	for _, e := range o.entries {
		if e.name == key {
			return e.value, true
		}
	}
	return place{}, false
}

// must is the value of a key that must be given.
func (o *object) must(key string) (place, bool) {
	v, ok := o.get(key)
	if !ok {
		o.error("missing-key", strconv.Quote(key)+" is missing in "+o.what, "add it, or take the part out")
	}
	return v, ok
}

// scalar is a scalar's text, whatever its type is.
func (p place) scalar(what string) (string, bool) {
	if p.node.Kind != yaml.ScalarNode || strings.TrimSpace(p.node.Value) == "" {
		p.error("wrong-type", what+" must be text, this is "+describe(p.node), "write text")
		return "", false
	}
	return p.node.Value, true
}

// text is the text under a key, "" if there is none. An empty one is none: programs that
// write all keys of an object write it.
func (o *object) text(key string) (string, place, bool) {
	v, ok := o.get(key)
	if !ok || v.node.Kind == yaml.ScalarNode && v.node.Value == "" {
		return "", place{}, false
	}
	text, ok := v.scalar(key)
	return text, v, ok
}

// mustText is the text under a key that must be given.
func (o *object) mustText(key string) (string, place, bool) {
	v, ok := o.must(key)
	if !ok {
		return "", place{}, false
	}
	text, ok := v.scalar(key)
	return text, v, ok
}

// is returns whether a key is true.
func (o *object) is(key string) bool {
	v, ok := o.get(key)
	return ok && v.flag(key)
}

// flag reads true or false.
func (p place) flag(what string) bool {
	if p.node.Kind != yaml.ScalarNode || p.node.ShortTag() != "!!bool" {
		p.error("wrong-type", what+" must be true or false, this is "+describe(p.node), "write true or false")
		return false
	}
	return strings.EqualFold(p.node.Value, "true")
}

// list is the items under a key.
func (o *object) list(key string) []place {
	v, ok := o.get(key)
	if !ok {
		return nil
	}
	return v.items(key)
}

func (p place) items(what string) []place {
	if p.node.Kind != yaml.SequenceNode {
		p.error("wrong-type", what+" must be a list, this is "+describe(p.node), "write it as a list")
		return nil
	}
	items := make([]place, len(p.node.Content))
	for i, n := range p.node.Content {
		items[i] = place{p.doc, n}
	}
	return items
}

// texts are the entries of a mapping of names to texts.
func (o *object) texts(key string) []entry {
	v, ok := o.get(key)
	if !ok {
		return nil
	}
	m := v.object(key)
	if m == nil {
		return nil
	}
	var all []entry
	for _, e := range m.entries {
		if _, ok := e.value.scalar(e.name); ok {
			all = append(all, e)
		}
	}
	return all
}
