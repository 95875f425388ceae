package rulegen

import (
	"fmt"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// standing is how the whole period will end if all the rest of it is good: lost
// is the bad share of what will be known of it, and span turns a share of the
// period into seconds.
type standing struct {
	lost promql.Expr
	good promql.Expr // the good share, where a series records it; zero: 1 - lost
	of   promql.Expr // how much of the period will be known; zero: all of it
	span func(share promql.Expr) promql.Expr

	words []string // explain the constants of span
}

// owesFor reports whether credits are owed for this period.
func (p period) owesFor() bool { return len(p.Credits.Tiers) > 0 && p.of == p.CreditPeriod() }

// credits record what is owed for the period that is running, and how many
// minutes of total outage are left until each tier.
func (p period) credits(s standing) []Rule {
	if !p.owesFor() {
		return nil
	}
	const minute = 60
	rules := []Rule{p.record(metricnames.CreditPercent, p.owed(s)).
		says("Credit for %s in percent, if all the rest of it is good.", p.of.Words()).saysAll(p.owedWords(s))}
	for _, t := range p.Credits.Tiers {
		left := promql.Sub(promql.Num(t.Budget()), s.lost)
		if !s.of.IsZero() {
			left = promql.Mul(left, s.of)
		}
		minutes := promql.ClampMin(promql.Div(s.span(left), number(minute)), zero)
		rules = append(rules, p.record(metricnames.CreditMinutes, minutes, metricnames.Tier, t.Below.String()).
			says("Minutes of total outage until the good share of %s is %s.", p.of.Words(), t.Words()).
			says("%s", budgetWords(t.Budget(), t.Below)).says("60 = seconds in a minute").saysAll(s.words))
	}
	return rules
}

// owed is the percentage of the lowest tier that is reached: each tier adds its
// difference to the one before.
func (p period) owed(s standing) promql.Expr {
	var sum promql.Expr
	before := zero
	for _, t := range p.Credits.Tiers {
		step := promql.Mul(s.reaches(t), promql.Num(t.Percent.Sub(before)))
		if before = t.Percent; sum.IsZero() {
			sum = step
		} else {
			sum = promql.Add(sum, step)
		}
	}
	return sum
}

// reaches is 1 where a tier is owed, else 0. A recorded good share is compared
// directly: 1 minus it is rounded, and at exactly 99.9 % would be more than 0.001.
func (s standing) reaches(t sla.CreditTier) promql.Expr {
	compare := promql.GtBool
	if t.AtMost {
		compare = promql.GeBool
	}
	if !s.good.IsZero() {
		return compare(promql.Num(t.Ratio()), s.good)
	}
	return compare(s.lost, promql.Num(t.Budget()))
}

// owedPrevious records what was owed for the calendar period before.
func (p period) owedPrevious(s standing) []Rule {
	if !p.owesFor() {
		return nil
	}
	return []Rule{p.record(metricnames.CreditPrevious, p.owed(s)).
		says("Credit for the %s before in percent.", p.of.Calendar).saysAll(p.owedWords(s))}
}

// owedWords explain the constants of owed.
func (p period) owedWords(s standing) []string {
	var words []string
	before := zero
	for _, t := range p.Credits.Tiers {
		added := fmt.Sprintf("%s = %s - %s: what is added %s", inRules(t.Percent.Sub(before)), t.Percent, before, t.Words())
		before = t.Percent
		switch {
		case !s.good.IsZero():
			added += fmt.Sprintf(", a good share of %s", inRules(t.Ratio()))
		case t.AtMost:
			added += fmt.Sprintf(", where at least %s is bad", inRules(t.Budget()))
		default:
			added += fmt.Sprintf(", where more than %s is bad", inRules(t.Budget()))
		}
		words = append(words, added)
	}
	return words
}

// creditTiers fire for the next tier, if going on as over a window reaches it
// within a time; the value is that time in seconds. A rolling period keeps
// getting budget back, so only a bad share above what the tier allows reaches
// it.
func (al alerts) creditTiers(f sla.Alert, _ sla.Period) []Rule {
	p := al.CreditPeriod()
	minutes := func(t sla.CreditTier) promql.Expr {
		return al.recorded(metricnames.CreditMinutes, promql.Eq(metricnames.Period, p.String()), promql.Eq(metricnames.Tier, t.Below.String())).Now()
	}
	var rules []Rule
	for i, t := range al.Credits.Tiers {
		burning := promql.Num(zero)
		var words []string
		if p.Calendar == "" {
			burning, words = promql.Num(t.Budget()), []string{budgetWords(t.Budget(), t.Below)}
		}
		left := promql.Mul(promql.Gt(minutes(t), promql.Num(zero)), number(60))
		ends := promql.DivManyOn(left, al.ofAllTime(promql.Gt(al.byHours(al.recorded(ratioName(f.Over)).Now(), f.Over), burning)), al.joinLabels()...)
		ends = promql.AndOn(ends, promql.Gt(al.goesOn(f.Over), burning), al.joinLabels()...)
		if i > 0 {
			ends = promql.AndOn(ends, promql.Le(minutes(al.Credits.Tiers[i-1]), promql.Num(zero)), al.joinLabels()...)
		}
		soon := al.duringService(al.withLeast(promql.Lt(ends, promql.Num(sla.Seconds(f.Within))), f.Over))
		tier := []string{metricnames.Tier, t.Below.String()}
		rules = append(rules, al.notice(f, al.withheld(f, soon, tier...), map[string]string{
			"summary": fmt.Sprintf("%s is about to cost %s%% of credit", al.nameOfGroup(), t.Percent),
			"description": fmt.Sprintf("If it goes on as over the last %s, the good share of %s falls %s %s%% in {{ $value | humanizeDuration }}; %s%% of credit is owed from there on.",
				sla.FormatDuration(f.Over), p.Words(), fallsTo(t), t.Below, t.Percent),
		}, tier...).
			says("Fires when the good share of %s, if it goes on as over the last %s, is %s within %s.",
				p.Words(), sla.FormatDuration(f.Over), t.Words(), sla.FormatDuration(f.Within)).
			says("60 = seconds in a minute").saysAll(words).says("%s", secondsOf(f.Within)).saysAll(al.weightWords()).saysAll(al.minimaWords()))
	}
	return rules
}

// fallsTo says how a good share reaches a tier: by falling below it, or to it.
func fallsTo(t sla.CreditTier) string {
	if t.AtMost {
		return "to"
	}
	return "below"
}
