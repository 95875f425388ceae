package sla

import (
	"fmt"
	"slices"
	"time"
)

// remindDays is how many days before a day a reminder comes.
const remindDays = 30

// lookBack is how far back late obligations are looked for.
const lookBack = 92 * day

// Reminders are what is due soon or overdue: the review, the next revision, exercises of
// recovery methods and obligations. They are warnings that depend on the day.
func (a *Agreement) Reminders(now time.Time) Findings {
	today := DateOf(now.In(location(a.Zone)))
	return slices.Concat(a.reviewReminder(today), a.revisionReminder(now, today), a.exerciseReminders(today), a.obligationReminders(now))
}

func remind(rule string, pos Position, remedy, message string, args ...any) Findings {
	return Findings{{Severity: Warning, Rule: rule, Pos: pos, Message: fmt.Sprintf(message, args...), Remedy: remedy}}
}

func (a *Agreement) reviewReminder(today Date) Findings {
	on := a.Terms.ReviewOn
	if on.IsZero() {
		return nil
	}
	const remedy = "hold the service level meeting, and write its outcome as the next revision"
	switch left := on.DaysSince(today); {
	case left < 0:
		return remind("review-overdue", a.Pos, remedy, "the agreement %q was to be reviewed on %s, %s ago", a.Name, on, dayWords(-left))
	case left <= remindDays:
		return remind("review-due", a.Pos, remedy, "the agreement %q is to be reviewed on %s, in %s", a.Name, on, dayWords(left))
	}
	return nil
}

func (a *Agreement) revisionReminder(now time.Time, today Date) Findings {
	next := a.Next(now)
	if next == nil || next.Terms.EffectiveFrom.DaysSince(today) > remindDays {
		return nil
	}
	return remind("revision-due", next.Pos, "generate files again on that day, and reload servers",
		"revision %d of %q takes effect on %s; rules and dashboards follow the one before until then", next.Terms.Revision, a.Name, next.Terms.EffectiveFrom)
}

func (a *Agreement) exerciseReminders(today Date) Findings {
	all := []*Recovery{a.Recovery}
	for _, l := range a.Levels {
		if !slices.Contains(all, l.Recovery) {
			all = append(all, l.Recovery)
		}
	}
	var found Findings
	for _, r := range all {
		if r == nil {
			continue
		}
		for _, m := range r.Methods {
			found = append(found, m.reminder(a.Terms.EffectiveFrom, today)...)
		}
	}
	return found
}

func (m RecoveryMethod) reminder(effective, today Date) Findings {
	by, due := m.ExerciseDue(effective)
	if !due {
		return nil
	}
	const remedy = "try it out, and write the day as lastExercised"
	if by.IsZero() {
		return remind("exercise-overdue", m.Pos, remedy, "the recovery method %q for %q was never exercised", m.Method, m.Scenario)
	}
	switch left := by.DaysSince(today); {
	case left < 0:
		return remind("exercise-overdue", m.Pos, remedy, "the recovery method %q for %q was to be exercised by %s, %s ago", m.Method, m.Scenario, by, dayWords(-left))
	case left <= remindDays:
		return remind("exercise-due", m.Pos, remedy, "the recovery method %q for %q is to be exercised by %s, in %s", m.Method, m.Scenario, by, dayWords(left))
	}
	return nil
}

// obligationReminders name obligations that are late, each once with the last time that
// it was due.
func (a *Agreement) obligationReminders(now time.Time) Findings {
	from := now.Add(-lookBack)
	if in := a.InForceFrom(); in.After(from) {
		from = in
	}
	last := map[*Obligation]Delivery{}
	for _, d := range a.Deliveries(from, now) {
		last[d.Obligation] = d
	}
	var found Findings
	for _, o := range a.Terms.Obligations {
		d, ok := last[o]
		if _, late := d.LateUntil(now); !ok || !late || !d.Done.IsZero() {
			continue
		}
		on := DateOf(d.Due.Add(-1).In(location(a.Zone)))
		found = append(found, remind("obligation-late", o.Pos, "write an Adjustment with obligation: {id: "+o.ID+", due: "+fmt.Sprintf("%q", on.String())+", done: …} once it is fulfilled",
			"the %s owes %q since %s: %s", o.Party, o.ID, on, o.Deliver)...)
	}
	return found
}

func dayWords(n int) string {
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}
