package rulegen

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Burn alerts. Each tier records whether it burns. The tiers that notify the
// same people are one alert, which begins with the first of them and ends with
// the last: so people are notified once of an outage, and once of its end.
// docs/alerts.md has the reasons, and the times.

// burning makes the burn alerts of a level.
type burning struct{ alerts }

// burnTier records while a tier burns: while the bad share of both its windows
// exceeds its threshold (Google SRE Workbook, chapter 5, "Multiwindow,
// Multi-Burn-Rate Alerts"). The long window shows that the outage matters, the
// short one that it goes on. The last five minutes must show that too: after a
// repair the short window of a slow tier still burns for hours, and its long
// one may cross its threshold late, as good time leaves it.
func (bn burning) burnTier(t sla.Tier) Rule {
	threshold := bn.thresholdOf(t)
	e := bn.over(t, t.Long, threshold)
	for _, w := range slices.Compact([]time.Duration{t.Short, sla.BaseWindow}) {
		e = promql.AndOn(e, bn.over(t, w, threshold), bn.joinLabels()...)
	}
	words, _ := bn.thresholdWords(t)
	shorter := "that of " + sla.FormatDuration(t.Short)
	if t.Short != sla.BaseWindow {
		shorter = fmt.Sprintf("those of %s and %s", sla.FormatDuration(t.Short), sla.FormatDuration(sla.BaseWindow))
	}
	return bn.record(metricnames.BurnTier, bn.whereAlertsBegin(bn.withLeast(e, t.Long)), metricnames.Tier, t.Name).
		says("Tier %s: the bad share of %s, while it and %s exceed the threshold.", t.Name, sla.FormatDuration(t.Long), shorter).
		saysAll(words).saysAll(bn.weightWords()).saysAll(bn.minimaWords())
}

// over is the bad share of a window where it exceeds a threshold, weighted like
// the tier's long window.
func (bn burning) over(t sla.Tier, w time.Duration, threshold promql.Expr) promql.Expr {
	return promql.Gt(bn.byHours(bn.recorded(ratioName(w)).Now(), t.Long), threshold)
}

// rules are those of the level's tiers and of their alerts, by layer. A rule
// that reads a long window is in the group that records the window, so that it
// reads a sample of the same evaluation and never one that is about to go
// stale. But an alert that wakes people is in the first layer if one of its
// tiers is, and does not wait for the second.
func (bn burning) rules() (first, second []Rule) {
	long := func(t sla.Tier) bool { return t.Long > longestFirstLayer }
	for _, t := range bn.Alerting.Tiers {
		if r := bn.burnTier(t); long(t) {
			second = append(second, r)
		} else {
			first = append(first, r)
		}
	}
	all := bn.BurnAlerts()
	for _, a := range all {
		short := func(t sla.Tier) bool { return !long(t) }
		if !slices.ContainsFunc(a.Tiers, long) || a.Pages() && slices.ContainsFunc(a.Tiers, short) {
			first = append(first, bn.burnAlert(a, all, bn.interval))
		} else {
			second = append(second, bn.burnAlert(a, all, secondLayer*bn.interval))
		}
	}
	return first, second
}

// burnAlert fires from when one of its tiers burns until all are under half of
// their thresholds, so that a tier near its threshold does not begin and end it
// again and again. It also goes on while nothing is measured, since nobody knows
// then whether the tiers still burn. others are all burn alerts of the level,
// every is how often the rule is evaluated.
func (bn burning) burnAlert(a sla.BurnAlert, others []sla.BurnAlert, every time.Duration) Rule {
	told := bn.firing(recently(every), sla.AlertBudgetBurn.Name, a.Severity, a.Tier)
	goesOn := promql.AndOn(bn.burnsStill(a), told, bn.joinLabels()...)
	e := promql.OrOn(promql.OrOn(bn.begins(a, others), goesOn, bn.joinLabels()...), bn.unmeasured(promql.Gt(told, promql.Num(zero))), bn.joinLabels()...)
	own := []string{metricnames.Severity, a.Severity}
	if a.Tier != "" {
		own = append(own, metricnames.Tier, a.Tier)
	}
	r := bn.alert(sla.AlertBudgetBurn, bn.duringService(e), bn.burnWords(a), own...)
	r.For, r.KeepFiringFor = max(a.For, bn.waits(a, others, every)), a.KeepFiringFor
	return withLabels(r, a.Labels).saysAll(bn.comment(a, slices.ContainsFunc(others, a.WithheldBy)))
}

