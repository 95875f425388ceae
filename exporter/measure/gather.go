package measure

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Gatherer collects metrics. The alias lets the exporter pass one on without
// importing client_golang.
type Gatherer = prometheus.Gatherer

// Gatherer returns the same metrics as Handler, for a process that adds its own
// to them, and for formats that are rarely requested. It takes more memory than
// Handler.
func (m *Metrics) Gatherer() Gatherer {
	return prometheus.Gatherers{prometheus.GathererFunc(m.gatherTargets), m.registry}
}

func (m *Metrics) gatherTargets() (families []*dto.MetricFamily, err error) {
	s := m.snapshot()
	defer s.release()
	for _, f := range s.families(m.location) {
		next := f.head()
		f.collect(func(metric *dto.Metric) { next.Metric = append(next.Metric, metric) })
		if len(next.Metric) > 0 {
			families = append(families, next)
		}
	}
	return families, nil
}
