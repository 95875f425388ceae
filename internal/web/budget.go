package web

import (
	"math"
	"strconv"
	"time"
)

// budgetView is the error budget in words, and the length of its bar.
type budgetView struct {
	Known bool
	Left  string // "98.8 %"
	Words string // "42 min 41 s of 43 min 12 s left"; empty where events are counted
	State mark
	Bar   float64 // 0 to 100
}

// newBudget returns the budget of the target over the whole period. For levels by time
// it also gives the rest as time. For levels of events it cannot: how many events a
// period will have is only known at its end.
func newBudget(s LevelStatus, c clock) budgetView {
	state, known := budgetState(s)
	if !known {
		return budgetView{State: mark{"none", "No data yet"}}
	}
	left := s.BudgetRemaining.Value
	v := budgetView{Known: true, Left: budgetLeft(left), State: budgetMark(state), Bar: math.Round(1000*min(1, max(0, left))) / 10}
	if left > noise && v.Bar < 0.5 {
		v.Bar = 0.5 // a small rest stays visible
	}
	if s.Level.Aggregation.ByTime() {
		allowed := s.Level.BudgetTime(s.Level.TargetBudget(), s.Level.Period, c.now)
		v.Words = budgetWords(allowed, time.Duration(left*float64(allowed)))
	}
	return v
}

// budgetLeft rounds against the level: the rest down, and overspending up.
func budgetLeft(left float64) string {
	switch {
	case left >= 1-noise:
		return "100" + thin + "%"
	case left < -noise:
		return tenths(math.Ceil(-left*1000-1e-9)) + thin + "% over"
	case left <= noise:
		return "0" + thin + "%"
	case left < 0.001:
		return "< 0.1" + thin + "%"
	}
	return tenths(math.Floor(left*1000+1e-9)) + thin + "%"
}

func tenths(n float64) string { return group(strconv.FormatFloat(n/10, 'f', 1, 64)) }

// budgetWords rounds like budgetLeft.
func budgetWords(allowed, left time.Duration) string {
	if left < 0 {
		return spanUp(-left) + " more than the " + span(allowed) + " allowed"
	}
	return span(left) + " of " + span(allowed) + " left"
}
