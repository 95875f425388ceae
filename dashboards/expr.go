package dashboards

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// selector is the matchers that choose series, which print in the order given,
// and the labels beside byLevel that keep the groups of a level apart.
type selector struct {
	matchers []string
	groups   []string
}

// choose selects by matchers.
func choose(matchers ...string) selector { return selector{matchers: matchers} }

// eq matches a label's value exactly. A dollar sign is written as an escape, so
// that Grafana does not take what follows for one of its variables.
func eq(label, value string) string {
	return label + "=" + strings.ReplaceAll(strconv.Quote(value), "$", `\x24`)
}

// oneOf matches a label by its values; nothing, if there are none.
func oneOf(label string, values []string) string {
	if len(values) == 1 {
		return eq(label, values[0])
	}
	quoted := make([]string, 0, len(values))
	for _, v := range values {
		quoted = append(quoted, regexp.QuoteMeta(v))
	}
	if len(values) == 0 {
		quoted = append(quoted, "no such severity")
	}
	return label + "=~" + strings.TrimPrefix(eq("", strings.Join(quoted, "|")), "=")
}

// among matches the values that are chosen in a template variable.
func among(label, variable string) string { return label + `=~"$` + variable + `"` }

// with is the selector with more matchers.
func (s selector) with(matchers ...string) selector {
	return selector{slices.Concat(s.matchers, matchers), s.groups}
}

// series is a metric under the selector.
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
// brought down to them, so that they can be joined whatever labels users, other
// servers or replicas add.
const byLevel = metricnames.SLA + ", " + metricnames.Service + ", " + metricnames.SLO

// by is byLevel with the labels that keep groups apart, if that is wanted.
func (s selector) by() string { return strings.Join(append([]string{byLevel}, s.groups...), ", ") }

// level aggregates to one series a level, or group of one; where replicas or an edit of the
// period leave two for some minutes, op says which of them counts.
func (s selector) level(op, metric string) string {
	return fmt.Sprintf("%s by (%s) (%s)", op, s.by(), s.series(metric))
}

func (s selector) target() string    { return s.level("max", metricnames.TargetRatio) }
func (s selector) objective() string { return s.level("max", metricnames.ObjectiveRatio) }
func (s selector) budget() string    { return s.level("min", metricnames.BudgetRemaining) }
func (s selector) bad() string       { return s.level("max", metricnames.BadPeriod) }
func (s selector) coverage() string  { return s.level("min", metricnames.CoveragePeriod) }
func (s selector) totalRate() string { return s.level("max", metricnames.TotalRate) }
func (s selector) badRate() string   { return s.level("max", metricnames.BadRate) }

// achieved is the share of the period that was good, to date.
func (s selector) achieved() string { return "1 - " + s.level("max", metricnames.ErrorPeriod) }

// errorRatio is the bad share of a window.
func (s selector) errorRatio(window time.Duration) string {
	return s.level("max", metricnames.ErrorRatio+sla.FormatDuration(window))
}

// burn is how many times faster than the objective allows a window burnt: what
// the alert tiers compare with their factors.
func (s selector) burn(window time.Duration) string {
	return fmt.Sprintf("%s / on (%s) (1 - %s)", s.errorRatio(window), s.by(), s.objective())
}

// worstBurn is the burn rate of each level, of its worst group where there are
// groups by these labels.
func (s selector) worstBurn(window time.Duration, groups []string) string {
	if len(groups) == 0 {
		return s.burn(window)
	}
	s.groups = groups
	return fmt.Sprintf("max by (%s) (%s)", byLevel, s.burn(window))
}

// info is one series a level with its period as a label.
func (s selector) info() string {
	return fmt.Sprintf("max by (%s, %s) (%s)", byLevel, metricnames.Period, s.series(metricnames.LevelInfo))
}

var (
	anyAlert = `alertname=~"` + strings.Join(levelAlerts(), "|") + `",` + eq(metricnames.Escalation, "") // and not again when it is escalated
	firing   = eq("alertstate", "firing")
	pending  = eq("alertstate", "pending")
)

// levelAlerts are the names of the alerts that levels have.
func levelAlerts() []string {
	var names []string
	for _, k := range sla.AlertKinds {
		if k.OfLevels() {
			names = append(names, k.Name)
		}
	}
	return names
}

// alerts counts the firing alerts of each level; 0 for those without.
func (s selector) alerts() string {
	return fmt.Sprintf("count by (%s) (%s) or on (%s) 0 * %s",
		s.by(), s.with(anyAlert, firing).series("ALERTS"), s.by(), s.objective())
}

// Values of alertState.
const (
	stateQuiet   = 0
	statePending = 1
	stateFiring  = 2
)

// alertState is the state of the alerts that the matchers choose, of each level
// that is evaluated: quiet, pending or firing, whichever of several is worst.
func (s selector) alertState(matchers ...string) string {
	chosen := s.with(matchers...)
	return fmt.Sprintf("max by (%s) (%d * %s or %d * %s) or on (%s) %d * %s", s.by(),
		stateFiring, chosen.with(firing).series("ALERTS"), statePending, chosen.with(pending).series("ALERTS"),
		s.by(), stateQuiet, s.objective())
}

// orZero is an expression without labels that is 0 where it has no value.
func orZero(expr string) string { return expr + " or vector(0)" }

// perMinute is how often a minute something was counted, by a label.
func (s selector) perMinute(counter, by string) string {
	return fmt.Sprintf("60 * sum by (%s) (rate(%s[$__rate_interval]))", by, s.series(counter))
}

// responseTime is a quantile of what probes took, read from the native
// histogram where the server keeps it and otherwise from the classic buckets.
func (s selector) responseTime(quantile string) string {
	return fmt.Sprintf("histogram_quantile(%s, sum(rate(%s[$__rate_interval]))) or histogram_quantile(%s, sum by (le) (rate(%s[$__rate_interval])))",
		quantile, s.series(metricnames.ProbeDuration), quantile, s.series(metricnames.ProbeDuration+"_bucket"))
}

// lastOutcome is what the latest conclusive probe of each location found.
func (s selector) lastOutcome() string {
	return fmt.Sprintf("min by (%s, %s) (%s)", metricnames.Location, metricnames.Target, s.series(metricnames.ProbeLastState))
}
