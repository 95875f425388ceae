package rulegen

import (
	"time"

	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Minutes and slots are those of the clock. Servers evaluate each group at an
// offset that they hash from its name. Minutes that begin at that offset would
// differ from name to name: an outage of five minutes would be five bad ones for
// one service, and four for another. Subqueries have their steps at whole
// minutes, whenever they are evaluated. So all that is judged by minutes or
// slots, with its masks and weights, is read by a subquery at the minute's end.

// settle is how long after its end a minute is read: scrapes that began in it
// have ended then. Without it a slow scrape would be in the minute for groups
// that are evaluated late, and not for others.
const settle = 15 * time.Second

// tick is the resolution of samples. What was recorded a tick before a minute's
// end was recorded in it, whatever the offset.
const tick = time.Millisecond

// byMinutes reports whether the source is cut at whole minutes. States are looked at
// in every evaluation, even if there are several a minute.
func (c counting) byMinutes() bool { return c.into.cut > 0 && c.into.cut%time.Minute == 0 }

// span is the time that a rate covers: a minute, or the source's window.
func (c counting) span() time.Duration {
	if c.byMinutes() {
		return time.Minute
	}
	return c.into.window
}

// rate is the rate of counters over the source's window; a minute's is the
// counted difference.
func (c counting) rate(s promql.Selector) promql.Expr {
	if !c.byMinutes() {
		return s.Rate(c.into.window)
	}
	return s.RateOfMinute()
}

// scan reads an expression over such rates for the source: over its window, at its cut.
func (c counting) scan(e promql.Expr) promql.Expr { return c.atCut(c.mean(e)) }

// mean is the rate over the whole window, from the rates of its minutes.
// Nothing happened in minutes without a rate, so the sum is divided by all
// minutes.
func (c counting) mean(e promql.Expr) promql.Expr {
	if !c.byMinutes() || c.into.window <= time.Minute {
		return e
	}
	minutes := promql.Num(sla.NewDecimal(int64(c.into.window), int64(time.Minute)))
	return promql.Div(promql.SumOverSteps(e, c.into.window-time.Minute/2, time.Minute), minutes)
}

// atCut reads an expression over the source's window at the source's last cut, if it has
// one.
func (c counting) atCut(e promql.Expr) promql.Expr {
	if c.into.cut == 0 {
		return e
	}
	return promql.AtStep(e, c.into.cut, min(settle, c.into.cut))
}
