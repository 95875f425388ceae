package rulegen

import (
	"fmt"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// period is one of a level's periods: its sums, its bad share and its budget.
//
// The budget is that of the whole period, so what is spent of it is the bad
// share to date times coverage, over the allowed share: after one bad hour in a
// service's first day the month's budget is not gone.
type period struct {
	level
	of sla.Period
}

// record is a recording rule with the period as a label.
func (p period) record(name string, e promql.Expr, more ...string) Rule {
	return p.level.record(name, e, append([]string{metricnames.Period, p.of.String()}, more...)...)
}

// figure selects a recorded figure of the period.
func (p period) figure(name string, more ...promql.Matcher) promql.Selector {
	return p.recorded(name, append([]promql.Matcher{promql.Eq(metricnames.Period, p.of.String())}, more...)...)
}

// periodFigures record the figures of each of a level's periods.
func periodFigures(l level) []Rule {
	var rules []Rule
	for _, of := range l.Periods() {
		rules = append(rules, period{l, of}.rules()...)
	}
	return rules
}

// rules record the figures of the period.
func (p period) rules() []Rule {
	figures := p.rolling
	if p.of.Calendar != "" {
		figures = p.calendar
	}
	all := figures()
	if p.kind.ofPeriod != nil {
		all = append(all, p.kind.ofPeriod(p)...)
	}
	return append(all, p.outages()...)
}

// rolling records the figures of a period that ends now.
func (p period) rolling() []Rule {
	ratio := p.figure(metricnames.ErrorPeriod).Now()
	whole := standing{
		lost:  promql.Mul(ratio, p.figure(metricnames.CoveragePeriod).Now()),
		span:  func(share promql.Expr) promql.Expr { return promql.Mul(share, promql.Num(sla.Seconds(p.of.Rolling))) },
		words: []string{secondsOf(p.of.Rolling)},
	}
	if p.Masked() {
		whole.words = nil
		whole.span = func(share promql.Expr) promql.Expr {
			return promql.MulLeft(share, p.agreedSeries(metricnames.AgreedSeconds), nil, nil)
		}
	}
	var rules []Rule
	for _, t := range p.allTallies() {
		rules = append(rules, p.sum(t.Sum, t, func(e promql.Expr) promql.Expr { return e })...)
	}
	if p.Masked() {
		rules = append(rules, p.agreedRule())
	}
	more, covered := p.coverage()
	rules = append(append(rules, more...), p.untilLastEvent(covered, nil, nil)...)
	rules = append(rules, p.notSeen(promql.Expr{}, nil)...)
	rules = append(rules, p.spent()...)
	return append(rules, p.credits(whole)...)
}

// spent record the bad share of the period, and what it has spent of the budget.
func (p period) spent() []Rule {
	ratio := p.figure(metricnames.ErrorPeriod).Now()
	total, bad := sumWords(p.level)
	burn := p.record(metricnames.BurnRate, promises{p.level}.perBudget(ratio)).
		says("The bad share over what the target share allows: above 1 the target share is missed so far.")
	if !(promises{p.level}).ownTargets() {
		burn = burn.says("%s", budgetWords(p.TargetBudget(), p.Target))
	}
	return []Rule{
		p.record(metricnames.ErrorPeriod, share(p.figure(metricnames.BadPeriod).Now(), p.figure(metricnames.TotalPeriod).Now())).
			says("Bad share of %s: %s / %s, absent while there are none.", p.of.Words(), bad, total),
		burn,
		p.record(metricnames.BudgetRemaining, promql.Sub(promql.Num(one),
			promql.Mul(p.figure(metricnames.BurnRate).Now(), p.figure(metricnames.CoveragePeriod).Now()))).
			says("What is left of the budget of all of %s: 1 is untouched, 0 spent, below 0 overspent. What was measured of it counts.", p.of.Words()),
	}
}

// coverage is the share of a rolling period for which the state is known. By time
// these are the known seconds over all seconds; by events the evaluations of the
// second layer with a value over all evaluations, since no traffic is known too.
// With masks it is the known share of the agreed time. The rules are those that
// it reads.
func (p period) coverage() ([]Rule, covered) {
	if p.Masked() {
		return nil, covered{share: p.knownOfAgreed()}
	}
	if p.Aggregation.ByTime() {
		return nil, covered{promql.Div(p.figure(metricnames.TotalPeriod).Now(), promql.Num(sla.Seconds(p.of.Rolling))), []string{secondsOf(p.of.Rolling)}}
	}
	slots := sla.NewDecimal(int64(p.of.Rolling), int64(secondLayer*p.interval))
	rules, evaluations := p.evaluations()
	every := fmt.Sprintf("%s = evaluations in %s, one every %s", inRules(slots), sla.FormatDuration(p.of.Rolling), sla.FormatDuration(secondLayer*p.interval))
	return rules, covered{promql.Div(evaluations, promql.Num(slots)), append(p.evaluationWords(), every)}
}

// agreedSeries is what the agreement records about the level's agreed time in
// the period.
func (p period) agreedSeries(name string) promql.Expr {
	return p.masks.series(name, metricnames.Agreed, agreedName(p.ServiceLevel), metricnames.Period, periodName(p.of)).Now()
}

func (p period) agreedRule() Rule {
	return p.record(metricnames.AgreedPeriod, p.agreed()).
		says("Seconds of agreed time in %s: what is known in advance less what conditions have removed.", p.of.Words())
}

// agreed is how much agreed time the period has: what is known in advance, less
// what conditions have removed.
func (p period) agreed() promql.Expr {
	none := promql.Mul(promql.Num(zero), p.figure(metricnames.TotalPeriod).Now())
	if p.removesOnCondition() {
		none = promql.Sub(promql.Num(zero), p.figure(removedTally.Sum).Now())
	}
	return promql.AddLeft(none, p.agreedSeries(metricnames.AgreedSeconds))
}

// knownOfAgreed is the share of the agreed time that is known.
func (p period) knownOfAgreed() promql.Expr {
	known := agreedTally.Sum
	if p.Aggregation.ByTime() {
		known = metricnames.TotalPeriod
	}
	return promql.Div(p.figure(known).Now(), promql.Gt(p.figure(metricnames.AgreedPeriod).Now(), promql.Num(zero)))
}

// notSeen records the share of the period that the server did not see. rest is the share
// that is still to come, if any, and words explain its constants.
func (p period) notSeen(rest promql.Expr, words []string) []Rule {
	if !p.fills() {
		return nil
	}
	share := promql.Sub(promql.Num(one), p.figure(metricnames.CoveragePeriod).Now())
	if !rest.IsZero() {
		share = promql.SubOn(share, rest)
	}
	return []Rule{p.record(metricnames.NotSeenPeriod, promql.ClampMin(share, zero)).
		says("Share of %s that is neither known nor missing nor still to come: the server did not see it.", p.of.Words()).saysAll(words)}
}
