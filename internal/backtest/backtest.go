// Package backtest says what rules would have done in a recorded past: which alerts and
// notifications they would have sent, what would have been left of each budget, and how
// closed periods would have been judged.
package backtest

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/upheld-sla/upheld/internal/closing"
	"github.com/upheld-sla/upheld/internal/history"
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/replay"
	"github.com/upheld-sla/upheld/internal/routing"
	"github.com/upheld-sla/upheld/internal/samples"
	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

// Input is what to try, and on which past.
type Input struct {
	Agreements []*sla.Agreement // none for rules of other tools
	Files      []replay.File    // the rules
	Source     samples.Source
	From, To   time.Time
	Routes     *routing.Config // nil: nobody is notified
	Progress   func(what string, share float64)
}

// Result is what would have happened.
type Result struct {
	From, To      time.Time
	Series        int // how many raw series were read, and how many samples
	Samples       int
	Holes         []replay.Span // without any raw sample
	Alerts        []Alert       // that fired, in order
	Notifications []routing.Notification
	Budgets       []Budget
	Verdicts      []Verdict
	Errors        []replay.RuleError
}

// Alert is an alert that would have fired.
type Alert struct {
	Name           string
	Labels         map[string]string
	Firing         time.Time
	Resolved       time.Time // zero if it was still firing at the end
	Title, Details string    // its summary and description when it began to fire
}

// Budget is what was left of a budget, over the past.
type Budget struct {
	Level    sla.ID
	Period   string
	Group    map[string]string
	Days     []Point // at the end of each day, in UTC
	End      float64 // share of the whole period's budget: 1 is untouched, 0 spent, negative overspent
	Lowest   Point
	Measured bool
	// WorstBad is the greatest bad share of a period that was measured nearly
	// completely, NaN if there was none.
	WorstBad float64
}

// Point is a share at a time.
type Point struct {
	At   time.Time `json:"at"`
	Left float64   `json:"left"`
}

// Verdict is the verdict of a closed period.
type Verdict struct {
	Agreement, Period string
	Verdict           verdict.Verdict
	Levels            []verdict.Level
}

// Tried is an agreement as if it had been in force before it takes effect: it shows
// what a new text would have done. Several revisions keep their own times.
func Tried(a *sla.Agreement, from time.Time) (tried *sla.Agreement, changed bool) {
	if len(a.Revisions) > 1 || !a.InForceFrom().After(from) {
		return a, false
	}
	copied := *a
	copied.Terms.EffectiveFrom = sla.Date{}
	copied.Revisions = nil
	return &copied, true
}

// Run tries the rules on the past. An error is about the source, a rule file, or the
// context.
func Run(ctx context.Context, in Input) (*Result, error) {
	reads, err := history.Reads(in.Files)
	if err != nil {
		return nil, err
	}
	past, err := history.Load(ctx, in.Source, reads, in.From, in.To, in.progress("reading samples"))
	if err != nil {
		return nil, err
	}
	r := &Result{From: in.From, To: in.To, Series: past.Series, Samples: past.Samples, Holes: past.Holes}
	played, err := past.World.Run(ctx, replay.Plan{
		Files: in.Files, From: in.From, To: in.To, Away: past.Holes, Progress: in.progress("evaluating rules"),
	})
	if err != nil {
		return nil, err
	}
	r.Errors = played.Errors
	r.alerts(in, played.Episodes)
	r.budgets(in, past.World)
	return r, r.judge(ctx, in)
}

func (in Input) progress(what string) func(done, total int) {
	return func(done, total int) {
		if in.Progress != nil && total > 0 {
			in.Progress(what, float64(done)/float64(total))
		}
	}
}

// alerts adds the episodes that fired, and who would have been notified of them.
func (r *Result) alerts(in Input, episodes []replay.Episode) {
	var received []routing.Received
	for _, e := range episodes {
		if e.Firing.IsZero() {
			continue
		}
		a := Alert{Name: e.Rule.Name, Labels: e.Labels.Map(), Firing: e.Firing, Resolved: e.Resolved, Title: e.First.Get("summary"), Details: e.First.Get("description")}
		r.Alerts = append(r.Alerts, a)
		received = append(received, routing.Alert{Labels: a.Labels, Firing: e.Firing, Resolved: e.Resolved, Sent: e.Sent, Validity: e.Validity}.Received()...)
	}
	slices.SortStableFunc(r.Alerts, func(a, b Alert) int { return a.Firing.Compare(b.Firing) })
	if in.Routes != nil {
		r.Notifications = in.Routes.Notifications(received, in.To)
	}
}

