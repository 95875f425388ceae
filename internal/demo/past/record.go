package past

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/upheld-sla/upheld/internal/history"
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/replay"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
)

const (
	// step is the resolution of the past: the second layer's interval on a server that
	// evaluates its rules every minute.
	step = 5 * time.Minute
	// rarely is how often the rules of the second layer are evaluated over most of the
	// past. Their samples then hold until the next evaluation.
	rarely = time.Hour
	// last is how long before the start the second layer is evaluated as often as by
	// the demo's own rules, and hours how long the third is: the live rules read no
	// older samples. Increases are that fine for a little longer.
	last, fine = time.Hour, time.Hour + 2*step
	hours      = 2*time.Hour + 2*step
	// blockLength is the longest block that the storage makes with the demo's
	// retention, so that it leaves these blocks alone.
	blockLength = 54 * time.Hour
)

// Retention is how long the storage must keep samples to keep the past.
const Retention = Length + 2*24*time.Hour

// Write writes the past into the folder of a storage that nobody has opened yet.
// ruleFile is the path of the demo's rules, on which the moments of evaluations depend,
// and interval is how often they run.
func (p *Past) Write(ctx context.Context, storagePath, ruleFile string, interval time.Duration) error {
	plan, findings := rulegen.Compile(p.agreement, rulegen.Options{Interval: interval})
	if err := findings.Err(); err != nil {
		return err
	}
	r := &recording{past: p, plan: plan, interval: interval, ruleFile: ruleFile}
	if err := r.increases(); err != nil {
		return err
	}
	for _, run := range []func(context.Context) error{r.month, r.toHour, r.lastSteps} {
		if err := run(ctx); err != nil {
			return err
		}
	}
	_, err := history.Blocks(ctx, storagePath, blockLength, r.stored)
	return err
}

// recording is one run of Write.
type recording struct {
	past     *Past
	plan     *rulegen.Plan
	interval time.Duration // of the first layer
	ruleFile string

	base, coarse []series // increases as the storage has them, and increases every five minutes
	stored       []storage.Series
}

// isLong returns whether a group is in the second or third layer.
func isLong(g rulegen.Group, interval time.Duration) bool { return g.Interval > interval }

// isThird returns whether a group is in the third layer.
func isThird(g rulegen.Group) bool { return strings.HasSuffix(g.Name, ":hours") }

// increases makes the second layer's counts. Coverage by events counts evaluations, so
// totals of levels by events need all of them.
func (r *recording) increases() error {
	p := r.past
	everyStep := times(p.start.Add(-Length), p.start, step)
	for _, l := range r.plan.Levels {
		for _, g := range l.Groups {
			for _, rule := range g.Rules {
				if !isLong(g, r.interval) || !strings.HasSuffix(rule.Record, increaseSuffix) {
					continue
				}
				at := finer(everyStep, p.start, g.Interval)
				if rule.Record == metricnames.TotalIncrease && !l.Level.Aggregation.ByTime() {
					at = times(p.start.Add(-Length), p.start, g.Interval)
				}
				base, err := p.increases(l.Level, rule.Record, at)
				if err != nil {
					return err
				}
				coarse, err := p.increases(l.Level, rule.Record, everyStep)
				if err != nil {
					return err
				}
				r.base, r.coarse = append(r.base, base...), append(r.coarse, coarse...)
			}
		}
		r.keep(p.shares(l.Level, everyStep))
	}
	for _, s := range r.base {
		r.keep(s)
	}
	return nil
}

// times returns the multiples of a step in [from, to].
func times(from, to time.Time, step time.Duration) []time.Time {
	var all []time.Time
	for at := from.Truncate(step); !at.After(to); at = at.Add(step) {
		all = append(all, at)
	}
	return all
}

// finer adds more times at the end, with a shorter step.
func finer(all []time.Time, end time.Time, step time.Duration) []time.Time {
	n := len(all)
	for n > 1 && all[n-1].After(end.Add(-fine)) {
		n--
	}
	return append(all[:n:n], times(all[n-1].Add(step), end, step)...)
}

func point(at time.Time, v float64) promql.FPoint { return promql.FPoint{T: at.UnixMilli(), F: v} }

// keep adds samples to be stored.
func (r *recording) keep(s series) {
	r.stored = append(r.stored, replay.NewSeries(s.labels, s.samples))
}

