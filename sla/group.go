package sla

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// GroupBy makes one promise for each value of labels, so that a level has as many
// budgets as there are groups. The zero value is a level without groups.
type GroupBy struct {
	Labels  []string      // labels of the measured series, at least one; in the order of the source
	Limit   int           // the most groups that are measured
	Targets []GroupTarget // targets of single groups; the first one that matches is used
}

// DefaultGroupLimit is the default limit of groups.
const DefaultGroupLimit = 50

// GroupsNearLimit is the percentage of the limit above which AlertGroupLimit fires.
const GroupsNearLimit = 80

// GroupTarget is the target of the groups that it matches, instead of the level's own.
type GroupTarget struct {
	Match             map[string]string // label to value; other labels may have any value
	Target, Objective Decimal           // percent, as in the level
	Required          bool              // the group must always have data; Match then has every label
	Pos               Position
}

// Covers returns whether t matches every group that other matches.
func (t GroupTarget) Covers(other GroupTarget) bool {
	for label, value := range t.Match {
		if v, given := other.Match[label]; !given || v != value {
			return false
		}
	}
	return true
}

// TargetBudget is the share of bad that the target allows.
func (t GroupTarget) TargetBudget() Decimal { return budgetOf(t.Target) }

// ObjectiveBudget is the share of bad that the objective allows.
func (t GroupTarget) ObjectiveBudget() Decimal { return budgetOf(t.Objective) }

func budgetOf(percent Decimal) Decimal { return NewDecimal(1, 1).Sub(percent.Quo(hundred)) }

// Words names the groups that t matches: `tenant "acme"`.
func (t GroupTarget) Words() string {
	var words []string
	for _, label := range slices.Sorted(maps.Keys(t.Match)) {
		words = append(words, label+" "+strconv.Quote(t.Match[label]))
	}
	return strings.Join(words, ", ")
}

// Promises returns all targets of the level: those of single groups in order, and last
// the level's own, which matches every group.
func (l *ServiceLevel) Promises() []GroupTarget {
	return append(slices.Clone(l.GroupBy.Targets), GroupTarget{Target: l.Target, Objective: l.Objective, Pos: l.TargetPos})
}

// PromiseTo returns the target of the group with these labels.
func (l *ServiceLevel) PromiseTo(labels map[string]string) GroupTarget {
	group := GroupTarget{Match: map[string]string{}}
	for _, label := range l.GroupBy.Labels {
		group.Match[label] = labels[label]
	}
	promises := l.Promises()
	return promises[slices.IndexFunc(promises, func(t GroupTarget) bool { return t.Covers(group) })]
}

// probeGroups are the labels of a probe's series that a level can be grouped by.
var probeGroups = []string{"location", "target"}

// Groupable returns the labels by which an indicator can be grouped. own is set if any
// label of the user's series will do; ok is false if the indicator cannot be grouped.
func Groupable(i Indicator) (labels []string, own, ok bool) {
	switch {
	case IsProbed(i):
		labels = slices.Clone(probeGroups)
		if p, ok := i.(*Probe); ok && p.Discovery != nil {
			labels = append(labels, p.Discovery.Labels...)
		}
		return labels, false, true
	case len(i.Queries()) > 0:
		return nil, true, true
	}
	return nil, false, false
}
