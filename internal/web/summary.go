package web

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// periodSummary is a level's result over one period.
type periodSummary struct {
	Verdict  mark // achieved against target
	Achieved string
	Measured string // how much of the period has been measured
	Counted  string // bad events of all; "" for levels by time
	Excess   string // a warning if good events exceed all events
	Excluded string // how much of the bad time service hours and exclusions leave out
	Credits  string // which credit is due
	Budget   budgetView

	target sla.TargetState
}

type moreView struct {
	Period string
	periodSummary
}

func newPeriodSummary(s LevelStatus, c clock) periodSummary {
	v := periodSummary{
		Verdict: mark{"none", "No data yet"}, Budget: newBudget(s, c), Measured: measuredWords(s), Counted: countedWords(s),
		Excess: excessWords(s), Excluded: excludedWords(s), Credits: creditWords(s),
	}
	if s.Achieved.Known {
		v.Achieved = achievedPercent(s.Achieved.Value, s.Level.Target)
		v.target = targetState(s)
		v.Verdict = verdict(v.target, s)
	}
	return v
}

// targetState is the state of the target, if the achieved share is known.
func targetState(s LevelStatus) sla.TargetState {
	left := s.BudgetRemaining.Value
	if !s.BudgetRemaining.Known {
		left = 1
	}
	state, _ := sla.TargetStateOf(s.Achieved.Value+noise, s.Level.TargetRatio().Float64(), left, fires(s.Alerts, sla.AlertBudgetForecast))
	return state
}

// verdict never says that a target is met without saying that the level is down, if it
// is.
func verdict(target sla.TargetState, s LevelStatus) mark {
	m := targetMark(target)
	m.Word += " so far"
	if target != sla.TargetMissed && (s.State == sla.StateDown || s.State == sla.StateDegraded) {
		return mark{string(sla.ClassWarn), m.Word + ", and it is " + strings.ToLower(s.State.Words()) + " now"}
	}
	return m
}

// fires reports whether an alert of a kind is firing.
func fires(alerts []Alert, kind *sla.AlertKind) bool {
	return slices.ContainsFunc(alerts, func(a Alert) bool { return a.Name == kind.Name && a.State == Firing })
}

// needsAttention reports whether the target is missed or at risk, or the budget spent.
func (v periodSummary) needsAttention() bool {
	return v.Achieved != "" && v.target.NeedsAttention() || v.Budget.State.Class == string(sla.ClassBad)
}

// budgetState is not ok if the budget is unknown.
func budgetState(s LevelStatus) (state sla.BudgetState, ok bool) {
	left := s.BudgetRemaining.Value
	if !s.BudgetRemaining.Known {
		left = math.NaN()
	} else if left <= noise {
		left = 0
	}
	return sla.BudgetStateOf(left, fires(s.Alerts, sla.AlertBudgetBurn))
}

// measuredWords says how much of the period has been measured.
func measuredWords(s LevelStatus) string {
	period := s.Level.Period.Nominal()
	switch {
	case !s.Coverage.Known:
		return ""
	case s.Coverage.Value >= 0.99:
		return "the whole period measured"
	}
	return span(time.Duration(s.Coverage.Value*float64(period))) + " of " + span(period) + " measured"
}

// countedWords says how many events were bad; it is empty for levels by time.
func countedWords(s LevelStatus) string {
	if s.Level.Aggregation.ByTime() || !s.Bad.Known || !s.Total.Known {
		return ""
	}
	return count(s.Bad.Value, false) + " bad of " + count(s.Total.Value, true) + " events"
}

// excessWords warns that the query for good events counts more than that for all.
func excessWords(s LevelStatus) string {
	if !s.Excess.Known {
		return ""
	}
	return percent(s.Excess.Value) + " more good events than events: the two queries do not count the same, which hides as many bad events"
}
