// Package foreign converts specifications of other tools into documents of our own
// format, which package spec then reads as it reads any: each node keeps its place in
// the text that it is from, so that findings point there. What cannot be carried is
// reported; what has another meaning once converted is also noted in a comment.
//
// A format is one file and one line in the table of formats in package spec. It must not
// import the rule generator or a PromQL parser: Queries parses PromQL, and programs that
// never read queries do without it.
package foreign

import (
	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla"
)

// Format is a format of specifications of another tool.
type Format struct {
	Name  string // of the argument of `upheld import`
	Title string // as its users call it
	Noun  string // what messages call a document
	Begin string // how a document begins, for remedies
	Mark  string // text in the first lines of such a file
	// Is returns whether a document is of the format.
	Is func(root *yaml.Node) bool
	// convert makes agreements of all documents of the format that are read together.
	convert func(*conversion, []*Document)
}

// Document is one document of another format.
type Document struct {
	Root *yaml.Node
	File string
	// Report reports a finding at a node of the document.
	Report func(severity sla.Severity, at *yaml.Node, rule, message, remedy string)
}

// Origin is where a node of a converted document is from.
type Origin struct {
	Document *Document
	Node     *yaml.Node
	// Offset is where the text of the converted node begins in the text of Node, in
	// bytes. Verbatim is false if it does not occur there letter by letter.
	Offset   int
	Verbatim bool
}

// Agreement is one converted document.
type Agreement struct {
	Root     *yaml.Node
	Document *Document // the first one that it was made from
	// Origins are where its nodes are from.
	Origins map[*yaml.Node]Origin
}

// Queries parses the PromQL of other tools.
type Queries interface {
	// Counted reads a sum of counters, or of their rates.
	Counted(text string) (Counted, error)
	// Quotient finds a and b in "a / b", and in "1 - a / b", of which complement is true.
	Quotient(text string) (a, b Part, complement, ok bool)
}

// SyntaxError is the error of Queries for text that is not PromQL.
type SyntaxError struct{ Message string }

func (e *SyntaxError) Error() string { return e.Message }

// Part is a part of an expression.
type Part struct {
	Text   string
	Offset int // in the expression, in bytes
}

// Counted is an expression that adds up counters, or their rates.
type Counted struct {
	Plus, Minus []Selector
	By          []string // labels that the sum keeps
	Window      int64    // of the rates, in milliseconds; 0 if there are none
	Summed      bool     // there is a sum; otherwise each series stands for itself
}

// Selector is the selector of a counter.
type Selector struct {
	Offset  int    // in the expression, in bytes
	Text    string // as it is written
	Name    string // of the metric
	Clauses []Clause
}

// Clause is one condition of a selector.
type Clause struct {
	Label, Value, Text string
	Equal              bool
}

// Rules are what our own format demands of names.
type Rules struct {
	ToName         func(string) string // the valid name that is nearest to a text, or ""
	IsLabel        func(string) bool   // whether a label can have the name
	ReservedLabels []string            // which the rules set themselves
}

// Convert makes agreements of documents of the format that are read together. Without
// queries, PromQL is carried as it is written.
func (f *Format) Convert(docs []*Document, rules Rules, queries Queries) []*Agreement {
	c := &conversion{format: f, rules: rules, queries: queries, origins: map[*yaml.Node]Origin{}}
	f.convert(c, docs)
	return c.rendered()
}

// conversion collects the agreements that documents of one format become.
type conversion struct {
	format     *Format
	rules      Rules
	queries    Queries
	origins    map[*yaml.Node]Origin
	agreements []*agreement // in the order in which they were first named
}

// place is a node of a foreign document.
type place struct {
	doc  *Document
	node *yaml.Node
}

func (p place) error(rule, message, remedy string) {
	p.doc.Report(sla.Error, p.node, rule, message, remedy)
}

// warn reports what is carried with another meaning, or cannot be carried.
func (p place) warn(rule, message, remedy string) {
	p.doc.Report(sla.Warning, p.node, rule, message, remedy)
}

// notCarried reports what has no counterpart.
func (p place) notCarried(what, remedy string) {
	p.warn("not-carried", what, remedy)
}
