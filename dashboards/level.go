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

// levelPanels make the board of one level: its state, its budget, how near its alerts
// are to firing, what was left out, its outages, and earlier periods.
func levelPanels(g *grid, c chosen, runbooks string) {
	g.section("level")
	g.add(5, figurePanels(c)...)
	g.add(7, sized{12, levelAlertsPanel(c, runbooks)}, sized{12, trafficPanel(c)})
	g.add(5, sized{gridWidth, serviceStatePanel(c.selector, c.legend("state"))})
	g.add(9, sized{12, burnDownPanel(c)}, sized{12, achievedOverTime(c)})
	g.add(9, sized{12, tiersPanel(c)}, sized{12, ratioPanel(c)})
	if len(groupLabels(c.of)) > 0 {
		g.section("groups")
		g.add(9, sized{gridWidth, groupTable(c)})
	}
	g.section("contract")
	contractPanels(g, c)
	g.section("recovery")
	recoveryPanels(g, c)
	g.section("earlier periods")
	previousPanels(g, c)
}

const notMeasured = "not measured"

// decimals is how many decimals a percentage is written with.
func decimals(percent sla.Decimal) int {
	_, fraction, _ := strings.Cut(percent.String(), ".")
	return len(fraction)
}

func figurePanels(c chosen) []sized {
	return []sized{
		{5, achievedPanel(c)},
		{3, remainingPanel(c)},
		{5, badPanel(c)},
		{3, lastsPanel(c)},
		{4, burnStat(c)},
		{2, knownPanel(c)},
		{2, firingPanel(c)},
	}
}

func achievedPanel(c chosen) *panel {
	whole, period := c.whole(), c.whole().period()
	places := tablePlaces(c.of)
	spent := period.level("max", metricnames.BurnRate)
	met := fmt.Sprintf("(%s) and on (%s) %s", period.achievedAtLeast(places), byLevel, spent)
	return statPanel("Achieved over the period", "The good share of the period to date, beside the target that the agreement promises. Of a level with groups, the worst.").
		now(met+" <= 1", "achieved").now(met+" > 1", "too little").now(whole.target(), "target").
		unit(unitRatio, places).noValue(notMeasured).thresholds(colorText).
		colored("achieved", colorGood).colored("too little", colorBad).override("too little", property{Id: "displayName", Value: "achieved"}).colored("target", colorText)
}

func remainingPanel(c chosen) *panel {
	p := gaugePanel("Budget left", "Of the whole period's budget: 0 % is spent, below that the target is missed.").
		now(c.whole().period().budget(), "remaining").unit(unitRatio, 1).between(0, 1).noValue(notMeasured)
	config := budgetThresholds()
	p.FieldConfig.Defaults.Thresholds = &config
	p.FieldConfig.Defaults.Color = &dashboard.FieldColor{Mode: dashboard.FieldColorModeIdThresholds}
	return p
}

func badPanel(c chosen) *panel {
	whole := c.whole()
	bad := whole.period().bad()
	p := statPanel("Bad so far", "What was bad of the period to date, and of levels by time what the target allows in all of it.").
		now(whole.ofUnit(bad, "seconds"), "bad time").now(whole.ofUnit(whole.allowed(), "seconds"), "allowed").
		now(whole.ofUnit(bad, "events"), "bad events").unit(unitSeconds, -1).noValue(notMeasured).thresholds(colorText)
	return p.override("bad events", property{Id: "unit", Value: unitNumber})
}

func lastsPanel(c chosen) *panel {
	return statPanel("Budget lasts", "How long the rest of the budget lasts if it goes on as in the last 6h. In a rolling period, what was spent long ago comes back besides.").
		now(c.whole().lasts(6*time.Hour), "lasts").unit(unitSeconds, -1).noValue("no end known").
		thresholds(colorBad, step{day.Seconds(), colorWarn}, step{7 * day.Seconds(), colorText})
}

const day = 24 * time.Hour

func burnStat(c chosen) *panel {
	whole := c.whole()
	return statPanel("Burn rate", "How many times faster than the objective allows: at 1x the budget lasts exactly the period.").
		now(whole.worstBurn(time.Hour), "1h").now(whole.worstBurn(6*time.Hour), "6h").
		unit(unitFactor, 2).noValue(notMeasured).thresholds(colorGood, burnColors()...)
}

func knownPanel(c chosen) *panel {
	return statPanel("Known", "The share of the period for which the state is known. It grows from nothing while the first period is measured; figures of the period rest on this much of it.").
		now(c.whole().period().coverage(), "known").unit(unitRatio, 1).noValue("nothing yet").thresholds(colorText)
}

