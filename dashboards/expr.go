package dashboards

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// selector has the matchers that choose series, printed in the given order, and the
// labels in addition to byLevel that keep the groups of a level apart.
type selector struct {
	matchers []string
	groups   []string
}

// choose makes a selector of matchers.
func choose(matchers ...string) selector { return selector{matchers: matchers} }

// eq matches a label's value exactly. It escapes dollar signs, so that Grafana does not
// take the following text for a variable.
func eq(label, value string) string {
	return label + "=" + strings.ReplaceAll(strconv.Quote(value), "$", `\x24`)
}

// oneOf matches a label with one of the values; without values it matches nothing.
func oneOf(label string, values []string) string { return label + "=~" + alternatives(values) }

// noneOf matches a label with other values, or none.
func noneOf(label string, values []string) string { return label + "!~" + alternatives(values) }

func alternatives(values []string) string {
	quoted := make([]string, 0, len(values))
	for _, v := range values {
		quoted = append(quoted, regexp.QuoteMeta(v))
	}
	if len(values) == 0 {
		quoted = append(quoted, "no such value")
	}
	return strings.TrimPrefix(eq("", strings.Join(quoted, "|")), "=")
}

// among matches the chosen values of a template variable.
func among(label, variable string) string { return label + `=~"$` + variable + `"` }

// with adds matchers to the selector.
func (s selector) with(matchers ...string) selector {
	return selector{slices.Concat(s.matchers, matchers), s.groups}
}

// series is a metric with the selector.
func (s selector) series(metric string) string {
	if len(s.matchers) == 0 {
		return metric
	}
	return metric + "{" + strings.Join(s.matchers, ", ") + "}"
}

// ofLevel selects the series of one service level.
func ofLevel(id sla.ID) selector {
	return choose(eq(metricnames.SLA, id.SLA), eq(metricnames.Service, id.Service), eq(metricnames.SLO, id.SLO))
}

// byLevel are the labels that every series of a level has. All expressions are
// aggregated to them, so that they can be joined whatever labels users, other servers
// or replicas add.
const byLevel = metricnames.SLA + ", " + metricnames.Service + ", " + metricnames.SLO

// by is byLevel with the labels that keep groups apart, if needed.
func (s selector) by() string { return strings.Join(append([]string{byLevel}, s.groups...), ", ") }

// level aggregates to one series for each level, or for each of its groups. If replicas
// or a changed period leave two series for some minutes, op says which one counts.
func (s selector) level(op, metric string) string {
	return fmt.Sprintf("%s by (%s) (%s)", op, s.by(), s.series(metric))
}

func (s selector) target() string    { return s.level("max", metricnames.TargetRatio) }
func (s selector) objective() string { return s.level("max", metricnames.ObjectiveRatio) }
func (s selector) budget() string    { return s.level("min", metricnames.BudgetRemaining) }
func (s selector) bad() string       { return s.level("max", metricnames.BadPeriod) }
func (s selector) coverage() string  { return s.level("min", metricnames.CoveragePeriod) }
func (s selector) totalRate() string { return s.level("max", metricnames.TotalRate) }

// meanRate is the mean of a rate over each step of a graph, so that no sample is
// missed.
func (s selector) meanRate(metric string) string {
	return fmt.Sprintf("max by (%s) (avg_over_time(%s[$__interval]))", s.by(), s.series(metric))
}

// achieved is the good share of the period to date.
func (s selector) achieved() string { return "1 - " + s.level("max", metricnames.ErrorPeriod) }

// achievedAtLeast is achieved rounded down to decimals of a percentage: rounded to
// nearest, 99.99996 % would show as 100 %, or as a target that was met although it was
// not.
func (s selector) achievedAtLeast(decimals int) string {
	unit := math.Pow10(decimals + 2)
	const inexact = 1e-4 // 1 - 0.0001 is a little less than 0.9999 in floats
	return fmt.Sprintf("floor((%s) * %v + %v) / %v", s.achieved(), unit, inexact, unit)
}

// errorRatio is the bad share of a window.
func (s selector) errorRatio(window time.Duration) string {
	return s.level("max", metricnames.ErrorRatio+sla.FormatDuration(window))
}

// burn is how many times faster than the objective allows the budget burned in a
// window: the value that alert tiers compare with their factors.
func (s selector) burn(window time.Duration) string {
	return fmt.Sprintf("%s / on (%s) (1 - %s)", s.errorRatio(window), s.by(), s.objective())
}

// worstBurn is the burn rate of each level, or of its worst group if it has groups by
// these labels.
func (s selector) worstBurn(window time.Duration, groups []string) string {
	return s.ofWorstGroup(groups, func(s selector) string { return s.burn(window) })
}

// worstPeakBurn is the greatest worstBurn in each step of a graph.
func (s selector) worstPeakBurn(window time.Duration, groups []string) string {
	return s.ofWorstGroup(groups, func(s selector) string { return s.peakBurn(window) })
}

func (s selector) ofWorstGroup(groups []string, expr func(selector) string) string {
	if len(groups) == 0 {
		return expr(s)
	}
	s.groups = groups
	return fmt.Sprintf("max by (%s) (%s)", byLevel, expr(s))
}

// peakErrorRatio is the greatest bad share of a window in each step of a graph. If a
// step is longer than the window, the share at the end of the step would miss most
// outages.
func (s selector) peakErrorRatio(window time.Duration) string {
	return fmt.Sprintf("max by (%s) (%s)", s.by(), peak(s.series(metricnames.ErrorRatio+sla.FormatDuration(window))))
}

