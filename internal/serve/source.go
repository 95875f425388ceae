package serve

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"

	"github.com/upheld-sla/upheld/exporter"
	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/web"
	"github.com/upheld-sla/upheld/sla"
)

// source is the web.Source over the storage, the rule manager and the exporter.
type source struct{ s *server }

// current selects, with the level's newest value each, every series that the
// pages show a figure of.
const current = `{__name__=~"` +
	metricnames.ErrorPeriod + "|" + metricnames.BudgetRemaining + "|" +
	metricnames.OutageAge + "|" + metricnames.OutageCount + "|" + metricnames.OutageLongest + "|" + metricnames.OutageMean + "|" + metricnames.RecoveryAge + "|" +
	"sla:(raw|excluded)_bad:sum_period|" + metricnames.CreditPercent + "|" + metricnames.CreditMinutes + "|" +
	metricnames.TotalPeriod + "|" + metricnames.BadPeriod + "|" + metricnames.CoveragePeriod + "|" +
	metricnames.Excess + "|" + metricnames.ErrorRatio + "[0-9].*|" + metricnames.ProbeLastState + `"}`

// historySpan is how far back the pages' strip of the recent past goes, in at
// most so many steps; those of all levels on one page are at most historyPoints.
const (
	historySpan   = time.Hour
	historySteps  = 360
	historyPoints = 12000
)

// Levels is the state of every level.
func (src *source) Levels(ctx context.Context) ([]web.LevelStatus, error) {
	figures, err := src.figures(ctx, current)
	if err != nil {
		return nil, err
	}
	agreements := src.s.state.Load().agreements
	history, err := src.histories(ctx, agreements)
	if err != nil {
		return nil, err
	}
	parts, err := src.figures(ctx, memberSeries)
	if err != nil {
		return nil, err
	}
	alerts := src.alerts()
	since, err := src.firingSince(ctx, sla.ID{}, alerts)
	if err != nil {
		return nil, err
	}
	statuses := []web.LevelStatus{}
	for _, a := range agreements {
		for _, l := range a.Levels {
			status := statusOf(l, figures[l.ID], alerts[l.ID], since)
			status.Agreement = a
			status.History = history[l.ID]
			status.Failures = src.failures(l)
			addMembers(&status, parts[l.ID])
			statuses = append(statuses, status)
		}
	}
	return statuses, nil
}

// Level is the state of one level in full.
func (src *source) Level(ctx context.Context, id sla.ID) (web.LevelStatus, bool, error) {
	agreement, level := src.level(id)
	if level == nil {
		return web.LevelStatus{}, false, nil
	}
	figures, err := src.figures(ctx, ofLevel(current, id))
	if err != nil {
		return web.LevelStatus{}, true, err
	}
	parts, err := src.figures(ctx, ofLevel(memberSeries, id))
	if err != nil {
		return web.LevelStatus{}, true, err
	}
	alerts := src.alerts()
	since, err := src.firingSince(ctx, id, alerts)
	if err != nil {
		return web.LevelStatus{}, true, err
	}
	status := statusOf(level, figures[id], alerts[id], since)
	status.Agreement = agreement
	status.Failures = src.failures(level)
	status.Queries = queries(level)
	addMembers(&status, parts[id])
	history, err := src.history(ctx, "{"+matchers(id)+"}", historySteps)
	status.History = history[id]
	return status, true, err
}

func (src *source) level(id sla.ID) (*sla.Agreement, *sla.ServiceLevel) {
	for _, a := range src.s.state.Load().agreements {
		for _, l := range a.Levels {
			if l.ID == id {
				return a, l
			}
		}
	}
	return nil, nil
}

// series are samples of one level, or group of one, by what tells them apart: the name, and the
// period, and the tier of credits or the objective of recovery where there is one.
type series map[seriesKey]float64

type seriesKey struct{ name, period, part string }

func (f series) figure(name, period string) web.Figure {
	v, ok := f[seriesKey{name, period, ""}]
	return web.Figure{Value: v, Known: ok}
}

// lookback is how old a sample may be that still counts as current: twice the
// interval of the second tier of rules.
func (src *source) lookback() time.Duration {
	return max(10*src.s.RulesInterval, time.Minute)
}

// figures runs an instant query and sorts what it gives by level.
func (src *source) figures(ctx context.Context, query string) (map[sla.ID][]promql.Sample, error) {
	opts := promql.NewPrometheusQueryOpts(false, src.lookback())
	q, err := src.s.engine.NewInstantQuery(ctx, src.s.db, opts, query, time.Now())
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", query, err)
	}
	defer q.Close()
	vector, err := q.Exec(ctx).Vector()
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", query, err)
	}
	byLevel := map[sla.ID][]promql.Sample{}
	for _, sample := range vector {
		id := idOf(sample.Metric)
		byLevel[id] = append(byLevel[id], sample)
	}
	return byLevel, nil
}

