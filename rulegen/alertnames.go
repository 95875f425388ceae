package rulegen

import "github.com/upheld-sla/upheld/sla"

// AlertNames are the names of all alerts that rules of agreements can have: what
// is told apart by them, as Alertmanager's routes do, is told apart from every
// alert of somebody else.
var AlertNames = []string{
	AlertBudgetBurn, AlertBudgetExhausted, AlertBudgetForecast, AlertMeasurementLost,
	AlertCreditTier, AlertCompositeDivergence, AlertExclusionCap, AlertGroupLimit, AlertCalendarEnds,
}

// Notice is an alert beside the tiers, with its name.
type Notice struct {
	*sla.Notice
	Alert string
}

// Notices are the alerts of a level beside its tiers.
func Notices(l *sla.ServiceLevel) []Notice {
	var all []Notice
	add := func(n *sla.Notice, alert string) {
		if n != nil {
			all = append(all, Notice{n, alert})
		}
	}
	a := l.Alerting
	add(a.BudgetExhausted, AlertBudgetExhausted)
	add(a.MeasurementLost, AlertMeasurementLost)
	add(a.GroupLimit, AlertGroupLimit)
	if a.BudgetForecast != nil {
		add(&a.BudgetForecast.Notice, AlertBudgetForecast)
	}
	if a.CreditTier != nil {
		add(&a.CreditTier.Notice, AlertCreditTier)
	}
	if c, ok := l.Indicator.(*sla.Composite); ok && c.EndToEnd != nil && !a.Disabled {
		add(c.EndToEnd.Notice, AlertCompositeDivergence)
	}
	for _, e := range l.Exclusions {
		if e.Cap != nil && !a.Disabled {
			add(e.Cap.Notice, AlertExclusionCap)
		}
	}
	return all
}