func (s selector) peakBurn(window time.Duration) string {
	return fmt.Sprintf("%s / on (%s) (1 - %s)", s.peakErrorRatio(window), s.by(), s.objective())
}

// info is one series for each level, with its period as a label.
func (s selector) info() string {
	return fmt.Sprintf("max by (%s, %s) (%s)", byLevel, metricnames.Period, s.series(metricnames.LevelInfo))
}

var (
	anyAlert = `alertname=~"` + strings.Join(levelAlerts(), "|") + `",` + eq(metricnames.Escalation, "") // escalations repeat an alert
	firing   = eq("alertstate", "firing")
	pending  = eq("alertstate", "pending")
)

// levelAlerts are the names of the alerts about levels.
func levelAlerts() []string {
	var names []string
	for _, k := range sla.AlertKinds {
		if k.OfLevels() {
			names = append(names, k.Name)
		}
	}
	return names
}

// urgencies are matchers for alerts that page somebody, and for all others.
type urgencies struct{ page, ticket string }

// urgenciesOf takes them from the severities of the levels' alerts. A severity that
// only other agreements have counts as a ticket's.
func urgenciesOf(agreements ...*sla.Agreement) urgencies {
	var levels []*sla.ServiceLevel
	for _, a := range agreements {
		levels = append(levels, a.Levels...)
	}
	pages := sla.SeveritiesOf(levels, sla.Page)
	if len(pages) == 0 {
		pages = []string{sla.Page.String()} // for agreements that were generated elsewhere
	}
	return urgencies{oneOf(metricnames.Severity, pages), noneOf(metricnames.Severity, pages)}
}

// alerts counts the firing alerts of each chosen level; 0 for those without.
func (s selector) alerts(urgency string) string {
	return fmt.Sprintf("count by (%s) (%s) or on (%s) 0 * %s",
		s.by(), s.with(anyAlert, urgency, firing).series("ALERTS"), s.by(), s.objective())
}

// Values of alertState.
const (
	alertQuiet   = 0
	alertPending = 1
	alertTicket  = 2
	alertPage    = 3
)

// evaluation is the longest time between two evaluations of the first layer of rules.
// States have no shorter steps, so that each step contains one evaluation.
const evaluation = "1m"

// worst is the greatest value of each series in a step of a graph. The value at the end
// of a step is about one minute only: at 30 days, where a step is half an hour, it
// would miss most outages. $__interval is exactly the step, so every evaluation is in
// one step; $__rate_interval is longer, and would draw each outage longer than it was.
func worst(series string) string { return "max_over_time(" + series + "[$__interval])" }

// peak is worst for a series that may be recorded less often than a graph has steps: in
// a step without a sample the previous one holds, until the series ends.
func peak(series string) string { return "(" + worst(series) + " or " + series + ")" }

// increase is the longest time between two evaluations of the second layer of rules.
const increase = "5m"

// since sums a series of increases over a step of a graph: then every bad second or
// event belongs to one bar, and all bars together are the total. Over a fixed range
// longer than the step, one outage would be drawn as many.
func since(series string) string { return "sum_over_time(" + series + "[$__interval])" }

// alertState is the state of each level's alerts, if it is evaluated: quiet, pending,
// or firing as a ticket or page. The worst of several counts.
func (s selector) alertState(u urgencies) string {
	return s.worstAlert(
		fmt.Sprintf("%d * %s", alertPage, peak(s.with(anyAlert, u.page, firing).series("ALERTS"))),
		fmt.Sprintf("%d * %s", alertTicket, peak(s.with(anyAlert, u.ticket, firing).series("ALERTS"))),
		fmt.Sprintf("%d * %s", alertPending, peak(s.with(anyAlert, pending).series("ALERTS"))))
}

// stateOf is the state of one alert with an urgency.
func (s selector) stateOf(u sla.Urgency, matchers ...string) string {
	state, chosen := alertTicket, s.with(matchers...)
	if u == sla.Page {
		state = alertPage
	}
	return s.worstAlert(
		fmt.Sprintf("%d * %s", state, peak(chosen.with(firing).series("ALERTS"))),
		fmt.Sprintf("%d * %s", alertPending, peak(chosen.with(pending).series("ALERTS"))))
}

func (s selector) worstAlert(states ...string) string {
	return fmt.Sprintf("max by (%s) (%s) or on (%s) %d * %s", s.by(), strings.Join(states, " or "), s.by(), alertQuiet, s.objective())
}

// orZero makes an expression without labels 0 where it has no value, but only if any of
// the selector's levels is evaluated: otherwise nothing is known.
func (s selector) orZero(expr string) string {
	return fmt.Sprintf("%s or 0 * count(%s)", expr, s.series(metricnames.TargetRatio))
}

// perMinute is how often per minute something was counted, by a label.
func (s selector) perMinute(counter, by string) string {
	return fmt.Sprintf("60 * sum by (%s) (rate(%s[$__rate_interval]))", by, s.series(counter))
}

// responseTime is a quantile of the durations of probes, from the native histogram if
// the server has it, and otherwise from the classic buckets.
func (s selector) responseTime(quantile string) string {
	return fmt.Sprintf("histogram_quantile(%s, sum(rate(%s[$__rate_interval]))) or histogram_quantile(%s, sum by (le) (rate(%s[$__rate_interval])))",
		quantile, s.series(metricnames.ProbeDuration), quantile, s.series(metricnames.ProbeDuration+"_bucket"))
}

// lastOutcome is the outcome of the latest conclusive probe of each location.
func (s selector) lastOutcome() string {
	return fmt.Sprintf("min by (%s, %s) (%s)", metricnames.Location, metricnames.Target, s.series(metricnames.ProbeLastState))
}
