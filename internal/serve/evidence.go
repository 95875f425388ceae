package serve

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/web"
	"github.com/upheld-sla/upheld/sla"
)

// outagesExplained is for how many of the newest outages we look up the cause.
const outagesExplained = 25

// explain adds to outages of a probed level why its probes failed. It reads the
// counters of failures in the storage, so that causes are known after a restart, too.
func (src *source) explain(ctx context.Context, l *sla.ServiceLevel, outages []web.Outage, now time.Time) error {
	if c, ok := l.Indicator.(*sla.Composite); ok {
		return src.explainByComponents(ctx, c, outages, now)
	}
	id, _, probed := l.Probed()
	if !probed {
		return nil
	}
	selector := fmt.Sprintf("%s{%s}", metricnames.ProbeFailures, matchers(id))
	around := src.s.RulesInterval + 2*src.s.ScrapeInterval // the state shows a failure later
	for i := range outages[:min(len(outages), outagesExplained)] {
		o := &outages[i]
		end := o.End
		if end.IsZero() {
			end = now
		}
		times := map[string]float64{}
		err := src.read(ctx, selector, o.Start.Add(-around), end.Add(src.s.ScrapeInterval), func(ls labels.Labels, it chunkenc.Iterator) error {
			reason := ls.Get(metricnames.Reason)
			if n := increase(points(it)); n > 0 && probe.Reason(reason).Outcome() == probe.Bad {
				times[reason] += n
			}
			return nil
		})
		if err != nil {
			return err
		}
		for reason, n := range times {
			o.Causes = append(o.Causes, web.Cause{Reason: reason, Times: n})
		}
		slices.SortFunc(o.Causes, func(a, b web.Cause) int {
			return cmp.Or(cmp.Compare(b.Times, a.Times), cmp.Compare(a.Reason, b.Reason))
		})
	}
	return nil
}

// explainByComponents adds to outages of a composite which components were down or
// degraded at the time. A composite judges whole slots, so its outage may begin half a
// minute late.
func (src *source) explainByComponents(ctx context.Context, c *sla.Composite, outages []web.Outage, now time.Time) error {
	const late = time.Minute
	outages = outages[:min(len(outages), outagesExplained)]
	if len(outages) == 0 {
		return nil
	}
	seen := map[string]bool{}
	for _, leaf := range c.Tree.Leaves() {
		if leaf.Level == nil || seen[leaf.Component.Label] {
			continue
		}
		seen[leaf.Component.Label] = true
		runs, err := src.allStates(ctx, leaf.Level, outages[len(outages)-1].Start.Add(-late), now)
		if err != nil {
			return err
		}
		was := outagesOf(runs)
		for i := range outages {
			o := &outages[i]
			if slices.ContainsFunc(was, func(of web.Outage) bool {
				return (o.End.IsZero() || of.Start.Before(o.End)) && (of.End.IsZero() || of.End.After(o.Start.Add(-late)))
			}) {
				o.Causes = append(o.Causes, web.Cause{Component: leaf.Component.Label})
			}
		}
	}
	return nil
}

// increase is how much a counter grew, across resets.
func increase(all []point) float64 {
	sum := 0.0
	for i := 1; i < len(all); i++ {
		if d := all[i].v - all[i-1].v; d >= 0 {
			sum += d
		} else {
			sum += all[i].v
		}
	}
	return sum
}

// budgetPoints is how many points the budget's line has.
const budgetPoints = 240

// budgetLeft is how much budget was left over the course of the first period: the least
// in each of equal steps.
func (src *source) budgetLeft(ctx context.Context, l *sla.ServiceLevel, now time.Time) ([]web.Point, error) {
	from := periodStart(l.Period, now)
	selector := fmt.Sprintf("%s{%s, %s=%q}", metricnames.BudgetRemaining, matchers(l.ID), metricnames.Period, l.Period)
	step := max(now.Sub(from)/budgetPoints, time.Second)
	var left []web.Point
	err := src.read(ctx, selector, from, now, func(_ labels.Labels, it chunkenc.Iterator) error {
		if left != nil {
			return nil // each group has its own budget, so none is drawn
		}
		for _, p := range points(it) {
			at := from.Add(p.at.Sub(from).Truncate(step))
			if n := len(left); n == 0 || !left[n-1].At.Equal(at) {
				left = append(left, web.Point{At: at, Good: web.Known(p.v)})
			} else if p.v < left[n-1].Good.Value {
				left[n-1].Good.Value = p.v
			}
		}
		return nil
	})
	return left, err
}

// periodStart is when the running period began.
func periodStart(p sla.Period, now time.Time) time.Time {
	if p.Calendar == "" {
		return now.Add(-p.Rolling)
	}
	start, _ := p.Bounds(now)
	return start
}
