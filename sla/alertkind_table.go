package sla

import (
	"fmt"
	"slices"
	"time"
)

// AlertKinds are all kinds of alerts, in the order in which they are shown.
var AlertKinds = []*AlertKind{
	AlertBudgetBurn, AlertBudgetForecast, AlertBudgetExhausted, AlertCreditTier, AlertMeasurementLost,
	AlertCompositeDivergence, AlertExclusionCap, AlertGroupLimit,
	AlertRestoreTimeNear, AlertRestoreTimeExceeded, AlertRecoveryAgeNear, AlertRecoveryAgeExceeded, AlertRecoveryAgeUnknown,
	AlertExerciseOverdue, AlertReviewDue, AlertObligationLate, AlertCalendarEnds,
}

const aTicket = "a ticket"

// AlertBudgetBurn fires while the budget burns too fast: see BurnAlert.
var AlertBudgetBurn = &AlertKind{
	Name: "SLABudgetBurn", Key: "alerting.tiers", Doc: "alerts.md#one-outage-one-alert", Withheld: true,
	of: func(l *ServiceLevel) []Alert {
		var all []Alert
		for _, b := range l.BurnAlerts() {
			n := &Notice{Severity: b.Severity, For: b.For, KeepFiringFor: b.KeepFiringFor, Labels: b.Labels}
			if b.Pages() {
				n.Urgency = Page
			}
			all = append(all, Alert{Notice: n})
		}
		return all
	},
}

// AlertBudgetForecast fires while the rest of the budget would end soon at the burn rate
// of a window. By default the window is that of the slower page, and soon is a thirtieth
// of the period: a day of 30 days. That leaves time to act, and one bad hour in a fresh
// budget does not fire it besides the burn alert.
var AlertBudgetForecast = &AlertKind{
	Name: "SLABudgetForecast", Key: "alerting.budgetForecast", Doc: "alerts.md#what-is-left-and-how-long-it-lasts",
	When: "the budget ends soon if it goes on like this", PerPeriod: true, Withheld: true,
	Options: &AlertOptions{
		Doc: "The alert `SLABudgetForecast`: if it goes on like this the budget will be spent soon.", DefaultWords: aTicket,
		Section: "the budget forecast alert",
		Text:    "Fires while the rest of the budget will be spent soon, if it burns as over the last hours. It waits for `minimumBadEvents` as the tiers do.",
		LookAhead: &LookAhead{
			WithinDefault: "a thirtieth of the period, at least 1h; under a day a 24th",
			Within:        "How soon the budget must end. Shorter than the period. The same for all periods.",
			Over:          "The window of the burn rate. In whole minutes up to `6h`, in steps of 5 minutes above; longer than `5m`, not longer than the period.",
		},
		Synonyms: []string{"forecast", "prediction", "exhaustion"},
		Default:  func(l *ServiceLevel) *Notice { return forecastOf(l.Period) },
	},
	words: perPeriod(func(l *ServiceLevel, a Alert, p Period) string {
		of := ""
		if len(l.MorePeriods) > 0 {
			of = " of " + p.Words()
		}
		return fmt.Sprintf("the target's budget%s, burnt as over the last %s, ends within %s%s", of, FormatDuration(a.Over), FormatDuration(a.WithinOf(l, p)), a.forWords())
	}),
}

// AlertBudgetExhausted fires while nothing of the budget is left.
var AlertBudgetExhausted = &AlertKind{
	Name: "SLABudgetExhausted", Key: "alerting.budgetExhausted", Doc: "alerts.md#what-is-left-and-how-long-it-lasts",
	When: "the budget is spent", PerPeriod: true, Withheld: true,
	Options: &AlertOptions{
		Doc: "The alert `SLABudgetExhausted`: the budget is spent.", DefaultWords: aTicket,
		Section:  "the budget exhausted alert",
		Text:     "Fires while the whole period's budget is spent. The target share is missed, unless failures leave a rolling period again.",
		Synonyms: []string{"exhausted", "budgetSpent", "errorBudgetExhausted"},
		Default:  func(*ServiceLevel) *Notice { return ticket() },
	},
	words: perPeriod(func(_ *ServiceLevel, a Alert, p Period) string {
		return fmt.Sprintf("the target's budget of %s is spent%s", p.Words(), a.forWords())
	}),
}

