package dashboards

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// Panels of levels with groups: a table of the groups, the worst first, and then
// one line a group in every graph. A variable for each group label chooses which.

// groupLabels are those that any level of the agreements is grouped by.
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
	if label == varDatasource {
		return label + "_"
	}
	return label
}

// groupVariables offer the values of every group label of the agreement. All of
// them are also those that have none.
func groupVariables(a *sla.Agreement) []dashboard.VariableModel {
	var variables []dashboard.VariableModel
	for _, label := range groupLabels(a) {
		v := valuesVariable(label, strings.ToUpper(label[:1])+label[1:], choose(eq(metricnames.SLA, a.Name)))
		v.Name, v.AllValue = groupVariable(label), cog.ToPtr(".*")
		variables = append(variables, v)
	}
	return variables
}

// ofGroups selects the chosen groups of a level and keeps them apart.
func ofGroups(l *sla.ServiceLevel) selector {
	s := ofLevel(l.ID)
	s.groups = l.GroupBy.Labels
	for _, label := range l.GroupBy.Labels {
		s = s.with(among(label, groupVariable(label)))
	}
	return s
}

func groupPanels(g *grid, l *sla.ServiceLevel, thresholds map[sla.ID][]time.Duration) {
	own := ofGroups(l)
	of := func(p sla.Period) selector { return own.with(eq(metricnames.Period, p.String())) }
	legend := groupLegend(l)
	for _, p := range l.Periods() {
		g.add(10, sized{gridWidth, groupTable(l, p, own, of(p))})
	}
	g.add(8, sized{12, groupBurn(l, own, time.Hour)}, sized{12, groupBurn(l, own, 6*time.Hour)})
	for _, p := range l.Periods() {
		g.add(8, sized{12, budgetPanel(of(p), legend)}, sized{12, alertsPanel(own, urgenciesOf(&sla.Agreement{Levels: []*sla.ServiceLevel{l}}), legend)})
	}
	recoveryPanels(g, l)
	sourcePanels(g, l, thresholds,
		sized{12, timePanel("Events", "All events a second, or known seconds a second, of each group.").
			query(own.totalRate(), legend).unit(unitNumber, -1).noValue("no traffic")},
		sized{12, timePanel("Bad events", "Bad events a second, or bad seconds a second, of each group.").
			query(own.badRate(), legend).unit(unitNumber, -1).noValue("no traffic")})
}

// groupWords say in a row's title that the level has groups.
func groupWords(l *sla.ServiceLevel) string {
	if len(l.GroupBy.Labels) == 0 {
		return ""
	}
	return ", by " + strings.Join(l.GroupBy.Labels, " and ")
}

// groupLegend names a group in graphs.
func groupLegend(l *sla.ServiceLevel) string {
	var parts []string
	for _, label := range l.GroupBy.Labels {
		parts = append(parts, "{{"+label+"}}")
	}
	return strings.Join(parts, " ")
}

// groupTable is a line for each group of a level.
func groupTable(l *sla.ServiceLevel, p sla.Period, own, period selector) *panel {
	title := fmt.Sprintf("By %s over %s, the worst first", strings.Join(l.GroupBy.Labels, " and "), p.Words())
	rename, labels := map[string]string{}, slices.Clone(l.GroupBy.Labels)
	for _, label := range labels {
		rename[label] = strings.ToUpper(label[:1]) + label[1:]
	}
	of := &sla.Agreement{Levels: []*sla.ServiceLevel{l}}
	urgent, decimals := urgenciesOf(of), tablePlaces(of)
	t := promiseTable(title, tableWords+" A group without data for now has no burn rate, and stays until its period has forgotten it.", rename, labels, decimals, []column{
		{colTarget, own.target()},
		{colAchieved, period.achievedAtLeast(decimals)},
		{colBudget, period.budget()},
		{colBurnHour, own.burn(time.Hour)},
		{colBurnSix, own.burn(6 * time.Hour)},
		{colPages, own.alerts(urgent.page)},
		{colTickets, own.alerts(urgent.ticket)},
	})
	hide := t.Transformations[1].Options.(map[string]any)["excludeByName"].(map[string]bool)
	for _, label := range []string{metricnames.SLA, metricnames.Service, metricnames.SLO} {
		hide[label] = true
	}
	return t
}

// groupBurn is the burn rate of each group; the dashed lines are for groups with
// the level's own target, and for others too where no threshold had to be adapted.
func groupBurn(l *sla.ServiceLevel, own selector, window time.Duration) *panel {
	return timePanel("Burn rate over "+sla.FormatDuration(window), "How many times faster than its own objective allows each group burnt. Dashed: where alerts fire.").
		query(own.burn(window), groupLegend(l)).unit(unitFactor, -1).noValue(silence(l)).thresholds(colorGood, burnSteps(l)...)
}
