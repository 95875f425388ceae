package dashboards

import (
	"fmt"
	"time"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// recoveryPanels show outages and ages next to the limits of the levels' recovery.
func recoveryPanels(g *grid, c chosen) {
	if c.any(func(l *sla.ServiceLevel) bool { return len(l.Recovery.FromOutages()) > 0 }) {
		g.add(7, sized{5, outagePanel(c)}, sized{8, outagesPanel(c)}, sized{11, outageList(c)})
	}
	if c.any(func(l *sla.ServiceLevel) bool { return len(l.Recovery.Ages()) > 0 }) {
		g.add(7, sized{gridWidth, agesPanel(c)})
	}
}

func seconds(d time.Duration) string { return sla.Seconds(d).String() }

func outagePanel(c chosen) *panel {
	limit := c.whole().perLevel(func(l *sla.ServiceLevel) (string, bool) {
		least := time.Duration(0)
		for _, o := range l.Recovery.EachOutage() {
			if least == 0 || o.Limit < least {
				least = o.Limit
			}
		}
		return seconds(least), least > 0
	})
	p := statPanel("Outage now", "For how long the outage that goes on has lasted, and how long one may last.").
		now(c.whole().level("max", metricnames.OutageAge), "lasts for").
		unit(unitSeconds, -1).noValue("no outage").thresholds(colorBad)
	if limit != "" {
		p.now(limit, "limit").colored("limit", colorText)
	}
	return p
}

func outagesPanel(c chosen) *panel {
	period := c.whole().period()
	return statPanel("Outages over the period", "Of the outages that have ended in the period: how many, the longest, and their mean.").
		now(period.level("max", metricnames.OutageCount), "outages").
		now(period.level("max", metricnames.OutageLongest), "longest").
		now(period.level("max", metricnames.OutageMean), "mean").
		unit(unitSeconds, -1).noValue("none").thresholds(colorText).
		override("outages", property{Id: "unit", Value: unitNumber}, property{Id: "decimals", Value: 0})
}

// outageList has a line for each outage that ended within the range. Its end is
// recorded once, so the greatest value of a step is the outage of that step.
func outageList(c chosen) *panel {
	p := tablePanel("Outages that ended", "When each ended, to the step of the graph, and how long it had lasted.").noValue("none ended").minStep(evaluation)
	p.target(prometheus.Dataquery{
		Expr: c.whole().maxOver(metricnames.OutageEnded), Format: cog.ToPtr(prometheus.PromQueryFormatTable), Range: cog.ToPtr(true),
	})
	p.organize(map[string]string{"Time": "Ended", "Value": "Lasted"}, map[string]bool{
		metricnames.SLA: true, metricnames.Service: true, metricnames.SLO: true,
	}, map[string]int{"Time": 0, "Value": 1})
	p.override("Lasted", property{Id: "unit", Value: unitSeconds})
	return p.sortedBy("Ended", true)
}

// maxOver is the greatest value of a level's series in a step.
func (s selector) maxOver(metric string) string {
	return fmt.Sprintf("max by (%s) (%s)", s.by(), worst(s.series(metric)))
}

func agesPanel(c chosen) *panel {
	p := timePanel("Age of what could be recovered", "In seconds, by the query of each objective, and its limit.").unit(unitSeconds, -1).noValue("no result")
	p.query(fmt.Sprintf("max by (%s) (%s)", metricnames.Recovery, c.series(metricnames.RecoveryAge)), "{{recovery}}")
	for _, name := range ageNames(c.of) {
		limit := c.whole().perLevel(func(l *sla.ServiceLevel) (string, bool) {
			for _, o := range l.Recovery.Ages() {
				if o.Name == name {
					return seconds(o.Limit), true
				}
			}
			return "", false
		})
		p.query(limit, name+", limit").colored(name+", limit", colorBad).dashed(name + ", limit")
	}
	return p
}

func ageNames(a *sla.Agreement) []string {
	var names []string
	seen := map[string]bool{}
	for _, l := range a.Levels {
		for _, o := range l.Recovery.Ages() {
			if !seen[o.Name] {
				seen[o.Name], names = true, append(names, o.Name)
			}
		}
	}
	return names
}
