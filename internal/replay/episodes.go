package replay

import (
	"context"
	"log/slog"
	"net/url"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"
)

// episode is an Episode with the snapshots that its annotations are made from.
type episode struct {
	Episode
	first, last *snapshot
}

func (r *run) add(e *episode) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.episodes = append(r.episodes, e)
}

// snapshot is the value of an alerting rule's expression at an evaluation.
type snapshot struct {
	rule   *rule
	e      evaluation
	vector promql.Vector
}

func newSnapshot(r *rule, e evaluation, rows []row) *snapshot {
	s := &snapshot{rule: r, e: e, vector: make(promql.Vector, len(rows))}
	for i, row := range rows {
		s.vector[i] = promql.Sample{Metric: row.column.metric, T: e.t, F: row.f}
		if row.h != nil {
			s.vector[i].H = row.h.Copy() // the engine reuses its own
		}
	}
	return s
}

// process is a new alerting rule without active alerts.
func (r *run) process(of *rule, annotations labels.Labels, restored bool) *rules.AlertingRule {
	url := ""
	if r.plan.ExternalURL != nil {
		url = r.plan.ExternalURL.String()
	}
	a := of.alert
	return rules.NewAlertingRule(a.Name(), a.Query(), a.HoldDuration(), a.KeepFiringFor(), a.Labels(), annotations,
		r.plan.ExternalLabels, url, restored, slog.New(slog.DiscardHandler))
}

// evaluate evaluates an alerting rule with the vector of a snapshot. Queries in its
// templates see the world as it was at that moment.
func (r *run) evaluate(ctx context.Context, process *rules.AlertingRule, s *snapshot, limit int) (promql.Vector, error) {
	own := true // the first query is the rule's own
	query := func(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
		if own {
			own = false
			return s.vector, nil
		}
		return r.world.instant(ctx, viewOf(r.world, r.graph.rules, s.rule, s.e.wall), expr, at)
	}
	external := r.plan.ExternalURL
	if external == nil {
		external = &url.URL{}
	}
	return process.Eval(ctx, time.Duration(s.rule.group.offset), s.e.time(), query, external, limit)
}

// describe adds annotations to the episodes. Everything that their templates may query
// must be recorded by then.
func (r *run) describe(ctx context.Context) error {
	known := map[*snapshot]map[uint64]labels.Labels{}
	annotations := func(s *snapshot, l labels.Labels) (labels.Labels, error) {
		if s == nil {
			return labels.EmptyLabels(), nil
		}
		if known[s] == nil {
			known[s] = map[uint64]labels.Labels{}
			process := r.process(s.rule, s.rule.alert.Annotations(), true)
			if _, err := r.evaluate(ctx, process, s, 0); err != nil {
				return labels.EmptyLabels(), err
			}
			for _, a := range process.ActiveAlerts() {
				known[s][a.Labels.Hash()] = a.Annotations
			}
		}
		return known[s][l.Hash()], nil
	}
	for _, e := range r.episodes {
		var err error
		if e.First, err = annotations(e.first, e.Labels); err != nil {
			return err
		}
		if e.Last, err = annotations(e.last, e.Labels); err != nil {
			return err
		}
	}
	return ctx.Err()
}
