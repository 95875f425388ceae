package sla

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// GroupBy makes one promise for each value of labels: a level with it has as
// many budgets as there are groups. The zero GroupBy is a level without groups.
type GroupBy struct {
	Labels  []string      // of the measured series, at least one; in the order of the source
	Limit   int           // how many groups are measured at most
	Targets []GroupTarget // of single groups; the first that matches a group holds for it
}

// DefaultGroupLimit is how many groups a level has at most if nothing is said.
const DefaultGroupLimit = 50

// GroupsNearLimit is when a level has so many groups, in percent of its limit,
// that somebody should look.
const GroupsNearLimit = 80

// GroupTarget is what is promised to the groups that it matches, instead of the
// level's own target.
type GroupTarget struct {
	Match             map[string]string // label to value; a label that is left out may have any
	Target, Objective Decimal           // percent, as those of the level
	Required          bool              // there must always be data; Match then names every label
	Pos               Position
}

// Covers tells whether every group that other matches is matched by t too.
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

// Words name the groups that t matches: `tenant "acme"`.
func (t GroupTarget) Words() string {
	var words []string
	for _, label := range slices.Sorted(maps.Keys(t.Match)) {
		words = append(words, label+" "+strconv.Quote(t.Match[label]))
	}
	return strings.Join(words, ", ")
}

// Promises are what the level promises to whom: first the targets of single
// groups, in order, and last its own, which matches every group.
func (l *ServiceLevel) Promises() []GroupTarget {
	return append(slices.Clone(l.GroupBy.Targets), GroupTarget{Target: l.Target, Objective: l.Objective, Pos: l.TargetPos})
}

// PromiseTo is what is promised to the group with these labels.
func (l *ServiceLevel) PromiseTo(labels map[string]string) GroupTarget {
	group := GroupTarget{Match: map[string]string{}}
	for _, label := range l.GroupBy.Labels {
		group.Match[label] = labels[label]
	}
	promises := l.Promises()
	return promises[slices.IndexFunc(promises, func(t GroupTarget) bool { return t.Covers(group) })]
}

// probeGroups are the labels that exporters give to what a probe counts.
var probeGroups = []string{"location", "target"}

// Groupable are the labels by which an indicator can be grouped; ok is false if
// it cannot be grouped at all, and own is set if the labels are the user's own.
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
