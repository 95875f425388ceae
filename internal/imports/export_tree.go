package imports

import (
	"bytes"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla/spec/foreign"
)

// tree is a mapping under construction.
type tree struct {
	node *yaml.Node
	// Parts of an object; nil in other mappings.
	meta, spec, own *tree
	key             string
}

// number is a text that is written as a number.
type number string

func newTree() *tree { return &tree{node: &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}} }

// object begins an object.
func object(kind, name string) *tree {
	t := newTree().set("apiVersion", "openslo/v1").set("kind", kind)
	t.meta = newTree().set("name", name)
	t.spec = newTree()
	t.set("metadata", t.meta.node).set("spec", t.spec.node)
	return t
}

// set adds a key. A nil node adds nothing.
func (t *tree) set(key string, value any) *tree {
	var n *yaml.Node
	switch v := value.(type) {
	case *yaml.Node:
		if v == nil {
			return t
		}
		n = v
	case string:
		n = scalar("!!str", v)
	case number:
		n = scalar("!!float", string(v))
		if !strings.ContainsAny(string(v), ".eE") {
			n.Tag = "!!int"
		}
	case bool:
		n = scalar("!!bool", map[bool]string{true: "true", false: "false"}[v])
	}
	t.node.Content = append(t.node.Content, scalar("!!str", key), n)
	return t
}

func scalar(tag, text string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: text}
	if strings.Contains(text, "\n") {
		n.Style = yaml.LiteralStyle
	}
	return n
}

func list(items ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: items}
}

// flow makes the mapping print on one line.
func (t *tree) flow() *tree {
	t.node.Style = yaml.FlowStyle
	return t
}

// annotations returns the annotations of an object.
func (t *tree) annotations() *tree {
	if t.own == nil {
		t.own = newTree()
		t.meta.set("annotations", t.own.node)
	}
	return t.own
}

// annotate keeps keys in an annotation of ours. It skips an empty mapping.
func (t *tree) annotate(name string, keys *yaml.Node) {
	if keys == nil || len(keys.Content) == 0 {
		return
	}
	var text bytes.Buffer
	e := yaml.NewEncoder(&text)
	e.SetIndent(2)
	if e.Encode(keys) != nil || e.Close() != nil {
		panic("a tree that was parsed cannot be printed")
	}
	t.annotations().set(foreign.OwnPrefix+name, text.String())
}

func entry(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func textOf(n *yaml.Node, key string) string {
	if v := entry(n, key); v != nil && v.Kind == yaml.ScalarNode {
		return v.Value
	}
	return ""
}

func listOf(n *yaml.Node, key string) []*yaml.Node {
	if v := entry(n, key); v != nil && v.Kind == yaml.SequenceNode {
		return v.Content
	}
	return nil
}

// without returns a mapping without a key.
func without(n *yaml.Node, key string) *yaml.Node {
	c := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	if n == nil {
		return c
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value != key {
			c.Content = append(c.Content, n.Content[i], n.Content[i+1])
		}
	}
	return c
}

// difference returns the keys of a mapping that another one lacks, or has with another
// value, and with null the keys that only the other one has.
func difference(want, have *yaml.Node) *yaml.Node {
	d := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for i := 0; want != nil && i+1 < len(want.Content); i += 2 {
		if v := entry(have, want.Content[i].Value); v == nil || !same(want.Content[i+1], v) {
			d.Content = append(d.Content, bare(want.Content[i]), bare(want.Content[i+1]))
		}
	}
	for i := 0; have != nil && i+1 < len(have.Content); i += 2 {
		if entry(want, have.Content[i].Value) == nil {
			d.Content = append(d.Content, bare(have.Content[i]), scalar("!!null", "null"))
		}
	}
	return d
}

// same returns whether two trees mean the same, however they are written.
func same(a, b *yaml.Node) bool {
	if a.Kind != b.Kind || len(a.Content) != len(b.Content) {
		return false
	}
	if a.Kind == yaml.ScalarNode {
		return a.ShortTag() == b.ShortTag() && a.Value == b.Value
	}
	for i := range a.Content {
		if !same(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}

// bare is a copy of a tree without anchors and comments.
func bare(n *yaml.Node) *yaml.Node {
	c := &yaml.Node{Kind: n.Kind, Style: n.Style, Tag: n.ShortTag(), Value: n.Value}
	for _, child := range n.Content {
		c.Content = append(c.Content, bare(child))
	}
	return c
}

var labelKey = regexp.MustCompile(`^[a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$`)

// labelsOf returns the labels that OpenSLO allows, nil if there are none.
func labelsOf(n *yaml.Node) *yaml.Node {
	labels := newTree()
	for i := 0; n != nil && n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if key, value := n.Content[i], n.Content[i+1]; labelKey.MatchString(key.Value) && value.Kind == yaml.ScalarNode && value.Value != "" {
			labels.set(key.Value, value.Value)
		}
	}
	if len(labels.node.Content) == 0 {
		return nil
	}
	return labels.flow().node
}
