package foreign

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// node makes a node of a converted document that is from a place.
func (c *conversion) node(at place, kind yaml.Kind) *yaml.Node {
	n := &yaml.Node{Kind: kind, Line: at.node.Line, Column: at.node.Column}
	c.origins[n] = Origin{Document: at.doc, Node: at.node}
	return n
}

// text makes a text.
func (c *conversion) text(at place, text string) *yaml.Node {
	n := c.node(at, yaml.ScalarNode)
	n.Tag, n.Value = "!!str", text
	switch {
	case strings.Contains(text, "\n"):
		n.Style = yaml.LiteralStyle
	case slices.Contains(oldBooleans, strings.ToLower(text)):
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// oldBooleans are what YAML 1.1, which other programs read, takes for booleans.
var oldBooleans = []string{"y", "n", "yes", "no", "on", "off"}

// quoted makes a text in quotes, as numbers that decide are written.
func (c *conversion) quoted(at place, text string) *yaml.Node {
	n := c.text(at, text)
	n.Style = yaml.DoubleQuotedStyle
	return n
}

// plain makes a number or boolean.
func (c *conversion) plain(at place, tag, text string) *yaml.Node {
	n := c.node(at, yaml.ScalarNode)
	n.Tag, n.Value = tag, text
	return n
}

func (c *conversion) boolean(at place, value bool) *yaml.Node {
	if value {
		return c.plain(at, "!!bool", "true")
	}
	return c.plain(at, "!!bool", "false")
}

// expression makes a query. offset is where the text begins in the text of the place,
// -1 if it is not there letter by letter.
func (c *conversion) expression(at place, text string, offset int) *yaml.Node {
	text = strings.TrimSpace(text)
	n := c.text(at, text)
	if n.Style == 0 {
		n.Style = yaml.SingleQuotedStyle
	}
	c.origins[n] = Origin{Document: at.doc, Node: at.node, Offset: max(offset, 0), Verbatim: offset >= 0}
	return n
}

// mapping is a mapping that is being made.
type mapping struct {
	c    *conversion
	at   place
	node *yaml.Node
}

func (c *conversion) mapping(at place) *mapping {
	n := c.node(at, yaml.MappingNode)
	n.Tag = "!!map"
	return &mapping{c, at, n}
}

// flow writes the mapping on one line.
func (m *mapping) flow() *mapping {
	m.node.Style = yaml.FlowStyle
	return m
}

// set adds a key. A value that is nil adds nothing.
func (m *mapping) set(key string, value *yaml.Node) *mapping {
	if value == nil {
		return m
	}
	at := m.at
	if o, ok := m.c.origins[value]; ok {
		at = place{o.Document, o.Node}
	}
	k := m.c.node(at, yaml.ScalarNode)
	k.Tag, k.Value = "!!str", key
	m.node.Content = append(m.node.Content, k, value)
	return m
}

// orNil is the mapping's node, nil if it is empty.
func (m *mapping) orNil() *yaml.Node {
	if len(m.node.Content) == 0 {
		return nil
	}
	return m.node
}

// list makes an empty list.
func (c *conversion) list(at place) *yaml.Node {
	n := c.node(at, yaml.SequenceNode)
	n.Tag = "!!seq"
	return n
}

// words makes a list of texts on one line.
func (c *conversion) words(at place, words []string) *yaml.Node {
	n := c.list(at)
	n.Style = yaml.FlowStyle
	for _, w := range words {
		n.Content = append(n.Content, c.text(at, w))
	}
	return n
}

// pair is a name with a text of a foreign document.
type pair struct {
	name string
	at   place
	text string
}

// pairs makes a mapping of names to texts, nil if there are none.
func (c *conversion) pairs(all []pair) *yaml.Node {
	if len(all) == 0 {
		return nil
	}
	m := c.mapping(all[0].at)
	long := 0
	for _, p := range all {
		n := c.text(p.at, p.text)
		if n.Style == 0 && strings.Contains(p.text, "{{") {
			n.Style = yaml.SingleQuotedStyle
		}
		m.set(p.name, n)
		long += len(p.name) + len(p.text) + 4
		if n.Style == yaml.LiteralStyle {
			long += 200
		}
	}
	if long < 90 {
		m.flow()
	}
	return m.node
}

// with returns pairs with more, which replace those of the same name.
func with(base []pair, more ...pair) []pair {
	all := append([]pair(nil), base...)
next:
	for _, p := range more {
		for i := range all {
			if all[i].name == p.name {
				all[i] = p
				continue next
			}
		}
		all = append(all, p)
	}
	return all
}
