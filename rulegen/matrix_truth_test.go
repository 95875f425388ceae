package rulegen_test

import (
	"math"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// counts are what a level's indicator counts in each second, before any
// aggregation: events, or looks at a state.
type counts struct{ total, bad []float64 }

// verdicts are what a level's aggregation makes of counts: how much of each
// second is in the base series, and how much of that is bad. Cumulative: entry
// s is what was before second s.
type verdicts struct {
	total, bad []float64
	turns      []float64  // how often the judgement of minutes or slots changed; each may be one off
	held       bool       // slots count one after the other, without being blurred over five minutes
	found      [2]float64 // total and bad while Prometheus was away, which counters may tell
}

// turned notes where the judgement of each second differs from the one before.
func (v verdicts) turned(bad []float64) verdicts {
	v.turns = make([]float64, matrixSeconds+1)
	for s := range matrixSeconds {
		v.turns[s+1] = v.turns[s]
		if s > 0 && bad[s] != bad[s-1] {
			v.turns[s+1]++
		}
	}
	return v
}

func eachSecond(of func(s int) (total, bad float64)) counts {
	var c counts
	for s := range matrixSeconds {
		t, b := of(s)
		c.total, c.bad = append(c.total, t), append(c.bad, b)
	}
	return c
}

func (w *irregular) events(bad func(s int) float64) counts {
	return eachSecond(func(s int) (float64, float64) { return w.requests[s], bad(s) })
}

// probesOf counts results of the locations; a response time that is too long
// is bad where within is asked for.
func (w *irregular) probesOf(within bool, locations ...string) counts {
	return eachSecond(func(s int) (total, bad float64) {
		for _, l := range locations {
			r := w.probes[l][s]
			if r.outcome == "bad" || r.outcome == "good" {
				total++
			}
			if r.outcome == "bad" || within && r.outcome == "good" && r.within == "no" {
				bad++
			}
		}
		return total, bad
	})
}

// judge is the definition of the aggregations, in seconds and minutes that are
// counted out. Only counters know what happened while Prometheus was away.
func (w *irregular) judge(a sla.Aggregation, s sla.Slots, c counts, looked bool) verdicts {
	switch {
	case a == sla.RequestRatio:
		return w.found(c.total, c.bad)
	case looked:
		return w.judgeLooks(a, s, c)
	case a == sla.Time: // every probe stands for its interval, at all locations
		return w.found(smeared(c.total), smeared(c.bad))
	}
	width := int(s.Width / time.Second)
	var slots []float64 // 0, 1, or a share; NaN is unknown
	for from := 0; from+width <= matrixSeconds; from += width {
		slots = append(slots, judgeSlot(a, s, c, from, width))
	}
	if a == sla.QualifiedRun {
		slots = qualified(slots, int(s.MinRun/time.Minute))
	}
	late := 0
	if a == sla.MeanSlotErrorRate || a == sla.SlotQuantile {
		late = 1 // a slot counts while the next one lasts
	}
	total, bad := make([]float64, matrixSeconds), make([]float64, matrixSeconds)
	for sec := range matrixSeconds {
		if i := sec/width - late; i >= 0 && i < len(slots) && !math.IsNaN(slots[i]) {
			total[sec], bad[sec] = 1, slots[i]
		}
	}
	v := w.verdicts(total, bad)
	if v.held = late == 1; a != sla.MeanSlotErrorRate {
		v = v.turned(bad)
	}
	return v
}

func judgeSlot(a sla.Aggregation, s sla.Slots, c counts, from, width int) float64 {
	var total, bad float64
	for i := from; i < from+width; i++ {
		total, bad = total+c.total[i], bad+c.bad[i]
	}
	if total == 0 || total < float64(s.MinRequests) {
		if s.EmptyUnknown {
			return math.NaN()
		}
		return 0
	}
	over := func(share float64) float64 {
		if bad/total > share {
			return 1
		}
		return 0
	}
	switch a {
	case sla.AllFailedMinute:
		return over(0.9999)
	case sla.MeanSlotErrorRate:
		return bad / total
	case sla.SlotQuantile:
		return over(1 - s.Quantile.Float64())
	}
	return over(s.ErrorThreshold.Float64() / 100)
}

// qualified keeps bad minutes in runs of n and more; the first n count in the
// minute in which they have become enough.
func qualified(minutes []float64, n int) []float64 {
	kept := make([]float64, len(minutes))
	run := 0
	for i, m := range minutes {
		if run++; m != 1 {
			run = 0
		}
		switch {
		case run == n:
			kept[i] = float64(n)
		case run > n:
			kept[i] = 1
		}
	}
	return kept
}

// judgeLooks takes states at every look; with a threshold they are bad above it.
func (w *irregular) judgeLooks(a sla.Aggregation, s sla.Slots, c counts) verdicts {
	limit := s.ErrorThreshold.Float64() / 100
	var minutes []float64
	bad := make([]float64, matrixSeconds)
	for i, share := range c.bad {
		if bad[i] = share; a != sla.Time {
			bad[i] = 0
			if share > limit {
				bad[i] = 1
			}
		}
		if i%60 == 0 {
			minutes = append(minutes, bad[i])
		}
	}
	if a == sla.QualifiedRun {
		for i, m := range qualified(minutes, int(s.MinRun/time.Minute)) {
			for sec := range 60 {
				bad[60*i+sec] = m
			}
		}
	}
	return w.verdicts(c.total, bad).turned(bad)
}

// smeared spreads each probe over the seconds that it stands for.
func smeared(per []float64) []float64 {
	out := make([]float64, matrixSeconds)
	for s, n := range per {
		for i := s; i < min(s+matrixProbeEvery, matrixSeconds); i++ {
			out[i] += n
		}
	}
	return out
}

func (w *irregular) verdicts(total, bad []float64) verdicts {
	v := verdicts{total: make([]float64, matrixSeconds+1), bad: make([]float64, matrixSeconds+1)}
	for s := range matrixSeconds {
		t, b := total[s], bad[s]
		if w.away[s] {
			t, b = 0, 0
		}
		v.total[s+1], v.bad[s+1] = v.total[s]+t, v.bad[s]+b
	}
	return v
}

// found adds what Prometheus can learn afterwards, from counters, about the time in which
// it was away.
func (w *irregular) found(total, bad []float64) verdicts {
	v := w.verdicts(total, bad)
	for s := range matrixSeconds {
		if w.away[s] {
			v.found[0], v.found[1] = v.found[0]+total[s], v.found[1]+bad[s]
		}
	}
	return v
}

// foundIn returns how much of that may lie in a span of time.
func (v verdicts) foundIn(from, to time.Time) (total, bad float64) {
	if from.After(matrixEdge.Add(time.Duration(matrixAway[0])*time.Minute)) || to.Before(matrixEdge.Add(time.Duration(matrixAway[1])*time.Minute)) {
		return 0, 0
	}
	return v.found[0], v.found[1]
}

func second(at time.Time) int {
	return max(0, min(int(at.Sub(matrixStart)/time.Second), matrixSeconds))
}

// sums are what was counted from one time to another.
func (v verdicts) sums(from, to time.Time) (total, bad float64) {
	a, b := second(from), second(to)
	if b <= a {
		return 0, 0
	}
	return v.total[b] - v.total[a], v.bad[b] - v.bad[a]
}

// share is the least and the greatest bad share of the last d, 0 without
// anything: every turn of a judgement may be a minute off.
func (v verdicts) share(at time.Time, d time.Duration) (least, most float64) {
	if v.held && d == sla.BaseWindow {
		d = time.Minute
	}
	total, bad := v.sums(at.Add(-d), at)
	if total == 0 {
		return 0, 0
	}
	off := 0.
	if v.turns != nil {
		off = 60 * (v.turns[second(at)] - v.turns[second(at.Add(-d))])
	}
	return max(bad-off, 0) / total, min((bad+off)/total, 1)
}

// quorum is the judgement of minutes by locations: bad if enough of them found
// more than the threshold bad, or everything, unknown while too few report.
func (w *irregular) quorum(a sla.Aggregation, s sla.Slots, within bool, locations ...string) verdicts {
	each := make([]counts, len(locations))
	for i, l := range locations {
		each[i] = w.probesOf(within, l)
	}
	var minutes []float64
	for from := 0; from+60 <= matrixSeconds; from += 60 {
		reporting, bad := 0, 0
		for _, c := range each {
			alone := sla.Slots{ErrorThreshold: s.ErrorThreshold, EmptyUnknown: true}
			method := sla.BadMinute
			if a == sla.AllFailedMinute {
				method = a
			}
			switch v := judgeSlot(method, alone, c, from, 60); {
			case math.IsNaN(v):
			case v == 1:
				bad++
				fallthrough
			default:
				reporting++
			}
		}
		switch {
		case reporting < int(s.Quorum):
			minutes = append(minutes, math.NaN())
		case bad >= int(s.Quorum):
			minutes = append(minutes, 1)
		default:
			minutes = append(minutes, 0)
		}
	}
	if a == sla.QualifiedRun {
		minutes = qualified(minutes, int(s.MinRun/time.Minute))
	}
	total, bad := make([]float64, matrixSeconds), make([]float64, matrixSeconds)
	for i, m := range minutes {
		for sec := 60 * i; sec < 60*(i+1) && !math.IsNaN(m); sec++ {
			total[sec], bad[sec] = 1, m
		}
	}
	return w.verdicts(total, bad).turned(bad)
}
