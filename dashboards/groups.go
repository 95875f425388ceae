package dashboards

import (
	"slices"
	"strings"
	"time"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// Panels of levels with groups: one line for each group in every graph, and a table of
// the groups, the worst first. A variable for each group label chooses groups.

// groupLabels are the labels by which any level of the agreements is grouped.
func groupLabels(agreements ...*sla.Agreement) []string {
	var labels []string
	for _, a := range agreements {
		for _, l := range a.Levels {
			labels = append(labels, l.GroupBy.Labels...)
		}
	}
	slices.Sort(labels)
	return slices.Compact(labels)
}

// groupVariable is the name of the variable of a group label.
func groupVariable(label string) string {
	if label == varDatasource || label == varPeriod {
		return label + "_"
	}
	return label
}

// groupVariables offer the values of every group label of the agreement. "All" includes
// series without the label.
func groupVariables(a *sla.Agreement) []dashboard.VariableModel {
	var variables []dashboard.VariableModel
	for _, label := range groupLabels(a) {
		v := valuesVariable(label, titled(label), choose(eq(metricnames.SLA, a.Name)))
		v.Name, v.AllValue = groupVariable(label), cog.ToPtr(".*")
		variables = append(variables, v)
	}
	return variables
}

func titled(label string) string {
	return strings.ToUpper(label[:1]) + strings.ReplaceAll(label[1:], "_", " ")
}

// groupTable has a line for each group of the chosen level.
func groupTable(c chosen) *panel {
	title := "By " + strings.Join(c.groups, " and ") + ", the worst first"
	rename := map[string]string{}
	for _, label := range c.groups {
		rename[label] = titled(label)
	}
	urgent, places, period := urgenciesOf(c.of), tablePlaces(c.of), c.period()
	t := promiseTable(title, tableWords+" A group without data for now has no burn rate, and stays until its period has forgotten it.", rename, c.groups, places, []column{
		{colTarget, c.target()},
		{colAchieved, period.achievedAtLeast(places)},
		{colBudget, period.budget()},
		{colBurnHour, c.burn(time.Hour)},
		{colBurnSix, c.burn(6 * time.Hour)},
		{colPages, c.alerts(urgent.page)},
		{colTickets, c.alerts(urgent.ticket)},
	})
	hide := t.Transformations[1].Options.(map[string]any)["excludeByName"].(map[string]bool)
	for _, label := range []string{metricnames.SLA, metricnames.Service, metricnames.SLO} {
		hide[label] = true
	}
	return t
}
