package web

import "time"

// groupsInOverview is how many groups of a level the overview shows. The level's
// own page shows all.
const groupsInOverview = 5

// groupView is one group of a level.
type groupView struct {
	Name, Target string
	State        mark
	periodSummary
	Hour, SixHours string     // burn rates
	WorstAlert     *alertView // the most urgent alert of the group that is not inactive
}

func newGroup(g GroupStatus, c clock) groupView {
	v := groupView{
		Name: g.Name, Target: g.Level.Target.String() + thin + "%", State: stateMark(g.State), periodSummary: newPeriodSummary(g.LevelStatus, c),
		Hour: burn(g.LevelStatus, time.Hour), SixHours: burn(g.LevelStatus, 6*time.Hour),
	}
	var alerts []alertView
	for _, a := range g.Alerts {
		alerts = append(alerts, newAlert(a, g.LevelStatus, c))
	}
	v.WorstAlert = mostUrgent(alerts)
	return v
}

// burn formats the burn rate over a window.
func burn(s LevelStatus, window time.Duration) string {
	share, ok := s.BadShare[window]
	if !ok || s.Level.TargetBudget().Sign() <= 0 {
		return "no data"
	}
	return times(share / s.Level.TargetBudget().Float64())
}
