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

// contractPanels show the contract's view of the measurements: when they were bad, what
// service hours and exclusions leave out, and what is owed.
func contractPanels(g *grid, c chosen) {
	counted := timePanel("Bad over time: counted and excluded", "Each bar is what was measured since the one before: of a level by time how long it was bad, else events. Nothing is excluded outside of service hours: there it is only measured.").
		minStep(increase).stacked().unit(unitSeconds, -1).noValue("nothing was bad, or not measured")
	bars := func(name, metric, color string) {
		c.inUnits(counted, name, fmt.Sprintf("sum by (%s) (%s)", byLevel, since(c.series(metric))), counted.query)
		counted.colored(name, color).colored(name+events, color)
	}
	bars("counted", metricnames.BadIncrease, colorBad)
	if !c.any((*sla.ServiceLevel).Masked) {
		g.add(8, sized{gridWidth, counted})
	} else {
		bars("excluded", excludedTally.Increase, colorNeutral)
		g.add(8, append([]sized{{10, counted}}, leftOutPanels(c)...)...)
	}
	if c.any(hasCredits) {
		g.add(5, sized{6, owedPanel(c)}, sized{18, untilTierPanel(c)})
	}
}

// events ends the names of series that count events.
const events = " events"

// inUnits adds an expression to a panel of times twice: as time and, under another
// name, as a number of events. Only the one in the level's unit has values.
func (c chosen) inUnits(p *panel, name, expr string, add func(expr, legend string) *panel) {
	add(c.ofUnit(expr, "seconds"), name)
	add(c.ofUnit(expr, "events"), name+events)
	p.override(name+events, property{Id: "unit", Value: unitNumber})
}

func hasCredits(l *sla.ServiceLevel) bool { return len(l.Credits.Tiers) > 0 }

func leftOutPanels(c chosen) []sized {
	period := c.whole().period()
	sums := statPanel("Bad of the period: measured, excluded, counted",
		"What was measured is what counts, what exclusions took out, and what lay outside of service hours. Only what counts spends budget. Time of a level by time, else events.").
		unit(unitSeconds, -1).noValue(notMeasured).thresholds(colorText)
	for _, of := range []struct{ name, metric string }{{"measured", rawTally.Sum}, {"excluded", excludedTally.Sum}, {"counted", metricnames.BadPeriod}} {
		c.whole().inUnits(sums, of.name, period.level("max", of.metric), sums.now)
	}
	agreed := statPanel("Agreed time", "The agreed service time of the period: hours less what is removed from them, what is still to come included.").
		now("("+c.whole().span()+") / 3600", "agreed").unit(unitHours, -1).noValue(notMeasured).thresholds(colorText)
	panels := []sized{{8, sums}, {3, agreed}}
	capped := statPanel("Cap used", "Of the downtime that an exclusion may excuse in its period. From 100 % on it goes on excusing here, and the overrun counts where the contract is settled.").
		unit(unitRatio, 0).noValue("no cap").thresholds(colorGood, step{0.8, colorWarn}, step{1, colorBad})
	if c.any(func(l *sla.ServiceLevel) bool {
		return slices.ContainsFunc(l.MeasuredCaps(), func(e *sla.Exclusion) bool { return slices.Contains(l.Periods(), e.Cap.Per) })
	}) {
		capped.now(fmt.Sprintf("max by (%s, %s) (%s)", metricnames.Exclusion, metricnames.Period, c.series(metricnames.CapUsed)), "{{exclusion}}, {{period}}")
		return append(panels, sized{3, capped})
	}
	panels[1].width += 3
	return panels
}

func owedPanel(c chosen) *panel {
	return statPanel("Credit owed", "For the period that credits are agreed for, if all the rest of it is good.").
		now(fmt.Sprintf("max by (%s) (%s)", metricnames.Period, c.series(metricnames.CreditPercent)), "{{period}}").
		unit(unitPercent, -1).noValue("no credits, or not measured").thresholds(colorGood, step{0.000001, colorBad})
}

func untilTierPanel(c chosen) *panel {
	return statPanel("Outage until the next credits", "Minutes of total outage, until each tier is reached; nothing if it is.").
		now(fmt.Sprintf("max by (%s) (%s)", metricnames.Tier, c.series(metricnames.CreditMinutes)), "below {{tier}} %").
		unit(unitMinutes, -1).noValue("no credits, or not measured").thresholds(colorBad, step{0.000001, colorText})
}

const colBad = "Bad"

// previousPanels show the calendar periods that ended within the range.
func previousPanels(g *grid, c chosen) {
	if !slices.ContainsFunc(periods(c.of), func(p sla.Period) bool { return p.Calendar != "" }) {
		return
	}
	by := metricnames.Period + ", " + metricnames.Start
	last := func(metric string) string {
		return fmt.Sprintf("max by (%s, %s) (last_over_time(%s[$__range]))", byLevel, by, c.series(metric))
	}
	final := func(expr string) string { // 20260201 as a date
		return fmt.Sprintf(`label_replace(max by (%s) (%s), "%s", "$1-$2-$3", "%s", "(....)(..)(..)")`, by, expr, metricnames.Start, metricnames.Start)
	}
	columns := []column{
		{"Achieved", final("1 - " + last(metricnames.ErrorPrevious))},
		{colBad, final(c.ofUnit(last(metricnames.BadPrevious), "seconds"))},
		{colBad + events, final(c.ofUnit(last(metricnames.BadPrevious), "events"))},
	}
	if c.any(hasCredits) {
		columns = append(columns, column{"Credit", final(last(metricnames.CreditPrevious))})
	}
	p := tablePanel("Earlier periods", "Calendar periods that ended within the time range, and for a while before it, with their final figures. A rolling period has none.").
		noValue("none ended").columns(map[string]string{metricnames.Period: colPeriod, metricnames.Start: "From"}, []string{metricnames.Period, metricnames.Start}, columns).
		sortedBy("From", true)
	p.override("Achieved", property{Id: "unit", Value: unitRatio}, property{Id: "decimals", Value: float64(tablePlaces(c.of))})
	p.override(colBad, property{Id: "unit", Value: unitSeconds})
	p.override("Credit", property{Id: "unit", Value: unitPercent})
	g.add(7, sized{gridWidth, p})
}
