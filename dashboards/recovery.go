package dashboards

import (
	"fmt"
	"strings"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// recoveryPanels show outages and ages beside what the level's recovery allows; of a level
// with groups, the worst of them.
func recoveryPanels(g *grid, l *sla.ServiceLevel) {
	own := ofLevel(l.ID)
	if len(l.Recovery.FromOutages()) > 0 {
		panels := []sized{{6, outagePanel(l, own)}, {gridWidth - 6, outagesPanel(l, own)}}
		g.add(5, panels...)
	}
	if ages := l.Recovery.Ages(); len(ages) > 0 {
		g.add(6, sized{gridWidth, agesPanel(own, ages)})
	}
}

// limitSteps colour a panel from the first warning on, and from the least limit on.
func limitSteps(l *sla.ServiceLevel, objectives []sla.NamedObjective, near *sla.AlertKind) []step {
	if len(objectives) == 0 {
		return nil
	}
	least := objectives[0].Limit.Seconds()
	for _, o := range objectives {
		least = min(least, o.Limit.Seconds())
	}
	steps := []step{{least, colorBad}}
	if n := l.Notice(near); n != nil {
		steps = append([]step{{least * n.Share.Float64() / 100, colorWarn}}, steps...)
	}
	return steps
}

// withPromises adds the objectives to the description of a panel.
func withPromises[O interface{ Words() string }](text string, objectives []O) string {
	words := []string{text}
	for _, o := range objectives {
		words = append(words, fmt.Sprintf("The promise: %s.", o.Words()))
	}
	return strings.Join(words, " ")
}

func outagePanel(l *sla.ServiceLevel, own selector) *panel {
	text := withPromises("For how long the outage that goes on has lasted.", l.Recovery.EachOutage())
	return statPanel("Outage now", text).now(own.level("max", metricnames.OutageAge), "lasts for").
		unit(unitSeconds, -1).noValue("no outage").thresholds(colorWarn, limitSteps(l, l.Recovery.EachOutage(), sla.AlertRestoreTimeNear)...)
}

func outagesPanel(l *sla.ServiceLevel, own selector) *panel {
	text := withPromises("Of the outages that have ended in the period: how many, the longest, and their mean.", l.Recovery.FromOutages())
	p := statPanel("Outages over "+periodsWords(l), text).noValue("none").thresholds(colorText).unit(unitSeconds, -1)
	for _, of := range l.Periods() {
		period, name := own.with(eq(metricnames.Period, of.String())), ""
		if len(l.MorePeriods) > 0 {
			name = ", " + of.String()
		}
		p.now(period.level("max", metricnames.OutageCount), "outages"+name).
			now(period.level("max", metricnames.OutageLongest), "longest"+name).
			now(period.level("max", metricnames.OutageMean), "mean"+name).
			override("outages"+name, property{Id: "unit", Value: unitNumber}, property{Id: "decimals", Value: 0})
	}
	return p
}

func agesPanel(own selector, ages []sla.NamedObjective) *panel {
	p := timePanel("Age of what could be recovered", "In seconds, by the query of each objective, and its limit.").unit(unitSeconds, -1).noValue("no result")
	for _, o := range ages {
		p.query(own.with(eq(metricnames.Recovery, o.Name)).level("max", metricnames.RecoveryAge), o.Name)
		limit := o.Name + ", limit " + o.LimitWords()
		p.query(fmt.Sprintf("vector(%s)", sla.Seconds(o.Limit)), limit).colored(limit, colorBad)
	}
	return p
}
