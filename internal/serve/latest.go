package serve

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// Pages read samples from the storage and do not query: they need the samples' own
// times, which a query would replace.

// read calls use with every series that a selector matches, with an iterator over its
// samples from a time until now. The iterator is valid until use returns.
func (src *source) read(ctx context.Context, selector string, from, to time.Time, use func(labels.Labels, chunkenc.Iterator) error) error {
	matchers, err := src.s.parser.ParseMetricSelector(selector)
	if err != nil {
		return fmt.Errorf("selector %s: %w", selector, err)
	}
	q, err := src.s.db.Querier(from.UnixMilli(), to.UnixMilli())
	if err != nil {
		return fmt.Errorf("reading %s: %w", selector, err)
	}
	defer q.Close()
	set := q.Select(ctx, false, &storage.SelectHints{Start: from.UnixMilli(), End: to.UnixMilli()}, matchers...)
	var it chunkenc.Iterator
	for set.Next() {
		s := set.At()
		it = s.Iterator(it)
		if err := use(s.Labels(), it); err != nil {
			return err
		}
		if err := it.Err(); err != nil {
			return fmt.Errorf("reading %s: %w", selector, err)
		}
	}
	if err := set.Err(); err != nil {
		return fmt.Errorf("reading %s: %w", selector, err)
	}
	return nil
}

// figures are the newest samples of the series that a selector matches, by level, with
// their own times. Series that have ended are omitted.
func (src *source) figures(ctx context.Context, selector string) (map[sla.ID][]promql.Sample, error) {
	byLevel, now := map[sla.ID][]promql.Sample{}, time.Now()
	err := src.read(ctx, selector, now.Add(-src.lookback()), now, func(ls labels.Labels, it chunkenc.Iterator) error {
		last := promql.Sample{F: math.Float64frombits(value.StaleNaN)}
		for it.Next() == chunkenc.ValFloat {
			last.T, last.F = it.At()
		}
		if !value.IsStaleNaN(last.F) {
			last.Metric = ls
			id := idOf(ls)
			byLevel[id] = append(byLevel[id], last)
		}
		return nil
	})
	return byLevel, err
}

// point is a sample without its series.
type point struct {
	at time.Time
	v  float64
}

// points are the samples of an iterator, without staleness markers.
func points(it chunkenc.Iterator) []point {
	var all []point
	for it.Next() == chunkenc.ValFloat {
		if t, v := it.At(); !value.IsStaleNaN(v) {
			all = append(all, point{time.UnixMilli(t), v})
		}
	}
	return all
}

// ofSeries selects one series of every level.
func ofSeries(name string) string { return `{__name__="` + name + `"}` }

// recentSeries selects what is needed to bring sums of periods up to date, and to know
// the states of the last minutes.
var recentSeries = `{__name__=~"` + metricnames.ServiceState + "|" + metricnames.BadRate + "|" + metricnames.TotalRate + `"}`
