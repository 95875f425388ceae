package sla

import (
	"fmt"
	"time"
)

// Kinds of alerts about recovery, and reminders.

// defaultNearShare is the share of a limit of recovery at which alerts warn, in per cent:
// 45 of 60 minutes.
var defaultNearShare = NewDecimal(75, 1)

// page is a notice that wakes somebody.
func page() *Notice { return &Notice{Severity: Page.String(), Urgency: Page} }

// nearLimit is the default notice of alerts that warn before a limit.
func nearLimit() *Notice {
	n := ticket()
	n.Share = defaultNearShare
	return n
}

const nearShareDoc = "From which share of the limit on it fires, in per cent: above 0 and below 100."

var (
	needsOutageLimit = &AlertNeed{
		What: "outage-limit", Remedy: "leave it out, or limit outages: recovery: {objectives: [{metric: time_to_restore, le: 4h}]}",
		Met: func(l *ServiceLevel) bool { return len(l.Recovery.EachOutage()) > 0 },
	}
	needsAgeLimit = &AlertNeed{
		What: "age-limit", Remedy: "leave it out, or limit an age: recovery: {objectives: [{metric: recovery_point, le: 1h, age: time() - backup_completed_timestamp_seconds}]}",
		Met: func(l *ServiceLevel) bool { return len(l.Recovery.Ages()) > 0 },
	}
)

// AlertRestoreTimeNear fires while most of the time to restore is gone.
var AlertRestoreTimeNear = &AlertKind{
	Name: "SLARestoreTimeNear", Key: "alerting.restoreTimeNear", Doc: "recovery.md#alerts",
	When: "most of the time to restore is gone",
	Options: &AlertOptions{
		Doc: "The alert `SLARestoreTimeNear` of a level whose [recovery](#recovery) limits each outage: the time to restore ends soon.", DefaultWords: aTicket,
		Section: "the restore time near alert",
		Text:    "Fires while an outage has lasted for most of its limit, until the limit.",
		Share:   nearShareDoc, Needs: needsOutageLimit,
		Synonyms: []string{"rtoNear", "restoreNear", "timeToRestoreNear"},
		Default:  func(*ServiceLevel) *Notice { return nearLimit() },
	},
	words: perObjective((*Recovery).EachOutage, func(a Alert, o NamedObjective) string {
		return fmt.Sprintf("an outage has lasted for %s %% of %s (%s)%s", a.Share, o.LimitWords(), o.Metric.Facets().Words, a.forWords())
	}),
}

// AlertRestoreTimeExceeded fires while an outage lasts longer than is allowed.
var AlertRestoreTimeExceeded = &AlertKind{
	Name: "SLARestoreTimeExceeded", Key: "alerting.restoreTimeExceeded", Doc: "recovery.md#alerts",
	When: "the outage lasts longer than promised",
	Options: &AlertOptions{
		Doc: "The alert `SLARestoreTimeExceeded` of a level whose [recovery](#recovery) limits each outage: the outage lasts longer.", DefaultWords: "a page",
		Section:  "the restore time exceeded alert",
		Text:     "Fires while an outage lasts longer than its limit.",
		Needs:    needsOutageLimit,
		Synonyms: []string{"rtoExceeded", "restoreExceeded", "timeToRestoreExceeded"},
		Default:  func(*ServiceLevel) *Notice { return page() },
	},
	words: perObjective((*Recovery).EachOutage, func(a Alert, o NamedObjective) string {
		return fmt.Sprintf("an outage lasts longer than %s (%s)%s", o.LimitWords(), o.Metric.Facets().Words, a.forWords())
	}),
}

// AlertRecoveryAgeNear fires while a backup or a replica is nearly too old.
var AlertRecoveryAgeNear = &AlertKind{
	Name: "SLARecoveryAgeNear", Key: "alerting.recoveryAgeNear", Doc: "recovery.md#alerts",
	When: "what could be recovered is nearly too old", WholeLevel: true,
	Options: &AlertOptions{
		Doc: "The alert `SLARecoveryAgeNear` of a level whose [recovery](#recovery) limits an age: the limit is near.", DefaultWords: aTicket,
		Section: "the recovery age near alert",
		Text:    "Fires while the age of what could be recovered, or of the last restored backup, is most of its limit, until the limit.",
		Share:   nearShareDoc, Needs: needsAgeLimit,
		Synonyms: []string{"rpoNear", "backupAgeNear", "recoveryPointNear"},
		Default:  func(*ServiceLevel) *Notice { return nearLimit() },
	},
	words: perObjective((*Recovery).Ages, func(a Alert, o NamedObjective) string {
		return fmt.Sprintf("%s is above %s %% of %s%s", o.Metric.Facets().Words, a.Share, o.LimitWords(), a.forWords())
	}),
}

// AlertRecoveryAgeExceeded fires while a backup or a replica is too old.
var AlertRecoveryAgeExceeded = &AlertKind{
	Name: "SLARecoveryAgeExceeded", Key: "alerting.recoveryAgeExceeded", Doc: "recovery.md#alerts",
	When: "what could be recovered is too old", WholeLevel: true,
	Options: &AlertOptions{
		Doc: "The alert `SLARecoveryAgeExceeded` of a level whose [recovery](#recovery) limits an age: it is older.", DefaultWords: "a page",
		Section:  "the recovery age exceeded alert",
		Text:     "Fires while the age of what could be recovered, or of the last restored backup, is above its limit.",
		Needs:    needsAgeLimit,
		Synonyms: []string{"rpoExceeded", "backupAgeExceeded", "recoveryPointExceeded"},
		Default:  func(*ServiceLevel) *Notice { return page() },
	},
	words: perObjective((*Recovery).Ages, func(a Alert, o NamedObjective) string {
		return fmt.Sprintf("%s is above %s%s", o.Metric.Facets().Words, o.LimitWords(), a.forWords())
	}),
}

