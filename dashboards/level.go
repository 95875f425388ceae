package dashboards

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/stat"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// Sections of an agreement's dashboard: the summary, then one for each level.
const sectionSummary = "summary"

func sectionOf(id sla.ID) string { return id.Service + "/" + id.SLO }

// agreementPanels are the chosen levels in short, then a row for each level of
// the agreement, of which the first is open.
func agreementPanels(g *grid, a *sla.Agreement) {
	of := choose(eq(metricnames.SLA, a.Name), among(metricnames.Service, varService), among(metricnames.SLO, varSLO))
	g.section(sectionSummary)
	height := min(4+uint32(len(a.Levels)), 12)
	g.add(height, sized{gridWidth, levelTable("Service levels, the worst first", of, a)})
	const legend = "{{service}}/{{slo}}"
	g.add(8, sized{12, budgetPanel(of, legend)}, sized{12, alertsPanel(of, urgenciesOf(a), legend)})
	if len(a.Levels) > maxRows {
		chosenPanels(g, a, of)
		return
	}
	thresholds := probeThresholds(a)
	for i, l := range a.Levels {
		g.section(sectionOf(l.ID))
		g.header(fmt.Sprintf("%s/%s: %s %% over %s%s", l.ID.Service, l.ID.SLO, l.Target, periodsWords(l), groupWords(l)), i > 0)
		if len(l.GroupBy.Labels) > 0 {
			groupPanels(g, l, thresholds)
		} else {
			levelPanels(g, l, thresholds)
		}
		g.closeRow()
	}
}

// probeThresholds are the response times that levels of the agreement demand of
// the probes that others define.
func probeThresholds(a *sla.Agreement) map[sla.ID][]time.Duration {
	of := map[sla.ID][]time.Duration{}
	for _, t := range sla.ProbeTargets([]*sla.Agreement{a}) {
		of[t.ID] = t.Thresholds
	}
	return of
}

func levelPanels(g *grid, l *sla.ServiceLevel, thresholds map[sla.ID][]time.Duration) {
	own := ofLevel(l.ID)
	of := func(p sla.Period) selector { return own.with(eq(metricnames.Period, p.String())) }
	period := of(l.Period)
	g.add(5,
		sized{5, achievedPanel(l, l.Period, own, period)},
		sized{4, remainingPanel(l, period)},
		sized{4, burnStat(l, own)},
		sized{4, badPanel(l, l.Period, period)},
		sized{4, knownPanel(period)},
		sized{3, firingPanel(own)})
	for _, p := range l.MorePeriods {
		g.add(5,
			sized{6, achievedPanel(l, p, own, of(p))},
			sized{5, remainingPanel(l, of(p))},
			sized{4, badPanel(l, p, of(p))},
			sized{3, knownPanel(of(p))},
			sized{6, budgetPanel(of(p), "remaining")})
	}
	g.add(8, sized{12, burnPanel(l, own)}, sized{12, ratioPanel(l, own)})
	g.add(8, sized{12, budgetPanel(period, "remaining")}, sized{12, tiersPanel(l, own)})
	contractPanels(g, l, own)
	recoveryPanels(g, l)
	sourcePanels(g, l, thresholds, sized{gridWidth, trafficPanel(own)})
}

// sourcePanels adds panels about the level's data: what exporters report on its
// probe, or otherwise the events.
func sourcePanels(g *grid, l *sla.ServiceLevel, thresholds map[sla.ID][]time.Duration, events ...sized) {
	switch i := l.Indicator.(type) {
	case *sla.Probe:
		probePanels(g, ofLevel(l.ID), thresholds[l.ID])
	case *sla.SharedProbe:
		probePanels(g, ofLevel(i.Of), thresholds[i.Of])
	case *sla.Composite:
		compositePanels(g, l, i, ofLevel(l.ID))
	case *sla.ProbeLatency:
		probePanels(g, ofLevel(i.Of), []time.Duration{i.Threshold})
	default:
		g.add(8, events...)
	}
}

// periodsWords name the periods of a level.
func periodsWords(l *sla.ServiceLevel) string {
	var words []string
	for _, p := range l.Periods() {
		words = append(words, p.Words())
	}
	return strings.Join(words, " and ")
}

// silence is what a missing value means for the kind of level.
func silence(l *sla.ServiceLevel) string {
	if len(l.Indicator.Queries()) == 0 {
		return "not measured"
	}
	return "no traffic"
}

// decimals is how many a percentage is written with.
func decimals(percent sla.Decimal) int {
	_, fraction, _ := strings.Cut(percent.String(), ".")
	return len(fraction)
}

// places is how many decimals a percentage needs so that it can be compared with its target.
func places(percent sla.Decimal) int { return decimals(percent) + 2 }

