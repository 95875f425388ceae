package rulegen

import (
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// locations counts, instead of probes, the locations from which probes came in
// the last minute and, of these, the ones that found it bad by the level's
// threshold (all probes bad, if it has none).
func (c compiler) locations(of sla.ID, metric string, matcher promql.Matcher, restIsBad bool) []Rule {
	judgeable := c.judgeable(of, metric, matcher)
	by := func(name string, m promql.Matcher) promql.Expr {
		return c.mean(promql.Sum(judgeable(c.rate(promql.Series(name, append(identity(of), m)...))), append([]string{metricnames.Location}, c.groupLabels()...)...))
	}
	outcome := func(name string) promql.Expr {
		return by(metricnames.ProbeResults, promql.Eq(metricnames.Outcome, name))
	}
	good := outcome(metricnames.Good)
	if metric == metricnames.ProbeWithin {
		good = timed(good, by(metricnames.ProbeUntimed, matcher), append([]string{metricnames.Location}, c.groupLabels()...)...)
	}
	all := promql.Gt(promql.Add(good, outcome(metricnames.Bad)), promql.Num(zero))
	share := promql.Div(by(metric, matcher), all)
	if restIsBad {
		share = promql.Sub(promql.Num(one), share)
	}
	bad := promql.Ge(share, promql.Num(almostAll))
	if limit := c.level.Slots.ErrorThreshold; limit.Sign() > 0 {
		bad = promql.Gt(share, promql.Num(limit.Quo(hundred)))
	}
	return []Rule{
		c.totalRule(c.admitted(c.atCut(promql.Count(all, c.groupLabels()...)), c.presentProbes(of, metric, matcher))),
		c.record(c.into.bad, c.orZero(c.ofAdmitted(c.atCut(promql.Count(bad, c.groupLabels()...))))),
	}
}

// agreed is 1 while a quorum of locations finds the minute bad, 0 while it does
// not, and no sample while fewer than a quorum report.
func (c compiler) agreed() promql.Expr {
	quorum := promql.Num(sla.NewDecimal(c.level.Slots.Quorum, 1))
	return promql.AndOn(promql.GeBool(c.recorded(c.into.bad).Now(), quorum), promql.Ge(c.total(), quorum), c.groupLabels()...)
}
