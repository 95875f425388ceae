package measure

import (
	"bytes"
	"errors"
	"io"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/encoding/protodelim"
)

// Gatherer collects metrics; it has a name here so that the exporter can pass
// one on without importing client_golang.
type Gatherer = prometheus.Gatherer

// Gatherer is for a process that adds metrics of its own to those that Handler
// answers with, and for formats that are rarely asked for. It costs many times
// what Handler does.
func (m *Metrics) Gatherer() Gatherer {
	return prometheus.Gatherers{prometheus.GathererFunc(m.gatherTargets), m.registry}
}

// gatherTargets is what the protobuf exposition says of the targets, read
// back, so that there is one description of them.
func (m *Metrics) gatherTargets() ([]*dto.MetricFamily, error) {
	var exposition bytes.Buffer
	if err := m.writeProto(&exposition); err != nil {
		return nil, err
	}
	var families []*dto.MetricFamily
	limits := protodelim.UnmarshalOptions{MaxSize: -1}
	for {
		family := new(dto.MetricFamily)
		err := limits.UnmarshalFrom(&exposition, family)
		if errors.Is(err, io.EOF) {
			return families, nil
		}
		if err != nil {
			return nil, err
		}
		families = append(families, family)
	}
}
