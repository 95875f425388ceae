package ruletest

import (
	"math"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Figures of periods: budgets, final figures of calendar periods, and credits.

// budget sets a period with half of the budget left, and checks what is recorded about
// it.
func (f *figures) budget() {
	l := f.l
	if !f.summed() {
		return
	}
	f.remaining(anyTime, 0.5, func(at int) []Expectation {
		of := func(name string) promql.Metric { return l.named(name, metricnames.Period, l.Period.String()) }
		all := []Expectation{
			rounded(of(metricnames.ErrorPeriod), at, math.Round(l.TargetBudget().Float64()/2*scale)),
			rounded(of(metricnames.BurnRate), at, scale/2),
			rounded(of(metricnames.BudgetRemaining), at, scale/2),
		}
		if bad := l.TargetBudget().Float64() / 2; l.Period.Calendar != "" { // bounds for any part of the period still to come
			all = append(all, between(of(metricnames.BestPossible), at, (1-bad)*(1-1e-6), (1-bad/2)*(1+1e-6)))
		}
		return all
	})
}

// summed reports whether rules compute a budget from the sums that tests set for a
// period. They do not if all time is agreed except on single dates: then only tables of
// dates define the agreed time, and these begin long after 1970.
func (f *figures) summed() bool {
	if f.l.Masked() && f.l.hours.agreedAlways() {
		return false
	}
	return f.l.recorded[metricnames.BadPeriod] && f.l.recorded[metricnames.TotalPeriod]
}

// finals checks what is recorded about a calendar period that has ended.
func (f *figures) finals() {
	l := f.l
	for _, p := range l.Periods() {
		if p.Calendar == "" {
			continue
		}
		of := []string{metricnames.Period, p.String(), metricnames.Start, "before"}
		share := l.TargetBudget().Float64() / 2
		f.moment(func(_, at int) []Expectation {
			return []Expectation{rounded(l.named(metricnames.ErrorPrevious, of...), at, math.Round(share*scale))}
		})
		f.set(l.named(metricnames.TotalPrevious, of...), scale)
		f.set(l.named(metricnames.BadPrevious, of...), share*scale)
	}
}

// credits checks what is owed just before and just beyond each tier of credits, for the
// running period and the previous one, and how much is left.
func (f *figures) credits() {
	l := f.l
	owed, p := sla.Decimal{}, l.CreditPeriod()
	period := []string{metricnames.Period, p.String()}
	for _, t := range l.Credits.Tiers {
		for _, beyond := range []bool{false, true} {
			lost := t.Budget().Float64() * (1 - margin)
			if beyond {
				lost, owed = max(t.Budget().Float64()*(1+margin), margin*1e-6), t.Percent // below 100 % there is no budget
			}
			percent := math.Round(owed.Float64() * scale)
			left := max(0, t.Budget().Float64()-lost) * p.Nominal().Minutes()
			minutes := l.named(metricnames.CreditMinutes, append(period, metricnames.Tier, t.Below.String())...)
			if p.Calendar == "" && f.summed() {
				f.lost(anyTime, p, lost, func(at int) []Expectation {
					expected := []Expectation{rounded(l.named(metricnames.CreditPercent, period...), at, percent)}
					if !l.Masked() { // with masks, a period is as long as its agreed time
						expected = append(expected, between(minutes, at, left*(1-1e-6)-1e-6, left*(1+1e-6)+1e-6))
					}
					return expected
				})
			}
			if p.Calendar == "" {
				continue
			}
			before := append(period, metricnames.Start, "owed") // not the period of finals, as rules record its share
			f.moment(func(_, at int) []Expectation {
				return []Expectation{
					rounded(l.named(metricnames.CreditPercent, period...), at, percent),
					rounded(l.named(metricnames.CreditPrevious, before...), at, percent),
				}
			})
			f.set(l.named(metricnames.BestPossible, period...), 1-lost)
			f.set(l.named(metricnames.ErrorPrevious, before...), lost)
		}
	}
}

// remaining begins a moment in which this share of the first period's budget is
// left, and the whole period is measured.
func (f *figures) remaining(w when, left float64, expected func(at int) []Expectation) bool {
	return f.lost(w, f.l.Period, f.l.TargetBudget().Float64()*(1-left), expected)
}

// lost begins a moment in which this share of a period was bad, and the whole period
// is measured.
func (f *figures) lost(w when, p sla.Period, share float64, expected func(at int) []Expectation) bool {
	l := f.l
	if !f.momentAt(w, func(_, at int) []Expectation { return expected(at) }) {
		return false
	}
	period := []string{metricnames.Period, p.String()}
	total := 2 * p.Longest().Seconds() // more than the seconds of the period, so that coverage is 1
	f.set(l.named(metricnames.TotalPeriod, period...), total)
	f.set(l.named(metricnames.BadPeriod, period...), total*share)
	if !l.Aggregation.ByTime() {
		f.set(l.named(metricnames.CoveragePeriod, period...), 1)
	}
	if l.recorded[removed.Sum] {
		f.set(l.named(removed.Sum, period...), 0)
	}
	return true
}

// removed is the time that conditions have removed from the agreed time.
var removed = metricnames.TallyOf("removed", metricnames.RemovedMask)
