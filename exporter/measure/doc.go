// Package measure turns results of probes into metrics. It is the only package
// in exporter that imports client_golang, which it uses for the metrics of the
// exporter about itself and for processes that gather. The metrics of targets,
// which can be hundreds of thousands of series, are written directly from
// compact accounts: text and OpenMetrics line by line, protobuf metric by
// metric, with the messages of client_model.
//
// Every series of a target is in the first scrape already, at zero, so that
// increase() and rate() see its first event. A series of a reason appears at
// zero when the reason first occurs. The counters of a target change together:
// in every scrape its outcomes add up to the number of scheduled probes. Names
// are those of internal/metricnames; docs/metrics.md is generated from the
// tables here.
package measure
