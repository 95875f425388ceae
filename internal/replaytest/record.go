// Package replaytest records single rules in a world of package replay at exact
// multiples of their interval, and counts what that costs the engine. It is
// imported by tests and benchmarks only.
package replaytest

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/upheld-sla/upheld/internal/replay"
)

var engine = promql.NewEngine(promql.EngineOpts{
	MaxSamples: math.MaxInt, Timeout: time.Hour, EnablePerStepStats: false,
	Parser: parser.NewParser(parser.Options{}),
})

// Cost is what the evaluations of one rule cost.
type Cost struct {
	Evaluations int
	Samples     int64 // read by the engine
	CPU         time.Duration
	Recorded    int // samples
	Bytes       int // their size in chunks of the storage
}

// Record evaluates a recording rule from start to end, every interval, and adds the
// results to the world: with the rule's name and labels, and a marker where a series
// ends. Cost.CPU is the time of the evaluation, which runs on one core.
func Record(w *replay.World, name, expr string, l map[string]string, start, end time.Time, interval time.Duration) (Cost, error) {
	matrix, cost, err := evaluate(w, expr, start, end, interval)
	if err != nil {
		return cost, fmt.Errorf("%s: %w", name, err)
	}
	// The rule's labels may join series of the result that differ only in these labels
	// and occur at different times, as with "a or 0".
	merged := map[string]labels.Labels{}
	points := map[string]replay.Stored{}
	for _, s := range matrix {
		b := labels.NewBuilder(s.Metric)
		b.Set(labels.MetricName, name)
		for k, v := range l {
			b.Set(k, v)
		}
		key := b.Labels().String()
		merged[key] = b.Labels()
		points[key] = append(points[key], s.Floats...)
	}
	for key, l := range merged {
		cost.Recorded += len(points[key])
		slices.SortFunc(points[key], func(a, b promql.FPoint) int { return cmp.Compare(a.T, b.T) })
		kept := recorded(points[key], end, interval)
		w.Add(l, kept)
		if cost.Bytes, err = bytes(kept, cost.Bytes); err != nil {
			return cost, fmt.Errorf("%s: %w", name, err)
		}
	}
	return cost, nil
}

// CostOf is the cost of a rule evaluated like on a server, once for each instant.
// Cost.Samples are the samples read for it, including in subqueries.
func CostOf(w *replay.World, expr string, start, end time.Time, interval time.Duration) (Cost, error) {
	var cost Cost
	for at := start; !at.After(end); at = at.Add(interval) {
		began := time.Now() // a server parses the rule at each evaluation, too
		q, err := engine.NewInstantQuery(context.Background(), w, nil, expr, at)
		if err != nil {
			return cost, err
		}
		result := q.Exec(context.Background())
		cost.CPU += time.Since(began)
		cost.Evaluations++
		cost.Samples += q.Stats().Samples.SamplesRead
		q.Close()
		if result.Err != nil {
			return cost, result.Err
		}
	}
	return cost, nil
}

// Evaluate is Record for an expression whose result is not kept, such as an alert's.
func Evaluate(w *replay.World, expr string, start, end time.Time, interval time.Duration) (Cost, error) {
	_, cost, err := evaluate(w, expr, start, end, interval)
	return cost, err
}

func evaluate(w *replay.World, expr string, start, end time.Time, interval time.Duration) (promql.Matrix, Cost, error) {
	q, err := engine.NewRangeQuery(context.Background(), w, nil, expr, start, end, interval)
	if err != nil {
		return nil, Cost{}, err
	}
	began := time.Now()
	result := q.Exec(context.Background())
	cost := Cost{Evaluations: int(end.Sub(start)/interval) + 1, CPU: time.Since(began), Samples: q.Stats().Samples.TotalSamples}
	matrix, err := result.Matrix()
	if err != nil {
		return nil, cost, err
	}
	out := make(promql.Matrix, len(matrix)) // the engine reuses its own
	for i, s := range matrix {
		out[i] = promql.Series{Metric: s.Metric, Floats: slices.Clone(s.Floats)}
	}
	q.Close()
	return out, cost, nil
}

// recorded puts a staleness marker where the next evaluation had no sample.
func recorded(points []promql.FPoint, end time.Time, interval time.Duration) replay.Stored {
	var out replay.Stored
	step := interval.Milliseconds()
	for i, p := range points {
		out = append(out, p)
		if next := p.T + step; next <= end.UnixMilli() && (i+1 == len(points) || points[i+1].T > next) {
			out = append(out, promql.FPoint{T: next, F: math.Float64frombits(value.StaleNaN)})
		}
	}
	return out
}

// samplesPerChunk is what Prometheus' storage aims at.
const samplesPerChunk = 120

// bytes adds the size of the samples in the storage's chunks.
func bytes(s replay.Stored, sum int) (int, error) {
	for part := range slices.Chunk(s, samplesPerChunk) {
		chunk := chunkenc.NewXORChunk()
		app, err := chunk.Appender()
		if err != nil {
			return 0, err
		}
		for _, p := range part {
			app.Append(0, p.T, p.F)
		}
		sum += len(chunk.Bytes())
	}
	return sum, nil
}
