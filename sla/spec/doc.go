// Package spec reads specifications into the model of package sla: which
// documents there are, what each key means, and everything that is wrong with
// them, each with its place, the offending line and what to write instead.
//
// A format is one file and one line in the table of formats (native.go is
// upheld/v1), and so is each kind of
// indicator and of probe. The tables of keys in those files are the only
// description of the format: the decoder, the JSON Schema and the reference in
// docs/spec.md are all made from them.
//
// It must not import the rule generator, the exporter or a PromQL parser:
// queries are handed on as text with their position.
package spec
