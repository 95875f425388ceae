package rulegen

import (
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// A level with service hours or exclusions counts the increases of all that was measured,
// and takes from each step the share in the time that counts. A step without an edge of a
// mask is taken whole or not at all; one with an edge is divided by its minutes. A gap of
// the server is divided by its time, which the clock tells for hours and windows.

// countedTime is the time in which one of the level's sums counts: its service hours,
// less the chosen exclusions.
type countedTime struct {
	agreedTime
	less func(*sla.Exclusion) bool
}

// The times in which the total counts, in which bad counts, and from which exclusions take
// out.
func (a agreedTime) agreed() countedTime { return countedTime{a, (*sla.Exclusion).Removes} }

func (a agreedTime) kept() countedTime {
	return countedTime{a, func(*sla.Exclusion) bool { return true }}
}

func (a agreedTime) served() countedTime {
	return countedTime{a, func(*sla.Exclusion) bool { return false }}
}

// countedTimes are those of the level's times for which the clock knows how much of a gap
// they cover.
func (a agreedTime) countedTimes() []countedTime {
	if !a.Masked() || !a.countsIncreases() {
		return nil
	}
	return slices.DeleteFunc([]countedTime{a.agreed(), a.kept(), a.served()}, func(c countedTime) bool { return c.name() == allTime })
}

// name names the time, as far as it is known in advance.
func (c countedTime) name() string { return timeName(c.ServiceLevel, c.less) }

// spans are when the time is, as far as that is known in advance.
func (c countedTime) spans(from, to time.Time) sla.Spans {
	spans := c.Service(from, to)
	for _, e := range byWindows(c.ServiceLevel, c.less) {
		spans = spans.Without(e.Spans(from, to))
	}
	return spans
}

// mask has the factors that are 1 in this time; none if this is all time.
func (c countedTime) mask() []promql.Expr { return append(c.inService(now), c.outside(now, c.less)...) }

// passed records how much has passed of a time.
func (g *maskGroup) passed(c countedTime) {
	t := newTimetable(c.spans(g.from, g.to), g.from, g.to, zonesOfTime(c.ServiceLevel, c.less)...)
	var local promql.Expr
	if len(t.pattern) > 0 {
		local = g.local(t)
	}
	g.add(g.record(metricnames.AgreedElapsed, t.elapsed(promql.VectorOf(promql.Time()), local), metricnames.Agreed, c.name()).
		says("Seconds of %s until now. They begin anywhere: differences count.", c.name()).saysAll(t.elapsedWords()), nil)
}

// allPassed records the same of all time.
func (g *maskGroup) allPassed() {
	g.add(g.record(metricnames.AgreedElapsed, promql.VectorOf(promql.Time()), metricnames.Agreed, allTime).
		says("Seconds of all time until now."), nil)
}

// maskedIncreases counts the increases of a level with masks.
type maskedIncreases struct {
	increases
	time agreedTime
}

// rules record which increases count, and what exclusions take out of them.
func (m maskedIncreases) rules() []Rule {
	all, part := m.sums(m.ofMinute)
	if m.restBad {
		part = promql.ClampMin(promql.SubOn(all, part, m.groupLabels()...), zero)
	}
	total, bad := sumWords(m.level)
	agreed, kept := m.time.agreed(), m.time.kept()
	record := func(of counted, what string, e promql.Expr) Rule {
		return m.ofStep(m.record(of.increase, e), what)
	}
	rules := []Rule{
		m.ofGap(m.record(metricnames.TotalInGap, m.partOfGap(m.ofAll, agreed)), total),
		m.ofGap(m.record(metricnames.BadInGap, m.partOfGap(m.ofBad, kept)), bad),
		record(totalSeries, total, m.elseByRates(m.withGap(m.partOfStep(m.ofAll, all, agreed), metricnames.TotalInGap), m.own(m.ofAll.increase), metricnames.TotalRate)),
		record(badSeries, bad, m.elseByRates(m.withGap(m.partOfStep(m.ofBad, part, kept), metricnames.BadInGap), m.own(metricnames.TotalIncrease), metricnames.BadRate)),
	}
	if len(m.Exclusions) == 0 {
		return rules
	}
	out := func(t metricnames.Tally, of counted, counts promql.Expr, counted string) Rule {
		served := m.own(of.increase)
		if m.ServiceHours != nil {
			served = promql.Sum(labelled("seen", m.partOfStep(of, counts, m.time.served()), "in gap", m.partOfGap(of, m.time.served())), m.groupLabels()...)
		}
		taken := promql.ClampMin(promql.SubOn(served, m.own(counted), m.groupLabels()...), zero)
		return record(countedOfTally(t), tallyWords(m.level, t), m.elseByRates(taken, m.own(counted), t.Rate))
	}
	return append(rules,
		out(excludedTotalTally, m.ofAll, all, metricnames.TotalIncrease),
		out(excludedBadTally, m.ofBad, part, metricnames.BadIncrease))
}

// ofMinute is by how much a counter has grown in a minute, if it was not reset.
func (m maskedIncreases) ofMinute(s promql.Selector) promql.Expr {
	return promql.Ge(promql.Sub(s.Offset(settle), s.Offset(settle+time.Minute)), promql.Num(zero))
}

// partOfStep is the part of a step's increase that falls into a time, in proportion to the
// growth of counters in its minutes. If none has grown in them, such as a counter that has
// just begun, it is in proportion to the minutes.
func (m maskedIncreases) partOfStep(of counted, counts promql.Expr, in countedTime) promql.Expr {
	seen := promql.Sum(labelled("all", m.own(of.increase), "in gap", less(m.own(of.inGap))), m.groupLabels()...)
	mask := in.mask()
	if len(mask) == 0 {
		return seen
	}
	over, minute := m.steps(secondLayer), m.interval
	within := promql.SumOverSteps(times(counts, mask...), over, minute)
	all := promql.SumOverSteps(promql.AndOn(counts, times(promql.Vector(one), mask...)), over, minute)
	byCounts := m.atStep(promql.Div(within, promql.Gt(all, promql.Num(zero))))
	byTime := m.atStep(promql.AvgOverSteps(times(promql.Vector(one), mask...), over, minute))
	return promql.OrOn(promql.Mul(seen, byCounts), times(seen, byTime), m.groupLabels()...)
}

// partOfGap is the part of a gap's increase that counts, in proportion to the gap's time
// within the hours and outside the windows. A condition excuses a gap if it held before
// and after it.
func (m maskedIncreases) partOfGap(of counted, in countedTime) promql.Expr {
	var shares []promql.Expr
	if name := in.name(); name != allTime {
		passed := func(name string) promql.Expr {
			s := m.masks.series(metricnames.AgreedElapsed, metricnames.Agreed, name)
			return promql.Sum(promql.Sub(s.Offset(time.Minute), m.last(s)))
		}
		shares = append(shares, m.atStep(promql.Clamp(promql.Div(passed(name), passed(allTime)), zero, one)))
	}
	for _, e := range m.Exclusions {
		if in.less(e) && e.OnCondition() {
			s := m.masks.series(metricnames.ExclusionMask, metricnames.Exclusion, e.Name)
			shares = append(shares, m.atStep(promql.Sub(promql.Num(one), promql.Mul(s.Offset(time.Minute), m.last(s)))))
		}
	}
	return times(promql.Sum(m.own(of.inGap), m.groupLabels()...), shares...)
}

// countedOfTally are the series of a tally.
func countedOfTally(t metricnames.Tally) counted { return counted{rate: t.Rate, increase: t.Increase} }

// tally is the tally of these series.
func (c counted) tally() metricnames.Tally {
	return metricnames.Tally{Rate: c.rate, Increase: c.increase}
}
