package ruletest

import (
	"fmt"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// Suite makes the tests of an agreement, level by level.
type Suite struct {
	opts      rulegen.Options
	agreement *sla.Agreement
	masks     masks
	all       [][]*levelUnderTest       // the groups of each level
	levels    [][]*levelUnderTest       // the same, without levels that have no input series
	edge      time.Time                 // until when the first revision in the rules is in force; zero for always
	merged    map[string][]rulegen.Rule // alerts by name, as in the rules with all revisions

	omissions []Omission
}

// scenario is the input of some levels over a time, and the results that their rules
// must have.
type scenario interface {
	of() []*levelUnderTest
	input() []Input
	expectations() []Expectation
}

// New returns a suite for rules that were made with these options.
func New(opts rulegen.Options) *Suite {
	if opts.Now.IsZero() {
		opts.Now = time.Now()
	}
	return &Suite{opts: opts, masks: newMasks(), merged: map[string][]rulegen.Rule{}}
}

// Add adds a level. If rules switch revisions by time, the tests only cover the first,
// since they begin in 1970.
func (s *Suite) Add(p rulegen.LevelPlan) {
	s.agreement = p.Agreement
	s.masks.add(p)
	for _, g := range p.Groups {
		for _, r := range g.Rules {
			if r.Alert != "" {
				s.merged[r.Alert] = append(s.merged[r.Alert], r)
			}
		}
	}
	if len(p.Turns) > 1 {
		first, edge := p.Turns[0], p.Turns[1].From
		if s.agreement = first.Agreement; s.edge.IsZero() || edge.Before(s.edge) {
			s.edge = edge
		}
		s.omit(p.Level, "what revisions change is tested as it is until %s, since tests begin in 1970", edge.UTC().Format(time.RFC3339))
		if first.Plan == nil {
			return
		}
		p = *first.Plan
	}
	l, reason := newLevelUnderTest(p, s.opts.Labels, s.masks, s.opts.Now)
	if reason != "" {
		s.omit(p.Level, "it is not tested: %s", reason)
		return
	}
	groups := l.groups()
	s.leaveOut(groups[0])
	s.all = append(s.all, groups)
	if groups[0].inputs != nil {
		s.levels = append(s.levels, groups)
	}
}

// byHours returns the scenarios of levels with masks, and of levels that count the same
// series; unmasked has the groups of each other level.
func (s *Suite) byHours() (masked []*hoursScenario, unmasked [][]*levelUnderTest) {
	with := func(l *levelUnderTest) int {
		return slices.IndexFunc(masked, func(c *hoursScenario) bool { return sameInputs(c.levels[0], l) })
	}
	for _, groups := range s.levels {
		for _, l := range groups {
			if !l.Masked() {
				continue
			}
			if i := with(l); i >= 0 {
				masked[i].levels = append(masked[i].levels, l)
				continue
			}
			masked = append(masked, &hoursScenario{levels: []*levelUnderTest{l}})
		}
	}
	for _, groups := range s.levels {
		var alone []*levelUnderTest
		for _, l := range groups {
			switch i := with(l); {
			case l.Masked():
			case i >= 0 && len(groups) == 1:
				masked[i].levels = append(masked[i].levels, l)
			default:
				alone = append(alone, l)
			}
		}
		if len(alone) > 0 {
			unmasked = append(unmasked, alone)
		}
	}
	return masked, unmasked
}

// scenarios returns the scenarios of all levels. Those in one inner list do not disturb
// each other.
func (s *Suite) scenarios() [][]scenario {
	var all [][]scenario
	masked, unmasked := s.byHours()
	for _, levels := range unmasked {
		var scenarios []*burnScenario
		for _, l := range levels {
			scenarios = append(scenarios, newBurnScenario(l))
		}
		alignEnds(scenarios)
		all = put(all, scenarios...)
	}
	for i := 0; i < len(masked); { // the groups of a level are neighbours, and disturb no other level
		n := i + 1
		for n < len(masked) && masked[n].levels[0].ID == masked[i].levels[0].ID {
			n++
		}
		all = put(all, masked[i:n]...)
		i = n
	}
	return all
}

// put adds scenarios to the first list in which they disturb no other.
func put[W scenario](all [][]scenario, scenarios ...W) [][]scenario {
	if len(scenarios) == 0 {
		return all
	}
	mine := make([]scenario, len(scenarios))
	for i, w := range scenarios {
		mine[i] = w
	}
	disturbed := func(other scenario) bool {
		return slices.ContainsFunc(mine, func(w scenario) bool { return disturb(w, other) })
	}
	for i, side := range all {
		if !slices.ContainsFunc(side, disturbed) {
			all[i] = append(side, mine...)
			return all
		}
	}
	return append(all, mine)
}

// disturb reports whether levels of one scenario would count the input of the other.
func disturb(a, b scenario) bool {
	return slices.ContainsFunc(a.of(), func(l *levelUnderTest) bool {
		return slices.ContainsFunc(b.of(), func(m *levelUnderTest) bool { return l.disturbs(m) || m.disturbs(l) })
	})
}

// Files makes the files of tests for rules in ruleFiles, whose groups are evaluated in
// this order. There is always a main file; the others exist if they have tests.
func (s *Suite) Files(ruleFiles, groups []string) []File {
	all := []File{s.file(ruleFiles, groups)}
	if days := s.days(ruleFiles, groups); len(days.Tests) > 0 {
		all = append(all, days)
	}
	if missing := s.missing(ruleFiles, groups); len(missing.Tests) > 0 {
		all = append(all, missing)
	}
	if outages := s.outages(ruleFiles, groups); len(outages.Tests) > 0 {
		all = append(all, outages)
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
	f.add("healthy, burning, recovered, down, lost", s.scenarios())
	t := Test{Name: "just above and below what budgets and alerts wait for", Interval: sla.FormatDuration(step)}
	for _, l := range s.figures() {
		t.Input, t.Expect = append(t.Input, l.input()...), append(t.Expect, l.expectations()...)
	}
	if len(t.Expect) > 0 {
		f.Tests = append(f.Tests, t)
	}
	t = Test{Name: "components of composites down, up and unknown, one after the other", Interval: sla.FormatDuration(tableInterval)}
	for _, groups := range s.all {
		if table := newTruthTable(groups[0]); table != nil {
			t.Input, t.Expect = append(t.Input, table.input()...), append(t.Expect, table.expectations()...)
		}
	}
	if len(t.Expect) > 0 {
		f.Tests = append(f.Tests, t)
	}
	return f
}

// add adds a test for each list of scenarios.
func (f *File) add(name string, scenarios [][]scenario) {
	for i, levels := range scenarios {
		t := Test{Name: name, Interval: sla.FormatDuration(inputInterval)}
		if len(scenarios) > 1 {
			t.Name += fmt.Sprintf(" (part %d of %d, for levels that count the same series)", i+1, len(scenarios))
		}
		for _, c := range levels {
			t.Input, t.Expect = append(t.Input, c.input()...), append(t.Expect, c.expectations()...)
		}
		f.Tests = append(f.Tests, t)
	}
}
