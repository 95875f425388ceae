// Package web is the pages that upheld serve shows: an overview of every
// service level and one page for each. They are rendered on the server and
// complete without JavaScript; a small script only keeps them fresh.
//
// It knows the model of package sla and asks for everything measured through
// Source. It must not import the storage, the rule engine, PromQL or the
// exporter.
package web

import (
	"context"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Source gives the pages what they show. Its methods are called once for each
// page, from many goroutines at once, and should honour the context.
type Source interface {
	// Levels is the state of every service level, in the order of the
	// agreements and of the levels in them. The overview shows no Queries, the
	// newest of the Failures that counts, and a History where there is one.
	Levels(ctx context.Context) ([]LevelStatus, error)
	// Level is the state of one level in full; found is false if there is none
	// of that name.
	Level(ctx context.Context, id sla.ID) (status LevelStatus, found bool, err error)
}

// LevelStatus is what is known about one service level at one moment. Whatever
// has not been measured is the zero Figure or left out, never a zero that looks
// measured.
type LevelStatus struct {
	Level *sla.ServiceLevel

	State State // at this moment
	// Achieved is the share of good over the period, as far as it has been
	// measured: 0.9987.
	Achieved Figure
	// Coverage is the share of the period that has been measured, 0 to 1.
	Coverage Figure
	// Bad and Total are the amounts behind Achieved: seconds where the level's
	// aggregation is sla.Time, else events. They may lag by sla.BaseWindow.
	Bad, Total Figure
	// Excess is by what share of Total more good events are counted than events,
	// which hides as many bad ones; known only while there are more.
	Excess Figure
	// BudgetRemaining is 1 untouched, 0 spent, negative overspent, of the budget
	// of the whole period: the series sla:budget_remaining:ratio_period.
	BudgetRemaining Figure
	Contract        Contract
	// More are the same figures of the level's MorePeriods, in their order.
	More []PeriodStatus
	// BadShare is the share of bad (0 to 1) by window: sla:error:ratio_rate5m
	// and so on. A window without a value is left out. The pages want 5m, 1h,
	// 6h and the windows of the level's tiers.
	BadShare map[time.Duration]float64

	// Groups are those of a level with groups, the worst first. Its own figures
	// are then left out, its State is the worst of theirs, and its History the
	// worst of theirs at each step.
	Groups []GroupStatus

	Alerts   []Alert   // every alert rule of the level, the inactive ones too, most urgent first
	Failures []Failure // newest first, bounded
	Members  []Member  // of a composite, the whole first and every part before those below it
	History  []Point   // share of good over the last hour, oldest first, evenly spaced
	Queries  []Query   // the PromQL that gives these figures
}

// GroupStatus is what is known about one group of a level: its Level has the
// target and the objective that are promised to the group.
type GroupStatus struct {
	Name string // "tenant acme"
	LevelStatus
}

// PeriodStatus are the figures of one more period of a level, as LevelStatus
// has them of the first.
type PeriodStatus struct {
	Achieved, Coverage, Bad, Total, BudgetRemaining Figure
	Contract                                        Contract
}

// Contract is what the contract makes of a period.
type Contract struct {
	// MeasuredBad is what was bad before hours and exclusions left anything out,
	// ExcludedBad what exclusions took of it, in the unit of Bad. Of a level without
	// them neither is known.
	MeasuredBad, ExcludedBad Figure
	// Owed is the credit in per cent, if the rest of the period is good, and
	// MinutesToTier are the minutes of total outage until each of the level's credit
	// tiers, in their order. Only of the period that decides credits.
	Owed          Figure
	MinutesToTier []Figure
}

// over is the status with the figures of the i-th of the level's more periods
// in place of the first.
func (s LevelStatus) over(i int) LevelStatus {
	l, f := *s.Level, s.More[i]
	l.Period, l.MorePeriods = l.MorePeriods[i], nil
	s.Level, s.More = &l, nil
	s.Achieved, s.Coverage, s.Bad, s.Total, s.BudgetRemaining = f.Achieved, f.Coverage, f.Bad, f.Total, f.BudgetRemaining
	s.Contract = f.Contract
	return s
}

// State says how a level stands at this moment.
type State int

// The states. A probed level is as its last conclusive probe, a composite as its
// parts are combined now; another is Failing while the bad share of the last five minutes exceeds the budget of
// its objective.
const (
	Unknown State = iota
	OK
	Failing
)

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
	Since    time.Time // of the state, where it is not Inactive
}

// Failure is one measurement that went wrong.
type Failure struct {
	At       time.Time
	Reason   string // bounded vocabulary: "status", "connect_refused"
	Detail   string // free text, may quote the target: "HTTP 503"
	Duration time.Duration
	// Inconclusive is set where the prober itself was at fault, so that the
	// failure does not count against the level.
	Inconclusive bool
}

// Point is one step of a history; a step without a value is a gap.
type Point struct {
	At   time.Time
	Good Figure // share of good, 0 to 1
}

// Query is PromQL behind a figure.
type Query struct {
	Title string // what it gives: "Achieved over 30d"
	Expr  string
}
