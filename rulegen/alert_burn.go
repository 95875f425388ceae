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

// Burn alerts. Each tier records whether it burns; the tiers that tell the same
// people are one alert, which begins with the first of them and ends with the
// last. So an outage is told once, and its end is. docs/alerts.md has the
// reasons, and the times.

// burning makes the burn alerts of a level.
type burning struct{ alerts }

// burnTier records while a tier burns: while the bad share over both windows of
// it exceeds its threshold (Google SRE Workbook, chapter 5, "Multiwindow,
// Multi-Burn-Rate Alerts"). The long window says that it matters, the short one
// that it goes on. So do the last five minutes: the short window of a slow tier
// still burns for hours after a repair, while its long one may cross its
// threshold late, as good time leaves it.
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

// over is the bad share of a window where it exceeds a threshold, weighed as the
// long window of the tier is.
func (bn burning) over(t sla.Tier, w time.Duration, threshold promql.Expr) promql.Expr {
	return promql.Gt(bn.byHours(bn.recorded(ratioName(w)).Now(), t.Long), threshold)
}

// rules are those of the level's tiers and their alerts, by the tier of
// rules that they stand in. What reads a long window stands in the group that
// records it, so that it reads a sample of its own evaluation and never one
// about to go stale; but an alert that wakes people is not to wait for that, if
// one of its tiers does not.
func (bn burning) rules() (first, second []Rule) {
	long := func(t sla.Tier) bool { return t.Long > longestFirstTier }
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
			second = append(second, bn.burnAlert(a, all, secondTier*bn.interval))
		}
	}
	return first, second
}

// burnAlert fires from when a tier of the alert burns, until all of them are
// under half of their thresholds, so that one that is just reached does not begin
// and end again and again; and while it is not known whether they are, because
// nothing is measured. others are all alerts of the level, every is
// how often the rule is evaluated.
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

// comment says when a burn alert fires, and how its constants come about.
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

// waits is how long an alert gives one that would hold it back to be there first.
func (bn burning) waits(a sla.BurnAlert, others []sla.BurnAlert, every time.Duration) time.Duration {
	if slices.ContainsFunc(others, a.WithheldBy) {
		return max(every, bn.componentWait(every))
	}
	return bn.componentWait(every)
}

// begins is the tiers of an alert that burn, and are not told already: by a more
// urgent alert, now or as long ago as the short window of the tier remembers.
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

// remembers is how long after an outage a window of that length still has it in
// it: five minutes of rates and five of the second tier longer, and a tier of
// rules is evaluated at its own time.
func (al alerts) remembers(w time.Duration) time.Duration {
	return w + sla.BaseWindow + 2*secondTier*al.interval
}

// half is what of a threshold an alert must come under to end.
var half = sla.NewDecimal(1, 2)

// burnsStill is each tier of an alert that is not under half of its threshold.
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

// unmeasured is e while the level is not measured, or of a group that must be
// there, while that is not. That another group is gone means that nobody uses it.
func (bn burning) unmeasured(e promql.Expr) promql.Expr {
	total := bn.recorded(bn.judgedBy()).Now()
	whole := promql.UnlessOn(e, total, bn.maskLabels()...)
	if len(bn.required()) == 0 {
		return whole
	}
	return promql.OrOn(whole, promql.AndOn(promql.UnlessOn(e, total, bn.joinLabels()...), bn.lostGroups(), bn.groupLabels()...), bn.joinLabels()...)
}

// judgedBy is the series that is there while it is known how the level is. It is
// not the one that is there while anything of it is measured: the state of a
// composite may be unknown while a component's is known.
func (bn burning) judgedBy() string {
	if bn.fills() {
		return bn.measuredBy()
	}
	return metricnames.TotalRate
}

// recently is how far back an alert is looked for in its own past: over two
// evaluations, so that one that is missing ends nothing.
func recently(every time.Duration) time.Duration { return max(3*every, time.Minute) }

// firing is 1 for each group of which an alert of the level has fired within a
// time; tier is "" for one that has none.
func (al alerts) firing(within time.Duration, alert, severity, tier string, more ...promql.Matcher) promql.Expr {
	ms := slices.Concat(alertsFiring(alert), al.own, []promql.Matcher{promql.Eq(metricnames.Severity, severity)}, more)
	if alert == sla.AlertBudgetBurn.Name {
		ms = append(ms, promql.Eq(metricnames.Tier, tier))
	}
	return promql.Max(promql.Series(FiringAlerts, ms...).LastOverTime(within), al.joinLabels()...)
}

// alertsFiring select what Prometheus records of an alert that fires, and not of
// its escalations.
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

// ask is how an annotation asks for a series that the level records, of the
// alert's own labels. No name stands in it, so that levels that are alike have
// the same text.
func (l level) ask(format, name string) string {
	return askAbout(l, fmt.Sprintf(format, askedFor(l, name)))
}

// askAbout is a query of series that askedFor selects.
func askAbout(l level, query string) string {
	var values []string
	for _, label := range l.joinLabels() {
		values = append(values, "$labels."+label)
	}
	return fmt.Sprintf("printf %s %s | query", templateText(query), strings.Join(values, " "))
}

// askedFor selects a series of the alert's own labels, as a format of printf.
func askedFor(l level, name string, more ...string) string {
	var matchers []string
	for i, label := range l.joinLabels() {
		matchers = append(matchers, fmt.Sprintf("%s=%%[%d]q", label, i+1))
	}
	return name + "{" + strings.Join(append(append(matchers, l.extraFormats()...), more...), ",") + "}"
}

// extraFormats match the labels that all rules have, in a format of printf.
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

// templateText is a text as templates write it, if possible without escapes.
func templateText(s string) string {
	if strings.Contains(s, "`") {
		return strconv.Quote(s)
	}
	return "`" + s + "`"
}