func firingPanel(c chosen) *panel {
	whole, urgent := c.whole(), urgenciesOf(c.of)
	count := func(urgency string) string {
		return whole.orZero("count(" + c.with(anyAlert, urgency, firing).series("ALERTS") + ")")
	}
	p := statPanel("Firing", "Alerts that fire: those that page somebody, and tickets.").
		now(count(urgent.page), "pages").now(count(urgent.ticket), "tickets").
		unit(unitNumber, 0).noValue("not evaluated").thresholds(colorGood, step{1, colorWorse})
	return p.override("pages", property{Id: "thresholds", Value: thresholds(colorGood, step{1, colorBad})})
}

func (p *panel) colorBackground() *panel {
	p.Options.(*stat.Options).ColorMode = "background"
	return p
}

// burnDownPanel is the budget over time: what is left, what steady spending would
// leave, and a forecast.
func burnDownPanel(c chosen) *panel {
	period := c.period()
	start, end := c.calendar(metricnames.CalendarStart), c.calendar(metricnames.CalendarEnd)
	soon := fmt.Sprintf("clamp_min(%s - on (%s) %s / on (%s) (1 - %s) * on (%s) (%s / (%s)), -0.5)",
		period.budget(), c.by(), c.errorRatio(6*time.Hour), c.by(), c.target(), c.by(), sla.Seconds(day), c.span())
	p := timePanel("Error budget remaining", "Of the period's whole budget: 100 % is untouched, 0 % is spent, below that the target is missed. "+
		"Of a calendar period, the even line falls to 0 % at its end. The forecast says what will be left in a day, if it goes on as in the last 6h; it is cut off at -50 %.").
		query(soon, c.legend("in a day")).dashed("in a day"). // lower than the measured line
		query(period.budget(), c.legend("remaining"))
	if len(c.groups) == 0 {
		p.colored("remaining", colorGood).colored("in a day", colorWarn)
	}
	if slices.ContainsFunc(periods(c.of), func(p sla.Period) bool { return p.Calendar != "" }) {
		p.query(fmt.Sprintf("1 - (time() - %s) / (%s - %s)", start, end, start), "spent evenly").colored("spent evenly", colorNeutral).dashed("spent evenly")
	}
	return p.unit(unitRatio, -1).noValue(notMeasured).softMax(1).thresholds(colorGood, step{0, colorBad})
}

func achievedOverTime(c chosen) *panel {
	return timePanel("Achieved over time", "The good share of the period that ended, or had come so far, at each time, beside target and objective.").
		query(c.period().achieved(), c.legend("achieved")).
		query(c.whole().target(), "target").colored("target", colorBad).dashed("target").
		query(c.whole().objective(), "objective").colored("objective", colorWarn).dashed("objective").
		unit(unitRatio, -1).noValue(notMeasured).anyMinimum().atMost(1)
}

// tiersPanel shows how near each tier is to firing: all tiers share one threshold line.
func tiersPanel(c chosen) *panel {
	p := timePanel("Burn against the alert tiers", "The burn rate over each tier's two windows, the lesser of them, as a share of what the tier demands: it fires at 100 %, where it has enough events. The greatest of each step of the graph; cut off at 300 %.").minStep(evaluation).
		unit(unitRatio, -1).noValue(notMeasured).thresholds(colorGood, step{1, colorBad})
	for _, name := range tierNames(c.of) {
		p.query(c.tierReached(name), c.legend(name))
		if len(c.groups) > 0 {
			continue // it would need a line for each group
		}
		color := colorWorse
		if urgencyOfTier(c.of, name) == sla.Page {
			color = colorBad
		}
		p.colored(name, color)
		if strings.HasSuffix(name, "-slow") {
			p.dashed(name)
		}
	}
	if len(p.Targets) == 0 {
		p.query(c.peakBurn(time.Hour), c.legend("burn rate over 1h"))
	}
	return p
}

// tierNames are the names of the tiers of all levels, in order.
func tierNames(a *sla.Agreement) []string {
	var names []string
	for _, l := range a.Levels {
		for _, t := range l.Alerting.Tiers {
			if !slices.Contains(names, t.Name) {
				names = append(names, t.Name)
			}
		}
	}
	return names
}

func urgencyOfTier(a *sla.Agreement, name string) sla.Urgency {
	for _, l := range a.Levels {
		for _, t := range l.Alerting.Tiers {
			if t.Name == name {
				return t.Urgency
			}
		}
	}
	return sla.Ticket
}

