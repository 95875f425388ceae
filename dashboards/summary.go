package dashboards

import (
	"fmt"
	"time"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// lowBudget is the share of the budget below which a level counts as at risk.
var lowBudget = sla.AtRisk.Float64()

// Names of the table's columns that other settings refer to.
const (
	colAgreement = "Agreement"
	colService   = "Service"
	colLevel     = "Level"
	colPeriod    = "Period"
	colState     = "State"
	colTarget    = "Target"
	colAchieved  = "Achieved"
	colBudget    = "Budget left"
	colBurnHour  = "Burn 1h"
	colBurnSix   = "Burn 6h"
	colPages     = "Pages"
	colTickets   = "Tickets"
)

// overviewPanels are the figures of all agreements, the table of levels, and the
// history of budgets and alerts.
func overviewPanels(g *grid, agreements []*sla.Agreement) {
	of, urgent := choose(among(metricnames.SLA, varSLA)), urgenciesOf(agreements...)
	g.section("overview")
	g.add(4, sized{4, countPanel(of, "Service levels", "Service levels that the rules evaluate.",
		"count("+of.target()+")", colorNeutral)},
		sized{4, countPanel(of, "At risk", fmt.Sprintf("Service levels that a page fires for, or that have less than %.0f %% of their error budget left.", 100*lowBudget),
			of.atRisk(urgent), colorGood, step{1, colorWorse})},
		sized{4, countPanel(of, "Budget spent", "Service levels that have no error budget left: as things stand the target is missed.",
			"count("+of.budget()+" <= 0)", colorGood, step{1, colorBad})},
		sized{4, countPanel(of, "Pages firing", "Alerts that page somebody.",
			"count("+of.with(anyAlert, urgent.page, firing).series("ALERTS")+")", colorGood, step{1, colorBad})},
		sized{4, countPanel(of, "Tickets firing", "Alerts that wait for working hours, and those for lost measurements.",
			"count("+of.with(anyAlert, urgent.ticket, firing).series("ALERTS")+")", colorGood, step{1, colorWorse})},
		sized{4, countPanel(of, "Not measured", "Service levels that have a target but no data for the last five minutes: no traffic, or the measurement is lost.",
			fmt.Sprintf("count(%s unless on (%s) %s)", of.target(), byLevel, of.totalRate()), colorGood, step{1, colorWarn})})
	p := levelTable("Service levels, the worst first", of, agreements...)
	linkToLevels(p, of, agreements...)
	g.add(tableHeight(8, agreements...), sized{gridWidth, p})
	rollupPanels(g, agreements, of)
	legend := "{{sla}}: {{service}}/{{slo}}"
	g.add(9, sized{12, budgetPanel(of, legend)}, sized{12, alertsPanel(of, urgent, legend)})
	g.add(9, sized{gridWidth, serviceStatePanel(of, legend)})
}

// atRisk counts the levels with little budget or a firing page.
func (s selector) atRisk(u urgencies) string {
	pages := s.with(anyAlert, u.page, firing).series("ALERTS")
	return fmt.Sprintf("count(%s < %v or on (%s) count by (%s) (%s))", s.budget(), lowBudget, byLevel, byLevel, pages)
}

func countPanel(of selector, title, description, expr, base string, steps ...step) *panel {
	return statPanel(title, description).now(of.orZero(expr), title).unit(unitNumber, 0).noValue("no levels").thresholds(base, steps...)
}

// tableWords explains the figures of the tables.
const tableWords = "Achieved, and the budget left, are for the level's period to date. Burn is how many times faster than the objective allows the budget was spent in the last 1h and 6h; alerts depend on it."

// columnWidth is the width of a column, in pixels, that fits its title and its longest
// value. Then all columns of a table of levels fit a window of 1280 pixels, with 160
// for each name.
func columnWidth(name string) int {
	switch name {
	case colState:
		return 112 // "Out of hours"
	case colBurnHour, colBurnSix:
		return 84
	case colPages, colTickets:
		return 68
	case colWithOthers:
		return 112
	case colWeighted:
		return 140
	}
	return 94
}

// column is a column of a table; one without a name only brings its labels.
type column struct{ name, expr string }

// levelTable has a line for each level of the selector.
func levelTable(title string, of selector, agreements ...*sla.Agreement) *panel {
	words, groups, urgent, decimals := tableWords, groupLabels(agreements...), urgenciesOf(agreements...), tablePlaces(agreements...)
	if len(groups) > 0 {
		words += " Of a level with groups each figure is the worst group's, and the target the strictest."
	}
	rename := map[string]string{
		metricnames.SLA: colAgreement, metricnames.Service: colService, metricnames.SLO: colLevel, metricnames.Period: colPeriod,
	}
	p := promiseTable(title, words, rename, []string{metricnames.SLA, metricnames.Service, metricnames.SLO, metricnames.Period}, decimals, []column{
		{"", of.info()},
		{colState, of.state()},
		{colTarget, of.target()},
		{colAchieved, of.achievedAtLeast(decimals)},
		{colBudget, of.budget()},
		{colBurnHour, of.worstBurn(time.Hour, groups)},
		{colBurnSix, of.worstBurn(6*time.Hour, groups)},
		{colPages, of.alerts(urgent.page)},
		{colTickets, of.alerts(urgent.ticket)},
	})
	p.override(colPeriod, property{Id: "custom.width", Value: columnWidth(colPeriod)})
	return p.override(colState, inStateColor()...)
}

// tableHeight is the height of a table with a line for each level; longer tables
// scroll.
func tableHeight(least uint32, agreements ...*sla.Agreement) uint32 {
	lines := uint32(0)
	for _, a := range agreements {
		lines += uint32(len(a.Levels))
	}
	return max(least, min(3+lines, 14)) // a line is as high as a unit of the grid, less the gap
}

// tablePlaces is how many decimals percentages have in a table of these levels. A
// column has only one format, so this is enough for the strictest target.
func tablePlaces(agreements ...*sla.Agreement) int {
	most := 4
	for _, a := range agreements {
		for _, l := range a.Levels {
			most = max(most, decimals(l.Target))
			for _, t := range l.GroupBy.Targets {
				most = max(most, decimals(t.Target))
			}
		}
	}
	return most
}

// promiseTable has a line for each promise, the one with the least budget first: its
// labels, renamed and in order, then the columns.
func promiseTable(title, words string, rename map[string]string, labels []string, decimals int, columns []column) *panel {
	p := tablePanel(title, words)
	p.noValue("no data")
	p.columns(rename, labels, columns).sortedBy(colBudget, false)
	ratio := func(decimals float64) []property {
		return []property{{Id: "unit", Value: unitRatio}, {Id: "decimals", Value: decimals}}
	}
	p.override(colTarget, ratio(float64(decimals))...)
	p.override(colAchieved, append(ratio(float64(decimals)), property{Id: "noValue", Value: "no traffic"})...)
	p.override(colBudget, append(ratio(1), inColor(budgetThresholds())...)...)
	for _, name := range []string{colBurnHour, colBurnSix} {
		p.override(name, append([]property{{Id: "unit", Value: unitFactor}, {Id: "decimals", Value: 2.0}, {Id: "noValue", Value: "no traffic"}},
			inColor(thresholds(colorGood, burnColors()...))...)...)
	}
	p.override(colPages, append([]property{{Id: "decimals", Value: 0.0}}, inColor(thresholds(colorGood, step{1, colorBad}))...)...)
	p.override(colTickets, append([]property{{Id: "decimals", Value: 0.0}}, inColor(thresholds(colorGood, step{1, colorWorse}))...)...)
	for _, c := range columns[1:] {
		p.override(c.name, property{Id: "custom.width", Value: columnWidth(c.name)})
	}
	return p
}

// inColor colours a table's cell by thresholds. Grafana 9 and later versions have
// different names for the setting, and ignore the other one.
func inColor(config dashboard.ThresholdsConfig) []property {
	return []property{
		{Id: "thresholds", Value: config},
		{Id: "color", Value: dashboard.FieldColor{Mode: dashboard.FieldColorModeIdThresholds}},
		{Id: "custom.displayMode", Value: "color-text"},
		{Id: "custom.cellOptions", Value: map[string]any{"type": "color-text"}},
	}
}

// burnColors are the colours of burn rates, by the factors of the usual alert tiers.
func burnColors() []step { return []step{{1, colorWarn}, {6, colorWorse}, {14.4, colorBad}} }

func budgetThresholds() dashboard.ThresholdsConfig {
	return thresholds(colorBad, step{0.1, colorWorse}, step{lowBudget, colorWarn}, step{0.5, colorGood})
}

func budgetPanel(of selector, legend string) *panel {
	p := timePanel("Error budget remaining", "Of the period's whole budget: 100 % is untouched, 0 % is spent, below that the target is missed.")
	p.query(of.budget(), legend).unit(unitRatio, -1).noValue("no data").thresholds(colorGood, step{0, colorBad})
	p.softMax(1)
	return p
}

func alertsPanel(of selector, u urgencies, legend string) *panel {
	return statePanel("Alerts", "The worst state of any alert of the service level.").
		query(of.alertState(u), legend).noValue("no service level is evaluated")
}
