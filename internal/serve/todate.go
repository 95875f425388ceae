package serve

import (
	"context"
	"time"

	"github.com/upheld-sla/upheld/internal/closing"
	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

const (
	// liveEvery is how old the figures to date may be while somebody looks at them. If
	// they take long to make, it is liveTimes as long as they take. They are made only
	// if somebody has looked within liveWanted.
	liveEvery, liveTimes, liveWanted = 5 * time.Minute, 20, 10 * time.Minute
)

// liveKey is a kind of period of an agreement.
type liveKey struct {
	agreement string
	period    sla.Period
}

// liveReport is a running period's result to date.
type liveReport struct {
	reports []*verdict.Report // one for each revision that judges a part of the period
	err     error
	at      time.Time
	took    time.Duration
}

// want notes that a reader looks at figures to date now.
func (c *closer) want() {
	c.mu.Lock()
	c.wanted = time.Now()
	c.mu.Unlock()
	c.rouse()
}

// refresh judges running periods to date, if a reader looks at them and their figures
// are old.
func (c *closer) refresh(ctx context.Context) {
	state := c.s.state.Load()
	for _, a := range state.agreements {
		for _, p := range closing.PeriodsOf(a) {
			key := liveKey{a.Name, p}
			now := time.Now()
			c.mu.Lock()
			old, wanted := c.live[key], now.Sub(c.wanted) < liveWanted
			c.mu.Unlock()
			if ctx.Err() != nil || !wanted || now.Sub(old.at) < max(liveEvery, liveTimes*old.took) {
				continue
			}
			c.say(a.Name + ", to date")
			next := c.toDate(ctx, state.agreements, a, p, now)
			next.at, next.took = now, time.Since(now)
			if ctx.Err() != nil {
				return
			}
			c.mu.Lock()
			c.live[key] = next
			c.mu.Unlock()
		}
	}
}

func (c *closer) toDate(ctx context.Context, agreements []*sla.Agreement, a *sla.Agreement, p sla.Period, now time.Time) (live liveReport) {
	judgements, err := closing.Current(agreements, a, p, now)
	if err != nil {
		return liveReport{err: err}
	}
	previous, err := c.archive.ReportsOf(a.Name)
	if err != nil {
		return liveReport{err: err}
	}
	for _, j := range judgements {
		j.Before = c.before(a)
		r, _, err := j.Judge(ctx, c.source(), previous, now, func(float64) {})
		if err != nil {
			return liveReport{err: err}
		}
		live.reports = append(live.reports, r)
	}
	return live
}
