package dashboards

import (
	"fmt"
	"slices"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

const (
	colBy       = "By"
	colValue    = "Of"
	colLevels   = "Levels"
	colAtRisk   = "At risk"
	colWeighted = "Mean budget left"
)

// rollupPanels combine the levels of all agreements by labels, if any agreement
// requests it.
func rollupPanels(g *grid, agreements []*sla.Agreement, of selector) {
	asked := slices.ContainsFunc(agreements, func(a *sla.Agreement) bool {
		return slices.ContainsFunc(a.Levels, func(l *sla.ServiceLevel) bool { return len(l.Rollups()) > 0 })
	})
	if !asked {
		return
	}
	set := func(op, metric string) string {
		return fmt.Sprintf("%s by (%s, %s) (%s)", op, metricnames.By, metricnames.Value, of.series(metric))
	}
	// The mean of several agreements is the mean of all their levels.
	weight := fmt.Sprintf("max by (%s, %s, %s) (%s)", byLevel, metricnames.By, metricnames.Value, of.series(metricnames.RollupLevelWeight))
	budget := fmt.Sprintf("max by (%s, %s, %s) (%s)", byLevel, metricnames.By, metricnames.Value, of.series(metricnames.RollupLevelBudget))
	by := fmt.Sprintf("by (%s, %s)", metricnames.By, metricnames.Value)
	mean := fmt.Sprintf("sum %s (%s * %s) / sum %s (%s)", by, budget, weight, by, weight)
	p := promiseTable("Teams, customers and agreements, the worst first",
		fmt.Sprintf("Levels put together by their labels. At risk is what has less than %.0f %% of its budget left.", 100*lowBudget),
		map[string]string{metricnames.By: colBy, metricnames.Value: colValue}, []string{metricnames.By, metricnames.Value}, 1, []column{
			{colBudget, set("min", metricnames.RollupWorst)},
			{colWeighted, mean},
			{colLevels, set("sum", metricnames.RollupLevels)},
			{colAtRisk, set("sum", metricnames.RollupAtRisk)},
		})
	p.override(colWeighted, append([]property{{Id: "unit", Value: unitRatio}, {Id: "decimals", Value: 1.0}}, inColor(budgetThresholds())...)...)
	p.override(colAtRisk, append([]property{{Id: "decimals", Value: 0.0}}, inColor(thresholds(colorGood, step{1, colorWorse}))...)...)
	g.add(8, sized{gridWidth, p})
}
