package ruletest

import (
	"fmt"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// alertTest is how tests bring about an alert of a kind, and see it quiet.
type alertTest struct {
	kind *sla.AlertKind
	// figures brings it about by recorded figures just beyond what it waits for,
	// and not by figures just before; nil of a kind that waits for something else.
	figures func(*figures)
	// course asks for it at the end of a level's course.
	course func(*course) []Asked
	// dated asks for it at an instant of the years that rules are made for; rules
	// are those of the kind that the suite has, made at a time.
	dated func(rules []rulegen.Rule, made, at time.Time, every string) []Asked
	// whileUnmeasured is set if it fires while nothing is measured, as in most
	// moments of figures.
	whileUnmeasured bool
	// labels are those that the alert has from the series that it reads.
	labels func(*tested) promql.Metric
}

// alertTests has a line for each kind of alert, in the order in which figures
// bring them about: a page would hold the forecast back, and what the credit tiers
// wait for can page, which would hold tickets back.
func alertTests() []alertTest {
	return []alertTest{
		{kind: sla.AlertGroupLimit, figures: (*figures).limit},
		{kind: sla.AlertBudgetExhausted, figures: (*figures).exhausted},
		{kind: sla.AlertBudgetForecast, figures: (*figures).forecast},
		{kind: sla.AlertExclusionCap, figures: (*figures).caps},
		{kind: sla.AlertCompositeDivergence, figures: (*figures).divergence},
		{kind: sla.AlertBudgetBurn, figures: (*figures).burns},
		{kind: sla.AlertCreditTier, figures: (*figures).creditTiers, labels: func(l *tested) promql.Metric {
			return promql.Metric{metricnames.Period: l.CreditPeriod().String()}
		}},
		{kind: sla.AlertMeasurementLost, figures: (*figures).unmeasured, course: (*course).loss, whileUnmeasured: true},
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

// limit brings about as many groups as may be, and one more.
func (f *figures) limit() {
	l := f.l
	labels := l.labelsOf(sla.AlertGroupLimit.Name)
	if l.group == nil || !l.first() {
		return
	}
	most := l.GroupBy.Limit * 4 / 5
	for _, more := range []int{0, 1} {
		f.moment(func(_, at int) []Asked {
			if more == 0 {
				return []Asked{l.alerts(sla.AlertGroupLimit.Name, at)}
			}
			return []Asked{l.alerts(sla.AlertGroupLimit.Name, at, labels...)}
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

func (f *figures) exhausted() {
	if !f.summed() {
		return
	}
	l, labels := f.l, f.l.labelsOf(sla.AlertBudgetExhausted.Name)
	f.remaining(anyTime, just, func(at int) []Asked { return []Asked{l.alerts(sla.AlertBudgetExhausted.Name, at)} })
	f.remaining(anyTime, -just, func(at int) []Asked { return []Asked{l.alerts(sla.AlertBudgetExhausted.Name, at, labels...)} })
}

// forecast brings about that the rest of the budget ends just after, and just
// before, the time that the alert looks ahead.
func (f *figures) forecast() {
	l := f.l
	labels, fc := l.labelsOf(sla.AlertBudgetForecast.Name), l.Notice(sla.AlertBudgetForecast)
	if !f.summed() {
		return
	}
	budget := l.TargetBudget().Float64()
	perLeft := l.Period.Nominal().Seconds() / fc.Within.Seconds() * budget // the bad share that ends a whole budget just in time
	left := min(0.5, 0.9/perLeft)
	if left*perLeft <= budget*(1+2*just) {
		return // of a rolling period as much comes back
	}
	for _, m := range []struct {
		by     float64
		enough bool
		fires  bool
	}{{1 + just, true, true}, {1 - just, true, false}, {1 + just, false, false}} {
		if !m.enough && !f.gated(fc.Over) {
			continue
		}
		there := f.remaining(open, left, func(at int) []Asked {
			if m.fires {
				return []Asked{l.alerts(sla.AlertBudgetForecast.Name, at, labels...)}
			}
			return []Asked{l.alerts(sla.AlertBudgetForecast.Name, at)}
		})
		if there {
			weight := f.weight(fc.Over)
			for _, w := range []time.Duration{sla.BaseWindow, rulegen.ForecastShort(fc.Over, f.l.windows())} {
				f.window(w, budget*(1+just)*weight, true) // so that no tier burns, whose page would hold it back
			}
			f.window(fc.Over, left*perLeft*m.by*weight, m.enough)
		}
	}
}

// creditTiers brings about that each tier of credits is reached just after, and
// just before, the time that the alert looks ahead.
func (f *figures) creditTiers() {
	l, n := f.l, f.l.Notice(sla.AlertCreditTier)
	period := []string{metricnames.Period, l.CreditPeriod().String()}
	for i, t := range l.Credits.Tiers {
		budget := t.Budget().Float64()
		bad := (1 + budget) / 2 // more than comes back to a rolling period
		seconds := n.Within.Seconds() * bad * l.share.Float64()
		for _, m := range []struct {
			by     float64
			enough bool
			fires  bool
		}{{1 + just, true, false}, {1 - just, true, true}, {1 - just, false, false}} {
			if !m.enough && !f.gated(n.Over) {
				continue
			}
			there := f.momentAt(open, func(_, at int) []Asked {
				asked := l.alerts(sla.AlertCreditTier.Name, at)
				for _, labels := range l.labelsOf(sla.AlertCreditTier.Name) {
					if m.fires && labels[metricnames.Tier] == t.Below.String() {
						asked = l.alerts(sla.AlertCreditTier.Name, at, labels)
					}
				}
				return []Asked{asked}
			})
			if !there {
				continue
			}
			for j, other := range l.Credits.Tiers[:i+1] {
				minutes := 0. // those before are reached
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

// caps brings about that just less, and just more, was bad than a cap allows.
func (f *figures) caps() {
	l := f.l
	for _, labels := range l.labelsOf(sla.AlertExclusionCap.Name) {
		for _, e := range l.MeasuredCaps() {
			if e.Name != labels[metricnames.Exclusion] {
				continue
			}
			of := []string{metricnames.Exclusion, e.Name, metricnames.Period, e.Cap.Per.String()}
			for _, used := range []float64{1 - just, 1 + just} {
				f.moment(func(_, at int) []Asked {
					asked := l.alerts(sla.AlertExclusionCap.Name, at)
					if used > 1 {
						asked = l.alerts(sla.AlertExclusionCap.Name, at, labels)
					}
					return []Asked{asked, rounded(l.named(metricnames.CapUsed, of...), at, used*scale)}
				})
				f.set(l.named(metricnames.CappedTally.Sum, of...), used*e.Cap.Downtime.Seconds())
			}
		}
	}
}

// divergence brings about that a composite looks just less, and just more, better
// than what measures the whole.
func (f *figures) divergence() {
	l, labels := f.l, f.l.labelsOf(sla.AlertCompositeDivergence.Name)
	e := l.composite().EndToEnd
	for _, by := range []float64{1 - just, 1 + just} {
		there := f.momentAt(open, func(_, at int) []Asked {
			if by > 1 {
				return []Asked{l.alerts(sla.AlertCompositeDivergence.Name, at, labels...)}
			}
			return []Asked{l.alerts(sla.AlertCompositeDivergence.Name, at)}
		})
		if there {
			f.set(l.named(metricnames.Divergence+sla.FormatDuration(e.Over)), e.Above.Float64()/100*by)
		}
	}
}

// unmeasured asks for the alert that fires while nothing is measured, as nothing is
// in these tests.
func (f *figures) unmeasured() {
	l := f.l
	if !l.first() {
		return
	}
	labels := l.labelsOf(sla.AlertMeasurementLost.Name)
	f.momentAt(open, func(_, at int) []Asked {
		return []Asked{l.alerts(sla.AlertMeasurementLost.Name, 0), l.alerts(sla.AlertMeasurementLost.Name, at, labels...)}
	})
}

// burns brings about what tiers wait for, within the hours of the level and outside.
func (f *figures) burns() {
	f.tiers()
	f.closed()
}

// tablesEnd is when the tables of rules that were made at a time are about to end:
// in December three years later nobody has generated them again.
func tablesEnd(made time.Time) time.Time {
	return time.Date(made.UTC().Year()+3, time.December, 15, 12, 0, 0, 0, time.UTC)
}

// calendarEnds asks for the alert that rules are years old.
func calendarEnds(rules []rulegen.Rule, made, at time.Time, every string) []Asked {
	var all []Asked
	for _, r := range rules {
		m := promql.Metric(r.Labels).With(promql.Metric{nameLabel: alerts, "alertname": r.Alert, "alertstate": isFiring})
		asked := Asked{Expr: m.String(), At: every, Samples: []Sample{}, about: m}
		if !at.Before(tablesEnd(made)) {
			asked.Samples = append(asked.Samples, Sample{m.String(), 1})
		}
		all = append(all, asked)
	}
	return all
}
