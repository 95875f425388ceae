package ruletest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// Suite gathers the tests of an agreement level by level.
type Suite struct {
	opts   rulegen.Options
	masks  masks
	all    [][]*tested // levels, each in its groups
	levels [][]*tested // of these, those that can be fed
	notes  []string
}

// way is a stretch of time that a level is led through.
type way interface {
	of() []*tested
	input() []Input
	asked() []Asked
}

// New is a suite for rules that were made with these options.
func New(opts rulegen.Options) *Suite {
	if opts.Now.IsZero() {
		opts.Now = time.Now()
	}
	return &Suite{opts: opts, masks: newMasks()}
}

// Add takes a level.
func (s *Suite) Add(p rulegen.LevelPlan) {
	s.masks.add(p)
	l, reason := newTested(p, s.opts.Labels, s.masks, s.opts.Now)
	if reason != "" {
		s.notes = append(s.notes, fmt.Sprintf("%s/%s is not tested: %s.", p.Level.ID.Service, p.Level.ID.SLO, reason))
		return
	}
	groups := l.groups()
	s.note(groups[0])
	s.all = append(s.all, groups)
	if groups[0].fed != nil {
		s.levels = append(s.levels, groups)
	}
}

// shifts are the ways of levels with masks and of those that count the same
// series; unmasked are the others, each in its groups.
func (s *Suite) shifts() (shifts []*shift, unmasked [][]*tested) {
	with := func(l *tested) int {
		return slices.IndexFunc(shifts, func(c *shift) bool { return sameFeed(c.levels[0], l) })
	}
	for _, groups := range s.levels {
		for _, l := range groups {
			if !l.Masked() {
				continue
			}
			if i := with(l); i >= 0 {
				shifts[i].levels = append(shifts[i].levels, l)
				continue
			}
			shifts = append(shifts, &shift{levels: []*tested{l}})
		}
	}
	for _, groups := range s.levels {
		var alone []*tested
		for _, l := range groups {
			switch i := with(l); {
			case l.Masked():
			case i >= 0 && len(groups) == 1:
				shifts[i].levels = append(shifts[i].levels, l)
			default:
				alone = append(alone, l)
			}
		}
		if len(alone) > 0 {
			unmasked = append(unmasked, alone)
		}
	}
	return shifts, unmasked
}

// ways are those of all levels; those of one inner list do not disturb one another.
func (s *Suite) ways() [][]way {
	var all [][]way
	shifts, unmasked := s.shifts()
	for _, levels := range unmasked {
		var courses []*course
		for _, l := range levels {
			courses = append(courses, newCourse(l))
		}
		together(courses)
		all = put(all, courses...)
	}
	for i := 0; i < len(shifts); { // the groups of a level are neighbours, and disturb nobody
		n := i + 1
		for n < len(shifts) && shifts[n].levels[0].ID == shifts[i].levels[0].ID {
			n++
		}
		all = put(all, shifts[i:n]...)
		i = n
	}
	return all
}

// put has levels go their ways beside others that they do not disturb.
func put[W way](all [][]way, ways ...W) [][]way {
	if len(ways) == 0 {
		return all
	}
	mine := make([]way, len(ways))
	for i, w := range ways {
		mine[i] = w
	}
	disturbed := func(other way) bool {
		return slices.ContainsFunc(mine, func(w way) bool { return disturb(w, other) })
	}
	for i, side := range all {
		if !slices.ContainsFunc(side, disturbed) {
			all[i] = append(side, mine...)
			return all
		}
	}
	return append(all, mine)
}

// disturb tells whether levels of one way count what is fed on the other.
func disturb(a, b way) bool {
	return slices.ContainsFunc(a.of(), func(l *tested) bool {
		return slices.ContainsFunc(b.of(), func(m *tested) bool { return l.disturbs(m) || m.disturbs(l) })
	})
}

