package serve

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// The rule manager knows since when an alert fires, but forgets it with every restart
// of the process. The recorded series ALERTS remains.

// firingWithin is how far back we look for the beginning of an alert, and firingPoints
// about how many points of all alerts together we read for it.
const (
	firingWithin = 24 * time.Hour
	firingPoints = 300_000
)

// firingSince says, by an alert's labels, since when it has fired if that began before
// this process started.
type firingSince map[string]time.Time

// resumed is how long after its start this process may need until alerts that fired
// before are active again: three evaluations of the slower rules.
func (src *source) resumed() time.Duration {
	const slower = 5 // like the second layer
	return 3 * slower * src.s.RulesInterval
}

// firingSince reads these times for the alerts of a level, or for all if id is zero.
func (src *source) firingSince(ctx context.Context, id sla.ID, alerts map[sla.ID][]*rules.AlertingRule) (firingSince, error) {
	resumed := 0
	for of, all := range alerts {
		if id != (sla.ID{}) && of != id {
			continue
		}
		for _, rule := range all {
			for _, active := range rule.ActiveAlerts() {
				if active.State == rules.StateFiring && active.ActiveAt.Before(src.s.started.Add(src.resumed())) {
					resumed++
				}
			}
		}
	}
	if resumed == 0 {
		return nil, nil
	}
	selector := rulegen.FiringAlerts + "{" + metricnames.Escalation + `=""}`
	if id != (sla.ID{}) {
		selector = ofLevel(selector, id)
	}
	step := max(src.s.RulesInterval, firingWithin*time.Duration(resumed)/firingPoints).Truncate(time.Second)
	runs, err := src.matrix(ctx, selector, step)
	if err != nil {
		return nil, err
	}
	alive, err := src.matrix(ctx, "count("+metricnames.Up+")", step)
	if err != nil {
		return nil, err
	}
	h := alertHistory{step: step, patience: src.resumed(), running: map[int64]bool{}, firing: map[string]map[int64]bool{}}
	for _, s := range alive {
		for _, p := range s.Floats {
			h.running[p.T] = true
		}
	}
	for _, s := range runs {
		h.add(s)
	}
	return h.begun(time.Now().Truncate(step)), nil
}

// matrix is a range query of the last day.
func (src *source) matrix(ctx context.Context, query string, step time.Duration) (promql.Matrix, error) {
	end := time.Now().Truncate(step)
	q, err := src.s.engine.NewRangeQuery(ctx, src.s.db, promql.NewPrometheusQueryOpts(false, src.lookback()), query, end.Add(-firingWithin), end, step)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", query, err)
	}
	defer q.Close()
	matrix, err := q.Exec(ctx).Matrix()
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", query, err)
	}
	// The engine reuses its result once the query is closed.
	own := make(promql.Matrix, 0, len(matrix))
	for _, s := range matrix {
		own = append(own, promql.Series{Metric: s.Metric, Floats: append([]promql.FPoint(nil), s.Floats...)})
	}
	return own, nil
}

// alertHistory says when the server ran and which states its alerts had, at even steps.
type alertHistory struct {
	step     time.Duration
	patience time.Duration             // how long a running server may leave out an alert that goes on
	running  map[int64]bool            // by milliseconds
	firing   map[string]map[int64]bool // by the alert's labels and milliseconds; false while pending
}

func (h alertHistory) add(s promql.Series) {
	key := labels.NewBuilder(s.Metric).Del(model.MetricNameLabel, "alertstate").Labels().String()
	if h.firing[key] == nil {
		h.firing[key] = map[int64]bool{}
	}
	for _, p := range s.Floats {
		h.firing[key][p.T] = h.firing[key][p.T] || s.Metric.Get("alertstate") == "firing"
	}
}

// begun returns for each alert the first step at which it fired without a break until
// the end of the history. Times at which the server did not run are no break, nor is
// the time that it needs after a start until its alerts are active again.
func (h alertHistory) begun(end time.Time) firingSince {
	since := firingSince{}
	for key, states := range h.firing {
		missing := time.Duration(0)
		for at := end; missing <= h.patience && end.Sub(at) <= firingWithin; at = at.Add(-h.step) {
			firing, active := states[at.UnixMilli()]
			switch {
			case firing:
				since[key], missing = at, 0
			case active:
				missing = 0
			case h.running[at.UnixMilli()]:
				missing += h.step
			}
		}
	}
	return since
}

// of returns since when an alert has been firing: according to the rule manager,
// unless it fired before this process started.
func (f firingSince) of(active *rules.Alert) time.Time {
	if at, ok := f[active.Labels.String()]; ok && at.Before(active.FiredAt) {
		return at
	}
	return active.FiredAt
}
