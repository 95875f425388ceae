package main

import (
	"context"
	"math"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/replay"
)

// exporter is what upheld-exporter exposes of probes besides the results that rules
// count: boards show it, and it follows from the results here.
func exporter(ctx context.Context, of storage.Queryable) (*replay.World, error) {
	q, err := of.Querier(math.MinInt64, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	defer q.Close()
	w := replay.New()
	byName := labels.MustNewMatcher(labels.MatchEqual, labels.MetricName, metricnames.ProbeResults)
	set := q.Select(ctx, true, nil, byName)
	for set.Next() {
		s := set.At()
		samples := decoded(s)
		b := labels.NewBuilder(s.Labels()).Del(metricnames.Outcome)
		named := func(name string) *labels.Builder { return b.Set(labels.MetricName, name) }
		switch s.Labels().Get(metricnames.Outcome) {
		case metricnames.Bad:
			w.Add(named(metricnames.ProbeFailures).Set(metricnames.Reason, "connect").Labels(), samples)
			b.Del(metricnames.Reason)
			w.Add(named(metricnames.ProbeLastState).Labels(), lastOutcome(samples))
		case metricnames.Good:
			for le, share := range map[string]float64{"0.1": 0.5, "0.25": 0.9, "1": 1, "+Inf": 1} {
				w.Add(named(metricnames.ProbeDuration+"_bucket").Set(labels.BucketLabel, le).Labels(), scaled(samples, share))
			}
			b.Del(labels.BucketLabel)
			w.Add(named(metricnames.ProbeDuration+"_count").Labels(), scaled(samples, 1))
			for phase, seconds := range map[string]float64{"connect": 0.02, "processing": 0.09, "transfer": 0.01} {
				w.Add(named(metricnames.ProbePhase+"_sum").Set(metricnames.Phase, phase).Labels(), times(samples, seconds))
			}
			b.Del(metricnames.Phase)
		}
	}
	return w, set.Err()
}

func point(t int64, v float64) promql.FPoint { return promql.FPoint{T: t, F: v} }

func decoded(s storage.Series) replay.Stored {
	var all replay.Stored
	for it := s.Iterator(nil); it.Next() == chunkenc.ValFloat; {
		t, v := it.At()
		all = append(all, point(t, v))
	}
	return all
}

// lastOutcome is 0 while bad results are counted, else 1.
func lastOutcome(bad replay.Stored) replay.Stored {
	var all replay.Stored
	for i, p := range bad {
		v := 1.
		if i > 0 && p.F > bad[i-1].F {
			v = 0
		}
		if value.IsStaleNaN(p.F) {
			v = p.F
		}
		all = append(all, point(p.T, v))
	}
	return all
}

// scaled are counts of a share of what is counted.
func scaled(all replay.Stored, share float64) replay.Stored {
	return each(all, func(v float64) float64 { return math.Floor(v * share) })
}

// times are sums of what is so much each time.
func times(all replay.Stored, one float64) replay.Stored {
	return each(all, func(v float64) float64 { return v * one })
}

func each(all replay.Stored, of func(float64) float64) replay.Stored {
	var some replay.Stored
	for _, p := range all {
		v := p.F
		if !value.IsStaleNaN(v) {
			v = of(v)
		}
		some = append(some, point(p.T, v))
	}
	return some
}