func achievedPanel(l *sla.ServiceLevel, of sla.Period, own, period selector) *panel {
	p := statPanel("Achieved over "+of.Words(), "The good share of the period to date, beside the target that the agreement promises.").
		now(period.achievedAtLeast(places(l.Target)), "achieved").now(own.target(), "target").
		unit(unitRatio, places(l.Target)).noValue(silence(l))
	target, objective := l.TargetRatio().Float64(), l.ObjectiveRatio().Float64()
	steps := []step{{target, colorGood}}
	if objective > target {
		steps = []step{{target, colorWarn}, {objective, colorGood}}
	}
	return p.thresholds(colorBad, steps...).colored("target", colorText)
}

func remainingPanel(l *sla.ServiceLevel, period selector) *panel {
	p := gaugePanel("Error budget remaining", "Of the whole period's budget: 0 % is spent, below that the target is missed.").
		now(period.budget(), "remaining").unit(unitRatio, 1).between(0, 1).noValue(silence(l))
	config := budgetThresholds()
	p.FieldConfig.Defaults.Thresholds = &config
	p.FieldConfig.Defaults.Color = &dashboard.FieldColor{Mode: dashboard.FieldColorModeIdThresholds}
	return p
}

func burnStat(l *sla.ServiceLevel, own selector) *panel {
	return statPanel("Burn rate", "How many times faster than the objective allows: at 1x the budget lasts exactly the period.").
		now(own.burn(time.Hour), "1h").now(own.burn(6*time.Hour), "6h").
		unit(unitFactor, 2).noValue(silence(l)).thresholds(colorGood, burnSteps(l)...)
}

// burnSteps are the burn rates at which the level's alerts fire; a tier's own
// factor, or less where no window could reach that.
func burnSteps(l *sla.ServiceLevel) []step {
	budget := l.ObjectiveBudget()
	var steps []step
	for _, t := range l.Alerting.Tiers {
		threshold, _ := t.Threshold(budget)
		color := colorWarn
		if t.Urgency == sla.Page {
			color = colorBad
		}
		steps = append(steps, step{threshold.Quo(budget).Float64(), color})
	}
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(a.from, b.from) })
	return slices.CompactFunc(steps, func(a, b step) bool { return a.from == b.from })
}

func badPanel(l *sla.ServiceLevel, of sla.Period, period selector) *panel {
	title, description, unit := "Bad events", "Bad events of the period to date.", unitNumber
	if l.Aggregation.ByTime() {
		title, unit = "Bad time", unitSeconds
		description = "Bad time of the period to date."
		if of.Calendar == "" { // a calendar period's length is not always the same
			description += fmt.Sprintf(" The target allows %s over %s.",
				l.BudgetTime(l.TargetBudget(), of, time.Now()).Round(time.Second), of.Words())
		}
	}
	p := statPanel(title, description).now(period.bad(), title).unit(unit, -1).noValue(silence(l))
	p.thresholds(colorText)
	return p
}

func knownPanel(period selector) *panel {
	return statPanel("Known", "The share of the period for which the state is known. It grows from nothing while the first period is measured; figures of the period rest on this much of it.").
		now(period.coverage(), "known").unit(unitRatio, 1).noValue("nothing yet").thresholds(colorText)
}

func firingPanel(own selector) *panel {
	return statPanel("Alerts firing", "Alerts of all tiers, and that for a lost measurement.").
		now(own.orZero("count("+own.with(anyAlert, firing).series("ALERTS")+")"), "firing").
		unit(unitNumber, 0).noValue("not evaluated").thresholds(colorGood, step{1, colorBad}).
		mapping(values(map[string]dashboard.ValueMappingResult{"0": shown("none", colorGood, 0)})).
		colorBackground()
}

func (p *panel) colorBackground() *panel {
	p.Options.(*stat.Options).ColorMode = "background"
	return p
}

func burnPanel(l *sla.ServiceLevel, own selector) *panel {
	var lines []string
	for _, t := range l.Alerting.Tiers {
		threshold, _ := t.Threshold(l.ObjectiveBudget())
		lines = append(lines, fmt.Sprintf("%s fires at %.3gx over %s and %s", t.Name, threshold.Quo(l.ObjectiveBudget()).Float64(),
			sla.FormatDuration(t.Long), sla.FormatDuration(t.Short)))
	}
	description := "How many times faster than the objective of " + l.Objective.String() + " % allows."
	if len(lines) > 0 {
		description += " Dashed: " + strings.Join(lines, "; ") + "."
	}
	return timePanel("Burn rate", description).
		query(own.burn(time.Hour), "1h").query(own.burn(6*time.Hour), "6h").
		unit(unitFactor, -1).noValue(silence(l)).thresholds(colorGood, burnSteps(l)...)
}

