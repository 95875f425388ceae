package rulegen

import (
	"fmt"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// standing is how the whole period will end if all the rest of it is good: lost
// is the bad share of what is known of it by then, and span makes a share of the
// period seconds.
type standing struct {
	lost promql.Expr
	of   promql.Expr // how much of the period is known by then; zero: all of it
	span func(share promql.Expr) promql.Expr
}

// credits record what is owed for the period that is running, and how many
// minutes of total outage are left until each tier.
func (c compiler) credits(p sla.Period, s standing) []Rule {
	tiers := c.level.Credits.Tiers
	if len(tiers) == 0 || p != c.level.CreditPeriod() {
		return nil
	}
	const minute = 60
	rules := []Rule{c.record(metricnames.CreditPercent, c.owed(s.lost), metricnames.Period, p.String())}
	for _, t := range tiers {
		left := promql.Sub(promql.Num(t.Budget()), s.lost)
		if !s.of.IsZero() {
			left = promql.Mul(left, s.of)
		}
		minutes := promql.ClampMin(promql.Div(s.span(left), number(minute)), zero)
		rules = append(rules, c.record(metricnames.CreditMinutes, minutes, metricnames.Period, p.String(), metricnames.Tier, t.Below.String()))
	}
	return rules
}

// owed is the percentage of the lowest tier that a bad share goes beyond: each
// tier adds what it is more than the one before.
func (c compiler) owed(lost promql.Expr) promql.Expr {
	var sum promql.Expr
	before := zero
	for _, t := range c.level.Credits.Tiers {
		step := promql.Mul(promql.GtBool(lost, promql.Num(t.Budget())), promql.Num(t.Percent.Sub(before)))
		if before = t.Percent; sum.IsZero() {
			sum = step
		} else {
			sum = promql.Add(sum, step)
		}
	}
	return sum
}

// owedPrevious records what was owed for the calendar period before.
func (c compiler) owedPrevious(p sla.Period, lost promql.Expr) []Rule {
	if len(c.level.Credits.Tiers) == 0 || p != c.level.CreditPeriod() {
		return nil
	}
	return []Rule{c.record(metricnames.CreditPrevious, c.owed(lost), metricnames.Period, p.String())}
}

// creditAlerts fire for the next tier: if it goes on as over a window, it is
// reached within a time; the value is that time in seconds. Of a rolling period
// something comes back all the while, so only what is worse than the tier allows
// ends there.
func (c compiler) creditAlerts() []Rule {
	f := c.level.Notice(sla.AlertCreditTier)
	if f == nil {
		return nil
	}
	p := c.level.CreditPeriod()
	minutes := func(t sla.CreditTier) promql.Expr {
		return c.recorded(metricnames.CreditMinutes, promql.Eq(metricnames.Period, p.String()), promql.Eq(metricnames.Tier, t.Below.String())).Now()
	}
	var rules []Rule
	for i, t := range c.level.Credits.Tiers {
		burning := promql.Num(zero)
		if p.Calendar == "" {
			burning = promql.Num(t.Budget())
		}
		left := promql.Mul(promql.Gt(minutes(t), promql.Num(zero)), number(60))
		ends := promql.DivManyOn(left, c.ofAllTime(promql.Gt(c.byHours(c.recorded(ratioName(f.Over)).Now(), f.Over), burning)), c.joinLabels()...)
		ends = promql.AndOn(ends, promql.Gt(c.goesOn(*f), burning), c.joinLabels()...)
		if i > 0 {
			ends = promql.AndOn(ends, promql.Le(minutes(c.level.Credits.Tiers[i-1]), promql.Num(zero)), c.joinLabels()...)
		}
		rules = append(rules, c.notice(sla.AlertCreditTier.Name, *f, c.duringService(c.withLeast(promql.Lt(ends, promql.Num(sla.Seconds(f.Within))), f.Over)), map[string]string{
			"summary": fmt.Sprintf("%s is about to cost %s%% of credit", c.nameOfGroup(), t.Percent),
			"description": fmt.Sprintf("If it goes on as over the last %s, the good share of %s falls below %s%% in {{ $value | humanizeDuration }}; %s%% of credit is owed from there on.",
				sla.FormatDuration(f.Over), p.Words(), t.Below, t.Percent),
		}, metricnames.Tier, t.Below.String()))
	}
	return rules
}
