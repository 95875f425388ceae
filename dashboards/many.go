package dashboards

import (
	"fmt"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// maxRows is up to how many levels each has a row of its own. A dashboard of
// more would be megabytes that no browser opens; it shows the levels that are
// chosen in the variables instead.
const maxRows = 100

// chosenPanels show, for the levels that the variables choose, what the rows of
// smaller agreements show for each; thresholds, which differ by level, are left out.
func chosenPanels(g *grid, a *sla.Agreement, of selector) {
	g.section("chosen levels")
	g.header("Chosen service levels", false)
	const legend = "{{service}}/{{slo}}"
	for _, w := range []time.Duration{time.Hour, 6 * time.Hour} {
		window := sla.FormatDuration(w)
		g.add(8,
			sized{12, timePanel("Burn rate over "+window, "How many times faster than the objective allows: at 1x the budget lasts exactly the period.").
				query(of.worstBurn(w, groupLabels(a)), legend).unit(unitFactor, -1).noValue("not measured")},
			sized{12, timePanel("Bad share over "+window, fmt.Sprintf("The bad share of the last %s.", window)).
				query(of.errorRatio(w), legend).unit(unitRatio, -1).noValue("not measured")})
	}
	g.add(8,
		sized{12, timePanel("All", "All events a second, or known seconds a second, as each level counts them.").
			query(of.totalRate(), legend).unit(unitNumber, -1).noValue("not measured")},
		sized{12, timePanel("Bad", "Bad events a second, or bad seconds a second, as each level counts them.").
			query(of.badRate(), legend).unit(unitNumber, -1).noValue("not measured")})
	if len(sla.ProbeTargets([]*sla.Agreement{a})) == 0 {
		return
	}
	const by = metricnames.Service + ", " + metricnames.SLO + ", "
	g.add(8,
		sized{12, timePanel("Probe outcomes", "Results a minute. Inconclusive and missed ones are the prober's own fault: they are neither good nor bad time of the service.").
			query(of.perMinute(metricnames.ProbeResults, by+metricnames.Outcome), legend+" {{outcome}}").
			unit(unitPerMinute, -1).noValue("no exporter is scraped").minStep("1m")},
		sized{12, timePanel("Failures by reason", "Bad and inconclusive results a minute, by what was wrong.").
			query(of.perMinute(metricnames.ProbeFailures, by+metricnames.Reason), legend+" {{reason}}").
			unit(unitPerMinute, -1).noValue("no failures").minStep("1m").shades(colorBad)})
}
