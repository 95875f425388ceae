package spec

import (
	"bytes"
	"fmt"

	"github.com/upheld-sla/upheld/sla"
)

// format is one way of writing specifications. Documents of several formats may
// stand in one file.
type format struct {
	name  string // as its users call it
	noun  string // what a document of it is, in messages: "service level agreement"
	begin string // how a document of it begins, in remedies
	mark  string // text near the beginning of a file that has such documents
	// detect tells how likely it is that a document is meant to be of the format.
	detect func(head) confidence
	// decode reads a document of the format; nil if nothing can be made of it, which
	// has then been reported.
	decode func(value) *sla.Agreement
}

// formats are the known formats, one line each. Where two fit a document alike,
// the first one reads it.
var formats = []format{native}

// confidence is how likely a document is of a format.
type confidence int

const (
	noMatch  confidence = iota
	possible            // nothing in it says otherwise, or the format's name is misspelt
	certain             // it says so
)

// head is the top keys of a document, of which its format is told.
type head map[string]value

func headOf(root value) head {
	h := head{}
	pairs, _ := root.entries()
	for _, pair := range pairs {
		h[pair.name] = pair
	}
	return h
}

// has tells whether the document has a key.
func (h head) has(key string) bool {
	_, ok := h[key]
	return ok
}

// text is the scalar under a key as it is written, "" without one.
func (h head) text(key string) string {
	if v, ok := h[key]; ok {
		return v.node.Value
	}
	return ""
}

// formatOf is the format of a document. One of another format, or of none, is
// reported, and then it is nil.
func formatOf(root value, known []format) *format {
	if root.node.Kind != yamlMapping {
		what := "text or a number" // which is not quoted: the file may be another one than was meant
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
	if !h.has("apiVersion") && !h.has("kind") {
		root.error("wrong-kind", "this document is no "+nounsOf(known)+": it has no apiVersion and kind", beginningsOf(known))
		return
	}
	at := h["apiVersion"]
	if !h.has("apiVersion") {
		at = h["kind"]
	}
	at.error("wrong-kind", fmt.Sprintf("this is apiVersion %q, kind %q, which is no %s", h.text("apiVersion"), h.text("kind"), nounsOf(known)),
		beginningsOf(known)+", or keep it out of the files that are loaded")
}

// nounsOf are what documents of formats are: "service level agreement or …".
func nounsOf(known []format) string {
	names := make([]string, len(known))
	for i, f := range known {
		names[i] = f.noun
	}
	return either(names)
}

// beginningsOf say how a document begins; with several formats, of which.
func beginningsOf(known []format) string {
	ways := make([]string, len(known))
	for i, f := range known {
		if ways[i] = f.begin; len(known) > 1 {
			ways[i] += " (" + f.name + ")"
		}
	}
	return "begin it with " + either(ways)
}

// hasMark tells whether the beginning of a file has documents of a known format.
func hasMark(text []byte) bool {
	for _, f := range formats {
		if bytes.Contains(text, []byte(f.mark)) {
			return true
		}
	}
	return false
}
