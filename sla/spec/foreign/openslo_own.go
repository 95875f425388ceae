package foreign

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// OwnPrefix begins annotations in which our export keeps what OpenSLO cannot say.
const OwnPrefix = "upheld.dev/"

// The annotations, after the prefix.
const (
	// OwnAgreement names the agreement, as name or name@revision, if it is not the service.
	OwnAgreement = "agreement"
	// OwnMetadata and OwnSpec have keys of an agreement, in a Service.
	OwnMetadata = "metadata"
	OwnSpec     = "spec"
	// OwnLevel has keys of a level, in an SLO. A key with null is left out.
	OwnLevel = "level"
)

// maxOwn bounds the text of an annotation.
const maxOwn = 1 << 20

// ownText is the value of one of our annotations.
func (m opensloMeta) ownText(name string) (place, bool) {
	for _, e := range m.annotations {
		if e.name == OwnPrefix+name {
			return e.value, true
		}
	}
	return place{}, false
}

// ownKeys are the keys in one of our annotations, nil if there is none.
func (r *opensloReader) ownKeys(m opensloMeta, name string) *yaml.Node {
	at, ok := m.ownText(name)
	if !ok {
		return nil
	}
	var doc yaml.Node
	switch err := decodeText(at.node.Value, &doc); {
	case len(at.node.Value) > maxOwn:
		at.error("bad-annotation", "the annotation is longer than a megabyte", "take it out, and export the specification again")
		return nil
	case err != nil || len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode:
		at.error("bad-annotation", "the annotation is no mapping of keys to values", "take it out, or export the specification again")
		return nil
	case hasAlias(doc.Content[0]):
		at.error("bad-annotation", "the annotation has anchors or aliases", "write out what they stand for")
		return nil
	}
	a := adoption{r: r, at: at}
	if at.node.Style == yaml.LiteralStyle { // it is YAML that is indented
		a.lines, a.columns = at.node.Line, m.keyOf(name).node.Column+1
	}
	return a.adopt(doc.Content[0])
}

// keyOf is the key of one of our annotations.
func (m opensloMeta) keyOf(name string) place {
	for _, e := range m.annotations {
		if e.name == OwnPrefix+name {
			return e.key
		}
	}
	return place{}
}

// decodeText parses a text. The library has known panics.
func decodeText(text string, doc *yaml.Node) (err error) {
	defer func() {
		if recover() != nil {
			err = conversionError("the parser cannot cope with this")
		}
	}()
	if len(text) > maxOwn {
		return nil // is reported
	}
	return yaml.NewDecoder(strings.NewReader(text)).Decode(doc)
}

func hasAlias(n *yaml.Node) bool {
	if n.Kind == yaml.AliasNode || n.Anchor != "" || n.Tag == "!!merge" {
		return true
	}
	return slices.ContainsFunc(n.Content, hasAlias)
}

// adoption turns trees of an annotation into trees of the converted document.
type adoption struct {
	r  *opensloReader
	at place
	// lines and columns are where the annotation's text is in the file; 0 if it is not
	// there line by line.
	lines, columns int
	n              int // of nodes so far
}

// adopt copies a tree. Each node has a place of its own: the reader tells nodes apart by it.
func (a *adoption) adopt(n *yaml.Node) *yaml.Node {
	c := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Value: n.Value, Style: n.Style, Line: a.lines + n.Line, Column: a.columns + n.Column}
	if a.lines == 0 {
		c.Line, c.Column = a.at.node.Line, a.at.node.Column+a.n
	}
	a.n++
	original := *c
	a.r.origins[c] = Origin{Document: a.at.doc, Node: &original, Verbatim: a.lines > 0}
	for _, child := range n.Content {
		c.Content = append(c.Content, a.adopt(child))
	}
	return c
}

// says returns whether the keys in our own format include one.
func says(own *yaml.Node, key string) bool { return entryOf(own, key) != nil }

// prefer replaces converted keys by those in our own format. A null removes a key.
func prefer(converted, own *yaml.Node) {
	if own == nil {
		return
	}
	for i := 0; i+1 < len(own.Content); i += 2 {
		key, value := own.Content[i], own.Content[i+1]
		at := -1
		for j := 0; j+1 < len(converted.Content); j += 2 {
			if converted.Content[j].Value == key.Value {
				at = j
			}
		}
		switch {
		case isNull(value) && at >= 0:
			converted.Content = append(converted.Content[:at:at], converted.Content[at+2:]...)
		case isNull(value):
		case at >= 0:
			converted.Content[at], converted.Content[at+1] = key, value
		default:
			converted.Content = append(converted.Content, key, value)
		}
	}
}

// touch marks alert policies as used that are referred to, since our own keys say what they
// mean.
func (r *opensloReader) touch(at place) {
	for key, kind := range map[string]string{"alertPolicyRef": "AlertPolicy", "conditionRef": "AlertCondition", "targetRef": "AlertNotificationTarget"} {
		if o := r.find(kind, scalarOf(at.node, key)); o != nil && !o.used {
			o.used = true
			r.touch(o.spec)
		}
	}
	for _, key := range []string{"spec", "conditions", "notificationTargets"} {
		n := entryOf(at.node, key)
		if n == nil {
			continue
		}
		switch n.Kind {
		case yaml.SequenceNode:
			for _, item := range n.Content {
				r.touch(place{at.doc, item})
			}
		case yaml.MappingNode:
			r.touch(place{at.doc, n})
		}
	}
}
