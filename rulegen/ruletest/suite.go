package ruletest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// Suite gathers the tests of an agreement level by level.
type Suite struct {
	extra   map[string]string
	courses [][]*course // levels of one inner list do not disturb one another
	figures []*figures
	notes   []string
}

// New is a suite for rules that were made with these options.
func New(opts rulegen.Options) *Suite { return &Suite{extra: opts.Labels} }

// Add takes a level.
func (s *Suite) Add(p rulegen.LevelPlan) {
	l, reason := newTested(p, s.extra)
	if reason != "" {
		s.notes = append(s.notes, fmt.Sprintf("%s/%s is not tested: %s.", p.Level.ID.Service, p.Level.ID.SLO, reason))
		return
	}
	if l.below {
		s.notes = append(s.notes, fmt.Sprintf("%s/%s is tested from %s and %s on: what they are made of, no simple series brings about (a %s level, %s).",
			l.ID.Service, l.ID.SLO, metricnames.TotalRate, metricnames.BadRate, l.Indicator.Kind(), l.Aggregation))
	}
	if l.fed == nil {
		s.notes = append(s.notes, fmt.Sprintf("%s/%s: only what its budget and alerts wait for is tested, because promtool 2.42 cannot be fed what it counts (a %s level).",
			l.ID.Service, l.ID.SLO, l.Indicator.Kind()))
	}
	if names := l.unasked(); len(names) > 0 {
		s.notes = append(s.notes, fmt.Sprintf("%s/%s: nothing is asked of %s.", l.ID.Service, l.ID.SLO, strings.Join(names, ", ")))
	}
	s.figures = append(s.figures, newFigures(l))
	if l.fed == nil {
		return
	}
	c := newCourse(l)
	for i, side := range s.courses {
		if !slices.ContainsFunc(side, func(other *course) bool { return l.disturbs(other.l) || other.l.disturbs(l) }) {
			s.courses[i] = append(side, c)
			return
		}
	}
	s.courses = append(s.courses, []*course{c})
}

// asked are recorded series whose values are compared, beside the ratios of
// windows; what they are made of is tested through them.
var asked = []string{
	metricnames.TotalRate, metricnames.BadRate, metricnames.TotalIncrease, metricnames.BadIncrease, metricnames.TotalPeriod, metricnames.BadPeriod,
	metricnames.ErrorPeriod, metricnames.BurnRate, metricnames.BudgetRemaining, metricnames.TargetRatio, metricnames.ObjectiveRatio, metricnames.CoveragePeriod,
}

// unasked are the level's recorded series and alerts of which nothing is asked.
func (l *tested) unasked() []string {
	var names []string
	for name := range l.recorded {
		if !slices.Contains(asked, name) && !slices.ContainsFunc(knownPrefixes, func(p string) bool { return strings.HasPrefix(name, p) }) &&
			(!l.below || !isKnown(name)) && name != metricnames.LevelInfo && !strings.HasPrefix(name, "sla:calendar_") {
			names = append(names, name)
		}
	}
	for _, r := range l.alert {
		if !slices.Contains(knownAlerts, r.Alert) {
			names = append(names, r.Alert)
		}
	}
	if l.escalated {
		names = append(names, "its escalations")
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// File is the file of tests for rules in the files, whose groups are evaluated
// in this order.
func (s *Suite) File(ruleFiles, groups []string) File {
	f := File{RuleFiles: ruleFiles, EvaluationInterval: sla.FormatDuration(step), GroupEvalOrder: groups, Notes: s.notes}
	for i, levels := range s.courses {
		t := Test{Name: "healthy, burning, recovered, down, lost", Interval: sla.FormatDuration(feed)}
		if len(s.courses) > 1 {
			t.Name += fmt.Sprintf(" (part %d of %d, for levels that count the same series)", i+1, len(s.courses))
		}
		for _, c := range levels {
			t.Input, t.Asked = append(t.Input, c.input()...), append(t.Asked, c.asked()...)
		}
		f.Tests = append(f.Tests, t)
	}
	t := Test{Name: "just above and below what budgets and alerts wait for", Interval: sla.FormatDuration(step)}
	for _, l := range s.figures {
		t.Input, t.Asked = append(t.Input, l.input()...), append(t.Asked, l.questions()...)
	}
	if len(t.Asked) > 0 {
		f.Tests = append(f.Tests, t)
	}
	return f
}
