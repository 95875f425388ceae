package rulegen

import (
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/rulegen/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Time of which nobody knows how the service was is in neither sum, unless the
// agreement says that it counts as bad, or as good. Then every minute counts that
// rules were evaluated in, and what was filled in is recorded beside it.

// fills tells whether missing data counts.
func (c compiler) fills() bool { return c.level.MissingData != sla.MissingExcluded }

// missing is what a minute counts of which nothing is known.
func (c compiler) missing() sla.Decimal {
	if c.level.MissingData == sla.MissingBad {
		return one
	}
	return zero
}

// judgedOrMissing records the judgement of minutes or slots, filled in where there
// is none.
func (c compiler) judgedOrMissing(bad promql.Expr) []Rule {
	if !c.fills() {
		return []Rule{c.record(metricnames.SlotJudged, bad)}
	}
	known := promql.OrOn(promql.Add(promql.Mul(promql.Num(zero), bad), promql.Num(one)), promql.Vector(zero))
	return []Rule{
		c.record(metricnames.MissingRate, promql.Sub(promql.Num(one), known)),
		c.record(metricnames.SlotJudged, promql.OrOn(bad, promql.Vector(c.missing()))),
	}
}

// jitter is how much of five minutes may be unknown before it is missing: probes
// and scrapes are not exactly as far apart as they should be, so that a probe more
// or less falls into a window, of which one alone must not count as bad.
func (c compiler) jitter() sla.Decimal {
	least := sla.NewDecimal(1, 10)
	if _, p, _ := c.level.Probed(); p != nil {
		if probes := sla.Seconds(p.Interval).Mul(sla.NewDecimal(3, 2)).Quo(sla.Seconds(sla.BaseWindow)); probes.Cmp(least) > 0 {
			return probes
		}
	}
	return least
}

// timeOrMissing makes the base series of a level that counts known seconds: all
// time, and what is bad in it.
func (c compiler) timeOrMissing() []Rule {
	if !c.fills() {
		return nil
	}
	total, bad := c.measured()
	known := promql.OrOn(c.recorded(metricnames.KnownTotalRate).Now(), promql.Vector(zero))
	counted := promql.OrOn(c.recorded(metricnames.KnownBadRate).Now(), promql.Vector(zero))
	missing := c.recorded(metricnames.MissingRate).Now()
	gap := promql.Sub(promql.Num(one), known)
	return []Rule{
		c.record(metricnames.MissingRate, promql.Mul(gap, promql.GtBool(gap, promql.Num(c.jitter())))),
		c.record(total, promql.Vector(one)),
		c.record(bad, promql.Add(promql.Sum(counted), promql.Sum(promql.Mul(missing, promql.Num(c.missing()))))),
	}
}
