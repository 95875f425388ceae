package replay

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"
)

// What a server does by default.
const (
	resendDelay     = time.Minute
	outageTolerance = time.Hour
	forGracePeriod  = 10 * time.Minute
	untilRestored   = 2 // evaluations of a new process
)

// alerting is an alerting rule. Prometheus' own rule decides what is pending and fires.
// It runs without annotations, which do not affect that: they are expanded only where
// an episode begins and ends.
type alerting struct {
	run      *run
	rule     *rule
	vectors  vectors
	recorder *recorder
	process  *rules.AlertingRule
	restore  int // evaluations until the state of `for` is read back, 0 for never
	tracked  map[uint64]*tracked
	carried  []*tracked // open when the previous process ended
	previous *snapshot  // of the last evaluation that did not fail
	count    int        // evaluations
}

// tracked is an active alert of the rule, kept by the hash of its labels.
type tracked struct {
	episode *episode
	open    bool
	firing  bool
	present bool // its expression was true at the last evaluation
	seen    int  // the last evaluation with this alert
}

func (a *alerting) restart(first bool) {
	a.recorder.restart()
	a.process = a.run.process(a.rule, labels.EmptyLabels(), first)
	a.restore = 0
	if first {
		return
	}
	a.restore = untilRestored
	for _, t := range a.tracked {
		if t.open {
			a.leave(t)
			a.carried = append(a.carried, t)
		}
	}
	a.tracked = map[uint64]*tracked{}
}

func (a *alerting) evaluate(ctx context.Context, e evaluation) error {
	a.count++
	defer a.recorder.verify(e.t)
	rows, err := a.vectors.at(ctx, e)
	if err != nil {
		if err := a.run.failure(ctx, a.rule, e, err); err != nil {
			return err
		}
		return a.restored(ctx, e)
	}
	if len(rows) == 0 && a.process.ActiveAlertsCount() == 0 && len(a.recorder.previous) == 0 && len(a.carried) == 0 {
		return a.restored(ctx, e)
	}
	now := newSnapshot(a.rule, e, rows)
	result, err := a.run.evaluate(ctx, a.process, now, a.rule.group.limit)
	if err != nil {
		if err := a.run.failure(ctx, a.rule, e, err); err != nil {
			return err
		}
	} else if err := a.record(result, e); err != nil {
		return err
	}
	if err := a.restored(ctx, e); err != nil {
		return err
	}
	a.track(now)
	if err == nil {
		a.previous = now
	}
	return nil
}

// record writes ALERTS and ALERTS_FOR_STATE.
func (a *alerting) record(result promql.Vector, e evaluation) error {
	a.recorder.count++
	rows := make([]row, len(result))
	for i, s := range result {
		rows[i] = row{column: &column{target: a.recorder.target(s.Metric)}, f: s.F}
	}
	refused, err := a.recorder.write(rows, e.t)
	if refused != nil {
		a.run.fail(a.rule, e.time(), refused)
	}
	return err
}

// restored reads the state of `for` back, after the second evaluation of a new process.
func (a *alerting) restored(ctx context.Context, e evaluation) error {
	if a.restore == 0 {
		return nil
	}
	if a.restore--; a.restore > 0 {
		return nil
	}
	group := rules.NewGroup(rules.GroupOptions{
		Name: a.rule.Group, File: a.rule.File, Interval: time.Duration(a.rule.group.interval), Rules: []rules.Rule{a.process},
		Opts: &rules.ManagerOptions{
			Context: ctx, Queryable: a.run.world, OutageTolerance: outageTolerance, ForGracePeriod: forGracePeriod,
			Logger: slog.New(slog.DiscardHandler),
		},
	})
	group.RestoreForState(e.time())
	return nil
}

// track follows the alerts of the rule after an evaluation.
func (a *alerting) track(now *snapshot) {
	at := now.e.time()
	a.process.ForEachActiveAlert(func(alert *rules.Alert) {
		hash := alert.Labels.Hash()
		t := a.tracked[hash]
		if t == nil || !t.open && alert.State != rules.StateInactive {
			t = a.begin(alert)
			a.tracked[hash] = t
		}
		t.seen = a.count
		a.follow(t, alert, now)
		if needsSending(alert, at) {
			alert.LastSentAt = at
			t.episode.Sent = append(t.episode.Sent, at)
		}
	})
	for hash, t := range a.tracked {
		if t.seen != a.count {
			a.end(t, at)
			delete(a.tracked, hash)
		}
	}
	for _, t := range a.carried { // they did not continue in the same state
		a.end(t, at)
	}
	a.carried = nil
}

// begin is the episode of a new alert, or of one that continues after the server was
// away.
func (a *alerting) begin(alert *rules.Alert) *tracked {
	for i, t := range a.carried {
		if labels.Equal(t.episode.Labels, alert.Labels) && t.firing == (alert.State == rules.StateFiring) {
			a.carried = slices.Delete(a.carried, i, i+1)
			return t
		}
	}
	validity := 4 * max(time.Duration(a.rule.group.interval), resendDelay) // as in AlertingRule.sendAlerts
	t := &tracked{open: true, episode: &episode{Episode: Episode{Rule: a.rule.Rule, Labels: alert.Labels, Pending: alert.ActiveAt, Validity: validity}}}
	a.run.add(t.episode)
	return t
}

// follow updates an episode by the state of its alert.
func (a *alerting) follow(t *tracked, alert *rules.Alert, now *snapshot) {
	if !t.open {
		return
	}
	if alert.State == rules.StateInactive {
		a.end(t, alert.ResolvedAt)
		return
	}
	if alert.State == rules.StatePending && t.firing { // after a restart it is pending again, as its `for` is longer than it has lasted
		a.end(t, now.e.time())
		return
	}
	if alert.State == rules.StateFiring && !t.firing {
		t.firing = true
		t.episode.Firing, t.episode.Value = now.e.time(), alert.Value
		t.episode.first = now
	}
	if alert.KeepFiringSince.IsZero() {
		t.present = true
	} else {
		a.leave(t)
	}
}

// leave notes that an alert's expression is no longer true: its last annotations are
// those of the previous evaluation.
func (a *alerting) leave(t *tracked) {
	if t.present && t.firing {
		t.episode.last = a.previous
	}
	t.present = false
}

func (a *alerting) end(t *tracked, at time.Time) {
	if t.open {
		a.leave(t)
		t.open = false
		t.episode.Resolved = at
	}
}

func (a *alerting) finish() {
	a.vectors.close()
	a.recorder.forget()
	for _, t := range a.tracked {
		if t.open {
			a.leave(t)
		}
	}
}

// needsSending is a copy of Alert.needsSending of package rules.
func needsSending(a *rules.Alert, at time.Time) bool {
	if a.State == rules.StatePending {
		return false
	}
	return a.ResolvedAt.After(a.LastSentAt) || a.LastSentAt.Add(resendDelay).Before(at)
}
