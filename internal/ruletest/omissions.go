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

// Omission is something about a level that its tests leave out.
type Omission struct {
	Level string   // "checkout/availability"
	What  string   // what is left out, and why
	Names []string // of the series and alerts that What is about, if it is about such
}

func (o Omission) String() string {
	return o.Level + ": " + strings.TrimSpace(o.What+" "+strings.Join(o.Names, ", ")) + "."
}

// Omissions are what the files of Files leave out.
func (s *Suite) Omissions() []Omission { return s.omissions }

func (s *Suite) omit(l *sla.ServiceLevel, format string, args ...any) {
	s.omissions = append(s.omissions, Omission{Level: l.ID.Service + "/" + l.ID.SLO, What: fmt.Sprintf(format, args...)})
}

// leaveOut says what about the level promtool cannot bring about.
func (s *Suite) leaveOut(l *tested) {
	omit := func(format string, args ...any) { s.omit(l.ServiceLevel, format, args...) }
	of := l.composite()
	switch {
	case of != nil:
		if newTruthTable(l).counters() == nil {
			omit("it is tested from the states of its components on: what those are counted from, no simple series brings about for each alone")
		}
		if failsOver(of.Tree) {
			omit("how long a failover takes is not tested: it takes minutes, and promtool looks every ten")
		}
	case l.below && l.Masked() && !l.heldSlots():
		omit("it is tested from %s on: what it is made of, no simple series brings about (a %s level, %s)", l.fed[0].series[nameLabel], l.Indicator.Kind(), l.Aggregation)
	case l.below && l.recorded[metricnames.SlotKnown]:
		omit("it is tested from %s on: what it is made of, no simple series brings about (a %s level, %s)", metricnames.SlotBad, l.Indicator.Kind(), l.Aggregation)
	case l.below:
		omit("it is tested from %s and %s on: what they are made of, no simple series brings about (a %s level, %s)",
			metricnames.TotalRate, metricnames.BadRate, l.Indicator.Kind(), l.Aggregation)
	case l.fed == nil && l.MissingData != sla.MissingExcluded && l.scale() != 1:
		omit("only what its budget and alerts wait for is tested: what is missing counts in its service hours, and promtool evaluates every ten minutes what stands for one")
	case l.fed == nil && l.recorded[metricnames.SlotKnown]:
		omit("only what its budget and alerts wait for is tested, and what is missing: what is missing counts among the minutes, or slots, that its rules judge")
	case l.fed == nil:
		omit("only what its budget and alerts wait for is tested, because promtool 2.42 cannot be fed what it counts (a %s level)", l.Indicator.Kind())
	}
	if l.below && l.Masked() && l.heldSlots() {
		omit("its masks hold back alerts, and what they leave out is not tested: they are taken in the middle of a slot, which is at no step of promtool's")
	}
	if l.Alerting.WeighByTraffic {
		omit("its tiers are tested by what they wait for, and not in the course of days: promtool evaluates every ten minutes what stands for one, and traffic weighs less then")
	}
	for _, e := range l.Exclusions {
		if e.Condition.Text != "" {
			omit("the exclusion %q never holds in the tests, since its condition is yours and nothing is fed to it", e.Name)
		}
	}
	if l.escalated {
		omit("nothing is asked of its escalations")
	}
}

// findUnasked adds the recorded series and alerts of each level of which no
// question of the files is. What is asked tests what it is made of, too, unless
// that is fed in its place.
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
			s.omit(l.ServiceLevel, "nothing is asked of")
			s.omissions[len(s.omissions)-1].Names = names
		}
	}
}

// ofLevel tells whether a series is the level's own, or shared by all levels of
// its agreement.
func (l *tested) ofLevel(m promql.Metric) bool {
	return m[metricnames.SLO] == "" || m[metricnames.SLO] == l.ID.SLO && m[metricnames.Service] == l.ID.Service
}

// cover adds the level's series that a test asks about, with what they are made of
// as far as that is not fed, and whether it asks of alerts that they are quiet and
// that they fire.
func (l *tested) cover(t Test, covered map[string]bool, alerted map[string][2]bool) {
	fed := map[string]bool{}
	for _, in := range t.Input {
		if l.ofLevel(in.about) && !l.below {
			fed[in.about[nameLabel]] = true
		}
	}
	var queue []string
	for _, a := range t.Asked {
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
		if fed[name] {
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

func (l *tested) madeOf(e promql.Expr) []string {
	var names []string
	for _, s := range e.Reads() {
		names = append(names, s.Name())
	}
	return names
}

// unasked are what the level records and alerts about beyond that.
func (l *tested) unasked(covered map[string]bool, alerted map[string][2]bool) []string {
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
