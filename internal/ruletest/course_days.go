package ruletest

import (
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// dayPace is how many steps pass between evaluations of days: an hour.
const dayPace = int(time.Hour / step)

// daysCourse is that of windows of more than fineUpTo.
type daysCourse struct{ *course }

// newDaysCourse is false for a level without such windows.
func newDaysCourse(l *tested) (daysCourse, bool) {
	c := &course{l: l, pace: dayPace, windows: slices.DeleteFunc(l.windows(), func(w time.Duration) bool { return w <= fineUpTo })}
	// Half above the highest threshold, so that a step is a small part of the time
	// that a tier needs.
	c.burns(1.5, days)
	c.outage, c.lost, c.end = c.recovery, c.recovery, c.recovery
	return daysCourse{c}, len(c.windows) > 0
}

// asked is that nothing is bad before the burn, and then each window and tier.
func (c daysCourse) asked() []Asked {
	var all []Asked
	for _, w := range c.windows {
		all = append(all, rounded(c.l.named(ratioName(w)), c.burn, 0))
	}
	all = append(append(all, c.l.alerts(sla.AlertBudgetBurn.Name, c.burn)), c.firing()...)
	for _, w := range c.windows {
		all = append(all, c.burnt(ratioName(w), w))
	}
	return all
}

// days is the file of tests of windows of more than six hours, which is evaluated
// every hour; without tests if there is nothing to test.
func (s *Suite) days(ruleFiles, groups []string) File {
	var all [][]way
	_, unmasked := s.shifts()
	for _, levels := range unmasked {
		var courses []daysCourse
		for _, l := range levels {
			if c, ok := newDaysCourse(l); ok {
				courses = append(courses, c)
			}
		}
		all = put(all, courses...)
	}
	f := File{
		Name: "days", RuleFiles: ruleFiles, EvaluationInterval: sla.FormatDuration(time.Duration(dayPace) * step), GroupEvalOrder: groups,
		Notes: []string{"Of windows of more than " + sla.FormatDuration(fineUpTo) + ": evaluated every hour, so that days take few steps."},
	}
	f.add("healthy for days, burning", all)
	return f
}