// comment says when a burn alert fires, and explains its constants.
func (bn burning) comment(a sla.BurnAlert, withheld bool) []string {
	var names, halves []string
	for _, t := range a.Tiers {
		names = append(names, t.Name)
		if _, threshold := bn.thresholdWords(t); threshold != "" {
			halves = append(halves, threshold)
		}
	}
	slices.Sort(halves)
	begins := "Fires when a tier burns (" + strings.Join(names, ", ") + ")"
	if withheld || len(bn.withholding()) > 0 {
		begins += " and no other alert is sent for the same outage"
	}
	lines := []string{begins + ". Goes on until all of its tiers are under half of their thresholds, and while nothing is measured."}
	lines = append(lines, slices.Compact(halves)...)
	if bn.ownTargets() {
		for _, t := range a.Tiers {
			words, _ := bn.thresholdWords(t)
			lines = append(lines, words...)
		}
		lines = append(lines, "0.5: half of these thresholds")
	}
	return append(lines, bn.weightWords()...)
}

// waits is how long an alert waits, so that one that would withhold it can fire first.
func (bn burning) waits(a sla.BurnAlert, others []sla.BurnAlert, every time.Duration) time.Duration {
	if slices.ContainsFunc(others, a.WithheldBy) {
		return max(every, bn.componentWait(every))
	}
	return bn.componentWait(every)
}

// begins has the tiers of an alert that burn, unless a more urgent alert reports
// the same outage, now or within what the short window of the tier remembers.
func (bn burning) begins(a sla.BurnAlert, others []sla.BurnAlert) promql.Expr {
	tiers := func(of ...sla.Tier) promql.Expr {
		names := make([]string, 0, len(of))
		for _, t := range of {
			names = append(names, t.Name)
		}
		return bn.recorded(metricnames.BurnTier, among(metricnames.Tier, names)).Now()
	}
	others = slices.DeleteFunc(slices.Clone(others), func(b sla.BurnAlert) bool { return !a.WithheldBy(b) })
	if len(others)+len(bn.withholding()) == 0 {
		return promql.Gt(promql.Max(tiers(a.Tiers...), bn.joinLabels()...), promql.Num(zero)) // a condition, which linters look for
	}
	var all promql.Expr
	for i, t := range a.Tiers {
		e := tiers(t)
		for _, b := range others {
			e = promql.UnlessOn(e, bn.firing(bn.remembers(t.Short), sla.AlertBudgetBurn.Name, b.Severity, b.Tier), bn.joinLabels()...)
		}
		if e = bn.unlessComposite(e, t.Urgency, t.Short); i == 0 {
			all = e
		} else {
			all = promql.Or(all, e)
		}
	}
	return promql.Gt(promql.Max(all, bn.joinLabels()...), promql.Num(zero))
}

// remembers is how long after an outage a window of that length still contains
// it. Rates add five minutes and the second layer five more; and since each
// layer is evaluated at a time of its own, another five may pass.
func (al alerts) remembers(w time.Duration) time.Duration {
	return w + sla.BaseWindow + 2*secondLayer*al.interval
}

// half of its threshold is what each tier must fall below for the alert to end.
var half = sla.NewDecimal(1, 2)

// burnsStill has each tier of an alert that is not under half of its threshold.
func (bn burning) burnsStill(a sla.BurnAlert) promql.Expr {
	var all promql.Expr
	for i, t := range a.Tiers {
		threshold := bn.thresholdOf(t)
		if bn.ownTargets() {
			threshold = promql.Mul(threshold, promql.Num(half))
		} else {
			threshold = promql.Num(bn.threshold(t).Mul(half))
		}
		e := promql.AndOn(bn.over(t, t.Long, threshold), bn.over(t, t.Short, threshold), bn.joinLabels()...)
		if i == 0 {
			all = e
		} else {
			all = promql.OrOn(all, e, bn.joinLabels()...)
		}
	}
	return all
}

// unmeasured is e while the level, or a required group of it, is not measured. If
// any other group is gone, nobody uses it.
func (bn burning) unmeasured(e promql.Expr) promql.Expr {
	total := bn.recorded(bn.judgedBy()).Now()
	whole := promql.UnlessOn(e, total, bn.maskLabels()...)
	if len(bn.required()) == 0 {
		return whole
	}
	return promql.OrOn(whole, promql.AndOn(promql.UnlessOn(e, total, bn.joinLabels()...), bn.lostGroups(), bn.groupLabels()...), bn.joinLabels()...)
}

// judgedBy names the series that exists while the level's state is known. A
// series that exists while anything is measured will not do: the state of a
// composite may be unknown while a component's is known.
func (bn burning) judgedBy() string {
	if bn.fills() {
		return bn.measuredBy()
	}
	return metricnames.TotalRate
}