// AlertCreditTier fires while the next tier of credits would be reached soon.
var AlertCreditTier = &AlertKind{
	Name: "SLACreditTier", Key: "alerting.creditTier", Doc: "rules.md#credits",
	When: "the next credit is near", Withheld: true,
	Options: &AlertOptions{
		Doc: "The alert `SLACreditTier` of a level with [credits](#credits): the next tier is near.", DefaultWords: aTicket,
		Section: "the credit tier alert",
		Text:    "Fires while the next tier of the level's credits will be reached soon, at the bad share of the last hours. It waits for `minimumBadEvents` as the tiers do.",
		LookAhead: &LookAhead{
			WithinDefault: "a thirtieth of the period that credits follow, at least 1h; under a day a 24th",
			Within:        "How soon the tier must be reached. Shorter than the period.",
			Over:          "The window of the bad share, as in `budgetForecast`.",
		},
		Needs: &AlertNeed{
			What: "credits", Remedy: `leave it out, or say what is owed: credits: {tiers: [{below: "99.9", percent: "10"}]}`,
			Met: func(l *ServiceLevel) bool { return len(l.Credits.Tiers) > 0 },
		},
		Default: func(l *ServiceLevel) *Notice {
			n := forecastOf(l.CreditPeriod())
			n.Periods = []string{l.CreditPeriod().String()}
			return n
		},
	},
	words: func(_ *ServiceLevel, a Alert) []string {
		return []string{fmt.Sprintf("the next tier of credits, at the bad share of the last %s, is reached within %s%s", FormatDuration(a.Over), FormatDuration(a.Within), a.forWords())}
	},
}

// measurementLostFor is how long a level is without data before an alert fires: longer
// than a restart, after which the base window must fill again.
const measurementLostFor = 10 * time.Minute

// AlertMeasurementLost fires when a level has no data. It is as urgent as the most
// urgent tier, because without data no outage would fire one.
var AlertMeasurementLost = &AlertKind{
	Name: "SLAMeasurementLost", Key: "alerting.measurementLost", Doc: "alerts.md#measurement-lost-is-not-down",
	When: "no measurement arrives", WholeLevel: true, Upkeep: true,
	Options: &AlertOptions{
		Doc: "The alert `SLAMeasurementLost`: nobody knows how the service is.", DefaultWords: "as urgent as the most urgent tier: a page",
		Section: "the measurement lost alert",
		Text: "Fires when the level has no data, which is not the same as being down. `for` counts from the last sample; less than seven minutes becomes seven, since rates contain that sample for five. " +
			"By default its `severity` is that of the most urgent tier, since it may hide an outage.",
		Synonyms:     []string{"absent", "noData", "alertWhenNoData", "missing"},
		FollowsTiers: true,
		Default: func(*ServiceLevel) *Notice {
			return &Notice{Severity: Ticket.String(), For: measurementLostFor}
		},
	},
	words: func(_ *ServiceLevel, a Alert) []string {
		return []string{fmt.Sprintf("nobody knows how the service is, %s after the last sample, give or take a scrape and an evaluation", FormatDuration(a.For))}
	},
}

// AlertCompositeDivergence fires while the end-to-end measurement of a composite is
// worse than its components.
var AlertCompositeDivergence = &AlertKind{
	Name: "SLACompositeDivergence", Key: "indicator.composite.endToEnd", Doc: "composites.md#alerts",
	When: "customers meet worse than its parts show",
	of: func(l *ServiceLevel) []Alert {
		if c, ok := l.Indicator.(*Composite); ok && c.EndToEnd != nil && c.EndToEnd.Notice != nil {
			return []Alert{{Notice: c.EndToEnd.Notice}}
		}
		return nil
	},
	words: func(l *ServiceLevel, a Alert) []string {
		e := l.Indicator.(*Composite).EndToEnd
		return []string{fmt.Sprintf("%s, which measures the whole, is worse than this by more than %s %% of the time over %s%s", e.Of, e.Above, FormatDuration(e.Over), a.forWords())}
	},
}

