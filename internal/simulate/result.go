package simulate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/internal/rawseries"
	"github.com/upheld-sla/upheld/internal/replay"
	"github.com/upheld-sla/upheld/internal/routing"
	"github.com/upheld-sla/upheld/sla"
)

// Result is the outcome of a scenario.
type Result struct {
	Scenario *sla.Scenario
	// At is when the scenario began, and Chosen whether the simulation chose that time.
	// From is where its history begins, and End is where the simulation ends.
	From, At, End time.Time
	Chosen        bool
	Zone          *time.Location
	Scrape        time.Duration
	Levels        []LevelResult
	Others        []Alert // of levels without figures here
	// Notifications are what Alertmanager would send; nil if unknown.
	Notifications []Notification
	Notes         []string // what the simulation omits or assumes
	Failed        []Failure
	received      []routing.Received // what Alertmanager received
}

// LevelResult is the outcome for a level.
type LevelResult struct {
	Level  *sla.ServiceLevel
	Group  map[string]string // the group of these figures; nil without groups
	Target sla.Decimal       // of the group, or the level, in per cent
	Alerts []Alert
	Budget Budget
	// Worst are the highest bad shares over each window.
	Worst  []Window
	Credit *Credit // nil for a level that owes none
}

// Window is the highest bad share over a window.
type Window struct {
	Length time.Duration
	Bad    float64
}

// Budget is what the scenario spent.
type Budget struct {
	Known     bool // it was measured, at the start and at the end
	Period    string
	Allowed   float64 // bad seconds, or the bad share of events
	ByTime    bool
	Spent     float64 // by the scenario, as a share of the budget
	Bad       float64 // seconds or events, in the scenario
	Before    float64 // what was left of the budget at the start, as a share
	Remaining float64 // at the end
	Lowest    float64 // during the simulation
}

// Alert is one alert from pending to its end. Times are after the scenario's start.
type Alert struct {
	Level    sla.ID
	Name     string
	Severity string
	Urgency  sla.Urgency
	Labels   map[string]string
	Summary  string
	Pending  time.Duration
	Firing   time.Duration
	Resolved time.Duration
	Fired    bool // otherwise it was only pending
	Ended    bool // otherwise it was still active at the end
	Before   bool // it fired before the scenario began
}

// result returns a result whose levels have no figures yet.
func (s *stage) result() *Result {
	r := &Result{
		Scenario: s.scenario, From: s.from, At: s.at, End: s.end, Chosen: s.chosen, Zone: s.zone, Scrape: s.scrape, Notes: s.notes,
	}
	for _, l := range s.looked {
		group := s.group(l)
		r.Levels = append(r.Levels, LevelResult{Level: l, Group: group, Target: l.PromiseTo(group).Target})
	}
	return r
}

// add adds the outcome for the levels of a part.
func (r *Result) add(s *stage, p part, w *replay.World, episodes []replay.Episode) error {
	for _, e := range episodes {
		r.alert(s, e)
		if !slices.Contains(unsimulated(), e.Labels.Get(labels.AlertName)) {
			r.received = append(r.received, sentOf(e)...)
		}
	}
	for i := range r.Levels {
		if !slices.Contains(p.levels, r.Levels[i].Level) {
			continue
		}
		if err := r.Levels[i].figures(s, w); err != nil {
			return err
		}
	}
	return nil
}

// alert adds an alert that was active after the start of the scenario.
func (r *Result) alert(s *stage, e replay.Episode) {
	id := sla.ID{SLA: e.Labels.Get(metricnames.SLA), Service: e.Labels.Get(metricnames.Service), SLO: e.Labels.Get(metricnames.SLO)}
	i := slices.IndexFunc(s.needed, func(l *sla.ServiceLevel) bool { return l.ID == id })
	if i < 0 || !e.Resolved.IsZero() && !e.Resolved.After(s.at) || e.Pending.After(s.end) {
		return // of the agreement, or from another time
	}
	if slices.Contains(unsimulated(), e.Labels.Get(labels.AlertName)) {
		return
	}
	a := newAlert(s, e)
	a.Level, a.Urgency = id, s.urgency(s.needed[i], a)
	for k := range r.Levels {
		if r.Levels[k].Level.ID == id {
			r.Levels[k].Alerts = append(r.Levels[k].Alerts, a)
			return
		}
	}
	r.Others = append(r.Others, a)
}

