package spec

import (
	"bytes"
	"fmt"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec/foreign"
)

// format is a format of specifications. A file may have documents of several formats.
type format struct {
	name  string // as its users call it
	noun  string // what messages call a document: "service level agreement"
	begin string // how a document begins, for remedies
	mark  string // text in the first lines of such a file
	// detect returns how sure it is that a document is of the format.
	detect func(head) confidence
	// decode reads a document of the format. It returns nil after an error that leaves
	// nothing to return.
	decode func(value) *sla.Agreement
	// foreign is set instead of decode if documents are converted before they are read.
	foreign *foreign.Format
}

// formats are the known formats, one line each. If several match a document equally
// well, the first one reads it.
var formats = []format{
	native,
	converted(&foreign.Sloth),
	converted(&foreign.Pyrra),
	converted(&foreign.OpenSLO),
}

// converted is a format of another tool.
func converted(f *foreign.Format) format {
	return format{name: f.Title, noun: f.Noun, begin: f.Begin, mark: f.Mark, foreign: f, detect: func(h head) confidence {
		if h.root != nil && f.Is(h.root) {
			return certain
		}
		return noMatch
	}}
}

// confidence is how sure it is that a document is of a format.
type confidence int

const (
	noMatch  confidence = iota
	possible            // no format is named, or the name is misspelt
	certain             // the document names the format
)

// head holds the top-level keys of a document. They say which format it is of.
type head struct {
	root *yaml.Node
	keys map[string]value
}

func headOf(root value) head {
	h := head{root.node, map[string]value{}}
	pairs, _ := root.entries()
	for _, pair := range pairs {
		h.keys[pair.name] = pair
	}
	return h
}

// has returns whether the document has a key.
func (h head) has(key string) bool {
	_, ok := h.keys[key]
	return ok
}

// text is the scalar under a key as it is written, or "".
func (h head) text(key string) string {
	if v, ok := h.keys[key]; ok {
		return v.node.Value
	}
	return ""
}

// formatOf returns the format of a document. It reports a document of no known format,
// and returns nil.
func formatOf(root value, known []format) *format {
	if root.node.Kind != yamlMapping {
		what := "text or a number" // not quoted, because the path may be wrong and the file secret
		if root.node.Kind == yamlSequence {
			what = "a list"
		}
		root.error("wrong-kind", "this document is no "+nounsOf(known)+", it is "+what, beginningsOf(known))
		return nil
	}
	h := headOf(root)
	var best *format
	likely := noMatch
	for i := range known {
		if l := known[i].detect(h); l > likely {
			best, likely = &known[i], l
		}
	}
	if best == nil {
		h.unknown(root, known)
	}
	return best
}

// unknown reports a document that is of no known format.
func (h head) unknown(root value, known []format) {
	if tool := foreign.MadeBy(root.node); tool != nil {
		root.error("made-by-a-tool", "these are rules that "+tool.Title+" made of a specification, and no specification",
			"name the specification that they were made of (it begins with "+tool.Begin+"), or keep them out of the files that are loaded")
		return
	}
	if !h.has("apiVersion") && !h.has("kind") {
		root.error("wrong-kind", "this document is no "+nounsOf(known)+": it has no apiVersion and kind", beginningsOf(known))
		return
	}
	at := h.keys["apiVersion"]
	if !h.has("apiVersion") {
		at = h.keys["kind"]
	}
	at.error("wrong-kind", fmt.Sprintf("this is apiVersion %q, kind %q, which is no %s", h.text("apiVersion"), h.text("kind"), nounsOf(known)),
		beginningsOf(known)+", or keep it out of the files that are loaded")
}

// nounsOf is what messages call documents of any of our own formats: "service
// level agreement or …".
func nounsOf(known []format) string {
	var names []string
	for _, f := range known {
		if f.foreign == nil {
			names = append(names, f.noun)
		}
	}
	return either(names)
}

// beginningsOf is the remedy that says how our own documents begin, with the names of
// the formats if there are several, and which other tools' documents are read.
func beginningsOf(known []format) string {
	var ways, names, others []string
	for _, f := range known {
		if f.foreign != nil {
			others = append(others, f.name)
			continue
		}
		ways, names = append(ways, f.begin), append(names, f.name)
	}
	for i := range ways {
		if len(ways) > 1 {
			ways[i] += " (" + names[i] + ")"
		}
	}
	remedy := "begin it with " + either(ways)
	if len(others) > 0 {
		remedy += " (specifications for " + list(others) + " are read, too)"
	}
	return remedy
}

// hasMark returns whether text is the beginning of a file with documents of a known
// format.
func hasMark(text []byte) bool {
	for _, f := range formats {
		if bytes.Contains(text, []byte(f.mark)) {
			return true
		}
	}
	return false
}
