package rulegen

import (
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Burn alerts that are weighed by traffic. The budget of events is a share of the
// period's events, so what a window has spent of it is
//
//	bad events of the window / (events of the period × budget)
//
// and not its bad share times its share of the time: an hour with a tenth of the
// usual traffic can spend a tenth of what an hour usually can.

// alertShare is which share of all time burn alerts weigh windows against.
func (l level) alertShare() sla.Decimal {
	if l.Alerting.WeighByTraffic {
		return one
	}
	return l.share()
}

// byTraffic is the bad share of a window times the traffic of the window over,
// as a share of the period's mean.
func (ws windows) byTraffic(ratio promql.Expr, over time.Duration) promql.Expr {
	return promql.Mul(ratio, ws.recorded(metricnames.TrafficRatio+sla.FormatDuration(over)).Now())
}

// trafficRatio records the traffic of a window that alerts look over as a share
// of the mean of the period, as far as that is known: what the period has counted,
// over the share of it that was measured. Without that it is 1.
func (ws windows) trafficRatio(w time.Duration) []Rule {
	if !ws.Alerting.WeighByTraffic || !ws.gates(w) {
		return nil
	}
	of := func(name string) promql.Expr {
		return ws.recorded(name, promql.Eq(metricnames.Period, ws.Period.String())).Now()
	}
	whole := promql.Div(of(metricnames.TotalPeriod), promql.Gt(of(metricnames.CoveragePeriod), promql.Num(zero)))
	mean := promql.Div(promql.Gt(whole, promql.Num(zero)), promql.Num(sla.Seconds(ws.Period.Nominal())))
	traffic := promql.DivManyOn(promql.Div(ws.countOf(w, totalSeries), promql.Num(sla.Seconds(w))), mean, ws.joinLabels()...)
	asUsual := promql.Add(promql.Mul(promql.Num(zero), ws.countOf(w, totalSeries)), promql.Num(one))
	return []Rule{ws.record(metricnames.TrafficRatio+sla.FormatDuration(w), promql.OrOn(traffic, asUsual, ws.joinLabels()...))}
}
