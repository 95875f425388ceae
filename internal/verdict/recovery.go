package verdict

import (
	"fmt"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// recoveries judges what the level promises about outages. An outage counts in the
// period in which it ends, with all of its elapsed time (docs/verdict.md).
func (b *ledger) recoveries() []Recovery {
	all := []Recovery{}
	if b.level.Recovery == nil {
		return all
	}
	ended := b.endedOutages()
	for _, o := range b.level.Recovery.Objectives {
		all = append(all, b.recovery(o, ended))
	}
	return all
}

// endedOutages returns the elapsed times of the outages that ended in the period. An
// outage that is still open at its end counts later.
func (b *ledger) endedOutages() []time.Duration {
	var ended []time.Duration
	for _, o := range b.spans {
		if o.to > b.from.UnixNano() && o.to <= b.until.UnixNano() && !o.open && b.serves(sla.Span{From: instant(o.from), To: instant(o.to)}) {
			ended = append(ended, time.Duration(o.to-o.from))
		}
	}
	return ended
}

// metric is how a metric of recovery is computed. ok is false if there is no value.
type metric struct {
	name  sla.RecoveryMetric
	value func(b *ledger, o sla.RecoveryObjective, ended []time.Duration) (value sla.Decimal, ok bool)
}

// metrics are those that are computed from outages; ageOf judges the others.
var metrics = []metric{
	{sla.TimeToRestore, func(_ *ledger, o sla.RecoveryObjective, ended []time.Duration) (sla.Decimal, bool) {
		switch o.Statistic {
		case sla.MeanOfOutages:
			return meanOfTimes(ended)
		case sla.ShareOfOutages:
			return shareWithin(ended, o.Limit)
		}
		return longest(ended)
	}},
	{sla.TimeBetweenFailures, func(b *ledger, _ sla.RecoveryObjective, ended []time.Duration) (sla.Decimal, bool) {
		if len(ended) == 0 {
			return sla.Decimal{}, false
		}
		up := sla.NewDecimal(b.agreed, 1)
		pieces := b.pieces
		if b.unit.of == 0 { // events are never down, so take the time of outages
			pieces = alike(b.down, b.down).pieces(b.timetable.masks, nil, b.until.UnixNano())
		}
		for _, p := range pieces {
			if p.mask.agreed() {
				up = up.Sub(p.counted.bad.Mul(sla.NewDecimal(p.to-p.from, 1)))
			}
		}
		return up.Quo(sla.NewDecimal(int64(len(ended))*int64(time.Second), 1)), true
	}},
	{sla.OutageCount, func(_ *ledger, _ sla.RecoveryObjective, ended []time.Duration) (sla.Decimal, bool) {
		return sla.NewDecimal(int64(len(ended)), 1), true
	}},
	{sla.LongestOutage, func(_ *ledger, _ sla.RecoveryObjective, ended []time.Duration) (sla.Decimal, bool) {
		return longest(ended)
	}},
}

// recovery judges one objective. Values are seconds, a number of outages, or per cent
// of them. A value that equals the limit keeps the promise.
func (b *ledger) recovery(o sla.RecoveryObjective, ended []time.Duration) Recovery {
	r := Recovery{Objective: o.Words(), Limit: o.LimitWords(), Verdict: Insufficient}
	if o.Metric.Facets().Queries {
		return b.ageOf(o, r)
	}
	for _, m := range metrics {
		if m.name != o.Metric {
			continue
		}
		if b.known == 0 {
			r.Words = "Nothing was measured."
			return r
		}
		value, ok := m.value(b, o, ended)
		if !ok {
			r.Verdict, r.Words = Met, "No outage ended in the period."
			return r
		}
		limit, least := sla.Seconds(o.Limit), o.Metric.Facets().AtLeast
		switch {
		case o.Metric.Facets().Counts:
			limit = sla.NewDecimal(int64(o.Count), 1)
		case o.Statistic == sla.ShareOfOutages:
			limit, least = o.Percent, true
		}
		r.Value, r.Verdict = value.Rounded(9), Met
		if c := value.Cmp(limit); c > 0 && !least || c < 0 && least {
			r.Verdict = Breached
		}
		r.Words = fmt.Sprintf("%s of %s, from %d outages that ended in the period.", r.Value, limit.Rounded(9), len(ended))
	}
	return r
}

// ageOf judges an objective that limits an age. Time without a value never makes it met:
// the age may have grown over the limit meanwhile.
func (b *ledger) ageOf(o sla.RecoveryObjective, r Recovery) Recovery {
	i := slices.IndexFunc(b.ages, func(a Age) bool { return a.Query == o.Age.Text })
	if i < 0 || !b.ages[i].Measured {
		r.Words = "The query had no value in the period."
		return r
	}
	a, limit := b.ages[i], sla.Seconds(o.Limit)
	r.Value = a.Greatest.Rounded(9)
	switch {
	case a.Greatest.Cmp(limit) > 0:
		r.Verdict, r.Words = Breached, fmt.Sprintf("The age was %s s at most, of %s s.", r.Value, limit.Rounded(9))
	case a.Late:
		r.Words = fmt.Sprintf("The age was %s s at most where it was measured; it was not at the start of the period.", r.Value)
	case a.Possible.Cmp(limit) > 0:
		r.Words = fmt.Sprintf("The age was %s s at most where it was measured, and may have been %s s where it was not.", r.Value, a.Possible.Rounded(9))
	default:
		r.Verdict, r.Words = Met, fmt.Sprintf("The age was %s s at most, of %s s.", r.Value, limit.Rounded(9))
	}
	return r
}

func meanOfTimes(times []time.Duration) (sla.Decimal, bool) {
	if len(times) == 0 {
		return sla.Decimal{}, false
	}
	var all sla.Decimal
	for _, d := range times {
		all = all.Add(sla.Seconds(d))
	}
	return all.Quo(sla.NewDecimal(int64(len(times)), 1)), true
}

func shareWithin(times []time.Duration, limit time.Duration) (sla.Decimal, bool) {
	if len(times) == 0 {
		return sla.Decimal{}, false
	}
	within := int64(0)
	for _, d := range times {
		if d <= limit {
			within++
		}
	}
	return sla.NewDecimal(100*within, int64(len(times))), true
}

func longest(times []time.Duration) (sla.Decimal, bool) {
	var most time.Duration
	for _, d := range times {
		most = max(most, d)
	}
	return sla.Seconds(most), len(times) > 0
}
