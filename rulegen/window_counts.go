package rulegen

import (
	"fmt"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// counted names the series of one counted thing: the bad events, or all.
type counted struct {
	rate, increase, sum string // sum is the prefix of sums over a window
	inGap               string // the part of the increases from a gap of the server, which rates miss
}

var (
	badSeries   = counted{metricnames.BadRate, metricnames.BadIncrease, metricnames.BadSum, metricnames.BadInGap}
	totalSeries = counted{metricnames.TotalRate, metricnames.TotalIncrease, metricnames.TotalSum, metricnames.TotalInGap}
	// Those before anything is left out have no sums over windows.
	rawBadSeries   = counted{metricnames.RawBadRate, rawBadTally.Increase, "", metricnames.RawBadInGap}
	rawTotalSeries = counted{metricnames.RawTotalRate, rawTotalTally.Increase, "", metricnames.RawTotalInGap}
)

// least is how much of what a window must hold before an alert on it fires.
type least struct {
	counted
	amount sla.Decimal // in the unit of the sums: events, or seconds
	words  string      // explain it
}

// seen is the least share of an event that a sum of rates counts. An event
// falls into five rates. One of them may miss it, between its last scrape and
// its end; the others are extrapolated by up to a ninth.
var seen = sla.NewDecimal(4, 5)

// minima are the least counts that the level asks for. So many events always
// suffice; up to three, one fewer never does.
func minima(l level) []least {
	size, ok := l.EventSize()
	if !ok {
		return nil
	}
	var ms []least
	for _, m := range []struct {
		counted
		events int
		which  string
	}{{badSeries, l.Alerting.MinimumBadEvents, "bad "}, {totalSeries, l.Alerting.MinimumEvents, ""}} {
		if m.events == 0 {
			continue
		}
		amount, what := sla.NewDecimal(int64(m.events), 1).Mul(seen).Mul(size), "events"
		if l.Aggregation.ByTime() {
			what = "probes x " + inRules(size) + " s"
		}
		ms = append(ms, least{m.counted, amount, fmt.Sprintf("%s = %d %s%s x %s: at least so many are needed, and rates may count a fifth less", inRules(amount), m.events, m.which, what, inRules(seen))})
	}
	return ms
}

// gates reports whether alerts ask for least counts over a window.
func (ws windows) gates(w time.Duration) bool {
	a := ws.Alerting
	if slices.ContainsFunc(ws.forecasts(), func(f sla.Alert) bool { return f.Over == w }) {
		return true
	}
	return slices.ContainsFunc(a.Tiers, func(t sla.Tier) bool { return t.Long == w })
}

// counts record how many events a window held, where alerts ask for it. The
// window's ratio then reads them, so that nothing is summed twice.
func (ws windows) counts(w time.Duration) []Rule {
	var rules []Rule
	for _, m := range ws.least {
		if ws.gates(w) {
			what, bad := sumWords(ws.level)
			if m.counted == badSeries {
				what = bad
			}
			rules = append(rules, ws.record(m.sum+sla.FormatDuration(w), ws.countOf(w, m.counted)).
				says("%s of the last %s.", titled(what), sla.FormatDuration(w)).saysAll(ws.countWords(w)))
		}
	}
	return rules
}

// countOf is the events of a window.
func (ws windows) countOf(w time.Duration, of counted) promql.Expr {
	if w > longestFirstLayer {
		return ws.recorded(of.increase).SumOverTime(w)
	}
	seen := promql.Mul(ws.recorded(of.rate).SumOverTime(w), promql.Num(sla.Seconds(ws.interval)))
	if !ws.addsGaps(w) || of.inGap == "" {
		return seen
	}
	return promql.SumWithout(labelled("seen", seen, "in gap", ws.recorded(of.inGap).SumOverTime(w)), partLabel)
}

// addsGaps reports whether what happened in a gap of the server is added to the rates of
// a window. Shorter ones say what is happening now, so that nobody is paged for an
// outage that is over.
func (ws windows) addsGaps(w time.Duration) bool {
	return ws.countsIncreases() && w >= shortestWithGaps && w <= longestFirstLayer
}

// countWords explain the constants of countOf.
func (ws windows) countWords(w time.Duration) []string {
	if w > longestFirstLayer {
		return nil
	}
	return []string{perInterval(ws.level)}
}

// sumWordsOf explain the constants of a window's ratio: it has some only where one
// of its sums is recorded and the other is not.
func (ws windows) sumWordsOf(w time.Duration) []string {
	if ws.addsGaps(w) && (len(ws.least) < 2 || !ws.gates(w)) {
		return ws.countWords(w)
	}
	if len(ws.least) != 1 || !ws.gates(w) || w == sla.BaseWindow {
		return nil
	}
	return ws.countWords(w)
}

// sumOver is a term of a window's ratio: the count, if it is recorded, or a sum
// of rates, which gives the same ratio.
func (ws windows) sumOver(w time.Duration, of counted) promql.Expr {
	ms := ws.least
	if len(ms) == 0 || !ws.gates(w) {
		if w > longestFirstLayer || ws.addsGaps(w) {
			return ws.countOf(w, of)
		}
		return ws.recorded(of.rate).SumOverTime(w)
	}
	for _, m := range ms {
		if m.counted == of {
			return ws.recorded(of.sum + sla.FormatDuration(w)).Now()
		}
	}
	return ws.countOf(w, of)
}

// withLeast lets e through only while the window holds as many events as the
// level asks for.
func (ws windows) withLeast(e promql.Expr, w time.Duration) promql.Expr {
	for _, m := range ws.least {
		enough := promql.Gt(ws.recorded(m.sum+sla.FormatDuration(w)).Now(), promql.Num(m.amount))
		e = promql.AndOn(e, enough, ws.joinLabels()...)
	}
	return e
}

// minimaWords explain the constants of withLeast.
func (ws windows) minimaWords() []string {
	var words []string
	for _, m := range ws.least {
		words = append(words, m.words)
	}
	return words
}

// leastWords say what the alert has waited for besides the burn rate.
func (ws windows) leastWords(window string) string {
	a := ws.Alerting
	switch ms := ws.least; {
	case len(ms) == 0:
		return ""
	case a.MinimumEvents == 0:
		return fmt.Sprintf(" At least %d bad ones were counted in %s.", a.MinimumBadEvents, window)
	case a.MinimumBadEvents == 0:
		return fmt.Sprintf(" At least %d events were counted in %s.", a.MinimumEvents, window)
	}
	return fmt.Sprintf(" At least %d events, %d of them bad, were counted in %s.", a.MinimumEvents, a.MinimumBadEvents, window)
}
