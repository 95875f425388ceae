package serve

import (
	"context"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/web"
	"github.com/upheld-sla/upheld/sla"
)

// run is a time in which a level was in one state. It ends with the first sample of
// another state.
type run struct {
	state    sla.State
	from, to time.Time // to of the last run is its last sample
}

// runsOf joins samples of the same state. Times without samples belong to the run
// before them: the server was away, and the next samples say how it went on. Similarly,
// unknown time of at most patience between two runs of the same state counts as that
// state: after a start, rules know nothing at first.
func runsOf(points []point, patience time.Duration) []run {
	var runs []run
	for _, p := range points {
		state, ok := sla.StateOf(p.v)
		if !ok {
			continue
		}
		n := len(runs)
		if n > 0 {
			runs[n-1].to = p.at
		}
		switch {
		case n > 0 && runs[n-1].state == state:
		case n > 1 && runs[n-1].state == sla.StateUnknown && runs[n-2].state == state && p.at.Sub(runs[n-1].from) <= patience:
			runs = runs[:n-1]
			runs[n-2].to = p.at
		default:
			runs = append(runs, run{state, p.at, p.at})
		}
	}
	return runs
}

// worstOf is the worse of two series of states at each moment, for example of groups.
func worstOf(a, b []point) []point {
	if len(a) == 0 {
		return b
	}
	merged := make([]point, 0, max(len(a), len(b)))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].at.Before(b[0].at):
			merged, a = append(merged, a[0]), a[1:]
		case b[0].at.Before(a[0].at):
			merged, b = append(merged, b[0]), b[1:]
		default:
			merged = append(merged, point{a[0].at, max(a[0].v, b[0].v)})
			a, b = a[1:], b[1:]
		}
	}
	return append(append(merged, a...), b...)
}

// statesWithin is how far back the overview looks for the beginning of a state.
const statesWithin = 24 * time.Hour

// states are the runs of states of all levels, or of one if id is not zero.
func (src *source) states(ctx context.Context, id sla.ID, from, to time.Time) (map[sla.ID][]run, error) {
	samples, err := src.recordedStates(ctx, id, from, to)
	runs := make(map[sla.ID][]run, len(samples))
	for of, all := range samples {
		runs[of] = runsOf(all, src.resumed())
	}
	return runs, err
}

// recordedStates are the samples behind these runs.
func (src *source) recordedStates(ctx context.Context, id sla.ID, from, to time.Time) (map[sla.ID][]point, error) {
	selector := ofSeries(metricnames.ServiceState)
	if id != (sla.ID{}) {
		selector = ofLevel(selector, id)
	}
	samples := map[sla.ID][]point{}
	err := src.read(ctx, selector, from, to, func(ls labels.Labels, it chunkenc.Iterator) error {
		of := idOf(ls)
		samples[of] = worstOf(samples[of], points(it))
		return nil
	})
	return samples, err
}

// allStates are the states of a level since a time.
func (src *source) allStates(ctx context.Context, l *sla.ServiceLevel, from, to time.Time) ([]run, error) {
	samples, err := src.stateSamples(ctx, l, from, to)
	return runsOf(samples, src.resumed()), err
}

// stateSamples are the recorded states of a level's worst group. For the time before
// states were recorded, in an earlier version, it uses the bad share of five minutes.
func (src *source) stateSamples(ctx context.Context, l *sla.ServiceLevel, from, to time.Time) ([]point, error) {
	recorded, err := src.recordedStates(ctx, l.ID, from, to)
	if err != nil {
		return nil, err
	}
	all := recorded[l.ID]
	before := to
	if len(all) > 0 {
		before = all[0].at
	}
	if before.Sub(from) <= sla.BaseWindow {
		return all, nil
	}
	var earlier []point
	err = src.read(ctx, ofLevel(ofSeries(metricnames.ErrorRatio+"5m"), l.ID), from, before.Add(-time.Millisecond), func(_ labels.Labels, it chunkenc.Iterator) error {
		earlier = worstOf(earlier, statesOfShares(l, points(it)))
		return nil
	})
	return append(earlier, all...), err
}

// statesOfShares are the states by bad shares of five minutes. A share stays bad for
// five minutes after an outage; these are not part of it.
func statesOfShares(l *sla.ServiceLevel, shares []point) []point {
	var states []point
	begun := time.Time{} // of an outage
	for _, p := range shares {
		state := stateByShare(l, p.v)
		switch {
		case state != sla.StateUp && begun.IsZero():
			begun = p.at
		case state == sla.StateUp && !begun.IsZero():
			end := p.at.Add(-sla.BaseWindow)
			if earliest := begun.Add(time.Minute); end.Before(earliest) {
				end = earliest
			}
			for len(states) > 0 && states[len(states)-1].at.After(end) {
				states = states[:len(states)-1]
			}
			states, begun = append(states, point{end, float64(state.Code())}), time.Time{}
		}
		if n := len(states); n == 0 || p.at.After(states[n-1].at) {
			states = append(states, point{p.at, float64(state.Code())})
		}
	}
	return states
}