// tierReached is the burn rate over a tier's windows as a share of its factor. Levels
// with different windows have a term each.
func (c chosen) tierReached(name string) string {
	type windows struct{ long, short time.Duration }
	var all []windows
	tier := func(l *sla.ServiceLevel) (sla.Tier, bool) {
		i := slices.IndexFunc(l.Alerting.Tiers, func(t sla.Tier) bool { return t.Name == name })
		if i < 0 {
			return sla.Tier{}, false
		}
		return l.Alerting.Tiers[i], true
	}
	for _, l := range c.of.Levels {
		if t, ok := tier(l); ok && !slices.Contains(all, windows{t.Long, t.Short}) {
			all = append(all, windows{t.Long, t.Short})
		}
	}
	var terms []string
	for _, w := range all {
		factor := c.perLevel(func(l *sla.ServiceLevel) (string, bool) {
			t, ok := tier(l)
			if !ok || (windows{t.Long, t.Short}) != w {
				return "", false
			}
			threshold, _ := t.Threshold(l.ObjectiveBudget())
			return fmt.Sprint(threshold.Quo(l.ObjectiveBudget()).Float64()), true
		})
		long, short := c.peakBurn(w.long), c.peakBurn(w.short)
		terms = append(terms, fmt.Sprintf("clamp_max(((%s <= %s) or %s) / on (%s) (%s), 3)", long, short, short, c.by(), factor))
	}
	return strings.Join(terms, " or ")
}

func ratioPanel(c chosen) *panel {
	p := timePanel("Bad share by window", "The greatest of each step of the graph. Dashed: what the target allows over the whole period.").minStep(evaluation)
	for _, w := range sla.StandardWindows {
		p.query(c.peakErrorRatio(w), c.legend(sla.FormatDuration(w)))
	}
	return p.query("1 - "+c.whole().target(), "allowed").colored("allowed", colorBad).dashed("allowed").
		unit(unitRatio, -1).noValue(notMeasured)
}

func levelAlertsPanel(c chosen, runbooks string) *panel {
	p := statePanel("Alerts", "Each alert of the level: quiet, pending, or firing as a ticket or a page. A click on it links its runbook.").noValue("the level is not evaluated")
	for _, a := range alertsOf(c.of) {
		matchers := []string{eq("alertname", a.alert), eq(metricnames.Severity, a.severity), eq(metricnames.Escalation, "")}
		p.query(c.whole().stateOf(a.urgency, matchers...), a.words)
		page := cmp.Or(ownRunbook(c.of, a), runbooks+"/"+a.alert+".md")
		p.override(a.words, property{Id: "links", Value: []map[string]any{{"title": "Runbook of " + a.alert, "url": page, "targetBlank": true}}})
	}
	if len(p.Targets) == 0 {
		p.query(c.whole().alertState(urgenciesOf(c.of)), "any alert")
	}
	return p
}

// ownRunbook is the runbook of the specification, if all levels with that alert have
// the same.
func ownRunbook(a *sla.Agreement, alert alertLine) string {
	own := map[string]bool{}
	for _, l := range a.Levels {
		for _, k := range sla.AlertKinds {
			if k.Name == alert.alert && slices.ContainsFunc(k.Of(l), func(of sla.Alert) bool { return of.Severity == alert.severity }) {
				own[l.Alerting.Runbook] = true
			}
		}
	}
	for runbook := range own {
		if len(own) == 1 {
			return runbook
		}
	}
	return ""
}

// alertLine is an alert that at least one level of an agreement has.
type alertLine struct {
	alert, severity, words string
	urgency                sla.Urgency
}

func alertsOf(a *sla.Agreement) []alertLine {
	var all []alertLine
	for _, k := range sla.AlertKinds {
		for _, l := range a.Levels {
			for _, of := range k.Of(l) {
				line := alertLine{k.Name, of.Severity, strings.TrimPrefix(k.Name, "SLA") + ", " + of.Severity, of.Urgency}
				if k.OfLevels() && !slices.ContainsFunc(all, func(o alertLine) bool { return o.words == line.words }) {
					all = append(all, line)
				}
			}
		}
	}
	return all
}

func trafficPanel(c chosen) *panel {
	return timePanel("Events", "All events a second, and the bad ones, as the level counts them; of a level by time, known and bad seconds a second.").
		query(c.whole().meanRate(metricnames.TotalRate), "all").query(c.whole().meanRate(metricnames.BadRate), "bad").minStep(evaluation).
		unit(unitNumber, -1).noValue("no traffic, or not measured").
		colored("all", colorNeutral).colored("bad", colorBad)
}
