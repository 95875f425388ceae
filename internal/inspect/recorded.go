package inspect

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// lookStep is how finely Recorded looks: no sample is missed, since a query takes samples
// that are less than five minutes old. mostSteps is what a server answers at once.
const (
	lookStep  = 5 * time.Minute
	mostSteps = 10_000
)

// Recorded returns when the server has samples of series that rules of agreements
// record, in order. Each span begins at its first sample, to a second, and ends within
// five minutes of its last.
func (s *Server) Recorded(ctx context.Context, agreements []string, from, to time.Time) (sla.Spans, error) {
	query := "count(" + recordedOf(agreements) + ")"
	var all sla.Spans
	for begin := from; begin.Before(to); begin = begin.Add(mostSteps * lookStep) {
		end := begin.Add((mostSteps - 1) * lookStep)
		if end.After(to) {
			end = to
		}
		times, err := s.times(ctx, query, v1.Range{Start: begin, End: end, Step: lookStep})
		if err != nil {
			return nil, err
		}
		for _, at := range times {
			all = joined(all, at)
		}
	}
	for i := range all {
		times, err := s.times(ctx, query, v1.Range{Start: all[i].From, End: all[i].From.Add(lookStep), Step: time.Second})
		if err != nil {
			return nil, err
		}
		if len(times) > 0 {
			all[i].From = times[0]
		}
	}
	return all, nil
}

// times are the steps of a range at which a query has a result.
func (s *Server) times(ctx context.Context, query string, r v1.Range) ([]time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	value, _, _, err := s.api.QueryRange(ctx, query, r)
	if err != nil {
		return nil, plain(err, s.timeout)
	}
	matrix, ok := value.(model.Matrix)
	if !ok {
		return nil, fmt.Errorf("%s: the server answered with a %s", query, value.Type())
	}
	var all []time.Time
	for _, series := range matrix {
		for _, sample := range series.Values {
			all = append(all, sample.Timestamp.Time().UTC())
		}
	}
	return all, nil
}

// joined adds the step that ends at a time: the samples that it found are at most that
// old.
func joined(all sla.Spans, at time.Time) sla.Spans {
	if n := len(all); n > 0 && !all[n-1].To.Before(at.Add(-lookStep)) {
		all[n-1].To = at
		return all
	}
	return append(all, sla.Span{From: at.Add(-lookStep), To: at})
}

// HeadAtMost is the longest time for which a Prometheus has not written a block yet.
const HeadAtMost = 3 * time.Hour

// HeadBegin is the time from which the server has samples only in memory, and not in a
// block yet. A block that is put beside its own must end before that: when the server
// restarts, or compacts, it drops samples in memory from before the end of its last
// block. If the server does not say, it is three hours ago.
func (s *Server) HeadBegin(ctx context.Context, now time.Time) time.Time {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	begin := now.Add(-HeadAtMost)
	if stats, err := s.api.TSDB(ctx); err == nil && stats.HeadStats.MinTime > 0 {
		begin = time.UnixMilli(int64(stats.HeadStats.MinTime)).UTC()
	}
	return begin
}

// Delete deletes the samples of these series between two times. The server must allow
// it (--web.enable-admin-api).
func (s *Server) Delete(ctx context.Context, agreements []string, from, to time.Time) error {
	answered, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if err := s.api.DeleteSeries(answered, []string{recordedOf(agreements)}, from, to.Add(-time.Millisecond)); err != nil {
		return fmt.Errorf("the samples that are there cannot be deleted: %w; start the server with --web.enable-admin-api for this, or choose another time", plain(err, s.timeout))
	}
	return nil
}

func recordedOf(agreements []string) string {
	var names []string
	for _, a := range agreements {
		names = append(names, regexp.QuoteMeta(a))
	}
	return fmt.Sprintf("{__name__=~\"sla:.+|%s\", %s=~%q}", metricnames.LevelInfo, metricnames.SLA, strings.Join(names, "|"))
}
