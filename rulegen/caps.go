package rulegen

import (
	"fmt"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Caps on excluded downtime. A cap on window time is applied when rules are
// made: they do not know windows beyond it. How much was bad in windows is only
// known later, so its sum is recorded beside the cap. Masks ignore such a cap,
// since a window and its period would otherwise see different figures.

// capped records for each exclusion with such a cap what failed in it within
// service hours, whatever else excuses it.
func (a agreedTime) capped(at moment, failed promql.Expr) []Rule {
	var rules []Rule
	for _, e := range a.MeasuredCaps() {
		bad := times(failed, a.excuse(at, e))
		rules = append(rules, a.record(metricnames.ExclusionBadRate, bad, metricnames.Exclusion, e.Name).
			says("What was bad within service hours while the exclusion %s held.", e.Name))
	}
	return rules
}

// capsUsed records how much is used of each cap that is for this period.
func (p period) capsUsed() []Rule {
	var rules []Rule
	for _, e := range p.MeasuredCaps() {
		if e.Cap.Per == p.of {
			used := p.figure(metricnames.CappedTally.Sum, promql.Eq(metricnames.Exclusion, e.Name)).Now()
			rules = append(rules, p.record(metricnames.CapUsed, promql.Div(used, promql.Num(sla.Seconds(e.Cap.Downtime))), metricnames.Exclusion, e.Name).
				says("Share that is used of the downtime that %s may excuse in a %s.", e.Name, e.Cap.Per.Calendar).says("%s", secondsOf(e.Cap.Downtime)))
		}
	}
	return rules
}

// capUsedUp fires when a cap is used up.
func (al alerts) capUsedUp(a sla.Alert, _ sla.Period) []Rule {
	e := a.Exclusion
	own := []string{metricnames.Exclusion, e.Name, metricnames.Period, e.Cap.Per.String()}
	used := al.recorded(metricnames.CapUsed, promql.Eq(metricnames.Exclusion, e.Name), promql.Eq(metricnames.Period, e.Cap.Per.String())).Now()
	return []Rule{al.notice(a, al.withheld(a, promql.Ge(used, promql.Num(one)), own...), map[string]string{
		"summary": fmt.Sprintf("%s: %s has excused all that it may", al.name(), e.Name),
		"description": fmt.Sprintf("Of %s of excluded downtime a %s, {{ $value | humanizePercentage }} are used. What is bad from now on in %s counts where the contract is settled; "+
			"these figures and alerts go on excusing it.", sla.FormatDuration(e.Cap.Downtime), e.Cap.Per.Calendar, e.Name),
	}, own...).says("Fires when %s has excused %s of downtime in a %s, which is all that it may.", e.Name, sla.FormatDuration(e.Cap.Downtime), e.Cap.Per.Calendar)}
}
