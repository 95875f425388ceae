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

// alertShare is the share of all time by which burn alerts weigh windows.
func (l level) alertShare() sla.Decimal {
	if l.Alerting.WeighByTraffic {
		return one
	}
	return l.share()
}

// byTraffic is the bad share of a window, weighed by the traffic of the window
// over relative to the period's mean.
func (ws windows) byTraffic(ratio promql.Expr, over time.Duration) promql.Expr {
	return promql.Mul(ratio, ws.recorded(metricnames.TrafficRatio+sla.FormatDuration(over)).Now())
}

// trafficRatio records the traffic of a window that alerts look over, relative to
// the period's mean. The mean is what the period has counted over the share of it
// that was measured. Without that the ratio is 1.
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
	return []Rule{ws.record(metricnames.TrafficRatio+sla.FormatDuration(w), promql.OrOn(traffic, asUsual, ws.joinLabels()...)).
		says("Traffic of the last %s over the mean of %s, 1 while that is unknown.", sla.FormatDuration(w), ws.Period.Words()).
		saysAll(ws.countWords(w)).says("%s", secondsOf(w)).says("%s", secondsOf(ws.Period.Nominal()))}
}

// byHours is the bad share of a window, weighed by the window's agreed time. If
// a service is promised for a third of all time, an hour of agreed time spends
// three times the share of the budget that it would if the service were always
// promised; an hour that is a tenth agreed time spends less. So what is compared
// with a threshold is the share of the period's budget that the window has
// spent, over the window's share of the period. over is the window whose agreed
// time counts.
func (ws windows) byHours(ratio promql.Expr, over time.Duration) promql.Expr {
	if ws.Alerting.WeighByTraffic {
		return ws.byTraffic(ratio, over)
	}
	if !ws.Masked() {
		return ratio
	}
	agreed := ws.recorded(metricnames.AgreedRatio + sla.FormatDuration(over)).Now()
	return promql.Div(promql.Mul(ratio, agreed), promql.Num(ws.share()))
}

// ofAllTime turns a weighed bad share of a window into one of all its time.
func (ws windows) ofAllTime(weighed promql.Expr) promql.Expr {
	if !ws.Masked() {
		return weighed
	}
	return promql.Mul(weighed, promql.Num(ws.share()))
}

// agreedRatio records the share of a window that is agreed time and known, if
// alerts look over the window.
func (ws windows) agreedRatio(w time.Duration) []Rule {
	if !ws.Masked() || !ws.gates(w) || ws.Alerting.WeighByTraffic {
		return nil
	}
	of := totalSeries
	if !ws.Aggregation.ByTime() {
		of = counted{rate: metricnames.AgreedMask, increase: agreedTally.Increase}
	}
	return []Rule{ws.record(metricnames.AgreedRatio+sla.FormatDuration(w), promql.Div(ws.countOf(w, of), promql.Num(sla.Seconds(w)))).
		says("Share of the last %s that is agreed service time and known.", sla.FormatDuration(w)).
		saysAll(ws.countWords(w)).says("%s", secondsOf(w))}
}

// weightWords explain the constants of byHours.
func (ws windows) weightWords() []string {
	if ws.Alerting.WeighByTraffic || !ws.Masked() {
		return nil
	}
	return []string{inRules(ws.share()) + " = share of all time that is agreed service time"}
}

// weighedWords say how an alert compares bad shares with its threshold.
func (ws windows) weighedWords() string {
	switch {
	case ws.Alerting.WeighByTraffic:
		return " The alert weighs a window by its traffic."
	case !ws.Masked():
		return ""
	}
	return " The alert weighs a window by its hours in service."
}
