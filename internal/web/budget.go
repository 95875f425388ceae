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

// newBudget gives the budget of the target over the whole period. Where time is
// counted it is also told as time; how many events a period will see nobody
// knows before it is over.
func newBudget(s LevelStatus) budgetView {
	if !s.BudgetRemaining.Known {
		return budgetView{State: mark{"none", "No data yet"}}
	}
	left := s.BudgetRemaining.Value
	v := budgetView{Known: true, Left: budgetLeft(left), State: budgetMark(left), Bar: math.Round(1000*min(1, max(0, left))) / 10}
	if left > noise && v.Bar < 0.5 {
		v.Bar = 0.5 // what is left stays visible
	}
	if s.Level.Aggregation.ByTime() {
		allowed := s.Level.BudgetTime(s.Level.TargetBudget(), s.Level.Period, time.Now())
		v.Words = timeWords(allowed, time.Duration(left*float64(allowed)))
	}
	return v
}

func budgetMark(left float64) mark {
	switch {
	case left < -noise:
		return mark{"bad", "Overspent"}
	case left <= noise:
		return mark{"bad", "Spent"}
	case left < 0.25:
		return mark{"warn", "Running out"}
	}
	return mark{"good", "Enough left"}
}

// budgetLeft rounds what is left down and what is overspent up, so that neither
// looks better than it is.
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

// timeWords rounds like budgetLeft.
func timeWords(allowed, left time.Duration) string {
	if left < 0 {
		return spanUp(-left) + " more than the " + span(allowed) + " allowed"
	}
	return span(left) + " of " + span(allowed) + " left"
}
