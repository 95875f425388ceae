package enginetest

import (
	"context"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"

	"github.com/upheld-sla/upheld/internal/metricnames"
)

// recording is the storage that rules write to. It tells the world which tiers a group
// records, so that the world need not search for them after each evaluation.
type recording struct{ world *World }

// Appender implements storage.Appendable.
func (r recording) Appender(ctx context.Context) storage.Appender {
	return noting{r.world.store.Appender(ctx), r.world}
}

type noting struct {
	storage.Appender
	world *World
}

func (n noting) Append(ref storage.SeriesRef, l labels.Labels, t int64, v float64) (storage.SeriesRef, error) {
	ref, err := n.Appender.Append(ref, l, t, v)
	if err == nil && l.Get(labels.MetricName) == metricnames.BurnTier && !value.IsStaleNaN(v) {
		n.world.burning = append(n.world.burning, l.DropReserved(func(name string) bool { return name == labels.MetricName }))
	}
	return ref, err
}
