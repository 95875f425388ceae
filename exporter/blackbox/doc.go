// Package blackbox is a drop-in for blackbox_exporter v0.29.0: it reads a
// blackbox.yml, runs the module that a request to /probe names on the target
// that it names, and answers with the same metrics.
//
// Its probers are written for blackbox_exporter's behaviour, down to the order
// in which an answer is judged and the values left behind by a probe that
// failed; those of exporter/probe, which measure service levels, behave better
// and therefore otherwise. The two share nothing but what a Network does here:
// what may be connected to, how names are resolved, how connections are opened.
// Tests hold this package to the prober of v0.28.0, run side by side on the same
// targets, and what v0.29.0 changed to values written by hand; docs/blackbox.md
// lists that, and where this package differs on purpose.
//
// Each kind of prober is one file here and one line in kinds. It
// makes no metrics: a probe fills results, which exporter/measure writes.
package blackbox
