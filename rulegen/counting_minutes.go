package rulegen

import (
	"time"

	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Minutes and slots are those of the clock. Servers evaluate each group at an
// offset that they hash from its name, so what is cut there would be another
// figure for each name: an outage of five minutes would be five bad ones for one
// service, and four for another. Subqueries have their steps at whole minutes
// whenever they are evaluated; so everything that is cut, and every mask and
// weight of it, is read at the end of the minute by one.

// settle is how long after its end a minute is read: scrapes that began in it
// have ended then. Without it a scrape that takes long is in the minute for
// groups that are evaluated late, and is not for others.
const settle = 15 * time.Second

// tick is the resolution of samples. What was recorded a tick before a minute's
// end was recorded in it, whatever the offset.
const tick = time.Millisecond

// byMinutes tells whether the source is cut at whole minutes. States are looked at
// in every evaluation, also where those are more than one a minute.
func (c counting) byMinutes() bool { return c.into.cut > 0 && c.into.cut%time.Minute == 0 }

// span is what a rate is of: a minute, or the source's window.
func (c counting) span() time.Duration {
	if c.byMinutes() {
		return time.Minute
	}
	return c.into.window
}

// rate is the rate of counters over the source's window: of minutes by their
// counted differences.
func (c counting) rate(s promql.Selector) promql.Expr {
	if !c.byMinutes() {
		return s.Rate(c.into.window)
	}
	return s.RateOfMinute()
}

// scan is an expression over such rates as the source takes it.
func (c counting) scan(e promql.Expr) promql.Expr { return c.atCut(c.mean(e)) }

// mean is a rate of a minute as that of the whole window: nothing happened in
// minutes without it, so the sum is divided by all of them.
func (c counting) mean(e promql.Expr) promql.Expr {
	if !c.byMinutes() || c.into.window <= time.Minute {
		return e
	}
	minutes := promql.Num(sla.NewDecimal(int64(c.into.window), int64(time.Minute)))
	return promql.Div(promql.SumOverSteps(e, c.into.window-time.Minute/2, time.Minute), minutes)
}

// atCut is an expression over the source's window where the source is cut.
func (c counting) atCut(e promql.Expr) promql.Expr {
	if c.into.cut == 0 {
		return e
	}
	return promql.AtStep(e, c.into.cut, min(settle, c.into.cut))
}