// nearlyAll is the share of a period that must have been measured before its bad share
// suggests a target.
const nearlyAll = 0.95

// budgets adds what was recorded of the budgets.
func (r *Result) budgets(in Input, w *replay.World) {
	levels := map[sla.ID]*sla.ServiceLevel{}
	for _, a := range in.Agreements {
		for _, l := range a.Levels {
			levels[l.ID] = l
		}
	}
	worst, coverage := map[string][]point{}, map[string][]point{}
	for _, s := range w.Recorded() {
		switch s.Labels().Get(labels.MetricName) {
		case metricnames.ErrorPeriod:
			worst[identity(s.Labels())] = pointsOf(s.Iterator(nil))
		case metricnames.CoveragePeriod:
			coverage[identity(s.Labels())] = pointsOf(s.Iterator(nil))
		}
	}
	for _, s := range w.Recorded() {
		l := s.Labels()
		level, ok := levels[idOf(l)]
		if !ok || l.Get(labels.MetricName) != metricnames.BudgetRemaining {
			continue
		}
		b := Budget{Level: level.ID, Period: l.Get(metricnames.Period), Group: groupOf(level, l), WorstBad: math.NaN()}
		b.follow(pointsOf(s.Iterator(nil)))
		b.worst(worst[identity(l)], coverage[identity(l)])
		r.Budgets = append(r.Budgets, b)
	}
}

// point is a sample.
type point struct {
	t int64
	v float64
}

// pointsOf returns the samples of a series, without NaN.
func pointsOf(it chunkenc.Iterator) []point {
	var all []point
	for it.Next() == chunkenc.ValFloat {
		if t, v := it.At(); !math.IsNaN(v) {
			all = append(all, point{t, v})
		}
	}
	return all
}

// follow notes the lowest point, the one of each day, and the last.
func (b *Budget) follow(all []point) {
	for i, p := range all {
		at := Point{time.UnixMilli(p.t).UTC(), p.v}
		if !b.Measured || p.v < b.Lowest.Left {
			b.Lowest = at
		}
		b.Measured, b.End = true, p.v
		if i+1 == len(all) || day(all[i+1].t) != day(p.t) {
			b.Days = append(b.Days, at)
		}
	}
}

func day(ms int64) int64 { return ms / (24 * time.Hour).Milliseconds() }

// worst is the greatest bad share while the period was measured nearly completely.
func (b *Budget) worst(bad, coverage []point) {
	for _, p := range bad {
		i, _ := slices.BinarySearchFunc(coverage, p.t, func(c point, t int64) int { return int(c.t - t) })
		known := i < len(coverage) && coverage[i].t-p.t < time.Minute.Milliseconds() && coverage[i].v >= nearlyAll
		if known && !(p.v <= b.WorstBad) {
			b.WorstBad = p.v
		}
	}
}

func idOf(l labels.Labels) sla.ID {
	return sla.ID{SLA: l.Get(metricnames.SLA), Service: l.Get(metricnames.Service), SLO: l.Get(metricnames.SLO)}
}

func groupOf(level *sla.ServiceLevel, l labels.Labels) map[string]string {
	var group map[string]string
	for _, name := range level.GroupBy.Labels {
		if group == nil {
			group = map[string]string{}
		}
		group[name] = l.Get(name)
	}
	return group
}

// identity is the same for all series of one level, period and group.
func identity(l labels.Labels) string {
	return labels.NewBuilder(l).Del(labels.MetricName).Labels().String()
}

// judge judges the periods that lie completely in the past.
func (r *Result) judge(ctx context.Context, in Input) error {
	for _, a := range in.Agreements {
		for _, p := range closing.AllPeriodsOf(a) {
			for _, name := range closing.Closings(p, in.From, in.To) {
				if start, _ := name.Bounds(p); start.Before(in.From) {
					continue
				}
				if err := r.judgePeriod(ctx, in, a.Name, name); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (r *Result) judgePeriod(ctx context.Context, in Input, agreement string, name sla.PeriodName) error {
	judgements, err := closing.JudgementsOf(in.Agreements, agreement, name, in.To)
	if err != nil {
		return err
	}
	for _, j := range judgements {
		report, _, err := j.Judge(ctx, in.Source, nil, in.To, func(share float64) {
			if in.Progress != nil {
				in.Progress("judging "+j.Title, share)
			}
		})
		if err != nil {
			return err
		}
		r.Verdicts = append(r.Verdicts, Verdict{agreement, report.Period.Name, report.Verdict, report.Levels})
	}
	return nil
}
