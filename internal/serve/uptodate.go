package serve

import (
	"context"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/web"
	"github.com/upheld-sla/upheld/sla"
)

// Sums of periods are recorded every five evaluations of the first layer of rules. They
// are made of rates over five minutes, which include a new outage only gradually: after
// three minutes of outage they may still show nothing bad. Pages add the missing part.

// recent is what the first layer recorded of a level in the last minutes.
type recent struct {
	states     []point
	bad, total []point // rates per second
}

// recentWithin is how far back recent goes: the five minutes of rates in the last sum,
// and the time since.
func (src *source) recentWithin() time.Duration { return src.lookback() + sla.BaseWindow }

// recents reads recent of all levels, or of one if id is not zero.
func (src *source) recents(ctx context.Context, id sla.ID, now time.Time) (map[sla.ID]recent, error) {
	selector := recentSeries
	if id != (sla.ID{}) {
		selector = ofLevel(selector, id)
	}
	all := map[sla.ID]recent{}
	err := src.read(ctx, selector, now.Add(-src.recentWithin()), now, func(ls labels.Labels, it chunkenc.Iterator) error {
		of := idOf(ls)
		r := all[of]
		switch ls.Get(model.MetricNameLabel) {
		case metricnames.ServiceState:
			r.states = worstOf(r.states, points(it))
		case metricnames.BadRate:
			r.bad = points(it)
		default:
			r.total = points(it)
		}
		all[of] = r
		return nil
	})
	return all, err
}

// sumSince sums up a rate after a time.
func sumSince(rate []point, at time.Time, interval time.Duration) float64 {
	sum := 0.0
	for _, p := range rate {
		if p.at.After(at) {
			sum += p.v * interval.Seconds()
		}
	}
	return sum
}

// missingDowntime is how long the level was down without being in the sum recorded at a
// time. The rates over five minutes already contain a part of an outage: the mean, over
// the moments of the five minutes before the sum, of the downtime up to each moment.
func missingDowntime(runs []run, recorded, now time.Time) time.Duration {
	missing := 0.0
	for _, r := range runs {
		if r.state != sla.StateDown {
			continue
		}
		to := r.to
		if r == runs[len(runs)-1] {
			to = now
		}
		missing += to.Sub(r.from).Seconds() - meanUntil(r.from, to, recorded.Add(-sla.BaseWindow), recorded)
	}
	return time.Duration(max(0, missing) * float64(time.Second))
}

// meanUntil is how many seconds of an outage had passed, as the mean over the moments
// of a window.
func meanUntil(from, to, start, end time.Time) float64 {
	// The integral of clamp(s-from, 0, to-from) from the beginning up to at.
	integral := func(at time.Time) float64 {
		ramp := min(at.Sub(from), to.Sub(from)).Seconds()
		if ramp <= 0 {
			return 0
		}
		return ramp*ramp/2 + ramp*max(0, at.Sub(to).Seconds())
	}
	return (integral(end) - integral(start)) / end.Sub(start).Seconds()
}

// bringUpToDate adds what the figures of all periods do not contain yet.
func (src *source) bringUpToDate(status *web.LevelStatus, f series, r recent, now time.Time) {
	recorded, known := f.at(metricnames.BadPeriod, status.Level.Period.String())
	if !known {
		return
	}
	status.AsOf = recorded
	if len(r.bad) == 0 || now.Sub(r.bad[len(r.bad)-1].at) > src.lookback() {
		return // nothing is measured now
	}
	bad, total := sumSince(r.bad, recorded, src.s.RulesInterval), sumSince(r.total, recorded, src.s.RulesInterval)
	if status.Level.Aggregation.ByTime() {
		down := missingDowntime(runsOf(r.states, src.resumed()), recorded, now).Seconds()
		bad, total = max(bad, down), max(total, down)
	}
	status.AsOf = now.Truncate(time.Second)
	first := web.PeriodStatus{Achieved: status.Achieved, Coverage: status.Coverage, Bad: status.Bad, Total: status.Total, BudgetRemaining: status.BudgetRemaining}
	addToPeriod(&first, status.Level, status.Level.Period, bad, total, now)
	status.Achieved, status.Bad, status.Total, status.BudgetRemaining = first.Achieved, first.Bad, first.Total, first.BudgetRemaining
	for i := range status.More {
		addToPeriod(&status.More[i], status.Level, status.Level.MorePeriods[i], bad, total, now)
	}
}

// addToPeriod adds bad and total to the figures of a period.
func addToPeriod(p *web.PeriodStatus, l *sla.ServiceLevel, of sla.Period, bad, total float64, now time.Time) {
	if !p.Bad.Known || !p.Total.Known || p.Total.Value+total <= 0 {
		return
	}
	if allowed := allowance(p, l, of, now); p.BudgetRemaining.Known && allowed > 0 {
		p.BudgetRemaining.Value -= bad / allowed
	}
	p.Bad.Value, p.Total.Value = p.Bad.Value+bad, p.Total.Value+total
	if p.Achieved.Known && bad > 0 {
		p.Achieved.Value = 1 - min(1, p.Bad.Value/p.Total.Value)
	}
}

// allowance is how much may be bad in the whole period, according to the recorded
// budget.
func allowance(p *web.PeriodStatus, l *sla.ServiceLevel, of sla.Period, now time.Time) float64 {
	if spent := 1 - p.BudgetRemaining.Value; p.BudgetRemaining.Known && spent > 1e-9 && p.Bad.Value > 0 {
		return p.Bad.Value / spent
	}
	if l.Aggregation.ByTime() {
		return l.BudgetTime(l.TargetBudget(), of, now).Seconds()
	}
	if p.Coverage.Value <= 0 {
		return 0
	}
	return l.TargetBudget().Float64() * p.Total.Value / p.Coverage.Value
}
