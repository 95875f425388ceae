package dashboards

import (
	"fmt"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// agreementPanels show the chosen levels of an agreement, the worst first, and their
// history.
func agreementPanels(g *grid, a *sla.Agreement) {
	of := choose(eq(metricnames.SLA, a.Name), among(metricnames.Service, varService), among(metricnames.SLO, varSLO))
	g.section(sectionSummary)
	table := levelTable("Service levels, the worst first", of, a)
	linkToLevels(table, of, a)
	g.add(tableHeight(4, a), sized{gridWidth, table})
	const legend = "{{service}}/{{slo}}"
	g.add(8, sized{12, budgetPanel(of, legend)}, sized{12, alertsPanel(of, urgenciesOf(a), legend)})
	g.section("states")
	g.add(8, sized{gridWidth, serviceStatePanel(of, legend)})
	g.section("course")
	var burns []sized
	for _, w := range []time.Duration{time.Hour, 6 * time.Hour} {
		burns = append(burns, sized{12, timePanel("Burn rate over "+sla.FormatDuration(w), "How many times faster than the objective allows, at most in each step of the graph: at 1x the budget lasts exactly the period. Of a level with groups, the worst.").
			minStep(evaluation).query(of.worstPeakBurn(w, groupLabels(a)), legend).unit(unitFactor, -1).noValue("not measured")})
	}
	g.add(8, burns...)
	g.add(8,
		sized{12, timePanel("Achieved", "The good share of the period to date, by the worst of the level's periods.").
			query(of.achieved(), legend).unit(unitRatio, -1).noValue("not measured").anyMinimum().atMost(1)},
		sized{12, timePanel(fmt.Sprintf("Bad share over %s", sla.FormatDuration(sla.BaseWindow)), "What was bad just now, at most in each step of the graph.").
			minStep(evaluation).query(of.peakErrorRatio(sla.BaseWindow), legend).unit(unitRatio, -1).noValue("not measured")})
}

const sectionSummary = "summary"