// recently is how far back an alert looks for itself: over two evaluations, so
// that one missed evaluation ends nothing.
func recently(every time.Duration) time.Duration { return max(3*every, time.Minute) }

// firing is 1 for each group for which an alert of the level has fired within a
// time; tier is "" for an alert without one.
func (al alerts) firing(within time.Duration, alert, severity, tier string, more ...promql.Matcher) promql.Expr {
	ms := slices.Concat(alertsFiring(alert), al.own, []promql.Matcher{promql.Eq(metricnames.Severity, severity)}, more)
	if alert == sla.AlertBudgetBurn.Name {
		ms = append(ms, promql.Eq(metricnames.Tier, tier))
	}
	return promql.Max(promql.Series(FiringAlerts, ms...).LastOverTime(within), al.joinLabels()...)
}

// alertsFiring select what Prometheus records of a firing alert, without its
// escalations.
func alertsFiring(alert string) []promql.Matcher {
	return []promql.Matcher{promql.Eq("alertname", alert), promql.Eq("alertstate", "firing"), promql.Eq(metricnames.Escalation, "")}
}

// burnWords are what a burn alert says.
func (bn burning) burnWords(a sla.BurnAlert) map[string]string {
	objective, allows := bn.promiseWords(metricnames.ObjectiveRatio, bn.Objective)
	shares := make([]string, 0, len(a.Tiers))
	for _, t := range a.Tiers {
		shares = append(shares, fmt.Sprintf("%s over %s", bn.askShare(ratioName(t.Long)), sla.FormatDuration(t.Long)))
	}
	long := sla.FormatDuration(a.Tiers[0].Long)
	// Texts begin with a letter and have no ": ", so that YAML needs no quotes.
	lost := fmt.Sprintf(" {{ range %s }}Nothing is measured now. Nobody knows whether it is over, so the alert stays until there is a measurement again.{{ end }}",
		bn.ask("absent(%s)", bn.judgedBy()))
	words := map[string]string{
		"summary": bn.summaryWords(),
		"description": fmt.Sprintf("Bad are %s. The objective of %s allows %s.%s%s",
			strings.Join(shares, ", "), objective, allows, bn.weighedWords(), bn.leastWords(long)) + lost,
		"bad_since": bn.sinceWords(),
		"budget":    bn.budgetLeftWords(a),
		"tiers":     fmt.Sprintf("burning now {{ range %s | sortByLabel `tier` }}{{ .Labels.tier }} {{ end }}", bn.ask("%s", metricnames.BurnTier)),
		"time_to_detect": fmt.Sprintf("at constant traffic a total outage is seen after %s, and a scrape and an evaluation",
			roughly(a.TimeToDetect(bn.ObjectiveBudget().Mul(bn.alertShare())))),
	}
	if bn.grouped() {
		words["worst_groups"] = bn.worstWords()
	}
	return words
}

// ask is how an annotation queries a series of the level, by the alert's own
// labels. The text contains no names, so similar levels share it.
func (l level) ask(format, name string) string {
	return askAbout(l, fmt.Sprintf(format, askedFor(l, name)))
}

// askAbout runs a query that is made with askedFor.
func askAbout(l level, query string) string {
	var values []string
	for _, label := range l.joinLabels() {
		values = append(values, "$labels."+label)
	}
	return fmt.Sprintf("printf %s %s | query", templateText(query), strings.Join(values, " "))
}

// askedFor selects a series by the alert's own labels, as a format for printf.
func askedFor(l level, name string, more ...string) string {
	var matchers []string
	for i, label := range l.joinLabels() {
		matchers = append(matchers, fmt.Sprintf("%s=%%[%d]q", label, i+1))
	}
	return name + "{" + strings.Join(append(append(matchers, l.extraFormats()...), more...), ",") + "}"
}

// extraFormats match the labels that all rules have, as a format for printf.
func (l level) extraFormats() []string {
	var matchers []string
	for _, label := range slices.Sorted(maps.Keys(l.extra)) {
		matchers = append(matchers, fmt.Sprintf("%s=%q", label, strings.ReplaceAll(l.extra[label], "%", "%%")))
	}
	return matchers
}

// askShare is the value of a share that the level records, in percent.
func (l level) askShare(name string) string {
	return fmt.Sprintf("{{ with %s }}{{ . | first | value | humanizePercentage }}{{ else }}unknown{{ end }}", l.ask("%s", name))
}

// templateText is a text as a string in a template, if possible without escapes.
func templateText(s string) string {
	if strings.Contains(s, "`") {
		return strconv.Quote(s)
	}
	return "`" + s + "`"
}
