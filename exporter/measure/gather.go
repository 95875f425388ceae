package measure

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Gatherer collects metrics; it has a name here so that the exporter can pass
// one on without importing client_golang.
type Gatherer = prometheus.Gatherer

// Gatherer is for a process that adds metrics of its own to those that Handler
// answers with, and for formats that are rarely asked for. It takes more memory
// than Handler does.
func (m *Metrics) Gatherer() Gatherer {
	return prometheus.Gatherers{prometheus.GathererFunc(m.gatherTargets), m.registry}
}

func (m *Metrics) gatherTargets() ([]*dto.MetricFamily, error) {
	s := m.snapshot()
	defer s.release()
	return slices.Collect(s.families(m.location)), nil
}