func idOf(ls labels.Labels) sla.ID {
	return sla.ID{SLA: ls.Get(metricnames.SLA), Service: ls.Get(metricnames.Service), SLO: ls.Get(metricnames.SLO)}
}

// ofLevel is a selector narrowed to one level.
func ofLevel(selector string, id sla.ID) string {
	return strings.TrimSuffix(selector, "}") + ", " + matchers(id) + "}"
}

// matchers select the series of a level.
func matchers(id sla.ID) string {
	return fmt.Sprintf("%s=%q, %s=%q, %s=%q", metricnames.SLA, id.SLA, metricnames.Service, id.Service, metricnames.SLO, id.SLO)
}

func newStatus(l *sla.ServiceLevel, f series, alerts []web.Alert) web.LevelStatus {
	first := f.ofPeriod(l.Period)
	status := web.LevelStatus{
		Level:           l,
		Achieved:        first.Achieved,
		BudgetRemaining: first.BudgetRemaining,
		Coverage:        first.Coverage,
		Bad:             first.Bad,
		Total:           first.Total,
		Excess:          f.figure(metricnames.Excess, ""),
		Contract:        f.contract(l, l.Period),
		Recovery:        f.recovery(l),
		BadShare:        map[time.Duration]float64{},
		Alerts:          alerts,
	}
	for _, p := range l.MorePeriods {
		more := f.ofPeriod(p)
		more.Contract = f.contract(l, p)
		status.More = append(status.More, more)
	}
	for key, value := range f {
		if window, ok := strings.CutPrefix(key.name, metricnames.ErrorRatio); ok {
			if d, err := model.ParseDuration(window); err == nil {
				status.BadShare[time.Duration(d)] = value
			}
		}
	}
	status.State = state(l, f, status.BadShare)
	return status
}

// contract returns what is excluded in a period, and the credit if the period decides
// credits.
func (f series) contract(l *sla.ServiceLevel, p sla.Period) web.Contract {
	period := p.String()
	c := web.Contract{
		MeasuredBad: f.figure(metricnames.TallyOf("raw_bad", "").Sum, period),
		ExcludedBad: f.figure(metricnames.TallyOf("excluded_bad", "").Sum, period),
	}
	if len(l.Credits.Tiers) == 0 || p != l.CreditPeriod() {
		return c
	}
	c.Credit = f.figure(metricnames.CreditPercent, period)
	for _, t := range l.Credits.Tiers {
		v, ok := f[seriesKey{metricnames.CreditMinutes, period, t.Below.String()}]
		c.MinutesToTier = append(c.MinutesToTier, web.Figure{Value: v, Known: ok})
	}
	return c
}

// recovery is what is recorded of outages and of ages.
func (f series) recovery(l *sla.ServiceLevel) web.Recovery {
	period := l.Period.String()
	return web.Recovery{
		Age: f.figure(metricnames.OutageAge, ""), Outages: f.figure(metricnames.OutageCount, period),
		Longest: f.figure(metricnames.OutageLongest, period), Mean: f.figure(metricnames.OutageMean, period), Ages: f.ages(l),
	}
}

func (f series) ages(l *sla.ServiceLevel) []web.Figure {
	var all []web.Figure
	for _, o := range l.Recovery.Ages() {
		v, ok := f[seriesKey{metricnames.RecoveryAge, "", o.Name}]
		all = append(all, web.Figure{Value: v, Known: ok})
	}
	return all
}

// ofPeriod are the figures of one of a level's periods.
func (f series) ofPeriod(p sla.Period) web.PeriodStatus {
	period := p.String()
	status := web.PeriodStatus{
		BudgetRemaining: f.figure(metricnames.BudgetRemaining, period),
		Coverage:        f.figure(metricnames.CoveragePeriod, period),
		Bad:             f.figure(metricnames.BadPeriod, period),
		Total:           f.figure(metricnames.TotalPeriod, period),
	}
	if bad := f.figure(metricnames.ErrorPeriod, period); bad.Known {
		status.Achieved = web.Known(1 - bad.Value)
	}
	return status
}

// state is how a level stands now: a probed one as its last conclusive probe,
// another by whether the last five minutes kept within the objective.
func state(l *sla.ServiceLevel, f series, badShare map[time.Duration]float64) web.State {
	if _, probed := l.Indicator.(*sla.Probe); probed {
		last := f.figure(metricnames.ProbeLastState, "")
		return stateOf(last.Known, last.Value == 1)
	}
	bad, known := badShare[sla.BaseWindow]
	return stateOf(known, bad <= l.ObjectiveBudget().Float64())
}

func stateOf(known, good bool) web.State {
	switch {
	case !known:
		return web.Unknown
	case good:
		return web.OK
	}
	return web.Failing
}

