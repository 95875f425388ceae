package ruletest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Omission is something about a level that its tests do not cover.
type Omission struct {
	Level string   // "checkout/availability"
	What  string   // what is left out, and why
	Names []string // of the series and alerts that are left out, if What is about these
}

func (o Omission) String() string {
	return o.Level + ": " + strings.TrimSpace(o.What+" "+strings.Join(o.Names, ", ")) + "."
}

// Omissions returns what the files do not cover, once Files has made them.
func (s *Suite) Omissions() []Omission { return s.omissions }

func (s *Suite) omit(l *sla.ServiceLevel, format string, args ...any) {
	s.omissions = append(s.omissions, Omission{Level: l.ID.Service + "/" + l.ID.SLO, What: fmt.Sprintf(format, args...)})
}

// leaveOut adds what promtool cannot test about the level.
func (s *Suite) leaveOut(l *levelUnderTest) {
	omit := func(format string, args ...any) { s.omit(l.ServiceLevel, format, args...) }
	of := l.composite()
	switch {
	case of != nil:
		if newTruthTable(l).counters() == nil {
			omit("it is tested from the states of its components on: no simple series change the state of one component alone")
		}
		if failsOver(of.Tree) {
			omit("how long a failover takes is not tested: it takes minutes, and promtool evaluates every ten")
		}
	case l.below && l.Masked() && !l.heldSlots():
		omit("it is tested from %s on: its raw series are not simple (%s level, %s)", l.inputs[0].series[nameLabel], l.Indicator.Kind(), l.Aggregation)
	case l.below && l.recorded[metricnames.SlotKnown]:
		omit("it is tested from %s on: its raw series are not simple (%s level, %s)", l.minuteByMinute(), l.Indicator.Kind(), l.Aggregation)
	case l.below:
		omit("it is tested from %s and %s on: its raw series are not simple (%s level, %s)",
			metricnames.TotalRate, metricnames.BadRate, l.Indicator.Kind(), l.Aggregation)
	case l.inputs == nil && l.MissingData != sla.MissingExcluded && l.scale() != 1:
		omit("only its thresholds are tested: missing data counts in its service hours, and promtool evaluates every ten minutes what stands for one")
	case l.inputs == nil && l.recorded[metricnames.SlotKnown]:
		omit("only its thresholds and its missing data are tested: missing data counts among the minutes, or slots, that its rules judge")
	case l.inputs == nil:
		omit("only its thresholds are tested: promtool 2.42 has no notation for what it counts (%s level)", l.Indicator.Kind())
	}
	if l.below && l.Masked() && l.heldSlots() {
		omit("its masks are tested only where they hold back alerts: rules read them in the middle of a slot, and promtool evaluates at no such time")
	}
	if l.Alerting.WeighByTraffic {
		omit("its tiers are tested only at their thresholds: promtool evaluates every ten minutes what stands for one, so traffic would weigh too little")
	}
	for _, e := range l.Exclusions {
		if e.Condition.Text != "" {
			omit("the exclusion %q never holds in the tests: they have no input for its condition", e.Name)
		}
	}
	if l.escalated {
		omit("its escalations are not tested")
	}
}

// findUnasked adds the recorded series and alerts of each level that no file checks. A
// check of a series also tests the series that it is made of, unless the test sets
// these as input.
func (s *Suite) findUnasked(files []File) {
	for _, groups := range s.all {
		l := groups[0]
		covered, alerted := map[string]bool{}, map[string][2]bool{}
		for _, f := range files {
			for _, t := range f.Tests {
				l.cover(t, covered, alerted)
			}
		}
		if names := l.unasked(covered, alerted); len(names) > 0 {
			s.omit(l.ServiceLevel, "no test covers")
			s.omissions[len(s.omissions)-1].Names = names
		}
	}
}

// ofLevel reports whether a series belongs to the level, or to all levels of the
// agreement.
func (l *levelUnderTest) ofLevel(m promql.Metric) bool {
	if name := m["alertname"]; name != "" && testOf(name).kind.OfAgreement {
		return true
	}
	return m[metricnames.SLO] == "" || m[metricnames.SLO] == l.ID.SLO && m[metricnames.Service] == l.ID.Service
}

// cover adds the level's series that a test checks to covered, with those that they are
// made of. In alerted it notes whether the test sees an alert quiet, and firing.
func (l *levelUnderTest) cover(t Test, covered map[string]bool, alerted map[string][2]bool) {
	inputs := map[string]bool{}
	for _, in := range t.Input {
		if l.ofLevel(in.about) && !l.below {
			inputs[in.about[nameLabel]] = true
		}
	}
	var queue []string
	for _, a := range t.Expect {
		if !l.ofLevel(a.about) {
			continue
		}
		if name := a.about[nameLabel]; name != alerts {
			queue = append(queue, name)
			continue
		}
		seen := alerted[a.about["alertname"]]
		seen[min(len(a.Samples), 1)] = true
		alerted[a.about["alertname"]] = seen
	}
	for name, seen := range alerted {
		if seen[1] {
			for _, r := range l.alert {
				if r.Alert == name {
					queue = append(queue, l.madeOf(r.Expr)...)
				}
			}
		}
	}
	done := map[string]bool{}
	for len(queue) > 0 {
		name := queue[0]
		if queue = queue[1:]; done[name] {
			continue
		}
		done[name] = true
		if inputs[name] {
			continue
		}
		covered[name] = true
		for _, r := range l.rules {
			if r.Record == name {
				queue = append(queue, l.madeOf(r.Expr)...)
			}
		}
	}
}

// madeOf are the names of the series that an expression reads.
func (l *levelUnderTest) madeOf(e promql.Expr) []string {
	var names []string
	for _, s := range e.Reads() {
		names = append(names, s.Name())
	}
	return names
}

// unasked returns the level's series that are not covered, and its alerts that no test
// sees both quiet and firing.
func (l *levelUnderTest) unasked(covered map[string]bool, alerted map[string][2]bool) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(l.recorded)) {
		if !covered[name] && name != metricnames.LevelInfo {
			names = append(names, name)
		}
	}
	for _, r := range l.alert {
		if seen := alerted[r.Alert]; !seen[0] || !seen[1] {
			names = append(names, r.Alert)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
