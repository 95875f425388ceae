package serve

import (
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/web"
	"github.com/upheld-sla/upheld/sla"
)

// series are the samples of a level, or of one of its groups, by what tells them apart:
// the name, the period, and the tier of credits or the objective of recovery, if any.
type series map[seriesKey]promql.Sample

type seriesKey struct{ name, period, part string }

func (f series) figure(name, period string) web.Figure { return f.part(name, period, "") }

func (f series) part(name, period, part string) web.Figure {
	s, ok := f[seriesKey{name, period, part}]
	return web.Figure{Value: s.F, Known: ok}
}

// at is when the newest sample was recorded.
func (f series) at(name, period string) (at time.Time, known bool) {
	s, ok := f[seriesKey{name, period, ""}]
	return time.UnixMilli(s.T), ok
}

func newStatus(l *sla.ServiceLevel, f series, alerts []web.Alert) web.LevelStatus {
	first := f.ofPeriod(l.Period)
	status := web.LevelStatus{
		Level:           l,
		Achieved:        first.Achieved,
		BudgetRemaining: first.BudgetRemaining,
		Coverage:        first.Coverage,
		Bad:             first.Bad,
		Total:           first.Total,
		Excess:          f.figure(metricnames.Excess, ""),
		Contract:        f.contract(l, l.Period),
		Recovery:        f.recovery(l),
		BadShare:        map[time.Duration]float64{},
		Alerts:          alerts,
	}
	for _, p := range l.MorePeriods {
		more := f.ofPeriod(p)
		more.Contract = f.contract(l, p)
		status.More = append(status.More, more)
	}
	for key, sample := range f {
		if window, ok := strings.CutPrefix(key.name, metricnames.ErrorRatio); ok {
			if d, err := model.ParseDuration(window); err == nil {
				status.BadShare[time.Duration(d)] = sample.F
			}
		}
	}
	status.State = state(l, f, status.BadShare)
	return status
}

// contract returns what is excluded in a period, and the credit if credits depend on
// the period.
func (f series) contract(l *sla.ServiceLevel, p sla.Period) web.Contract {
	period := p.String()
	c := web.Contract{
		MeasuredBad: f.figure(metricnames.TallyOf("raw_bad", "").Sum, period),
		ExcludedBad: f.figure(metricnames.TallyOf("excluded_bad", "").Sum, period),
	}
	if len(l.Credits.Tiers) == 0 || p != l.CreditPeriod() {
		return c
	}
	c.Credit = f.figure(metricnames.CreditPercent, period)
	for _, t := range l.Credits.Tiers {
		c.MinutesToTier = append(c.MinutesToTier, f.part(metricnames.CreditMinutes, period, t.Below.String()))
	}
	return c
}

// recovery returns the recorded figures about outages and ages.
func (f series) recovery(l *sla.ServiceLevel) web.Recovery {
	period := l.Period.String()
	return web.Recovery{
		Age: f.figure(metricnames.OutageAge, ""), Outages: f.figure(metricnames.OutageCount, period),
		Longest: f.figure(metricnames.OutageLongest, period), Mean: f.figure(metricnames.OutageMean, period), Ages: f.ages(l),
	}
}

func (f series) ages(l *sla.ServiceLevel) []web.Figure {
	var all []web.Figure
	for _, o := range l.Recovery.Ages() {
		all = append(all, f.part(metricnames.RecoveryAge, "", o.Name))
	}
	return all
}

// ofPeriod returns the figures of one of a level's periods.
func (f series) ofPeriod(p sla.Period) web.PeriodStatus {
	period := p.String()
	status := web.PeriodStatus{
		BudgetRemaining: f.figure(metricnames.BudgetRemaining, period),
		Coverage:        f.figure(metricnames.CoveragePeriod, period),
		Bad:             f.figure(metricnames.BadPeriod, period),
		Total:           f.figure(metricnames.TotalPeriod, period),
	}
	if bad := f.figure(metricnames.ErrorPeriod, period); bad.Known {
		status.Achieved = web.Known(1 - bad.Value)
	}
	return status
}

// state is the state of a level now: the recorded one, or else by the bad share of the
// last five minutes.
func state(l *sla.ServiceLevel, f series, badShare map[time.Duration]float64) sla.State {
	code := f.figure(metricnames.ServiceState, "")
	if state, ok := sla.StateOf(code.Value); code.Known && ok {
		return state
	}
	bad, known := badShare[sla.BaseWindow]
	if !known {
		return sla.StateUnknown
	}
	return stateByShare(l, bad)
}

// stateByShare is the state of a level by the bad share of the last five minutes.
func stateByShare(l *sla.ServiceLevel, bad float64) sla.State {
	switch {
	case bad >= 0.5:
		return sla.StateDown
	case bad > l.ObjectiveBudget().Float64():
		return sla.StateDegraded
	}
	return sla.StateUp
}
