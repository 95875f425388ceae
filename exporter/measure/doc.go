// Package measure turns results of probes into metrics. It is the only place
// in exporter that imports client_golang.
//
// Every series of a target is there from the first scrape on, at zero, so that
// increase() and rate() see its first event. The counters of a target change
// together: in every scrape its outcomes add up to what was owed. Names are
// those of internal/metricnames; docs/metrics.md is generated from the tables
// here.
package measure