// oneByOne is for how many levels states are read level by level. For more levels it is
// faster to read those of all.
const oneByOne = 40

// statesNow are the states of the last day for the levels that need their beginning:
// levels that are not up, and components that are down.
func (src *source) statesNow(ctx context.Context, m measured, now time.Time) (map[sla.ID][]run, error) {
	needed := map[sla.ID]bool{}
	for id, samples := range m.figures {
		for _, s := range samples {
			if s.Metric.Get(model.MetricNameLabel) == metricnames.ServiceState && s.F != float64(sla.StateUp.Code()) {
				needed[id] = true
			}
		}
	}
	for id := range m.members {
		if _, l := src.level(id); l != nil {
			if c, ok := l.Indicator.(*sla.Composite); ok {
				for _, leaf := range c.Tree.Leaves() {
					if leaf.Level != nil && hasSince(m.members[id], leaf.Component.Label) {
						needed[leaf.Level.ID] = true
					}
				}
			}
		}
	}
	from := now.Add(-statesWithin)
	if len(needed) > oneByOne {
		return src.states(ctx, sla.ID{}, from, now)
	}
	all := map[sla.ID][]run{}
	for id := range needed {
		runs, err := src.states(ctx, id, from, now)
		if err != nil {
			return nil, err
		}
		all[id] = runs[id]
	}
	return all, nil
}

// hasSince reports whether a component is down.
func hasSince(samples []promql.Sample, component string) bool {
	return slices.ContainsFunc(samples, func(s promql.Sample) bool {
		return s.Metric.Get(model.MetricNameLabel) == metricnames.DownSince && s.Metric.Get(metricnames.Component) == component
	})
}

// since is when the newest run began; zero if it may have begun before what was read.
func since(runs []run, state sla.State, from time.Time) time.Time {
	n := len(runs)
	if n == 0 || runs[n-1].state != state || n == 1 && runs[0].from.Sub(from) < time.Hour {
		return time.Time{}
	}
	return runs[n-1].from
}

// outagesOf are the times in which a level was down or degraded, newest first. An
// ongoing one has no end.
func outagesOf(runs []run) []web.Outage {
	var outages []web.Outage
	open := false
	for i, r := range runs {
		bad := r.state >= sla.StateDegraded
		if bad && !open {
			outages = append(outages, web.Outage{Start: r.from})
		}
		if open = bad; !bad {
			continue
		}
		o := &outages[len(outages)-1]
		o.Worst, o.End = max(o.Worst, r.state), r.to
		if i == len(runs)-1 {
			o.End = time.Time{}
		}
	}
	slices.Reverse(outages)
	return outages
}

// stateReader returns the samples of a level's state.
type stateReader func(ctx context.Context, l *sla.ServiceLevel, from, to time.Time) ([]point, error)

// outages are the outages of a level. Every page lists them by this one function. Those
// of a composite begin when its components say, as lastStraw explains.
func (src *source) outages(ctx context.Context, l *sla.ServiceLevel, read stateReader, from, to time.Time) ([]web.Outage, []run, error) {
	samples, err := read(ctx, l, from, to)
	if err != nil {
		return nil, nil, err
	}
	runs := runsOf(samples, src.resumed())
	all := outagesOf(runs)
	c, composite := l.Indicator.(*sla.Composite)
	if !composite || len(all) == 0 {
		return all, runs, nil
	}
	var downs []web.Member
	for _, leaf := range c.Tree.Leaves() {
		if leaf.Level == nil {
			continue
		}
		samples, err := read(ctx, leaf.Level, from, to)
		if err != nil {
			return nil, nil, err
		}
		for _, o := range outagesOf(runsOf(samples, src.resumed())) {
			downs = append(downs, web.Member{Since: o.Start})
		}
	}
	for i := range all {
		o := &all[i]
		late := o.Start.Sub(lastStraw(o.Start, downs))
		o.Start = o.Start.Add(-late)
		if !o.End.IsZero() {
			o.End = o.End.Add(-late)
		}
	}
	return all, runs, nil
}

// lastStraw is when a composite became bad. Rules judge the slots of its components and
// so are late; the components' own states are not. It is the last time that a component
// went down, at most maxLate before the composite was recorded as bad.
func lastStraw(recorded time.Time, members []web.Member) time.Time {
	const maxLate = 2 * time.Minute
	straw := time.Time{}
	for _, m := range members {
		if at := m.Since; !at.IsZero() && at.After(straw) && !at.After(recorded) && recorded.Sub(at) <= maxLate {
			straw = at
		}
	}
	if straw.IsZero() {
		return recorded
	}
	return straw
}
