package rulegen

import "github.com/upheld-sla/upheld/sla"

// alertRule says how the rules of a level raise alerts of a kind.
type alertRule struct {
	kind *sla.AlertKind
	// one makes the rules of one alert, for one period if the kind has an alert
	// for each; level makes those of all alerts of a level. Both are nil for a
	// kind that no level has.
	one   func(alerts, sla.Alert, sla.Period) []Rule
	level func(alerts) (first, second []Rule)
	// second is set if the alert reads what the second layer records, and so is
	// evaluated with it.
	second bool
}

// alertRules has a line for each kind of alert, in the order in which rules are
// evaluated.
func alertRules() []alertRule {
	return []alertRule{
		{kind: sla.AlertBudgetBurn, level: func(al alerts) (first, second []Rule) { return burning{al}.rules() }},
		{kind: sla.AlertBudgetExhausted, one: alerts.exhausted, second: true},
		{kind: sla.AlertBudgetForecast, one: alerts.forecast, second: true},
		{kind: sla.AlertMeasurementLost, one: alerts.measurementLost},
		{kind: sla.AlertCreditTier, one: alerts.creditTiers, second: true},
		{kind: sla.AlertCompositeDivergence, one: alerts.diverges},
		{kind: sla.AlertExclusionCap, one: alerts.capUsedUp, second: true},
		{kind: sla.AlertGroupLimit, one: alerts.groupLimit},
		{kind: sla.AlertRestoreTimeNear, one: alerts.restoreNear},
		{kind: sla.AlertRestoreTimeExceeded, one: alerts.restoreExceeded},
		{kind: sla.AlertRecoveryAgeNear, one: alerts.ageNear},
		{kind: sla.AlertRecoveryAgeExceeded, one: alerts.ageExceeded},
		{kind: sla.AlertRecoveryAgeUnknown, one: alerts.ageUnknown},
		{kind: sla.AlertExerciseOverdue}, // these three come with the agreement
		{kind: sla.AlertReviewDue},
		{kind: sla.AlertObligationLate},
		{kind: sla.AlertCalendarEnds}, // which comes with a calendar
	}
}

// AlertNames are the names of all alerts that rules of agreements can have. By
// them Alertmanager's routes tell these alerts from everybody else's.
func AlertNames() []string {
	var names []string
	for _, k := range alertRules() {
		names = append(names, k.kind.Name)
	}
	return names
}

// rules are those of the level's alerts, by layer. Neighbouring kinds that have
// an alert for each period are made period by period.
func (al alerts) rules() (first, second []Rule) {
	for left := alertRules(); len(left) > 0; {
		n, periods := 1, []sla.Period{{}}
		for left[0].kind.PerPeriod && left[n].kind.PerPeriod {
			n++
		}
		if left[0].kind.PerPeriod {
			periods = al.Periods()
		}
		for _, p := range periods {
			for _, k := range left[:n] {
				ofFirst, ofSecond := k.of(al, p)
				first, second = append(first, ofFirst...), append(second, ofSecond...)
			}
		}
		left = left[n:]
	}
	return first, second
}

// of are the rules of one kind.
func (k alertRule) of(al alerts, p sla.Period) (first, second []Rule) {
	if k.level != nil {
		return k.level(al)
	}
	var rules []Rule
	for _, a := range k.kind.Of(al.ServiceLevel) {
		if !k.kind.PerPeriod || a.Watches(p) {
			rules = append(rules, k.one(al, a, p)...)
		}
	}
	if k.second {
		return nil, rules
	}
	return rules, nil
}