func ratioPanel(l *sla.ServiceLevel, own selector) *panel {
	p := timePanel("Bad share by window", fmt.Sprintf("Dashed: the %s %% that the target allows over the whole period.", l.TargetBudget().Mul(sla.NewDecimal(100, 1))))
	for _, w := range sla.StandardWindows {
		p.query(own.errorRatio(w), sla.FormatDuration(w))
	}
	return p.unit(unitRatio, -1).noValue(silence(l)).
		thresholds(colorGood, step{l.TargetBudget().Float64(), colorBad})
}

func tiersPanel(l *sla.ServiceLevel, own selector) *panel {
	p := statePanel("Alerts", "The alerts of a burning budget, and the alert for a lost measurement: quiet, pending, or firing as a ticket or a page.").
		noValue("the level is not evaluated")
	for _, a := range l.BurnAlerts() {
		name, urgency := a.Severity, sla.Ticket
		if a.Tier != "" {
			name += " " + a.Tier
		}
		if a.Pages() {
			urgency = sla.Page
		}
		p.query(own.stateOf(urgency, eq("alertname", sla.AlertBudgetBurn.Name), eq(metricnames.Severity, a.Severity), eq(metricnames.Tier, a.Tier)), name)
	}
	urgency := sla.Ticket
	if n := l.Notice(sla.AlertMeasurementLost); n != nil {
		urgency = n.Urgency
	}
	return p.query(own.stateOf(urgency, eq("alertname", sla.AlertMeasurementLost.Name)), "measurement lost")
}

func trafficPanel(own selector) *panel {
	return timePanel("Events", "All events, and the bad ones, as the level counts them.").
		query(own.totalRate(), "all").query(own.badRate(), "bad").
		unit(unitRequests, -1).noValue("no traffic").
		colored("all", colorNeutral).colored("bad", colorBad)
}

// probePanels are the exporter's own account of a probe.
func probePanels(g *grid, probe selector, thresholds []time.Duration) {
	outcomes := timePanel("Probe outcomes", "Results a minute. Inconclusive and missed ones are the prober's own fault: they are neither good nor bad time of the service.").
		query(probe.perMinute(metricnames.ProbeResults, metricnames.Outcome), "{{outcome}}").
		unit(unitPerMinute, -1).noValue("no exporter is scraped").minStep("1m").stacked()
	for _, c := range []struct{ outcome, color string }{
		{metricnames.Good, colorGood},
		{metricnames.Bad, colorBad},
		{metricnames.Inconclusive, colorUnknown},
		{metricnames.Maintenance, colorNeutral},
		{metricnames.Missed, colorWorse},
	} {
		outcomes.colored(c.outcome, c.color)
	}
	failures := timePanel("Failures by reason", "Bad and inconclusive results a minute, by what was wrong.").
		query(probe.perMinute(metricnames.ProbeFailures, metricnames.Reason), "{{reason}}").
		unit(unitPerMinute, -1).noValue("no failures").minStep("1m").stacked().shades(colorBad)
	last := statPanel("Last outcome", "What the latest conclusive probe found, from each location.").
		now(probe.lastOutcome(), "{{location}}").noValue("never probed").thresholds(colorBad, step{1, colorGood}).
		mapping(values(map[string]dashboard.ValueMappingResult{"0": shown("bad", colorBad, 0), "1": shown("good", colorGood, 1)})).
		colorBackground()
	last.unit(unitNumber, 0)
	g.add(8, sized{10, outcomes}, sized{10, failures}, sized{4, last})

	times := timePanel("Response time", "Quantiles of what the probes took, failed ones included."+demanded(thresholds)).minStep("1m").
		unit(unitSeconds, -1).noValue("no exporter is scraped")
	for _, q := range []struct{ quantile, name string }{{"0.5", "median"}, {"0.95", "95 %"}, {"0.99", "99 %"}} {
		times.query(probe.responseTime(q.quantile), q.name)
	}
	if len(thresholds) > 0 {
		var steps []step
		for _, t := range thresholds {
			steps = append(steps, step{t.Seconds(), colorBad})
		}
		times.thresholds(colorGood, steps...)
	}
	g.add(8, sized{gridWidth, times})
}

// demanded says which thresholds are drawn.
func demanded(thresholds []time.Duration) string {
	if len(thresholds) == 0 {
		return ""
	}
	texts := make([]string, 0, len(thresholds))
	for _, t := range thresholds {
		texts = append(texts, t.String())
	}
	return " Dashed: the " + strings.Join(texts, " and ") + " that service levels demand."
}
