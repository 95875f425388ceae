package promql

import (
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/upheld-sla/upheld/sla"
)

// Subqueries. Their steps are at multiples of the step in UTC, whenever they are
// evaluated, so that minutes and slots follow the clock. If the window is a multiple of
// the step, only some servers include the step at its beginning.

// subquery is (e)[window:step] offset ago.
func subquery(e Expr, window, step, ago time.Duration) Expr {
	inner := e.node
	if _, ok := inner.(*parser.BinaryExpr); ok {
		inner = &parser.ParenExpr{Expr: inner}
	}
	return Expr{node: &parser.SubqueryExpr{Expr: inner, Range: window, Step: step, OriginalOffset: ago}}
}

func overSteps(function string, e Expr, window, step time.Duration) Expr {
	return call(function, subquery(e, window, step, 0))
}

// AtStep is the value of e at the last multiple of the step that is at least ago before
// now. Servers of version 2 may find two such values in the range; the last one is the
// same in all servers.
func AtStep(e Expr, step, ago time.Duration) Expr {
	return call("last_over_time", subquery(e, step, step, ago))
}

// LastOverSteps is the last value of e at the steps of a window: multiples of the step
// since 1970, in UTC.
func LastOverSteps(e Expr, window, step time.Duration) Expr {
	return overSteps("last_over_time", e, window, step)
}

// LastOverStepsAgo is LastOverSteps of a window that ended some time ago.
func LastOverStepsAgo(e Expr, window, step, ago time.Duration) Expr {
	return call("last_over_time", subquery(e, window, step, ago))
}

// SumOverSteps sums the values of e at the steps of a window. A step without a value
// has the one before.
func SumOverSteps(e Expr, window, step time.Duration) Expr {
	return overSteps("sum_over_time", e, window, step)
}

// CountOverSteps counts the steps of a window at which e has a value.
func CountOverSteps(e Expr, window, step time.Duration) Expr {
	return overSteps("count_over_time", e, window, step)
}

// MinOverSteps is the smallest value of e at the steps of a window.
func MinOverSteps(e Expr, window, step time.Duration) Expr {
	return overSteps("min_over_time", e, window, step)
}

// RateOfMinute is the rate per second of counters in the minute that ends now: the
// difference between the last values in it and in the minute before. So every event is
// in exactly one minute, whatever the scrape interval, and series with the same scrapes
// never differ by extrapolation. A counter without a value in the minute before has the
// rate of its visible increase.
func (s Selector) RateOfMinute() Expr {
	const both = 90 * time.Second // the steps now and a minute ago
	last := subquery(s.LastOverTime(time.Minute), both, time.Minute, 0)
	return Or(call("irate", last), s.Rate(time.Minute))
}

// SinceMultiple applies over to the values of s at the steps since the last multiple of
// a length, without its current value: at most one sample per series. What is recorded
// at such a multiple counts after it. s must be recorded at every step, and the length
// must be a multiple of the step.
//
// A subquery cannot know when it is evaluated. But it knows whether a step ends in an
// odd or an even multiple of the length, and the steps of one length are in at most two
// of these.
func (s Selector) SinceMultiple(over func(e Expr, window, step time.Duration) Expr, length, step time.Duration) Expr {
	const tick = time.Millisecond // a sample recorded at a step is seen at the next one
	part := func(odd bool) Expr {
		own := AndOn(s.Ago(tick).LastOverTime(step), parity(length, tick, odd)) // an instant selector would also see older samples than one step
		return AndOn(over(own, length-step, step), parity(length, 0, odd))
	}
	return Or(part(false), part(true))
}

// parity is 1 while the time a tick ago is in an odd, or in an even, multiple of a
// length, and otherwise absent.
func parity(length, ago time.Duration, odd bool) Expr {
	at := Time()
	if ago > 0 {
		at = Sub(at, Num(sla.Seconds(ago)))
	}
	two := sla.Seconds(2 * length)
	into := VectorOf(Mod(at, Num(two)))
	if odd {
		return Ge(into, Num(sla.Seconds(length)))
	}
	return Lt(into, Num(sla.Seconds(length)))
}

// AvgOverSteps is the mean of the values of e at the steps of a window.
func AvgOverSteps(e Expr, window, step time.Duration) Expr {
	return overSteps("avg_over_time", e, window, step)
}
