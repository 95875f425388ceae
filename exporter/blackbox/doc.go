// Package blackbox is a drop-in for blackbox_exporter v0.29.0: it reads a
// blackbox.yml, probes the target of a request to /probe with the module that the
// request names, and responds with the same metrics.
//
// Its probers do what blackbox_exporter does, down to the order in which a
// response is checked and the values that a failed probe leaves behind. The
// probers of exporter/probe measure service levels and differ where that is
// better, so the two share no code. Connections and their limits come through
// Network. Tests run the prober of v0.28.0 beside this one on the same targets,
// and compare what v0.29.0 changed with values written by hand; docs/blackbox.md
// lists these changes and where this package differs on purpose.
//
// Each kind of prober is one file and one line in kinds. This package makes no
// metrics: a probe fills results, which exporter/measure writes.
package blackbox
