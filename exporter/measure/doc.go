// Package measure turns results of probes into metrics. It is the only place
// in exporter that imports client_golang, and does so for the metrics of the
// exporter about itself and for processes that gather. The metrics of targets,
// which can be hundreds of thousands of series, come straight from compact
// accounts: text and OpenMetrics are written line by line, protobuf metric by
// metric as client_model has them.
//
// Every series of a target is there from the first scrape on, at zero, so that
// increase() and rate() see its first event; one of a reason begins, at zero,
// when the reason first happens. The counters of a target change together: in
// every scrape its outcomes add up to what was owed. Names are those of
// internal/metricnames; docs/metrics.md is generated from the tables here.
package measure
