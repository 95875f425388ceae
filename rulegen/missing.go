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
	return []Rule{
		c.record(metricnames.MissingRate, promql.ClampMin(promql.Sub(promql.Num(one), known), zero)),
		c.record(total, promql.Vector(one)),
		c.record(bad, promql.Add(promql.Sum(counted), promql.Sum(promql.Mul(missing, promql.Num(c.missing()))))),
	}
}