// month evaluates the second and third layer over all of the past, like a server that
// evaluates its rules every minute.
func (r *recording) month(ctx context.Context) error {
	plan, findings := rulegen.Compile(r.past.agreement, rulegen.Options{Interval: rulegen.DefaultInterval})
	if err := findings.Err(); err != nil {
		return err
	}
	for _, l := range plan.Levels {
		for i := range l.Groups {
			if g := &l.Groups[i]; isLong(*g, rulegen.DefaultInterval) && !isThird(*g) {
				g.Interval = rarely
			}
		}
	}
	until := r.past.start.Add(-last)
	return r.run(ctx, evaluated{
		plan: plan, base: r.coarse, from: r.past.start.Add(-Length), to: until,
		group: func(g rulegen.Group) bool { return isLong(g, rulegen.DefaultInterval) },
		hold:  func(s storage.Series) storage.Series { return held(s, until) },
		kept: func(name string) bool {
			return !strings.HasSuffix(name, "_since_hour") && !strings.HasSuffix(name, "_to_hour") && name != metricnames.SummedUntil
		},
	})
}

// toHour evaluates the third layer like the demo's own rules.
func (r *recording) toHour(ctx context.Context) error {
	return r.run(ctx, evaluated{
		plan: r.plan, base: r.base, from: r.past.start.Add(-hours), to: r.past.start,
		group: isThird, kept: func(string) bool { return true },
	})
}

// lastSteps evaluates the second layer like the demo's own rules, so that pages have
// its figures from the start.
func (r *recording) lastSteps(ctx context.Context) error {
	base := r.base
	for _, s := range r.stored {
		if name := s.Labels().Get(labels.MetricName); strings.HasSuffix(name, "_to_hour") || name == metricnames.SummedUntil {
			base = append(slices.Clip(base), collect(s))
		}
	}
	return r.run(ctx, evaluated{
		plan: r.plan, base: base, from: r.past.start.Add(-last), to: r.past.start,
		group: func(g rulegen.Group) bool { return isLong(g, r.interval) && !isThird(g) },
		kept:  func(string) bool { return true },
	})
}

// collect reads the samples of a recorded series.
func collect(s storage.Series) series {
	all := series{labels: s.Labels()}
	for it := s.Iterator(nil); it.Next() != chunkenc.ValNone; {
		t, v := it.At()
		all.samples = append(all.samples, promql.FPoint{T: t, F: v})
	}
	return all
}

// held makes the samples of a recorded series hold until the next one, or until end.
func held(s storage.Series, end time.Time) storage.Series {
	all := collect(s)
	var more replay.Stored
	for i, p := range all.samples {
		until := end.UnixMilli()
		if i+1 < len(all.samples) {
			until = all.samples[i+1].T
		}
		for ; p.T < until && !value.IsStaleNaN(p.F); p.T += step.Milliseconds() {
			more = append(more, p)
		}
	}
	return replay.NewSeries(all.labels, more)
}

// evaluated says what a run evaluates and keeps.
type evaluated struct {
	plan     *rulegen.Plan
	base     []series
	from, to time.Time
	group    func(rulegen.Group) bool
	kept     func(name string) bool
	hold     func(storage.Series) storage.Series // changes a series before it is stored; nil stores it as it is
}

func (r *recording) run(ctx context.Context, e evaluated) error {
	text, err := emit.Prometheus(recordingRules(e.plan, e.group))
	if err != nil {
		return err
	}
	world := replay.New()
	for _, s := range e.base {
		world.Add(s.labels, s.samples)
	}
	result, err := world.Run(ctx, replay.Plan{Files: []replay.File{{Name: r.ruleFile, Text: text}}, From: e.from, To: e.to})
	if err != nil {
		return err
	}
	if len(result.Errors) > 0 {
		return fmt.Errorf("rule %s: %w", result.Errors[0].Rule.Name, result.Errors[0].Err)
	}
	for _, s := range world.Recorded() {
		if l := s.Labels(); l.Has(metricnames.SLO) && e.kept(l.Get(labels.MetricName)) {
			if e.hold != nil {
				s = e.hold(s)
			}
			r.stored = append(r.stored, s)
		}
	}
	return nil
}

// recordingRules returns the rules of chosen groups and of the agreement's masks,
// without alerts and increases.
func recordingRules(plan *rulegen.Plan, chosen func(rulegen.Group) bool) *rulegen.Plan {
	only := &rulegen.Plan{Agreement: plan.Agreement}
	for _, l := range plan.Levels {
		of := rulegen.LevelPlan{Agreement: l.Agreement, Level: l.Level}
		for _, g := range l.Groups {
			shared := g.Rules[0].Record != "" && g.Rules[0].Labels[metricnames.SLO] == ""
			if !shared && !chosen(g) {
				continue
			}
			kept := rulegen.Group{Name: g.Name, Interval: g.Interval}
			if shared {
				kept.Interval = step // the most that rules look back
			}
			for _, rule := range g.Rules {
				if rule.Record != "" && !strings.HasSuffix(rule.Record, increaseSuffix) {
					kept.Rules = append(kept.Rules, rule)
				}
			}
			of.Groups = append(of.Groups, kept)
		}
		only.Levels = append(only.Levels, of)
	}
	return only
}
