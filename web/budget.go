package web

import (
	"math"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// budgetView is the error budget in words, and the length of its bar.
type budgetView struct {
	Known bool
	Left  string // "98.8 %" of the budget, "none" when it is spent
	Words string // "42 min 41 s of 43 min 12 s left"
	State mark
	Bar   float64 // 0 to 100
}

// newBudget gives the budget of the target. A level counted by time is judged
// against the bad time that its whole period allows, so that a short outage in
// the first minutes of measuring costs what it will have cost at the end; how
// many events a period will see nobody knows, so there the budget is that of
// the events so far.
func newBudget(s LevelStatus) budgetView {
	budget := s.Level.TargetBudget()
	if s.Level.Aggregation == sla.Time && s.Bad.Known && budget.Sign() > 0 {
		allowed := sla.BudgetTime(budget, s.Level.Period)
		spent := seconds(s.Bad.Value)
		v := remaining(1 - spent.Seconds()/allowed.Seconds())
		v.Words = timeWords(allowed, spent)
		return v
	}
	if !s.BudgetRemaining.Known {
		return budgetView{State: mark{"none", "No data yet"}}
	}
	v := remaining(s.BudgetRemaining.Value)
	if s.Level.Aggregation != sla.Time && s.Bad.Known && s.Total.Known {
		v.Words = eventWords(s.Total.Value*budget.Float64(), s.Bad.Value)
	}
	return v
}

// remaining judges the share that is left of a budget.
func remaining(left float64) budgetView {
	v := budgetView{Known: true, Bar: math.Round(1000*min(1, max(0, left))) / 10, Left: percent(left)}
	switch {
	case left < -noise:
		v.Left, v.State = percent(-left)+" over", mark{"bad", "Overspent"}
	case left <= noise:
		v.Left, v.State = "0"+thin+"%", mark{"bad", "Spent"}
	case left < 0.25:
		v.State = mark{"warn", "Running out"}
	default:
		v.State = mark{"good", "Enough left"}
	}
	if left > 0 && v.Bar < 0.5 {
		v.Bar = 0.5 // what is left stays visible
	}
	return v
}

// timeWords rounds what is left down and what is overspent up.
func timeWords(allowed, spent time.Duration) string {
	if spent > allowed {
		return spanUp(spent-allowed) + " more than the " + span(allowed) + " allowed"
	}
	return span(allowed-spent) + " of " + span(allowed) + " left"
}

func eventWords(allowed, bad float64) string {
	if bad > allowed+noise {
		return count(bad, false) + " bad events, " + count(allowed, true) + " allowed so far"
	}
	return count(allowed-bad, true) + " of " + count(allowed, true) + " allowed bad events left so far"
}
