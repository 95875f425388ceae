package rulegen

import "github.com/upheld-sla/upheld/sla"

// AlertNames are the names of all alerts that rules of agreements can have: what
// is told apart by them, as Alertmanager's routes do, is told apart from every
// alert of somebody else.
var AlertNames = []string{
	sla.AlertBudgetBurn.Name, sla.AlertBudgetExhausted.Name, sla.AlertBudgetForecast.Name, sla.AlertMeasurementLost.Name,
	sla.AlertCreditTier.Name, sla.AlertCompositeDivergence.Name, sla.AlertExclusionCap.Name, sla.AlertGroupLimit.Name, sla.AlertCalendarEnds.Name,
}