// ageUnknownFor is how long an age is unknown before an alert fires: longer than a restart,
// or a scrape that fails now and then.
const ageUnknownFor = 10 * time.Minute

// AlertRecoveryAgeUnknown fires while the query of an age has no result, so that the other
// alerts about it cannot. It is a ticket, since the backup may be well. Users make it a
// page if the limit of the age leaves no time for a ticket.
var AlertRecoveryAgeUnknown = &AlertKind{
	Name: "SLARecoveryAgeUnknown", Key: "alerting.recoveryAgeUnknown", Doc: "recovery.md#when-an-age-vanishes",
	When: "nobody knows how old the data is that could be recovered", WholeLevel: true, Upkeep: true,
	Options: &AlertOptions{
		Doc: "The alert `SLARecoveryAgeUnknown` of a level whose [recovery](#recovery) limits an age: its query has no result.", DefaultWords: aTicket,
		Section:  "the recovery age unknown alert",
		Text:     "Fires while the query of an age has had no result for as long as `for` says, by default ten minutes. Nobody then knows whether the limit is kept.",
		Needs:    needsAgeLimit,
		Synonyms: []string{"rpoUnknown", "backupAgeUnknown", "recoveryAgeLost", "recoveryAgeAbsent"},
		Default: func(*ServiceLevel) *Notice {
			n := ticket()
			n.For = ageUnknownFor
			return n
		},
	},
	words: perObjective((*Recovery).Ages, func(a Alert, o NamedObjective) string {
		return fmt.Sprintf("nobody knows the %s: its query has had no result%s", o.Metric.Facets().Words, a.forWords())
	}),
}

// perObjective makes the words of a kind with an alert for each objective of some.
func perObjective(of func(*Recovery) []NamedObjective, words func(Alert, NamedObjective) string) func(*ServiceLevel, Alert) []string {
	return func(l *ServiceLevel, a Alert) []string {
		var all []string
		for _, o := range of(l.Recovery) {
			all = append(all, words(a, o))
		}
		return all
	}
}

// AlertExerciseOverdue fires when a recovery method was not exercised in time.
var AlertExerciseOverdue = &AlertKind{
	Name: "SLARecoveryExerciseOverdue", Key: "alerting.recoveryExerciseOverdue", Doc: "recovery.md#reminders",
	When: "a recovery exercise is overdue", OfAgreement: true, Upkeep: true,
	Options: &AlertOptions{
		Doc: "The alert `SLARecoveryExerciseOverdue`: a [recovery method](#recovery-method) with `exerciseEvery` was not tried out in time.", DefaultWords: aTicket,
		Section:  "the recovery exercise overdue alert",
		Text:     "Fires from the end of the day on which a recovery method was to be tried out again, until its `lastExercised` is written and rules are generated again.",
		Synonyms: []string{"drillOverdue", "restoreDrillOverdue", "exerciseOverdue"},
		Default:  func(*ServiceLevel) *Notice { return ticket() },
	},
}

// AlertReviewDue fires from some days before the agreement is to be reviewed.
var AlertReviewDue = &AlertKind{
	Name: "SLAReviewDue", Key: "alerting.reviewDue", Doc: "recovery.md#reminders",
	When: "the agreement is to be reviewed", OfAgreement: true, Upkeep: true,
	Options: &AlertOptions{
		Doc: "The alert `SLAReviewDue` of an agreement with `reviewOn`: the review is near, or overdue.", DefaultWords: aTicket,
		Section:  "the review due alert",
		Text:     "Fires from 30 days before `metadata.reviewOn` on, until a new revision says another day and rules are generated again.",
		Synonyms: []string{"reviewNear", "reviewOverdue"},
		Default:  func(*ServiceLevel) *Notice { return ticket() },
	},
}

// AlertObligationLate fires while a party has not delivered what it owes.
var AlertObligationLate = &AlertKind{
	Name: "SLAObligationLate", Key: "alerting.obligationLate", Doc: "recovery.md#reminders",
	When: "a party is late with what it owes", OfAgreement: true, Upkeep: true,
	Options: &AlertOptions{
		Doc: "The alert `SLAObligationLate` of an agreement with [obligations](#obligations): a party is late.", DefaultWords: aTicket,
		Section:  "the obligation late alert",
		Text:     "Fires from the time on at which something is due, until an adjustment says that it was done and rules are generated again.",
		Synonyms: []string{"obligationOverdue"},
		Default:  func(*ServiceLevel) *Notice { return ticket() },
	},
}

// Alert is the agreement's own alert of a kind; ok is false if it is turned off.
func (a *Agreement) Alert(k *AlertKind) (alert Alert, ok bool) {
	switch {
	case !k.OfAgreement || a.Alerting.Disabled:
		return Alert{}, false
	case a.Alerting.Notices == nil: // of an agreement that no reader has made
		return Alert{Kind: k, Notice: k.Options.Default(nil)}, true
	}
	n := a.Alerting.Notices[k]
	return Alert{Kind: k, Notice: n}, n != nil
}

// DefaultAgreementAlerting is the alerting of an agreement without configuration: its
// own alerts, and not those of its levels.
func DefaultAgreementAlerting() Alerting {
	a := Alerting{Notices: map[*AlertKind]*Notice{}}
	for _, k := range AlertKinds {
		if k.OfAgreement {
			a.Notices[k] = k.Options.Default(nil)
		}
	}
	return a
}
