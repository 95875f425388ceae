// Package web is the pages that upheld serve shows: an overview of every
// service level, and one page for each. They are rendered on the server and
// complete without JavaScript; a small script only refreshes them.
//
// It knows the model of package sla, and gets everything measured from a
// Source. It must not import the storage, the rule engine, PromQL or the
// exporter.
package web

import (
	"context"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Source provides what the pages show. Its methods are called once for each page, from
// many goroutines at once, and should return when the context ends.
type Source interface {
	// Levels returns the state of every service level, in the order of the agreements
	// and of their levels. The overview only shows the newest of Failures that counts,
	// and the ongoing one of Outages. It does not show Queries, Left and Probes, and
	// History may be missing.
	Levels(ctx context.Context) ([]LevelStatus, error)
	// Level returns everything about one level; found is false if there is no such
	// level.
	Level(ctx context.Context, id sla.ID) (status LevelStatus, found bool, err error)
	// Agreements are all agreements, in their order.
	Agreements() []*sla.Agreement
	// Months are the months of an agreement in which anything was counted, the newest first.
	Months(ctx context.Context, a *sla.Agreement) ([]Month, error)
	// Rules are the groups of rules as they are evaluated.
	Rules(ctx context.Context) ([]RuleGroup, error)
}

// LevelStatus is what is known about one service level now. If something was not
// measured, its Figure is zero or left out, never Known(0).
type LevelStatus struct {
	Level     *sla.ServiceLevel
	Agreement *sla.Agreement // of the level; nil to show nothing of it

	State sla.State // now
	Since time.Time // since when it is in that state; zero if that is not known
	// AsOf is the time of the figures of all periods; zero without figures. They
	// include what was bad since the last evaluation of the rules.
	AsOf time.Time
	// Achieved is the good share of what was measured in the period: 0.9987.
	Achieved Figure
	// Coverage is the share of the period that has been measured, 0 to 1.
	Coverage Figure
	// Bad and Total are the amounts behind Achieved: seconds where the level's
	// aggregation is sla.Time, else events.
	Bad, Total Figure
	// Excess is by what share of Total the good events exceed it, which hides as many
	// bad events. It is Known only if they do.
	Excess Figure
	// BudgetRemaining is the share of the whole period's budget that is left: 1 is
	// untouched, 0 spent, negative overspent (sla:budget_remaining:ratio_period).
	BudgetRemaining Figure
	Contract        Contract
	Recovery        Recovery
	// More are the same figures for the level's MorePeriods, in that order.
	More []PeriodStatus
	// BadShare is the bad share (0 to 1) by window: sla:error:ratio_rate5m and so
	// on. A window without a value is left out. The pages use 5m, 1h, 6h and the
	// windows of the level's tiers.
	BadShare map[time.Duration]float64

	// Groups are the groups of a level with groupBy, the worst first. The level
	// then has no figures of its own. Its State is that of the worst group, and
	// so is each step of its History.
	Groups []GroupStatus

	Alerts   []Alert   // every alert rule of the level, inactive ones too, most urgent first
	Failures []Failure // newest first, bounded
	Members  []Member  // of a composite: itself first, and every member before those below it
	History  []Point   // good share over the last hour, oldest first, evenly spaced
	Queries  []Query   // the PromQL behind these figures

	// NoSeries are the selectors of the level's queries that match nothing, if the
	// level has no data.
	NoSeries []string
	Probes   []Probe  // the latest of a probed level, newest first, bounded
	Days     []Day    // of the period, oldest first, including days without data
	Outages  []Outage // of the period, newest first
	Left     []Point  // how much of the period's budget was left, oldest first
}

// Day is what was counted on a day, in the unit of LevelStatus.Bad.
type Day struct {
	Start      time.Time // in the zone of the agreement
	Bad, Total Figure
}

// Outage is a time in which a level was down or degraded.
type Outage struct {
	Start, End time.Time // End is zero while it lasts
	Worst      sla.State
	Causes     []Cause // the most frequent first
}

// Cause is a reason why measurements went wrong, with their number.
type Cause struct {
	Reason    string
	Component string // of a composite: what was down or degraded then, instead of a reason
	Times     float64
}

// GroupStatus is what is known about one group of a level. Its Level has the
// target and the objective of the group.
type GroupStatus struct {
	Name string // "tenant acme"
	LevelStatus
}

// PeriodStatus has the figures of another period of a level. LevelStatus has those of
// the first.
type PeriodStatus struct {
	Achieved, Coverage, Bad, Total, BudgetRemaining Figure
	Contract                                        Contract
}

// Contract is how service hours, exclusions and credits apply to a period.
type Contract struct {
	// MeasuredBad is how much was bad before service hours and exclusions are applied,
	// and ExcludedBad how much of that they leave out, both in the unit of Bad. Known
	// only for a level with service hours or exclusions.
	MeasuredBad, ExcludedBad Figure
	// Credit is the credit in per cent if the rest of the period is good. MinutesToTier
	// is how many minutes of total outage lead to each of the level's credit tiers, in
	// their order. Known only for the period that decides credits.
	Credit        Figure
	MinutesToTier []Figure
}

// Recovery is what is recorded of a level's outages and of the ages that its recovery
// limits. Everything except Outages is in seconds.
type Recovery struct {
	// Age is how long the ongoing outage has lasted; not Known without one.
	Age Figure
	// Outages is how many ended in the level's first period; Longest and Mean are about
	// these.
	Outages, Longest, Mean Figure
	// Ages are the ages for the level's objectives, in the order of sla.Recovery.Ages.
	Ages []Figure
}

// overPeriod returns the status with the figures of the level's further period i
// instead of the first.
func (s LevelStatus) overPeriod(i int) LevelStatus {
	l, f := *s.Level, s.More[i]
	l.Period, l.MorePeriods = l.MorePeriods[i], nil
	s.Level, s.More = &l, nil
	s.Achieved, s.Coverage, s.Bad, s.Total, s.BudgetRemaining = f.Achieved, f.Coverage, f.Bad, f.Total, f.BudgetRemaining
	s.Contract = f.Contract
	return s
}

// Figure is a number that may not be known yet.
type Figure struct {
	Value float64
	Known bool
}

// Known is a figure that has been measured.
func Known(v float64) Figure { return Figure{Value: v, Known: true} }

// AlertState is the state of an alert rule, in Prometheus' words.
type AlertState string

// The states of an alert.
const (
	Inactive AlertState = "inactive"
	Pending  AlertState = "pending"
	Firing   AlertState = "firing"
)

// Alert is one alert rule of a level.
type Alert struct {
	Name     string // "SLABudgetBurn"
	Tier     string // "page-fast"; empty for alerts without a tier
	Severity string // "page", "ticket" or the user's own
	State    AlertState
	Since    time.Time // of the state, unless it is Inactive
	Summary  string    // its text, unless it is Inactive
}

// Failure is one measurement that went wrong.
type Failure struct {
	At       time.Time
	Reason   string // one of a bounded list: "status", "connect_refused"
	Detail   string // free text, may quote the target: "HTTP 503"
	Duration time.Duration
	// Inconclusive: the exporter itself was at fault, so the failure does not count
	// against the level.
	Inconclusive bool
}

// Point is one step of a history; a step without a value is a gap.
type Point struct {
	At   time.Time
	Good Figure // share of good, 0 to 1
}

// Query is the PromQL behind a figure.
type Query struct {
	Title string // its result: "Achieved over 30d"
	Expr  string
}