// alerts are the alert rules by level, in the order of the rule files, which is
// that of their urgency.
func (src *source) alerts() map[sla.ID][]*rules.AlertingRule {
	byLevel := map[sla.ID][]*rules.AlertingRule{}
	for _, group := range src.s.rules.RuleGroups() {
		for _, rule := range group.AlertingRules() {
			if rule.Labels().Get(metricnames.Escalation) != "" {
				continue // the same alert, escalated
			}
			id := idOf(rule.Labels())
			byLevel[id] = append(byLevel[id], rule)
		}
	}
	return byLevel
}

// describe are the rules with what they say about the alerts that are chosen: the
// most urgent state of any, since when the first has it.
func describe(all []*rules.AlertingRule, begun firingSince, chosen func(labels.Labels) bool) []web.Alert {
	alerts := make([]web.Alert, 0, len(all))
	for _, rule := range all {
		alert := web.Alert{
			Name:     rule.Name(),
			Tier:     rule.Labels().Get(metricnames.Tier),
			Severity: rule.Labels().Get(metricnames.Severity),
			State:    web.Inactive,
		}
		for _, active := range rule.ActiveAlerts() {
			state, since := web.Pending, active.ActiveAt
			if active.State == rules.StateFiring {
				state, since = web.Firing, begun.of(active)
			}
			switch {
			case active.State == rules.StateInactive || !chosen(active.Labels) || state == web.Pending && alert.State == web.Firing:
			case state != alert.State || since.Before(alert.Since):
				alert.State, alert.Since = state, since
			}
		}
		alerts = append(alerts, alert)
	}
	return alerts
}

// failures are those of the probe that a level reads.
func (src *source) failures(l *sla.ServiceLevel) []web.Failure {
	id, _, probed := l.Probed()
	if !probed {
		id = l.ID
	}
	records := src.s.exporter.Failures(id)
	failures := make([]web.Failure, 0, len(records))
	for _, r := range records {
		failures = append(failures, failure(r))
	}
	return failures
}

func failure(r exporter.Record) web.Failure {
	return web.Failure{
		At:           r.At,
		Reason:       string(r.Reason),
		Detail:       r.Detail,
		Duration:     r.Duration,
		Inconclusive: r.Outcome != probe.Bad,
	}
}

// histories are those of every level, with the coarser steps the more there are.
func (src *source) histories(ctx context.Context, agreements []*sla.Agreement) (map[sla.ID][]web.Point, error) {
	levels := 1
	for _, a := range agreements {
		levels += len(a.Levels)
	}
	return src.history(ctx, "", min(historySteps, max(historyPoints/levels, int(historySpan/(5*time.Minute)))))
}

// history is the share of good over the last hour, by level, of the levels that
// are selected.
func (src *source) history(ctx context.Context, selector string, steps int) (map[sla.ID][]web.Point, error) {
	query := "1 - " + metricnames.ErrorRatio + "5m" + selector
	step := max(historySpan/time.Duration(steps), src.s.RulesInterval).Truncate(time.Second)
	end := time.Now().Truncate(step)
	start := end.Add(-historySpan)
	opts := promql.NewPrometheusQueryOpts(false, max(step, 2*src.s.RulesInterval))
	q, err := src.s.engine.NewRangeQuery(ctx, src.s.db, opts, query, start, end, step)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", query, err)
	}
	defer q.Close()
	matrix, err := q.Exec(ctx).Matrix()
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", query, err)
	}
	byLevel := map[sla.ID][]web.Point{}
	for _, s := range matrix {
		known := make(map[int64]float64, len(s.Floats))
		for _, p := range s.Floats {
			known[p.T] = p.F
		}
		var points []web.Point
		for at := start; !at.After(end); at = at.Add(step) {
			v, ok := known[at.UnixMilli()]
			points = append(points, web.Point{At: at, Good: web.Figure{Value: v, Known: ok}})
		}
		id := idOf(s.Metric)
		byLevel[id] = worse(byLevel[id], points)
	}
	return byLevel, nil
}

// queries are what the figures of a level's page are read with.
func queries(l *sla.ServiceLevel) []web.Query {
	of := matchers(l.ID)
	var all []web.Query
	for _, p := range l.Periods() {
		period := fmt.Sprintf("%s, %s=%q", of, metricnames.Period, p)
		all = append(all,
			web.Query{Title: "Achieved over " + p.Words(), Expr: fmt.Sprintf("1 - %s{%s}", metricnames.ErrorPeriod, period)},
			web.Query{Title: "Budget left of " + p.Words(), Expr: fmt.Sprintf("%s{%s}", metricnames.BudgetRemaining, period)})
	}
	return append(all,
		web.Query{Title: "Bad share over 5m", Expr: fmt.Sprintf("%s5m{%s}", metricnames.ErrorRatio, of)},
		web.Query{Title: "Bad share over 1h", Expr: fmt.Sprintf("%s1h{%s}", metricnames.ErrorRatio, of)})
}
