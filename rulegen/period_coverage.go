package rulegen

import (
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Coverage of levels that count events. What is spent of a budget is the bad
// share to date times coverage, since the period's events are estimated as those
// counted so far divided by coverage. Time without traffic adds no events, so it
// must not add coverage either, or an idle level would spend its budget. So
// coverage is what was measured up to the last event. When traffic returns, the
// pause counts: it belongs to the traffic of the period.

// covered is the share of a period that was measured.
type covered struct {
	share promql.Expr
	words []string // explain its constants
}

// coverageSteps is how many evaluations of the second layer the recent part of
// the memory of the last event spans; older parts are read at steps of that
// length.
const coverageSteps = 12

// untilLastEvent records coverage as of the last evaluation that counted an event,
// within the longest length of the period. measured is the measured share of the
// period. The function tag adds the label of the running period, and the function of
// keeps what has it; both are nil for a rolling period.
//
// The memory has two parts, so that no rule reads the whole period at short steps: what
// was seen last within an hour is recorded, and this record is read for each hour of
// the period. An hour's record has the last event before it.
func (p period) untilLastEvent(measured covered, tag, of func(promql.Expr) promql.Expr) []Rule {
	if p.Aggregation.ByTime() {
		return []Rule{p.record(metricnames.CoveragePeriod, promql.ClampMax(measured.share, one)).
			says("Share of %s that was measured.", p.of.Words()).saysAll(measured.words)}
	}
	if tag == nil {
		tag = func(e promql.Expr) promql.Expr { return e }
		of = tag
	}
	step := secondLayer * p.interval
	recent, longest := (coverageSteps+1)*step, p.of.Longest()
	now := p.figure(metricnames.MeasuredPeriod).Now()
	busy := tag(promql.AndOn(now, promql.Gt(p.recorded(metricnames.TotalIncrease).Now(), promql.Num(zero)), p.joinLabels()...))
	seen := p.figure(metricnames.MeasuredBusy)
	last := seen.Now()
	if longest > recent {
		last = promql.Or(last, promql.LastOverSteps(seen.Now(), longest, coverageSteps*step))
	}
	return []Rule{
		p.record(metricnames.MeasuredPeriod, promql.ClampMax(measured.share, one)).
			says("Share of %s that was measured, with events or without.", p.of.Words()).saysAll(measured.words),
		p.record(metricnames.MeasuredBusy, promql.Or(busy, promql.LastOverSteps(busy, min(recent, longest), step))).
			says("The same at the last event, remembered for %s.", sla.FormatDuration(min(recent, longest))),
		p.record(metricnames.CoveragePeriod, promql.Or(of(last), now)).
			says("Share of %s that was measured, up to the last event: time without traffic spends no budget.", p.of.Words()),
	}
}
