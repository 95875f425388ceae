package rulegen

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Alerts of levels with groups: which group an alert is about, which groups burn
// fastest, which are lost, and when there are nearly too many.

// mostListed is how many groups an alert lists.
const mostListed = 5

// worstWords list the worst groups in an alert of one of them, since people are
// notified once for all.
func (bn burning) worstWords() string {
	var words []string
	for _, label := range bn.groupLabels() {
		words = append(words, fmt.Sprintf(`%s {{ or .Labels.%s "(none)" }}`, label, label))
	}
	return fmt.Sprintf("{{ range query %q }}%s burns {{ printf `%%.3g` .Value }} times too fast. {{ else }}No group burns its budget now.{{ end }}",
		promql.SortDesc(bn.recorded(metricnames.GroupWorst).Now()).String(), strings.Join(words, ", "))
}

// groupWords name the group in alerts: ` of tenant acme`.
func (l level) groupWords() string {
	var words []string
	for _, label := range l.groupLabels() {
		words = append(words, fmt.Sprintf(`%s {{ or $labels.%s "(none)" }}`, label, label))
	}
	if len(words) == 0 {
		return ""
	}
	return " of " + strings.Join(words, ", ")
}

// required are the groups that must always have data.
func (pr promises) required() []sla.GroupTarget {
	return slices.DeleteFunc(slices.Clone(pr.GroupBy.Targets), func(t sla.GroupTarget) bool { return !t.Required })
}

// lostGroups have the labels of the groups that must have data and have none.
func (pr promises) lostGroups() promql.Expr {
	var lost promql.Expr
	for _, t := range pr.required() {
		match := make([]promql.Matcher, 0, len(pr.groupLabels()))
		for _, label := range pr.groupLabels() {
			match = append(match, promql.Eq(label, t.Match[label]))
		}
		if gone := promql.Absent(pr.recorded(metricnames.TotalRate, match...)); lost.IsZero() {
			lost = gone
		} else {
			lost = promql.Or(lost, gone)
		}
	}
	return lost
}

// withGroupsLost adds the groups that must have data and have none to an alert that
// fires when the whole level has none. One rule covers all groups: several of one
// name with the same labels look like duplicates to linters, and a group's value must
// not be a label of a rule, where Prometheus would expand it as a template.
func (pr promises) withGroupsLost(whole promql.Expr) promql.Expr {
	lost := pr.lostGroups()
	if lost.IsZero() {
		return whole
	}
	return promql.Or(whole, promql.UnlessOn(lost, whole))
}

// lostGroupWords name the lost group, unless the whole level is lost.
func (pr promises) lostGroupWords() string {
	if len(pr.required()) == 0 {
		return ""
	}
	return fmt.Sprintf("{{ if $labels.%s }}%s{{ end }}", pr.groupLabels()[0], pr.groupWords())
}

// longestPeriod is the period that remembers a group for longest.
func (al alerts) longestPeriod() sla.Period {
	return slices.MaxFunc(al.Periods(), func(a, b sla.Period) int { return cmp.Compare(a.Longest(), b.Longest()) })
}

// groupLimit fires before new groups are turned away.
func (al alerts) groupLimit(a sla.Alert, _ sla.Period) []Rule {
	limit := int64(al.GroupBy.Limit)
	near := promql.Gt(promql.Count(al.recorded(metricnames.GroupSeen).Now()), promql.Num(sla.NewDecimal(limit*sla.GroupsNearLimit, 100)))
	return []Rule{al.notice(a, near, map[string]string{
		"summary": fmt.Sprintf("%s has {{ $value }} of at most %d groups", al.name(), limit),
		"description": fmt.Sprintf("It is grouped by %s. At %d groups a new one finds no room: it is in no figure and no alert until the limit is raised, "+
			"or until the period of %s has forgotten a group that left. Look whether the new values are what they should be, then raise groupBy.limit.",
			strings.Join(al.groupLabels(), ", "), limit, al.longestPeriod().Words()),
	}).says("Fires when hardly any room is left for new groups.").
		says("%s = %d groups x %d %%", inRules(sla.NewDecimal(limit*sla.GroupsNearLimit, 100)), limit, sla.GroupsNearLimit)}
}
