package web

import (
	"time"

	"github.com/upheld-sla/upheld/sla"
)

type alertView struct {
	Name, Tier, Severity string
	State                mark
	Since                stamp
	Tiers                []tierView // of a burning budget
	When                 string     // when an alert without tiers fires
	Active, Pending      bool
}

type tierView struct {
	Name                  string
	Long, Short           string // windows
	Factor, Threshold     string
	LongShare, ShortShare string
	Reached               string  // how much of the threshold both windows have reached: "12 %"
	Bar                   float64 // the same, 0 to 100
	State                 mark    // selects the colour of the bar
}

// mostUrgent returns the first alert that fires, or else the first pending one.
func mostUrgent(alerts []alertView) *alertView {
	for i := range alerts {
		if alerts[i].Active && !alerts[i].Pending {
			return &alerts[i]
		}
	}
	for i := range alerts {
		if alerts[i].Pending {
			return &alerts[i]
		}
	}
	return nil
}

// alertWords says when an alert without tiers fires.
func alertWords(name string) string {
	for _, k := range sla.AlertKinds {
		if k.Name == name {
			return k.When
		}
	}
	return ""
}

func newAlert(a Alert, s LevelStatus, c clock) alertView {
	v := alertView{Name: a.Name, Tier: a.Tier, Severity: a.Severity, State: mark{"good", "Inactive"}, When: alertWords(a.Name)}
	switch a.State {
	case Firing:
		v.State, v.Active, v.Since = mark{"bad", "Firing"}, true, c.stamp(a.Since)
	case Pending:
		v.State, v.Active, v.Pending, v.Since = mark{"warn", "Pending"}, true, true, c.stamp(a.Since)
	}
	if a.Name != sla.AlertBudgetBurn.Name {
		return v
	}
	for _, b := range s.Level.BurnAlerts() {
		if b.Severity != a.Severity || b.Tier != a.Tier {
			continue
		}
		over := false
		for _, t := range b.Tiers {
			threshold, _ := t.Threshold(s.Level.ObjectiveBudget())
			v.Tiers = append(v.Tiers, tierView{
				Name: t.Name, Long: sla.FormatDuration(t.Long), Short: sla.FormatDuration(t.Short),
				Factor: times(t.Factor.Float64()), Threshold: percent(threshold.Float64()),
				LongShare: share(s, t.Long), ShortShare: share(s, t.Short),
			})
			v.Tiers[len(v.Tiers)-1].reach(s, t, threshold.Float64())
			over = over || v.Tiers[len(v.Tiers)-1].Bar >= 100
		}
		if over && a.State == Inactive && !b.Pages() && firingPages(s) > 0 {
			v.State = mark{string(sla.ClassNone), "Held back"} // rather than "Inactive" beside a tier that burns
		}
	}
	return v
}

func share(s LevelStatus, window time.Duration) string {
	if bad, ok := s.BadShare[window]; ok {
		return percent(bad)
	}
	return "no data"
}

// muchMore is how many times its threshold a tier can reach before the number says no
// more.
const muchMore = 10

// reach says how far a tier is from firing. The window that is farther from its
// threshold decides.
func (v *tierView) reach(s LevelStatus, t sla.Tier, threshold float64) {
	long, knownLong := s.BadShare[t.Long]
	short, knownShort := s.BadShare[t.Short]
	v.State = mark{string(sla.ClassGood), ""}
	if !knownLong || !knownShort || threshold <= 0 {
		return
	}
	reached := min(long, short) / threshold
	v.Reached, v.Bar = percent(reached), min(100, 100*reached)
	if reached > muchMore {
		v.Reached = "over " + percent(muchMore)
	}
	switch {
	case reached >= 1:
		v.State.Class = string(sla.ClassBad)
	case reached >= 0.5:
		v.State.Class = string(sla.ClassWarn)
	}
}
