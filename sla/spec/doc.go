// Package spec reads specifications into the model of package sla, and reports
// everything that is wrong with them: each finding has the place, the line and
// what to write instead.
//
// A format is one file and one line in the table of formats (native.go is
// upheld/v1), and so is each kind of indicator and of probe. The tables of keys
// in those files are the only description of the format: the decoder, the JSON
// Schema and the reference in docs/spec.md are made from them.
//
// Specifications of other tools are converted by package foreign, and then read in the
// same way.
//
// It must not import the rule generator, the exporter or a PromQL parser:
// queries are passed on as text with their position.
package spec
