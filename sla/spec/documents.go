package spec

import (
	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec/foreign"
)

// Document is a specification as it is written, and the agreement that it describes.
type Document struct {
	// Root has aliases replaced by their values, and nothing that the agreement
	// inherits. A specification of another tool is shown as it was converted.
	Root      *yaml.Node
	Agreement *sla.Agreement
}

// Documents reads specifications as Load does, and returns each as it is written. Other
// documents, such as adjustments, are not among them.
func (f Files) Documents(paths ...string) ([]Document, sla.Findings) {
	l := newLoader(f)
	for _, file := range l.expandPaths(paths) {
		l.load(file)
	}
	return l.documents()
}

// DocumentsOf is Documents for texts.
func (f Files) DocumentsOf(texts ...Text) ([]Document, sla.Findings) {
	l := newLoader(f)
	for _, t := range texts {
		l.read(t.File, []byte(t.Text))
	}
	return l.documents()
}

func (l *loader) documents() ([]Document, sla.Findings) {
	l.written = map[*sla.Agreement]*yaml.Node{}
	_, findings := l.finish()
	var all []Document
	for _, d := range l.docs {
		all = append(all, Document{l.written[d.agreement], d.agreement})
	}
	return all, findings
}

// cloned is a copy of a tree.
func cloned(n *yaml.Node) *yaml.Node {
	c := *n
	c.Content = make([]*yaml.Node, len(n.Content))
	for i, child := range n.Content {
		c.Content[i] = cloned(child)
	}
	return &c
}

// ConvertTexts is Convert for texts.
func (f Files) ConvertTexts(only *foreign.Format, texts ...Text) ([]Converted, sla.Findings) {
	l := newLoader(f)
	for _, t := range texts {
		l.read(t.File, []byte(t.Text))
	}
	return l.converted(only)
}
