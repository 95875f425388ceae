package enginetest

import (
	"context"
	"math"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunks"
)

// Storage is what the world stores up to now: raw samples and what the rules recorded.
func (w *World) Storage() storage.Queryable {
	w.t.Helper()
	if p := w.replayed(); p != nil {
		return pastStorage{p.world, w.now}
	}
	return w.store
}

// small makes a storage for the few series of a world, which only lives as long as its
// test: no log for a restart, no exemplars, and the smallest buffers. A server's
// buffers take ten megabytes, and the runtime frees them late, since files have
// finalizers: a thousand worlds took nine gigabytes.
func small(o *tsdb.Options) {
	o.WALSegmentSize = -1
	o.EnableExemplarStorage = false
	o.StripeSize = 64
	o.HeadChunksWriteBufferSize = chunks.MinWriteBufferSize
}

// Transitions returns all transitions so far, in order.
func (w *World) Transitions() []Transition {
	w.t.Helper()
	if p := w.replayed(); p != nil {
		return p.before(w.now)
	}
	return w.firing
}

// Alert is a firing alert as the server would send it.
type Alert struct{ Labels, Annotations map[string]string }

// Alerts returns the alerts that fired at the last evaluation.
func (w *World) Alerts() []Alert {
	w.t.Helper()
	if !w.files.annotate {
		w.t.Fatal("alerts have their annotations after KeepAnnotations only")
	}
	if p := w.replayedToNow(); p != nil {
		return p.alerts()
	}
	var firing []Alert
	for _, s := range w.groups {
		for _, r := range s.group.AlertingRules() {
			for _, a := range r.ActiveAlerts() {
				if a.State == rules.StateFiring {
					firing = append(firing, Alert{a.Labels.Map(), a.Annotations.Map()})
				}
			}
		}
	}
	return firing
}

// Query evaluates an expression now, one second after the last evaluation.
func (w *World) Query(expr string) promql.Vector {
	w.t.Helper()
	v, err := rules.EngineQueryFunc(w.engine, w.Storage())(context.Background(), expr, w.now)
	if err != nil {
		w.t.Fatalf("query %s: %v", expr, err)
	}
	return v
}

// Value is the only value of an expression; anything but one sample fails the test.
func (w *World) Value(expr string) float64 {
	w.t.Helper()
	v := w.Query(expr)
	if len(v) != 1 {
		w.t.Fatalf("query %s at %s: want one sample, got %v", expr, w.now.Sub(Start), v)
	}
	return v[0].F
}

// NaNs counts the NaN samples of every recorded series in the last d, except staleness
// markers.
func (w *World) NaNs(d time.Duration) []string {
	w.t.Helper()
	q, err := w.Storage().Querier(w.now.Add(-d).UnixMilli(), w.now.UnixMilli())
	if err != nil {
		w.t.Fatal(err)
	}
	defer q.Close()
	set := q.Select(context.Background(), true, nil, labels.MustNewMatcher(labels.MatchRegexp, labels.MetricName, "sla:.*"))
	var bad []string
	for set.Next() {
		it := set.At().Iterator(nil)
		for it.Next() != 0 {
			if _, f := it.At(); math.IsNaN(f) && !value.IsStaleNaN(f) {
				bad = append(bad, set.At().Labels().String())
				break
			}
		}
	}
	if set.Err() != nil {
		w.t.Fatal(set.Err())
	}
	return bad
}
