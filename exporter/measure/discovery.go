package measure

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/upheld-sla/upheld/sla"
)

// Discovery is how the discovery of a level's targets is doing.
type Discovery struct {
	ID      sla.ID
	Targets int  // found last
	LeftOut int  // entries among them that cannot be probed
	OK      bool // the last discovery succeeded, and everything that it found can be probed
}

// discoveries are the metrics of all discoveries.
type discoveries struct{ states func() []Discovery }

var discoveryDescriptions = [3]*prometheus.Desc{describe(discovered), describe(discoveryLeftOut), describe(discoveryOK)}

func describe(m description) *prometheus.Desc {
	return prometheus.NewDesc(m.Name, m.Help, m.Labels, nil)
}

// Describe implements prometheus.Collector.
func (discoveries) Describe(to chan<- *prometheus.Desc) {
	for _, d := range discoveryDescriptions {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (c discoveries) Collect(to chan<- prometheus.Metric) {
	for _, d := range c.states() {
		ok := 0.0
		if d.OK {
			ok = 1
		}
		for i, value := range []float64{float64(d.Targets), float64(d.LeftOut), ok} {
			to <- prometheus.MustNewConstMetric(discoveryDescriptions[i], prometheus.GaugeValue, value, d.ID.SLA, d.ID.Service, d.ID.SLO)
		}
	}
}