// note says what of the level is not tested, and why.
func (s *Suite) note(l *tested) {
	note := func(format string, args ...any) {
		s.notes = append(s.notes, fmt.Sprintf("%s/%s", l.ID.Service, l.ID.SLO)+fmt.Sprintf(format, args...))
	}
	_, composite := l.Indicator.(*sla.Composite)
	switch {
	case composite:
		if newTruthTable(l).counters() == nil {
			note(" is tested from the states of its components on: what those are counted from, no simple series brings about for each alone.")
		}
		if failsOver(l.Indicator.(*sla.Composite).Tree) {
			note(" fails over, which takes minutes, and promtool looks every ten: how long it took is not tested.")
		}
	case l.below && l.Masked() && !l.heldSlots():
		note(" is tested from %s on: what it is made of, no simple series brings about (a %s level, %s).", l.fed[0].series[nameLabel], l.Indicator.Kind(), l.Aggregation)
	case l.below:
		note(" is tested from %s and %s on: what they are made of, no simple series brings about (a %s level, %s).",
			metricnames.TotalRate, metricnames.BadRate, l.Indicator.Kind(), l.Aggregation)
	}
	if l.below && l.Masked() && l.heldSlots() {
		note(": its masks hold back alerts, and what they leave out is not tested: they are taken in the middle of a slot, which is at no step of promtool's.")
	}
	if l.fed == nil {
		note(": only what its budget and alerts wait for is tested, because promtool 2.42 cannot be fed what it counts (a %s level).", l.Indicator.Kind())
	}
	if l.Alerting.WeighByTraffic {
		note(": its tiers are tested by what they wait for, and not in the course of days: promtool evaluates every ten minutes what stands for one, and traffic weighs less then.")
	}
	for _, e := range l.Exclusions {
		if e.Condition.Text != "" {
			note(": the exclusion %q never holds in the tests, since its condition is yours and nothing is fed to it.", e.Name)
		}
	}
	if names := l.unasked(); len(names) > 0 {
		note(": nothing is asked of %s.", strings.Join(names, ", "))
	}
}

// asked are recorded series whose values are compared, beside the ratios of
// windows; what they are made of is tested through them.
var asked = []string{
	metricnames.TotalRate, metricnames.BadRate, metricnames.TotalIncrease, metricnames.BadIncrease, metricnames.TotalPeriod, metricnames.BadPeriod,
	metricnames.ErrorPeriod, metricnames.BurnRate, metricnames.BudgetRemaining, metricnames.TargetRatio, metricnames.ObjectiveRatio, metricnames.CoveragePeriod,
	metricnames.GroupSeen, metricnames.RawTotalRate, metricnames.RawBadRate, metricnames.ExcludedTotalRate, metricnames.ExcludedBadRate,
	metricnames.AgreedMask, metricnames.AlertingMask, metricnames.SlotAgreed, metricnames.SlotKept, metricnames.SlotCounted,
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
	f.add("healthy, burning, recovered, down, lost", s.ways())
	t := Test{Name: "just above and below what budgets and alerts wait for", Interval: sla.FormatDuration(step)}
	for _, l := range s.figures() {
		t.Input, t.Asked = append(t.Input, l.input()...), append(t.Asked, l.questions()...)
	}
	if len(t.Asked) > 0 {
		f.Tests = append(f.Tests, t)
	}
	t = Test{Name: "components of composites down, up and unknown, one after the other", Interval: sla.FormatDuration(tableFeed)}
	for _, groups := range s.all {
		if table := newTruthTable(groups[0]); table != nil {
			t.Input, t.Asked = append(t.Input, table.input()...), append(t.Asked, table.asked()...)
		}
	}
	if len(t.Asked) > 0 {
		f.Tests = append(f.Tests, t)
	}
	return f
}

// add adds a test of ways that do not disturb one another, for each such list.
func (f *File) add(name string, ways [][]way) {
	for i, levels := range ways {
		t := Test{Name: name, Interval: sla.FormatDuration(feed)}
		if len(ways) > 1 {
			t.Name += fmt.Sprintf(" (part %d of %d, for levels that count the same series)", i+1, len(ways))
		}
		for _, c := range levels {
			t.Input, t.Asked = append(t.Input, c.input()...), append(t.Asked, c.asked()...)
		}
		f.Tests = append(f.Tests, t)
	}
}