// AlertExclusionCap fires when the cap of an exclusion is used up.
var AlertExclusionCap = &AlertKind{
	Name: "SLAExclusionCap", Key: "exclusions.cap", Doc: "service-hours.md#caps",
	When: "an exclusion has excused all that it may", Withheld: true,
	of: func(l *ServiceLevel) []Alert {
		var all []Alert
		for _, e := range l.MeasuredCaps() {
			if e.Cap.Notice != nil && slices.Contains(l.Periods(), e.Cap.Per) {
				all = append(all, Alert{Notice: e.Cap.Notice, Exclusion: e})
			}
		}
		return all
	},
	words: func(_ *ServiceLevel, a Alert) []string {
		c := a.Exclusion.Cap
		return []string{fmt.Sprintf("%s has excused the %s of downtime that it may in a %s%s", a.Exclusion.Name, FormatDuration(c.Downtime), c.Per.Calendar, a.forWords())}
	},
}

// AlertGroupLimit fires when a level has nearly as many groups as its limit allows.
var AlertGroupLimit = &AlertKind{
	Name: "SLAGroupLimit", Key: "alerting.groupLimit", Doc: "group-by.md#a-limit-on-groups",
	When: "there are nearly as many groups as it may have", WholeLevel: true, Upkeep: true,
	Options: &AlertOptions{
		Doc: "The alert `SLAGroupLimit` of a level with [groupBy](#groupby): the number of groups is near the limit.", DefaultWords: aTicket,
		Section: "the group limit alert",
		Text:    "Fires while a level with `groupBy` has more than 80 % of the groups that its limit allows.",
		Needs: &AlertNeed{
			What: "groups", Remedy: "leave it out, or group the level: groupBy: [tenant]",
			Met: func(l *ServiceLevel) bool { return len(l.GroupBy.Labels) > 0 },
		},
		Default: func(*ServiceLevel) *Notice { return ticket() },
	},
	words: func(l *ServiceLevel, a Alert) []string {
		return []string{fmt.Sprintf("there are more than %d %% of at most %d groups%s", GroupsNearLimit, l.GroupBy.Limit, a.forWords())}
	},
}

// AlertCalendarEnds fires when the rules are so old that their tables of clock changes
// end. It is an alert of an agreement, not of a level.
var AlertCalendarEnds = &AlertKind{Name: "SLACalendarEnds", Doc: "periods.md#limits", When: "the rules are years old", Upkeep: true}

// ticket is a notice without configuration.
func ticket() *Notice { return &Notice{Severity: Ticket.String()} }

// forecastOf is the default forecast for the budget of a period.
func forecastOf(p Period) *Notice {
	n := ticket()
	n.Over, n.Within = 6*time.Hour, ForecastWithin(p)
	for _, t := range DefaultTiers(p) {
		if t.Name == "page-slow" {
			n.Over = t.Long
		}
	}
	return n
}

// ForecastWithin is the default of within: a thirtieth of the period in whole hours, at
// least one. Below a day an hour would be too much of the period, so it is a 24th.
func ForecastWithin(p Period) time.Duration {
	if p.Nominal() < day {
		return max((p.Nominal() / 24).Truncate(BaseWindow), BaseWindow)
	}
	return max((p.Nominal() / 30).Truncate(time.Hour), time.Hour)
}

// perPeriod makes the words of a kind with an alert for each period.
func perPeriod(words func(*ServiceLevel, Alert, Period) string) func(*ServiceLevel, Alert) []string {
	return func(l *ServiceLevel, a Alert) []string {
		var all []string
		for _, p := range l.Periods() {
			if a.Watches(p) {
				all = append(all, words(l, a, p))
			}
		}
		return all
	}
}

// forWords is the end of the words: how long the condition must hold before the alert
// fires.
func (a Alert) forWords() string {
	if a.For == 0 {
		return ""
	}
	return ", for " + FormatDuration(a.For)
}
