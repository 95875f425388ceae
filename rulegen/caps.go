package rulegen

import (
	"fmt"
	"slices"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Caps on excluded downtime. Windows beyond a cap of window time are known when
// rules are made, and no windows to them; how much was bad in windows is not, so
// its sum is recorded beside the cap. Masks go on as without: a window and its
// period would else see other figures.

// capped records what failed within service hours in each of them, whatever else
// excuses it.
func (a agreedTime) capped(at sample, failed promql.Expr) []Rule {
	var rules []Rule
	for _, e := range a.MeasuredCaps() {
		bad := times(failed, a.excuse(at, e))
		rules = append(rules, a.record(metricnames.ExclusionBadRate, bad, metricnames.Exclusion, e.Name))
	}
	return rules
}

// capsUsed record which share of each cap is used in a period of the level that
// the cap is of.
func (c compiler) capsUsed(p sla.Period) []Rule {
	var rules []Rule
	for _, e := range c.MeasuredCaps() {
		if e.Cap.Per == p {
			used := c.recorded(metricnames.CappedTally.Sum, promql.Eq(metricnames.Exclusion, e.Name), promql.Eq(metricnames.Period, p.String())).Now()
			rules = append(rules, c.record(metricnames.CapUsed, promql.Div(used, promql.Num(sla.Seconds(e.Cap.Downtime))), metricnames.Exclusion, e.Name, metricnames.Period, p.String()))
		}
	}
	return rules
}

// capAlerts fire when a cap is used up.
func (c compiler) capAlerts() []Rule {
	var rules []Rule
	for _, a := range sla.AlertExclusionCap.Of(c.ServiceLevel) {
		e := a.Exclusion
		used := c.recorded(metricnames.CapUsed, promql.Eq(metricnames.Exclusion, e.Name), promql.Eq(metricnames.Period, e.Cap.Per.String())).Now()
		rules = append(rules, c.notice(sla.AlertExclusionCap.Name, *a.Notice, promql.Ge(used, promql.Num(one)), map[string]string{
			"summary": fmt.Sprintf("%s: %s has excused all that it may", c.name(), e.Name),
			"description": fmt.Sprintf("Of %s of excluded downtime a %s, {{ $value | humanizePercentage }} are used. What is bad from now on in %s counts where the contract is settled; "+
				"these figures and alerts go on excusing it.", sla.FormatDuration(e.Cap.Downtime), e.Cap.Per.Calendar, e.Name),
		}, metricnames.Exclusion, e.Name, metricnames.Period, e.Cap.Per.String()))
	}
	return rules
}

// lintCaps finds caps that nothing is compared with.
func (c compiler) lintCaps(warn func(pos sla.Position, rule, remedy, message string, args ...any)) {
	for _, e := range c.level.Exclusions {
		switch {
		case e.Cap == nil || e.Cap.Downtime == 0:
		case !c.level.Aggregation.ByTime():
			warn(e.Cap.Pos, "unmeasured-cap", "bound its windowTime, or count the level by time or minutes",
				"the level %q counts events and no time, so the cap of %s on excluded downtime is compared with nothing there", c.level.ID.SLO, e.Name)
		case c.grouped():
			warn(e.Cap.Pos, "unmeasured-cap", "bound its windowTime, or give the groups levels of their own",
				"the level %q has groups, and the cap of %s on excluded downtime is not measured for each", c.level.ID.SLO, e.Name)
		case !slices.Contains(c.level.Periods(), e.Cap.Per):
			warn(e.Cap.Pos, "unmeasured-cap", fmt.Sprintf("judge it over that too: period: [%s, %s]", c.level.Period, e.Cap.Per.Calendar),
				"the cap of %s is of a %s, and the level %q is judged over %s: nothing is compared with it there", e.Name, calendarName(e.Cap.Per), c.level.ID.SLO, c.periodNames())
		}
	}
}
