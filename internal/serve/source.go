package serve

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"

	"github.com/upheld-sla/upheld/exporter"
	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/exporter/redact"
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/web"
	"github.com/upheld-sla/upheld/sla"
)

// source is the web.Source over the storage, the rule manager and the exporter.
type source struct {
	s      *server
	days   *days
	months *days // for the page of months, which looks back farther
}

func newSource(s *server) *source {
	src := &source{s: s}
	src.days, src.months = &days{src: src, within: daysWithin}, &days{src: src, within: monthsWithin}
	return src
}

// current selects every series of which the pages show the newest value.
const current = `{__name__=~"` +
	metricnames.ErrorPeriod + "|" + metricnames.BudgetRemaining + "|" +
	metricnames.OutageAge + "|" + metricnames.OutageCount + "|" + metricnames.OutageLongest + "|" + metricnames.OutageMean + "|" + metricnames.RecoveryAge + "|" +
	"sla:(raw|excluded)_bad:sum_period|" + metricnames.CreditPercent + "|" + metricnames.CreditMinutes + "|" +
	metricnames.TotalPeriod + "|" + metricnames.BadPeriod + "|" + metricnames.CoveragePeriod + "|" +
	metricnames.Excess + "|" + metricnames.ErrorRatio + "[0-9].*|" + metricnames.ServiceState + `"}`

// historySpan is how far back the pages' strip of the recent past goes, and
// historySteps its most steps; the strips of all levels on one page have at most
// historyPoints.
const (
	historySpan   = time.Hour
	historySteps  = 360
	historyPoints = 12000
)

// Levels is the state of every level.
func (src *source) Levels(ctx context.Context) ([]web.LevelStatus, error) {
	agreements, now := src.Agreements(), time.Now()
	m, err := src.measured(ctx, sla.ID{}, now)
	if err != nil {
		return nil, err
	}
	days, err := src.days.of(ctx, agreements, now)
	if err != nil {
		return nil, err
	}
	history, err := src.histories(ctx, agreements, days)
	if err != nil {
		return nil, err
	}
	statuses := []web.LevelStatus{}
	for _, a := range agreements {
		for _, l := range a.Levels {
			status := src.status(l, a, m, now)
			status.History, status.Days = history[l.ID], days[l.ID]
			if !status.Achieved.Known && len(status.Groups) == 0 {
				status.NoSeries = src.noSeries(ctx, l, now)
			}
			statuses = append(statuses, status)
		}
	}
	return statuses, src.explainOngoing(ctx, statuses, now)
}

// explainOngoing adds the causes of ongoing outages, for levels of which this process
// has not seen a failure itself.
func (src *source) explainOngoing(ctx context.Context, statuses []web.LevelStatus, now time.Time) error {
	const most = 10
	explained := 0
	for i := range statuses {
		s := &statuses[i]
		if s.State < sla.StateDegraded || s.Since.IsZero() || len(s.Failures) > 0 || explained == most {
			continue
		}
		explained++
		s.Outages = []web.Outage{{Start: s.Since, Worst: s.State}}
		if err := src.explain(ctx, s.Level, s.Outages, now); err != nil {
			return err
		}
	}
	return nil
}

// Level is the state of one level in full.
func (src *source) Level(ctx context.Context, id sla.ID) (web.LevelStatus, bool, error) {
	agreement, level := src.level(id)
	if level == nil {
		return web.LevelStatus{}, false, nil
	}
	now := time.Now()
	m, err := src.measured(ctx, id, now)
	if err != nil {
		return web.LevelStatus{}, true, err
	}
	status := src.status(level, agreement, m, now)
	return status, true, src.addDetails(ctx, &status, now)
}

// addDetails adds what only the page of a level shows.
func (src *source) addDetails(ctx context.Context, status *web.LevelStatus, now time.Time) error {
	l := status.Level
	status.Queries, status.Probes = queries(l), src.probes(l)
	if !status.Achieved.Known && len(status.Groups) == 0 {
		status.NoSeries = src.noSeries(ctx, l, now)
	}
	history, err := src.history(ctx, "{"+matchers(l.ID)+"}", historySteps)
	if err != nil {
		return err
	}
	status.History = history[l.ID]
	days, err := src.days.of(ctx, src.Agreements(), now)
	if err != nil {
		return err
	}
	status.Days = days[l.ID]
	if status.Left, err = src.budgetLeft(ctx, l, now); err != nil {
		return err
	}
	from := periodStart(l.Period, now)
	outages, runs, err := src.outages(ctx, l, src.stateSamples, from, now)
	if err != nil {
		return err
	}
	status.Outages = outages
	if at := since(runs, status.State, from); !at.IsZero() {
		status.Since = lastStraw(at, status.Members)
	}
	return src.explain(ctx, l, status.Outages, now)
}

