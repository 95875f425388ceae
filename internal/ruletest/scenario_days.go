package ruletest

import (
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// dayPace is how many steps pass between two evaluations: an hour.
const dayPace = int(time.Hour / step)

// daysScenario is the scenario for windows longer than fineUpTo.
type daysScenario struct{ *burnScenario }

// newDaysScenario returns false for a level without such windows.
func newDaysScenario(l *levelUnderTest) (daysScenario, bool) {
	c := &burnScenario{l: l, pace: dayPace, windows: slices.DeleteFunc(l.windows(), func(w time.Duration) bool { return w <= fineUpTo })}
	// One and a half times the highest threshold, so that a step is a small part of
	// the time that a tier needs.
	c.burns(1.5, days)
	c.outage, c.lost, c.end = c.recovery, c.recovery, c.recovery
	return daysScenario{c}, len(c.windows) > 0
}

// expectations are that nothing is bad before the burn, and then each window and
// tier.
func (c daysScenario) expectations() []Expectation {
	var all []Expectation
	for _, w := range c.windows {
		all = append(all, rounded(c.l.named(ratioName(w)), c.burn, 0))
	}
	all = append(append(all, c.l.alerts(sla.AlertBudgetBurn.Name, c.burn)), c.firing()...)
	for _, w := range c.windows {
		all = append(all, c.afterBurn(ratioName(w), w))
	}
	return all
}

// days is the file for windows longer than six hours, which is evaluated every hour.
// It has no tests if there is nothing to test.
func (s *Suite) days(ruleFiles, groups []string) File {
	var all [][]scenario
	_, unmasked := s.byHours()
	for _, levels := range unmasked {
		var scenarios []daysScenario
		for _, l := range levels {
			if c, ok := newDaysScenario(l); ok {
				scenarios = append(scenarios, c)
			}
		}
		all = put(all, scenarios...)
	}
	f := File{
		Name: "days", RuleFiles: ruleFiles, EvaluationInterval: sla.FormatDuration(time.Duration(dayPace) * step), GroupEvalOrder: groups,
		Notes: []string{"Of windows of more than " + sla.FormatDuration(fineUpTo) + ": evaluated every hour, so that days take few steps."},
	}
	f.add("healthy for days, burning", all)
	return f
}
