package dashboards

import (
	"fmt"
	"slices"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

var (
	rawTally      = metricnames.TallyOf("raw_bad", metricnames.RawBadRate)
	excludedTally = metricnames.TallyOf("excluded_bad", metricnames.ExcludedBadRate)
)

// contractPanels show what the contract makes of what was measured: what hours
// and exclusions leave out, and what is owed.
func contractPanels(g *grid, l *sla.ServiceLevel, own selector) {
	if l.Masked() {
		g.add(8, leftOutPanels(l, own)...)
	}
	if len(l.Credits.Tiers) > 0 {
		p := l.CreditPeriod()
		period := own.with(eq(metricnames.Period, p.String()))
		g.add(5, sized{6, owedPanel(l, p, period)}, sized{18, untilTierPanel(l, period)})
	}
}

func leftOutPanels(l *sla.ServiceLevel, own selector) []sized {
	period := own.with(eq(metricnames.Period, l.Period.String()))
	unit, what := unitNumber, "Bad events"
	if l.Aggregation.ByTime() {
		unit, what = unitSeconds, "Bad time"
	}
	sums := statPanel(what+" of the period: measured, excluded, counted",
		"What was measured is what counts, what exclusions took out, and what lay outside of service hours. Only what counts spends budget.").
		now(period.level("max", rawTally.Sum), "measured")
	hourly := timePanel(what+" over time: counted and excluded", "Each bar is what was measured since the one before. Nothing is excluded outside of service hours: there it is only measured.").
		query("sum("+since(own.series(metricnames.BadIncrease))+")", "counted").minStep(increase).stacked()
	if len(l.Exclusions) > 0 {
		sums.now(period.level("max", excludedTally.Sum), "excluded")
		hourly.query("sum("+since(own.series(excludedTally.Increase))+")", "excluded").colored("excluded", colorNeutral)
	}
	sums.now(period.bad(), "counted").unit(unit, -1).noValue(silence(l)).thresholds(colorText)
	hourly.unit(unit, -1).noValue(silence(l)).colored("counted", colorBad)
	agreed := statPanel("Agreed time", "The agreed service time of the period: hours less what is removed from them, what is still to come included.").
		now(period.level("max", metricnames.AgreedPeriod), "agreed").unit(unitSeconds, -1).noValue(silence(l)).thresholds(colorText)
	panels := []sized{{8, sums}, {12, hourly}, {4, agreed}}
	capped := statPanel("Cap used", "Of the downtime that an exclusion may excuse in its period. From 100 % on it goes on excusing here, and the overrun counts where the contract is settled.").
		unit(unitRatio, 0).noValue("not measured").thresholds(colorGood, step{0.8, colorWarn}, step{1, colorBad})
	for _, e := range l.MeasuredCaps() {
		if slices.Contains(l.Periods(), e.Cap.Per) {
			of := own.with(eq(metricnames.Exclusion, e.Name), eq(metricnames.Period, e.Cap.Per.String()))
			capped.now(of.level("max", metricnames.CapUsed), e.Name)
		}
	}
	if len(capped.Targets) > 0 {
		panels[1].width = 9
		panels = append(panels, sized{3, capped})
	}
	return panels
}

func owedPanel(l *sla.ServiceLevel, p sla.Period, period selector) *panel {
	panel := statPanel("Credit owed over "+p.Words(), "If all the rest of the period is good: "+l.Credits.CreditWords()+".").
		now(period.level("max", metricnames.CreditPercent), "owed").unit(unitPercent, -1).noValue(silence(l))
	return panel.thresholds(colorGood, step{0.000001, colorBad})
}

func untilTierPanel(l *sla.ServiceLevel, period selector) *panel {
	panel := statPanel("Outage until the next credits", "Of total outage, until each tier is reached; nothing if it is.")
	for _, t := range l.Credits.Tiers {
		panel.now(period.with(eq(metricnames.Tier, t.Below.String())).level("max", metricnames.CreditMinutes), fmt.Sprintf("%s %% %s", t.Percent, t.Words()))
	}
	return panel.unit(unitMinutes, -1).noValue(silence(l)).thresholds(colorBad, step{0.000001, colorText})
}