// measured is what the storage and the rule manager know of levels.
type measured struct {
	figures, members map[sla.ID][]promql.Sample
	recent           map[sla.ID]recent
	states           map[sla.ID][]run
	alerts           map[sla.ID][]*rules.AlertingRule
	firing           firingSince
}

// measured reads this of all levels, or of one if id is not zero.
func (src *source) measured(ctx context.Context, id sla.ID, now time.Time) (m measured, err error) {
	of := func(selector string) string {
		if id == (sla.ID{}) {
			return selector
		}
		return ofLevel(selector, id)
	}
	if m.figures, err = src.figures(ctx, of(current)); err != nil {
		return m, err
	}
	if m.members, err = src.figures(ctx, of(memberSeries)); err != nil {
		return m, err
	}
	if m.recent, err = src.recents(ctx, id, now); err != nil {
		return m, err
	}
	if m.states, err = src.statesNow(ctx, m, now); err != nil {
		return m, err
	}
	m.alerts = src.alerts()
	m.firing, err = src.firingSince(ctx, id, m.alerts)
	return m, err
}

// status is the status of a level, without what takes longer to read.
func (src *source) status(l *sla.ServiceLevel, a *sla.Agreement, m measured, now time.Time) web.LevelStatus {
	status := statusOf(l, m.figures[l.ID], m.alerts[l.ID], m.firing)
	status.Agreement = a
	status.Failures = src.failures(l)
	if len(status.Groups) == 0 {
		src.bringUpToDate(&status, seriesOf(m.figures[l.ID]), m.recent[l.ID], now)
	}
	addMembers(&status, m.members[l.ID])
	for i := range status.Members {
		if member := &status.Members[i]; !member.Since.IsZero() {
			if at := since(m.states[member.Of], sla.StateDown, now.Add(-statesWithin)); !at.IsZero() {
				member.Since = at
			}
			if _, of := src.level(member.Of); of != nil {
				member.Failures = src.failures(of)
			}
		}
	}
	if at := since(m.states[l.ID], status.State, now.Add(-statesWithin)); !at.IsZero() {
		status.Since = lastStraw(at, status.Members)
	}
	return status
}

// Agreements are all agreements.
func (src *source) Agreements() []*sla.Agreement { return src.s.state.Load().agreements }

// Rules are the groups of the rule manager.
func (src *source) Rules(context.Context) ([]web.RuleGroup, error) {
	var groups []web.RuleGroup
	for _, g := range src.s.rules.RuleGroups() {
		group := web.RuleGroup{Name: g.Name(), Interval: g.Interval(), Last: g.GetLastEvaluation(), Took: g.GetEvaluationTime()}
		for _, r := range g.Rules() {
			rule := web.Rule{Name: r.Name(), Expr: r.Query().String()}
			if err := r.LastError(); err != nil {
				rule.Problem = redact.Error(err)
			}
			if alert, ok := r.(*rules.AlertingRule); ok {
				rule.Alert, rule.State = true, web.AlertState(alert.State().String())
			}
			group.Rules = append(group.Rules, rule)
		}
		groups = append(groups, group)
	}
	return groups, nil
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

// lookback is how old a current sample may be: twice the interval of the second layer
// of rules.
func (src *source) lookback() time.Duration {
	return max(10*src.s.RulesInterval, time.Minute)
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

// failures are the failures of the probe that a level reads. To a level of response
// times, slow probes are failures, too.
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
	if latency, ok := l.Indicator.(*sla.ProbeLatency); ok {
		failures = withSlow(failures, src.s.exporter.Slow(id), latency.Threshold)
	}
	return failures
}

// withSlow adds the probes that took longer than a threshold.
func withSlow(failures []web.Failure, slow []exporter.Record, threshold time.Duration) []web.Failure {
	for _, r := range slow {
		if r.Duration > threshold {
			failures = append(failures, web.Failure{At: r.At, Reason: "slow", Detail: "more than " + sla.FormatDuration(threshold), Duration: r.Duration})
		}
	}
	slices.SortStableFunc(failures, func(a, b web.Failure) int { return b.At.Compare(a.At) })
	return failures[:min(len(failures), exporter.RecentResults)]
}

// probes are the latest results of the probe that a level reads.
func (src *source) probes(l *sla.ServiceLevel) []web.Probe {
	id, _, probed := l.Probed()
	if !probed {
		return nil
	}
	var probes []web.Probe
	for _, r := range src.s.exporter.Recent(id) {
		p := web.Probe{At: r.At, Outcome: string(r.Outcome), Reason: string(r.Reason), Duration: r.Duration}
		for phase, took := range r.Phases.All() {
			p.Phases = append(p.Phases, web.Phase{Name: phase.String(), Took: took})
		}
		probes = append(probes, p)
	}
	return probes
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
