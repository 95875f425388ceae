package history

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// BlockLength is the length of blocks: the second size to which Prometheus compacts, so
// that it leaves them alone until it compacts further.
const BlockLength = 18 * time.Hour

// Recorded are the series that rules recorded, without the states of alerts, which
// would confuse a server that did not send them.
func (p *Past) Recorded() []storage.Series {
	var all []storage.Series
	for _, s := range p.World.Recorded() {
		if name := s.Labels().Get(labels.MetricName); name != "ALERTS" && name != "ALERTS_FOR_STATE" {
			all = append(all, s)
		}
	}
	return all
}

// Blocks writes what the rules recorded into a folder, as blocks of a Prometheus' storage,
// and returns how many samples they have.
func (p *Past) Blocks(ctx context.Context, dir string) (written int, err error) {
	return Blocks(ctx, dir, BlockLength, p.Recorded())
}

// Blocks writes series into a folder as blocks of a Prometheus' storage, with a maximum
// length each, and returns how many samples they have. Series with the same labels must
// follow each other in time.
func Blocks(ctx context.Context, dir string, length time.Duration, all []storage.Series) (written int, err error) {
	from, to := bounds(all)
	long := length.Milliseconds()
	for begin := from - from%long; begin <= to; begin += long {
		n, err := block(ctx, dir, all, begin, begin+long)
		if err != nil {
			return written, err
		}
		written += n
	}
	return written, nil
}

// block writes the samples of [from, to).
func block(ctx context.Context, dir string, all []storage.Series, from, to int64) (written int, err error) {
	// The writer accepts samples over half the length that it is given, in any order.
	w, err := tsdb.NewBlockWriter(slog.New(slog.DiscardHandler), dir, 2*(to-from))
	if err != nil {
		return 0, err
	}
	defer func() { err = firstOf(err, w.Close()) }()
	app := w.Appender(ctx)
	for _, s := range all {
		var ref storage.SeriesRef
		n, err := each(s, from, to, func(t int64, v float64) (err error) {
			ref, err = app.Append(ref, s.Labels(), t, v)
			return err
		})
		if err != nil {
			return 0, fmt.Errorf("%s: %w", s.Labels(), err)
		}
		if written += n; n > 0 {
			if err := app.Commit(); err != nil {
				return 0, err
			}
			app = w.Appender(ctx)
		}
	}
	if written == 0 {
		return 0, app.Rollback()
	}
	if err := app.Commit(); err != nil {
		return 0, err
	}
	_, err = w.Flush(ctx)
	return written, err
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// each calls add with the samples in [from, to). It drops histograms, as rules of
// levels only record floats.
func each(s storage.Series, from, to int64, add func(t int64, v float64) error) (n int, err error) {
	it := s.Iterator(nil)
	for kind := it.Seek(from); kind != chunkenc.ValNone; kind = it.Next() {
		if kind != chunkenc.ValFloat {
			continue
		}
		t, v := it.At()
		if t >= to {
			break
		}
		if err := add(t, v); err != nil {
			return n, err
		}
		n++
	}
	return n, it.Err()
}

// bounds are the times of the first and the last sample; without samples the last is
// before the first.
func bounds(all []storage.Series) (from, to int64) {
	from, to = math.MaxInt64, math.MinInt64
	for _, s := range all {
		_, _ = each(s, math.MinInt64, math.MaxInt64, func(t int64, _ float64) error {
			from, to = min(from, t), max(to, t)
			return nil
		})
	}
	return from, to
}

// OpenMetrics writes the same as text for promtool tsdb create-blocks-from openmetrics
// and for other stores. The text does not show where a series ended.
func (p *Past) OpenMetrics(out io.Writer) (written int, err error) {
	w := bufio.NewWriter(out)
	name := ""
	for _, s := range p.Recorded() {
		l := s.Labels()
		if n := l.Get(labels.MetricName); n != name {
			name = n
			fmt.Fprintf(w, "# TYPE %s unknown\n", name)
		}
		text := name + labels.NewBuilder(l).Del(labels.MetricName).Labels().String()
		n, err := each(s, math.MinInt64, math.MaxInt64, func(t int64, v float64) error {
			if math.Float64bits(v) == value.StaleNaN {
				return nil
			}
			_, err := fmt.Fprintf(w, "%s %s %s\n", text, number(v), strconv.FormatFloat(float64(t)/1000, 'f', 3, 64))
			return err
		})
		if err != nil {
			return written, err
		}
		written += n
	}
	if written > 0 {
		fmt.Fprintln(w, "# EOF")
	}
	return written, w.Flush()
}

func number(v float64) string {
	switch {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 0):
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
