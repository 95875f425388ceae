package rulegen

import (
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// longestFirstLayer is the longest window that is summed from the first layer;
// longer ones are summed from the second, which has a fifth of the samples.
const longestFirstLayer = 6 * time.Hour

// shortestWithGaps is the shortest window to which gaps of the server are added.
const shortestWithGaps = time.Hour

// windows are the sums and bad shares of a level over windows, and how alerts
// weigh them.
type windows struct {
	level
	least []least // what alerts ask of a window; see minima
}

func newWindows(l level) windows { return windows{l, minima(l)} }

// windowLengths are the windows to record: the standard ones and those of the
// alert tiers, ascending, split by the layer that they are summed from.
func (l level) windowLengths() (short, long []time.Duration) {
	all := slices.Clone(sla.StandardWindows)
	for _, t := range l.Alerting.Tiers {
		all = append(all, t.Long, t.Short)
	}
	for _, f := range l.forecasts() {
		all = append(all, f.Over)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	i, _ := slices.BinarySearch(all, longestFirstLayer+1)
	return all[:i], all[i:]
}

// forecasts are the alerts, besides those of the tiers, that look over a window.
func (l level) forecasts() []sla.Alert {
	var all []sla.Alert
	for _, k := range sla.AlertKinds {
		if k.Options != nil && k.Options.LookAhead != nil {
			all = append(all, k.Of(l.ServiceLevel)...)
		}
	}
	return all
}

// ForecastShort is the window that shows whether what a forecast saw over a
// longer one still goes on: the longest recorded one within a sixth of it, or
// else five minutes.
func ForecastShort(over time.Duration, recorded []time.Duration) time.Duration {
	short := sla.BaseWindow
	for _, w := range recorded {
		if w <= over/6 {
			short = max(short, w)
		}
	}
	return short
}

// goesOn is the bad share of a forecast's short window.
func (ws windows) goesOn(over time.Duration) promql.Expr {
	short, long := ws.windowLengths()
	return ws.byHours(ws.recorded(ratioName(ForecastShort(over, slices.Concat(short, long)))).Now(), over)
}

// ratios record the bad share of each window: bad events over all events of
// the window. A window without events has no ratio, rather than NaN.
func (ws windows) ratios(windows []time.Duration) []Rule {
	rules := make([]Rule, 0, len(windows))
	total, bad := sumWords(ws.level)
	for _, w := range windows {
		rules = append(rules, ws.counts(w)...)
		rules = append(rules, ws.record(ratioName(w), ws.ratio(w)).
			says("Bad share of the last %s: %s / %s, absent while there are none.", sla.FormatDuration(w), bad, total).saysAll(ws.sumWordsOf(w)))
		rules = append(rules, ws.agreedRatio(w)...)
		rules = append(rules, ws.trafficRatio(w)...)
	}
	return rules
}

func ratioName(w time.Duration) string { return metricnames.ErrorRatio + sla.FormatDuration(w) }

func (ws windows) ratio(w time.Duration) promql.Expr {
	if w == sla.BaseWindow {
		return share(ws.recorded(metricnames.BadRate).Now(), ws.recorded(metricnames.TotalRate).Now())
	}
	return share(ws.sumOver(w, badSeries), ws.sumOver(w, totalSeries))
}

func share(bad, total promql.Expr) promql.Expr {
	return promql.Div(bad, promql.Gt(total, promql.Num(zero)))
}

// increases are the second layer: how many events there were since its last
// evaluation, as the sum of the rates recorded since, each of which stands for
// one interval. Every sample of the first layer falls into exactly one of them.
// Judged minutes and slots are summed as they were judged, each once.
func (ws windows) increases() []Rule {
	increase := func(rate string) promql.Expr {
		if ws.isCut() {
			return promql.Mul(ws.sumOfMinutes(rate), promql.Num(sla.Seconds(ws.interval)))
		}
		return promql.Mul(ws.recorded(rate).SumOverTime(secondLayer*ws.interval), promql.Num(sla.Seconds(ws.interval)))
	}
	var rules []Rule
	all := ws.allTallies()
	if ws.countsIncreases() {
		rules = increasesOf(ws.level).rules()
		all = slices.DeleteFunc(all, func(t metricnames.Tally) bool { return countsTally(ws.level, t) })
	}
	for _, t := range all {
		rules = append(rules, ws.record(t.Increase, increase(t.Rate)).
			says("%s since the last evaluation of this group, %s ago.", titled(strings.TrimSuffix(tallyWords(ws.level, t), ",")), sla.FormatDuration(secondLayer*ws.interval)).
			says("%s", perInterval(ws.level)))
	}
	return rules
}

// sumOfMinutes adds up the minutes behind a rate of the base series since the
// last evaluation of the second layer.
func (ws windows) sumOfMinutes(rate string) promql.Expr {
	name, known := ws.minutesOf(rate)
	window := ws.steps(secondLayer)
	minute := ws.bridged(ws.recorded(name))
	switch {
	case name == ws.blamed():
		// Blame has no sample where there is none, and not every server marks the
		// end of a series: only evaluations in which nothing was judged are bridged.
		own := promql.Mul(promql.Num(one), ws.recorded(name).LastOverTime(ws.interval))
		judged := ws.recorded(metricnames.SlotJudged).LastOverTime(ws.interval)
		minute = promql.Or(own, promql.UnlessOn(promql.Mul(promql.Num(one), minute), judged))
	case known:
		return promql.CountOverSteps(minute, window, ws.interval)
	case ws.aggregation().runs && (name == metricnames.SlotJudged || name == metricnames.SlotCounted):
		// The minutes of a run count at once when it is long enough, and once only.
		own := promql.Mul(promql.Num(one), ws.recorded(name).LastOverTime(ws.interval))
		minute = promql.Or(own, promql.ClampMax(minute, one))
	}
	return promql.SumOverSteps(minute, window, ws.interval)
}

// minutesOf names the series of single minutes that a rate is spread from, or
// the rate itself if it is one; known says that only having a value counts.
func (ws windows) minutesOf(rate string) (name string, known bool) {
	if ws.Aggregation.Counts() == sla.CountsSlots {
		return rate, false // slots are not spread
	}
	total, bad := ws.measured()
	switch rate {
	case total:
		return metricnames.SlotJudged, true
	case bad:
		return metricnames.SlotJudged, false
	case metricnames.TotalRate:
		return metricnames.SlotAgreed, false
	case metricnames.BadRate:
		return metricnames.SlotCounted, false
	case metricnames.BlameRate:
		return ws.blamed(), false
	}
	return rate, false
}
