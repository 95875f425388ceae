package ruletest

import (
	"fmt"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// Suite gathers the tests of an agreement level by level.
type Suite struct {
	opts   rulegen.Options
	masks  masks
	all    [][]*tested // levels, each in its groups
	levels [][]*tested // of these, those that can be fed

	omissions []Omission
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
		s.omit(p.Level, "it is not tested: %s", reason)
		return
	}
	groups := l.groups()
	s.leaveOut(groups[0])
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

// Files are the files of tests for rules in the files, whose groups are evaluated
// in this order. Those after the first are there if there is something to test.
func (s *Suite) Files(ruleFiles, groups []string) []File {
	all := []File{s.file(ruleFiles, groups)}
	if days := s.days(ruleFiles, groups); len(days.Tests) > 0 {
		all = append(all, days)
	}
	if missing := s.missing(ruleFiles, groups); len(missing.Tests) > 0 {
		all = append(all, missing)
	}
	all = append(all, s.dated(ruleFiles, groups)...)
	s.findUnasked(all)
	for _, o := range s.omissions {
		all[0].Notes = append(all[0].Notes, o.String())
	}
	return all
}

// file is the main file.
func (s *Suite) file(ruleFiles, groups []string) File {
	f := File{RuleFiles: ruleFiles, EvaluationInterval: sla.FormatDuration(step), GroupEvalOrder: groups}
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
