package ruletest

import (
	"fmt"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// alertTest says how tests make an alert of a kind fire, and see it quiet.
type alertTest struct {
	kind *sla.AlertKind
	// figures sets recorded figures just below and just above the alert's threshold;
	// nil for a kind that does not depend on such figures.
	figures func(*figures)
	// burn returns what is expected of the alert in the scenario of a burn.
	burn func(*burnScenario) []Expectation
	// dated returns what is expected of the alert at the time at, within the years for
	// which rules are made. rules are the rules of the kind.
	dated func(s *Suite, rules []rulegen.Rule, at time.Time, every string) []Expectation
	// whileUnmeasured is set if the alert fires while nothing is measured, which is
	// most of the time in the scenario of figures.
	whileUnmeasured bool
	// labels are the labels that the alert gets from the series that it reads.
	labels func(*levelUnderTest) promql.Metric
}

// alertTests has a line for each kind of alert, in the order in which figures make them
// fire. Burn alerts come after the forecast, since a page would hold it back. The bad
// share for a credit tier can page and hold back tickets, so it comes after burn
// alerts.
func alertTests() []alertTest {
	return []alertTest{
		{kind: sla.AlertGroupLimit, figures: (*figures).limit},
		{kind: sla.AlertBudgetExhausted, figures: (*figures).exhausted},
		{kind: sla.AlertBudgetForecast, figures: (*figures).forecast},
		{kind: sla.AlertExclusionCap, figures: (*figures).caps},
		{kind: sla.AlertCompositeDivergence, figures: (*figures).divergence},
		{kind: sla.AlertBudgetBurn, figures: (*figures).burns},
		{kind: sla.AlertCreditTier, figures: (*figures).creditTiers, labels: func(l *levelUnderTest) promql.Metric {
			return promql.Metric{metricnames.Period: l.CreditPeriod().String()}
		}},
		{kind: sla.AlertMeasurementLost, figures: (*figures).unmeasured, burn: (*burnScenario).lostMeasurement, whileUnmeasured: true},
		{kind: sla.AlertRestoreTimeNear, figures: func(f *figures) { f.restoreTimes(sla.AlertRestoreTimeNear) }},
		{kind: sla.AlertRestoreTimeExceeded, figures: func(f *figures) { f.restoreTimes(sla.AlertRestoreTimeExceeded) }},
		{kind: sla.AlertRecoveryAgeNear, figures: func(f *figures) { f.recoveryAges(sla.AlertRecoveryAgeNear) }},
		{kind: sla.AlertRecoveryAgeExceeded, figures: func(f *figures) { f.recoveryAges(sla.AlertRecoveryAgeExceeded) }},
		{kind: sla.AlertRecoveryAgeUnknown, figures: (*figures).unknownAges, whileUnmeasured: true},
		{kind: sla.AlertExerciseOverdue, dated: reminded},
		{kind: sla.AlertReviewDue, dated: reminded},
		{kind: sla.AlertObligationLate, dated: reminded},
		{kind: sla.AlertCalendarEnds, dated: calendarEnds},
	}
}

func testOf(name string) alertTest {
	for _, t := range alertTests() {
		if t.kind.Name == name {
			return t
		}
	}
	panic("ruletest: no test of alerts called " + name)
}

// limit sets as many groups as allowed, and then one more.
func (f *figures) limit() {
	l := f.l
	labels := l.labelsOf(sla.AlertGroupLimit.Name)
	if l.group == nil || !l.first() {
		return
	}
	most := l.GroupBy.Limit * 4 / 5
	for _, more := range []int{0, 1} {
		f.moment(func(_, at int) []Expectation {
			if more == 0 {
				return []Expectation{l.alerts(sla.AlertGroupLimit.Name, at)}
			}
			return []Expectation{l.alerts(sla.AlertGroupLimit.Name, at, labels...)}
		})
		for i := len(l.whole.groups()); i < most+more; i++ {
			others := promql.Metric{}
			for _, label := range l.GroupBy.Labels {
				others[label] = fmt.Sprintf("other-%d", i)
			}
			f.set(l.named(metricnames.GroupSeen).With(others), 1)
		}
	}
}

// exhausted sets a budget with a little left, and then an overspent one.
func (f *figures) exhausted() {
	if !f.summed() {
		return
	}
	l, labels := f.l, f.l.labelsOf(sla.AlertBudgetExhausted.Name)
	f.remaining(anyTime, margin, func(at int) []Expectation { return []Expectation{l.alerts(sla.AlertBudgetExhausted.Name, at)} })
	f.remaining(anyTime, -margin, func(at int) []Expectation {
		return []Expectation{l.alerts(sla.AlertBudgetExhausted.Name, at, labels...)}
	})
}

// forecast sets a burn rate at which the rest of the budget ends just before, and
// just after, the time that the alert looks ahead.
func (f *figures) forecast() {
	l := f.l
	labels, fc := l.labelsOf(sla.AlertBudgetForecast.Name), l.Notice(sla.AlertBudgetForecast)
	if !f.summed() {
		return
	}
	budget := l.TargetBudget().Float64()
	perLeft := l.Period.Nominal().Seconds() / fc.Within.Seconds() * budget // the bad share at which a whole budget lasts exactly that long
	left := min(0.5, 0.9/perLeft)
	if left*perLeft <= budget*(1+2*margin) {
		return // a rolling period regains as much as it spends
	}
	for _, m := range []struct {
		by     float64
		enough bool
		fires  bool
	}{{1 + margin, true, true}, {1 - margin, true, false}, {1 + margin, false, false}} {
		if !m.enough && !f.gated(fc.Over) {
			continue
		}
		there := f.remaining(open, left, func(at int) []Expectation {
			if m.fires {
				return []Expectation{l.alerts(sla.AlertBudgetForecast.Name, at, labels...)}
			}
			return []Expectation{l.alerts(sla.AlertBudgetForecast.Name, at)}
		})
		if there {
			weight := f.weight(fc.Over)
			for _, w := range []time.Duration{sla.BaseWindow, rulegen.ForecastShort(fc.Over, f.l.windows())} {
				f.window(w, budget*(1+margin)*weight, true) // so that no tier burns: its page would hold the forecast back
			}
			f.window(fc.Over, left*perLeft*m.by*weight, m.enough)
		}
	}
}

// creditTiers sets a bad share at which each tier of credits is reached just after,
// and just before, the time that the alert looks ahead.
func (f *figures) creditTiers() {
	l, n := f.l, f.l.Notice(sla.AlertCreditTier)
	period := []string{metricnames.Period, l.CreditPeriod().String()}
	for i, t := range l.Credits.Tiers {
		budget := t.Budget().Float64()
		bad := (1 + budget) / 2 // more than a rolling period regains
		seconds := n.Within.Seconds() * bad * l.share.Float64()
		for _, m := range []struct {
			by     float64
			enough bool
			fires  bool
		}{{1 + margin, true, false}, {1 - margin, true, true}, {1 - margin, false, false}} {
			if !m.enough && !f.gated(n.Over) {
				continue
			}
			there := f.momentAt(open, func(_, at int) []Expectation {
				expected := l.alerts(sla.AlertCreditTier.Name, at)
				for _, labels := range l.labelsOf(sla.AlertCreditTier.Name) {
					if m.fires && labels[metricnames.Tier] == t.Below.String() {
						expected = l.alerts(sla.AlertCreditTier.Name, at, labels)
					}
				}
				return []Expectation{expected}
			})
			if !there {
				continue
			}
			for j, other := range l.Credits.Tiers[:i+1] {
				minutes := 0. // tiers before this one are reached
				if j == i {
					minutes = seconds * m.by / 60
				}
				f.set(l.named(metricnames.CreditMinutes, append(period, metricnames.Tier, other.Below.String())...), minutes)
			}
			weight := f.weight(n.Over)
			for _, w := range []time.Duration{sla.BaseWindow, rulegen.ForecastShort(n.Over, l.windows())} {
				f.window(w, bad*weight, true)
			}
			f.window(n.Over, bad*weight, m.enough)
		}
	}
}

// caps sets slightly less, and then slightly more, excluded downtime than each cap
// allows.
func (f *figures) caps() {
	l := f.l
	for _, labels := range l.labelsOf(sla.AlertExclusionCap.Name) {
		for _, e := range l.MeasuredCaps() {
			if e.Name != labels[metricnames.Exclusion] {
				continue
			}
			of := []string{metricnames.Exclusion, e.Name, metricnames.Period, e.Cap.Per.String()}
			for _, used := range []float64{1 - margin, 1 + margin} {
				f.moment(func(_, at int) []Expectation {
					expected := l.alerts(sla.AlertExclusionCap.Name, at)
					if used > 1 {
						expected = l.alerts(sla.AlertExclusionCap.Name, at, labels)
					}
					return []Expectation{expected, rounded(l.named(metricnames.CapUsed, of...), at, used*scale)}
				})
				f.set(l.named(metricnames.CappedTally.Sum, of...), used*e.Cap.Downtime.Seconds())
			}
		}
	}
}

// divergence sets an end-to-end level that is worse than the composite by slightly
// less, and then by slightly more, than allowed.
func (f *figures) divergence() {
	l, labels := f.l, f.l.labelsOf(sla.AlertCompositeDivergence.Name)
	e := l.composite().EndToEnd
	for _, by := range []float64{1 - margin, 1 + margin} {
		there := f.momentAt(open, func(_, at int) []Expectation {
			if by > 1 {
				return []Expectation{l.alerts(sla.AlertCompositeDivergence.Name, at, labels...)}
			}
			return []Expectation{l.alerts(sla.AlertCompositeDivergence.Name, at)}
		})
		if there {
			f.set(l.named(metricnames.Divergence+sla.FormatDuration(e.Over)), e.Above.Float64()/100*by)
		}
	}
}

// unmeasured expects SLAMeasurementLost, since nothing is measured in these tests.
func (f *figures) unmeasured() {
	l := f.l
	if !l.first() {
		return
	}
	labels := l.labelsOf(sla.AlertMeasurementLost.Name)
	f.momentAt(open, func(_, at int) []Expectation {
		return []Expectation{l.alerts(sla.AlertMeasurementLost.Name, 0), l.alerts(sla.AlertMeasurementLost.Name, at, labels...)}
	})
}

// burns sets the values at which tiers burn, within the hours of the level and outside
// of them.
func (f *figures) burns() {
	f.tiers()
	f.closed()
}
