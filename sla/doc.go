// Package sla is the agreement itself: service levels, indicators, targets,
// periods, alert tiers and the burn arithmetic over them. It is the model that
// the exporter and the rule generator share.
//
// It knows no YAML, no PromQL and no HTTP: formats are read by sla/spec, and
// queries are carried here as opaque text with the place they came from.
// Everything in it is a value or a pure function; numbers that decide are
// exact decimals.
package sla
