package ruletest

import (
	"fmt"
	"slices"

	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/internal/rawseries"
)

// mostGroups bounds how many groups of a level are tested.
const mostGroups = 4

// groups returns the levels to test: the level itself, or for a level with groups one
// for each target share and one more with the share of all others, so that there are
// always two.
func (l *levelUnderTest) groups() []*levelUnderTest {
	labels := l.GroupBy.Labels
	if len(labels) == 0 {
		return []*levelUnderTest{l}
	}
	var all []*levelUnderTest
	promises := l.Promises()
	// More than four fifths of the limit would raise an alert.
	most := max(1, min(mostGroups, l.GroupBy.Limit*4/5))
	for i := range len(promises) + 1 {
		match := promql.Metric{}
		for _, label := range labels {
			match[label] = fmt.Sprintf("group-%d", i+1)
		}
		required := false
		if i < len(promises) {
			match, required = match.With(promises[i].Match), promises[i].Required
		}
		if slices.ContainsFunc(all, func(g *levelUnderTest) bool { return g.group.String() == match.String() }) || len(all) == most {
			continue
		}
		all = append(all, l.ofPromise(match, len(all), required))
	}
	return all
}

// ofPromise is one group of the level, with its target share.
func (l *levelUnderTest) ofPromise(group promql.Metric, nth int, required bool) *levelUnderTest {
	g, level, promise := *l, *l.ServiceLevel, l.PromiseTo(group)
	level.Target, level.Objective = promise.Target, promise.Objective
	g.ServiceLevel, g.group, g.own = &level, group, l.own.With(group)
	g.nth, g.required, g.whole = nth, required, l
	g.below, g.inputs = false, nil
	g.chooseInputs()
	return &g
}

// ofGroup adds the group's labels to input series; nil if the level would then not
// count them.
func (l *levelUnderTest) ofGroup(all []inputSeries) []inputSeries {
	if l.group == nil {
		return all
	}
	for i := range all {
		moved := all[i].series.With(l.group)
		if rawseries.Count(l.reads, moved) < rawseries.Count(l.reads, all[i].series) {
			return nil
		}
		all[i].series = moved
	}
	return all
}

// ofWholeLevel reports whether an alert is about all groups of the level together.
func (l *levelUnderTest) ofWholeLevel(name string) bool { return testOf(name).kind.WholeLevel }

// first reports whether this is the group in whose tests the whole level is compared.
func (l *levelUnderTest) first() bool { return l.nth == 0 }
