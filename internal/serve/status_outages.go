package serve

import (
	"context"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/statuspage"
	"github.com/upheld-sla/upheld/sla"
)

// settledStates are the states of a level up to a moment, without samples between two
// changes: status pages look back a quarter of a year, every minute.
type settledStates struct {
	until   time.Time
	samples []point
}

// Each part of the past is read once, except the last, which may still change.
const (
	settlesAfter = time.Hour
	readAtOnce   = 24 * time.Hour
)

// changes are the first and the last sample of each stretch of equal ones. runsOf makes
// the same runs of them.
func changes(samples []point) []point {
	var kept []point
	for i, p := range samples {
		if i == 0 || i == len(samples)-1 || samples[i-1].v != p.v || samples[i+1].v != p.v {
			kept = append(kept, p)
		}
	}
	return kept
}

// Outages are the outages that the pages of the public levels list, the oldest first.
func (src statusSource) Outages(ctx context.Context, a *sla.Agreement, from time.Time) (map[sla.ID][]statuspage.Span, error) {
	now := time.Now()
	outages := map[sla.ID][]statuspage.Span{}
	for _, public := range a.StatusPage.Levels {
		_, l := src.level(public.Level)
		if l == nil {
			continue // of another revision
		}
		all, _, err := src.outages(ctx, l, src.statesSince, from, now)
		if err != nil {
			return nil, err
		}
		for _, o := range slices.Backward(all) {
			outages[l.ID] = append(outages[l.ID], statuspage.Span{Start: o.Start, End: o.End, Worst: o.Worst})
		}
	}
	return outages, nil
}

// statesSince are the samples of a level's state. Settled ones are kept.
func (src statusSource) statesSince(ctx context.Context, l *sla.ServiceLevel, from, now time.Time) ([]point, error) {
	kept := src.settled[l.ID]
	if kept == nil {
		kept = &settledStates{until: from}
		src.settled[l.ID] = kept
	}
	if settled := now.Add(-settlesAfter); settled.Sub(kept.until) > readAtOnce {
		more, err := src.stateSamples(ctx, l, kept.until, settled)
		if err != nil {
			return nil, err
		}
		kept.samples, kept.until = changes(append(kept.samples, more...)), settled.Add(time.Millisecond)
		kept.samples = slices.DeleteFunc(kept.samples, func(p point) bool { return p.at.Before(from) })
	}
	recent, err := src.stateSamples(ctx, l, kept.until, now)
	if err != nil {
		return nil, err
	}
	return append(slices.Clone(kept.samples), recent...), nil
}
