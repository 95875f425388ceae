package metricnames

import "slices"

// ReasonStatus is the value of `reason` of a probe whose HTTP or gRPC status is not accepted.
const ReasonStatus = "status"

// exporterReasons are the values of `reason` that are about the exporter and say
// nothing about the target: those of inconclusive and missed probes. They never explain
// why a service is down. A test of exporter/probe compares the list with its table.
var exporterReasons = []string{
	"address_unavailable", "cancelled", "credentials", "denied", "host_overload", "late", "local_network", "no_fd", "no_memory",
	"overlap", "overload", "privilege", "proxy", "resolver", "starved", "vantage",
}

// ExporterReasons are the values of `reason` that say nothing about the target, sorted.
func ExporterReasons() []string { return slices.Clone(exporterReasons) }

// Blames returns whether a reason says something about the target. Unknown reasons,
// such as those of a later exporter, count as such.
func Blames(reason string) bool { return !slices.Contains(exporterReasons, reason) }