// unsimulated names the alerts about the age of backups, which is not simulated.
func unsimulated() []string {
	return []string{sla.AlertRecoveryAgeNear.Name, sla.AlertRecoveryAgeExceeded.Name, sla.AlertRecoveryAgeUnknown.Name}
}

// urgency is the urgency of a level's alert.
func (s *stage) urgency(l *sla.ServiceLevel, a Alert) sla.Urgency {
	for _, tier := range l.Alerting.Tiers {
		if a.Name == sla.AlertBudgetBurn.Name && tier.Severity == a.Severity {
			return tier.Urgency
		}
	}
	for _, of := range l.Alerts() {
		if of.Kind.Name == a.Name && of.Severity == a.Severity {
			return of.Urgency
		}
	}
	_, urgency, _ := s.agreement.Severities.Named(a.Severity)
	return urgency
}

// named selects a recorded series of the level.
func (l *LevelResult) named(name string, more ...string) promql.Metric {
	id := l.Level.ID
	m := promql.Metric{rawseries.NameLabel: name, metricnames.SLA: id.SLA, metricnames.Service: id.Service, metricnames.SLO: id.SLO}.With(l.Group)
	for i := 0; i < len(more); i += 2 {
		m[more[i]] = more[i+1]
	}
	return m
}

// figures reads what the rules recorded.
func (l *LevelResult) figures(s *stage, w *replay.World) error {
	period := []string{metricnames.Period, l.Level.Period.String()}
	looked := s.end.Sub(s.at)
	var err error
	value := func(expr string, at time.Time) float64 {
		v, e := w.Vector(expr, at)
		if e != nil {
			err = cmp.Or(err, e)
		}
		if len(v) != 1 {
			return math.NaN()
		}
		return v[0].F
	}
	over := func(function string, m promql.Metric) string {
		return fmt.Sprintf("%s(%s[%dms])", function, m, looked.Milliseconds())
	}
	remaining, bad := l.named(metricnames.BudgetRemaining, period...), l.named(metricnames.BadPeriod, period...)
	b := Budget{
		Period: l.Level.Period.String(), ByTime: l.Level.Aggregation.ByTime(),
		Before: value(remaining.String(), s.at), Remaining: value(remaining.String(), s.end), Lowest: value(over("min_over_time", remaining), s.end),
		Bad: value(bad.String(), s.end) - value(bad.String(), s.at),
	}
	b.Spent = b.Before - b.Remaining
	b.Known = !math.IsNaN(b.Spent) && !math.IsNaN(b.Bad)
	budget := l.Level.PromiseTo(l.Group).TargetBudget()
	b.Allowed = budget.Float64()
	if b.ByTime {
		b.Allowed = l.Level.BudgetTime(budget, l.Level.Period, s.at).Seconds()
	}
	l.Budget = b
	for _, window := range []time.Duration{sla.BaseWindow, time.Hour, 6 * time.Hour} {
		if v := value(over("max_over_time", l.named(metricnames.ErrorRatio+sla.FormatDuration(window))), s.end); !math.IsNaN(v) {
			l.Worst = append(l.Worst, Window{window, min(v, 1)}) // runs of bad minutes are caught up on
		}
	}
	l.Credit = l.credit(s, value)
	return err
}

// finish sorts the alerts, and compares them with the expectations.
func (r *Result) finish(s *stage) {
	for i := range r.Levels {
		slices.SortStableFunc(r.Levels[i].Alerts, func(a, b Alert) int { return cmp.Or(cmp.Compare(a.Pending, b.Pending), cmp.Compare(a.Name, b.Name)) })
	}
	for _, l := range s.looked {
		if m := s.group(l); m != nil {
			r.Notes = append(r.Notes, fmt.Sprintf("%s/%s: of its groups, one was simulated: %s.", l.ID.Service, l.ID.SLO, m))
		}
	}
	for _, l := range s.looked {
		if slices.ContainsFunc(l.Alerts(), func(a sla.Alert) bool { return slices.Contains(unsimulated(), a.Kind.Name) }) {
			r.Notes = append(r.Notes, fmt.Sprintf("%s/%s: how old backups are is not simulated, so alerts about it are left out.", l.ID.Service, l.ID.SLO))
		}
	}
	r.Failed = r.unmet()
}
