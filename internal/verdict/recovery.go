package verdict

import (
	"fmt"
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

// endedOutages are the elapsed times of outages that ended in the period. One that goes
// on at its end counts later.
func (b *ledger) endedOutages() []time.Duration {
	var ended []time.Duration
	for _, o := range b.spans {
		if o.to > b.from.UnixNano() && o.to <= b.until.UnixNano() && !o.open && b.servedIn(o) {
			ended = append(ended, time.Duration(o.to-o.from))
		}
	}
	return ended
}

// servedIn returns whether any of an outage that lies in the period is within service
// hours.
func (b *ledger) servedIn(o outageSpan) bool {
	for _, m := range b.timetable.masks {
		if m.served && m.from < o.to && o.from < m.to {
			return true
		}
	}
	return false
}

// metric is how a metric of recovery is computed. ok is false if there is no value.
type metric struct {
	name  sla.RecoveryMetric
	value func(b *ledger, o sla.RecoveryObjective, ended []time.Duration) (value sla.Decimal, ok bool)
}

// metrics are those that outages decide; the others need a query.
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
		for _, p := range b.pieces {
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

// recovery judges one objective. Values are seconds, a number of outages, or per cent of
// them; just the limit is kept.
func (b *ledger) recovery(o sla.RecoveryObjective, ended []time.Duration) Recovery {
	r := Recovery{Objective: o.Words(), Limit: o.LimitWords(), Verdict: Insufficient, Words: "It needs a query, and nothing was measured."}
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
