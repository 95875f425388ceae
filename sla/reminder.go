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
	return remind("revision-due", next.Pos, "generate rules before that day, and all files again after it",
		"revision %d of %q takes effect on %s; rules that are generated before it follow it by themselves, dashboards, routes and tests follow the one before until they are generated again", next.Terms.Revision, a.Name, next.Terms.EffectiveFrom)
}

// ComponentReminders are about components of composites whose own agreement has a
// revision that takes effect soon: rules of the composite go on counting them by the
// revision before.
func ComponentReminders(agreements []*Agreement, now time.Time) Findings {
	next := map[string]*Agreement{}
	for _, a := range agreements {
		if n := a.Next(now); n != nil && n.Terms.EffectiveFrom.DaysSince(DateOf(now.In(location(n.Zone)))) <= remindDays {
			next[a.Name] = n
		}
	}
	var found Findings
	for _, a := range agreements {
		for _, l := range a.Levels {
			c, ok := l.Indicator.(*Composite)
			if !ok {
				continue
			}
			told := map[*Agreement]bool{next[a.Name]: true} // rules have its own revisions
			for _, x := range c.Component {
				n := next[x.Level.ID.SLA]
				if n == nil || told[n] {
					continue
				}
				told[n] = true
				found = append(found, remind("component-revised", l.Pos, "generate the rules of this agreement again on that day",
					"revision %d of %q takes effect on %s; until its rules are generated again, the composite %q counts its components of that agreement as they are before", n.Terms.Revision, n.Name, n.Terms.EffectiveFrom, l.ID.SLO)...)
			}
		}
	}
	return found
}

func (a *Agreement) exerciseReminders(today Date) Findings {
	var found Findings
	for _, r := range a.recoveries() {
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

// DatedReminder is what an alert of an agreement reminds of: from an instant on, until
// somebody writes that it was done.
type DatedReminder struct {
	Kind *AlertKind
	From time.Time // the zero Time: always
	On   Date      // the day on which it is due; the zero Date: nobody said
	Due  time.Time // the end of that day

	Method     *RecoveryMethod // that is to be exercised
	Level      *ServiceLevel   // whose own recovery has the method; nil: the agreement's
	Obligation *Obligation     // that is due
}

// DatedReminders are the agreement's reminders, as Reminders finds them, for alerts that
// know the day by themselves. Obligations are looked for from when the agreement takes
// effect, or else from the instant from, until the instant until.
func (a *Agreement) DatedReminders(from, until time.Time) []DatedReminder {
	var all []DatedReminder
	for _, r := range a.recoveries() {
		all = append(all, r.exercises(a)...)
	}
	if on := a.Terms.ReviewOn; !on.IsZero() {
		all = append(all, DatedReminder{Kind: AlertReviewDue, From: on.add(-remindDays).Start(a.Zone), On: on, Due: on.End(a.Zone)})
	}
	if in := a.InForceFrom(); !in.IsZero() {
		from = in
	}
	first := map[*Obligation]*DatedReminder{} // for each, the first due time that was not done, nor any after it
	for _, d := range a.Deliveries(from, until) {
		switch {
		case !d.Done.IsZero():
			first[d.Obligation] = nil
		case first[d.Obligation] == nil:
			first[d.Obligation] = &DatedReminder{Kind: AlertObligationLate, From: d.Due, On: DateOf(d.Due.Add(-1).In(location(a.Zone))), Due: d.Due, Obligation: d.Obligation}
		}
	}
	for _, o := range a.Terms.Obligations {
		if first[o] != nil {
			all = append(all, *first[o])
		}
	}
	return all
}

// levelRecovery is the recovery of a level, or of the agreement.
type levelRecovery struct {
	*Recovery
	level *ServiceLevel // nil: the agreement's
}

// recoveries are the agreement's recovery and those of levels with their own.
func (a *Agreement) recoveries() []levelRecovery {
	var all []levelRecovery
	if a.Recovery != nil {
		all = append(all, levelRecovery{a.Recovery, nil})
	}
	for _, l := range a.Levels {
		if l.Recovery != nil && !slices.ContainsFunc(all, func(r levelRecovery) bool { return r.Recovery == l.Recovery }) {
			all = append(all, levelRecovery{l.Recovery, l})
		}
	}
	return all
}

// exercises are the reminders of the methods. If a method is written twice, both must
// be exercised, so the first day counts.
func (r levelRecovery) exercises(a *Agreement) []DatedReminder {
	var all []DatedReminder
	for i := range r.Methods {
		m := &r.Methods[i]
		by, due := m.ExerciseDue(a.Terms.EffectiveFrom)
		if !due {
			continue
		}
		next := DatedReminder{Kind: AlertExerciseOverdue, Method: m, Level: r.level}
		if !by.IsZero() {
			next.On, next.Due = by, by.End(a.Zone)
			next.From = next.Due
		}
		same := slices.IndexFunc(all, func(d DatedReminder) bool { return d.Method.Scenario == m.Scenario && d.Method.Method == m.Method })
		switch {
		case same < 0:
			all = append(all, next)
		case next.From.Before(all[same].From):
			all[same] = next
		}
	}
	return all
}

func dayWords(n int) string {
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}
