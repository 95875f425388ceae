package rulegen

import (
	"fmt"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// aggregation is what rules need to know about one aggregation; sla has the
// rest. Without base the counts themselves are the base series.
type aggregation struct {
	name sla.Aggregation
	// limit says when a minute or slot is bad, and when a component is down;
	// nil if each is as bad as its share of bad events.
	limit func(sla.Slots) limit
	// base makes the base series from judgements.
	base func(judging, judgement) []Rule
	// runs is set if a judgement may be of several minutes at once.
	runs bool
	// inexact says which figures are not exact, and by how much.
	inexact func(sla.Slots) string
}

// aggregations is the table of all aggregations.
var aggregations = []aggregation{
	{name: sla.Time},
	{name: sla.RequestRatio},
	{name: sla.MeanSlotErrorRate, base: judging.held, inexact: slotsWords},
	{name: sla.BadMinute, limit: errorThreshold, base: judging.spread, inexact: minutesWords},
	{name: sla.QualifiedRun, limit: errorThreshold, base: judging.inRuns, runs: true, inexact: runsWords},
	{name: sla.AllFailedMinute, limit: allEvents, base: judging.spread, inexact: minutesWords},
	{name: sla.SlotQuantile, limit: slowerThanQuantile, base: judging.held, inexact: slotsWords},
}

// limit is the share of bad events from which on a minute or slot is bad.
type limit struct {
	share   sla.Decimal
	reached bool   // exactly this share is bad too
	words   string // explains the share
}

// exceeded is 1 where a share is beyond the limit, else 0.
func (l limit) exceeded(share promql.Expr) promql.Expr {
	if l.reached {
		return promql.GeBool(share, promql.Num(l.share))
	}
	return promql.GtBool(share, promql.Num(l.share))
}

// exceeding keeps the shares beyond the limit, and drops the others.
func (l limit) exceeding(share promql.Expr) promql.Expr {
	if l.reached {
		return promql.Ge(share, promql.Num(l.share))
	}
	return promql.Gt(share, promql.Num(l.share))
}

func errorThreshold(s sla.Slots) limit { return limitOf("errorThreshold", s.ErrorThreshold) }

// limitOf is a limit that is given in percent.
func limitOf(key string, percent sla.Decimal) limit {
	share := percent.Quo(hundred)
	return limit{share: share, words: fmt.Sprintf("%s = %s of %s %%", inRules(share), key, percent)}
}

// almostAll is a share just under 1 that counts as all: native histograms are
// interpolated, and two counters need not be updated at the same moment.
var almostAll = sla.NewDecimal(999, 1000)

func allEvents(sla.Slots) limit {
	return limit{almostAll, true, inRules(almostAll) + ": all of them, as exactly as rates can tell"}
}

// slowerThanQuantile judges the quantile of a slot's response times: it is above
// the threshold exactly if more than 1 - quantile of them are slower. The quantile
// itself is not calculated, since beyond the highest bucket it would be that
// bucket's bound.
func slowerThanQuantile(s sla.Slots) limit {
	share := one.Sub(s.Quantile)
	return limit{share: share, words: fmt.Sprintf("%s = 1 - %s, the quantile: it is above the threshold if more than that share is", inRules(share), s.Quantile)}
}

const minutesInexact = "Minutes are the clock's, as scrapes cut them: what happens after the last scrape of a minute counts in the next. A minute is read 15s after its end."

func minutesWords(sla.Slots) string { return minutesInexact }

func runsWords(s sla.Slots) string {
	return fmt.Sprintf("%s The minutes of a run count when it has become %s long, all at once.", minutesInexact, sla.FormatDuration(s.MinRun))
}

func slotsWords(s sla.Slots) string {
	return fmt.Sprintf("Slots of %s count while the next one lasts, so what is seen is a slot late.", sla.FormatDuration(s.Width))
}

// aggregation is the level's aggregation. A test makes sure that the table has
// a line for each that the model knows.
func (l level) aggregation() aggregation {
	return aggregations[slices.IndexFunc(aggregations, func(a aggregation) bool { return a.name == l.Aggregation })]
}

// source names the two series that an indicator is counted into, as rates over
// a window of raw samples.
type source struct {
	total, bad string
	window     time.Duration
	cut        time.Duration // the window ends at the last whole multiple of it, in UTC; 0 for now
}

// source says which series the level's indicator is counted into, and over which window.
func (l level) source() source {
	switch counts := l.Aggregation.Counts(); {
	case counts == sla.CountsMinutes:
		return source{metricnames.SlotTotal, metricnames.SlotBad, time.Minute, time.Minute}
	case counts == sla.CountsSlots:
		return source{metricnames.SlotTotal, metricnames.SlotBad, l.Slots.Width, l.Slots.Width}
	case sla.LookedAt(l.Indicator):
		return source{metricnames.SlotTotal, badnessOf(l), time.Minute, l.interval}
	case l.fills():
		return source{metricnames.KnownTotalRate, metricnames.KnownBadRate, sla.BaseWindow, 0}
	}
	total, bad := l.measured()
	return source{total, bad, sla.BaseWindow, 0}
}

// badnessOf names the series of how bad each minute is of a level whose state is
// looked at: its judgement, or what the judgement is made of if weights or missing
// data change it.
func badnessOf(l level) string {
	switch {
	case l.Slots.Weight.Text != "":
		return metricnames.SlotBad
	case l.fills():
		return metricnames.SlotKnown
	}
	return metricnames.SlotJudged
}

// baseSeries makes the two series that everything else is summed from:
// sla:total:rate5m and sla:bad:rate5m.
func baseSeries(l level) ([]Rule, sla.Findings) {
	c := counting{level: l, of: l.ID, into: l.source()}
	rules, findings := l.kind.count(c)
	j := judging{c, agreedTime{l}, missingData{counting: c}}
	if l.fills() {
		j.missing.raw = sources(rules)
	}
	_, ofWeight := j.weight()
	findings = append(findings, ofWeight...)
	if findings.HasErrors() {
		return rules, findings
	}
	switch a := l.aggregation(); {
	case a.base != nil:
		return append(rules, a.base(j, j.judgement())...), findings
	case sla.LookedAt(l.Indicator):
		rules = append(rules, j.spread(judgement{bad: c.recorded(c.into.bad).Now()})...)
		if l.kind.ofMinutes != nil {
			rules = append(rules, l.kind.ofMinutes(l)...)
		}
		return rules, findings
	}
	return slices.Concat(rules, j.missing.timeOrMissing(), j.agreed.masked(j.agreed.ago(sla.BaseWindow/2))), findings
}

// slotShare is the error rate of a slot that has enough requests.
func (c counting) slotShare() promql.Expr {
	return promql.Div(c.recorded(c.into.bad).Now(), c.busy())
}

// busy is the slot's total where it has enough requests to be judged.
func (c counting) busy() promql.Expr {
	total := c.recorded(c.into.total).Now()
	if sla.CountedSlots(c.ServiceLevel).MinRequests == 0 {
		return promql.Gt(total, promql.Num(zero))
	}
	return promql.Ge(total, promql.Num(leastRate(c)))
}

// leastRate is the rate of the fewest requests that a slot needs, less half a
// request: sums of fractions may be a little off, and native histograms are
// extrapolated.
func leastRate(c counting) sla.Decimal {
	return sla.NewDecimal(2*sla.CountedSlots(c.ServiceLevel).MinRequests-1, 2).Quo(sla.Seconds(c.into.window))
}

// busyWords say how many events a slot needs to be judged.
func (c counting) busyWords() []string {
	if sla.CountedSlots(c.ServiceLevel).MinRequests == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s = (%d requests - 0.5) / %s s: at least minRequests, as exactly as rates can tell",
		inRules(leastRate(c)), sla.CountedSlots(c.ServiceLevel).MinRequests, inRules(sla.Seconds(c.into.window)))}
}

// down is 1 while a component of a composite is down: by its own rule for minutes,
// or by its share of bad events. words explain the constants.
func (c counting) down(downAbove sla.Decimal) (down promql.Expr, words []string) {
	if c.Slots.Quorum > 0 {
		return c.quorum(), c.quorumWords()
	}
	bad := limitOf("downAbove", downAbove)
	if own := c.aggregation().limit; own != nil {
		bad = own(c.Slots)
	}
	down, words = bad.exceeded(c.slotShare()), append([]string{bad.words}, c.busyWords()...)
	if c.EmptySlotIsGood() {
		return c.orZero(down), words
	}
	return down, words
}
