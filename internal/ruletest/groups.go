package ruletest

import (
	"fmt"
	"slices"

	"github.com/upheld-sla/upheld/internal/promql"
)

// mostGroups bounds how many groups of a level are tested.
const mostGroups = 4

// groups are the level as its tests see it: itself, or for a level with groups
// one of each promise, and one more of the promise that all others have, so that
// there are always two.
func (l *tested) groups() []*tested {
	labels := l.GroupBy.Labels
	if len(labels) == 0 {
		return []*tested{l}
	}
	var all []*tested
	promises := l.Promises()
	// More than four fifths of the limit would be an alert.
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
		if slices.ContainsFunc(all, func(g *tested) bool { return g.group.String() == match.String() }) || len(all) == most {
			continue
		}
		all = append(all, l.ofPromise(match, len(all), required))
	}
	return all
}

// ofPromise is one group of the level, with what is promised to it.
func (l *tested) ofPromise(group promql.Metric, nth int, required bool) *tested {
	g, level, promise := *l, *l.ServiceLevel, l.PromiseTo(group)
	level.Target, level.Objective = promise.Target, promise.Objective
	g.ServiceLevel, g.group, g.own = &level, group, l.own.With(group)
	g.nth, g.required, g.whole = nth, required, l
	g.below, g.fed = false, nil
	g.feed()
	return &g
}

// ofGroup puts what is fed into the level's group; nil if the level would not
// count it there.
func (l *tested) ofGroup(all []fed) []fed {
	if l.group == nil {
		return all
	}
	for i := range all {
		moved := all[i].series.With(l.group)
		if count(l.reads, moved) < count(l.reads, all[i].series) {
			return nil
		}
		all[i].series = moved
	}
	return all
}

// ofWholeLevel tells whether an alert is about all groups of the level together.
func (l *tested) ofWholeLevel(name string) bool { return testOf(name).kind.WholeLevel }

// first tells whether what is asked of the whole level is asked here.
func (l *tested) first() bool { return l.nth == 0 }
