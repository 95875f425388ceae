package ruletest

import (
	"math"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// simulated is a level whose time counts by masks, step by step: what is counted,
// and from it the ratios of windows and the states of tiers, by the formulas of
// docs/service-hours.md.
type simulated struct {
	l     *tested
	bad   []float64 // the share of each step; NaN where nothing is measured
	total []float64 // what counts, in a second
	count []float64 // of that, what is bad
	agree []float64 // what the share of agreed time is made of, in a second
}

// simulate has the level measured from the first step to before the last, with a
// bad share of each.
func simulate(l *tested, bad []float64) *simulated {
	s := &simulated{l: l, bad: bad, total: make([]float64, len(bad)), count: make([]float64, len(bad)), agree: make([]float64, len(bad))}
	masked := l.Masked() && (!l.below || !l.heldSlots()) // else the base series are fed, which nothing masks
	for k, share := range bad {
		if math.IsNaN(share) || k == 0 && len(l.fed) > 0 && !l.fed[0].gauge {
			continue // of a first sample there is no rate
		}
		if !masked || l.hours.agreed(k) {
			s.total[k], s.agree[k] = l.unit(), 1
		}
		if !masked || l.hours.kept(k) {
			s.count[k] = l.unit() * share
		}
		if l.Aggregation.ByTime() {
			s.agree[k] = s.total[k]
		}
	}
	return s
}

// longestFirstTier is the longest window that is summed from the first tier.
const longestFirstTier = 6 * time.Hour

// minute is how much more a minute counts in the second tier than in the first,
// which spreads it over five: promtool evaluates one of five.
func (l *tested) minute() float64 {
	if l.spreads() {
		return sla.BaseWindow.Seconds() / l.every.Seconds()
	}
	return 1
}

// variant is one way in which servers may reckon: whether a window has the sample
// at its beginning, and how much a threshold is off.
type variant struct {
	more int
	by   float64
}

var variants = []variant{{0, 1 - just}, {0, 1 + just}, {1, 1 - just}, {1, 1 + just}}

// sum is that of a window.
func (s *simulated) sum(of []float64, k int, w time.Duration, v variant) float64 {
	sum := 0.
	for i := max(0, k-steps(w)+1-v.more); i <= k; i++ {
		sum += of[i]
	}
	return sum
}

// ratio is the bad share of a window, NaN where nothing counted.
func (s *simulated) ratio(k int, w time.Duration, v variant) float64 {
	return s.sum(s.count, k, w, v) / s.sum(s.total, k, w, v)
}

// weighed is the bad share of a window as alerts weigh it, over a long one.
func (s *simulated) weighed(k int, w, long time.Duration, v variant) float64 {
	if !s.l.Masked() {
		return s.ratio(k, w, v)
	}
	agreed := s.sum(s.agree, k, long, v) * s.l.every.Seconds() / long.Seconds()
	if long > longestFirstTier {
		agreed *= s.l.minute()
	}
	return s.ratio(k, w, v) * agreed / s.l.share.Float64()
}

// burns tells whether the condition of a tier holds.
func (s *simulated) burns(t sla.Tier, k int, v variant) bool {
	threshold, _ := t.ThresholdWithin(s.l.share, s.l.ObjectiveBudget())
	least := threshold.Float64() * v.by
	return s.l.hours.kept(k) && s.weighed(k, t.Long, t.Long, v) > least && s.weighed(k, t.Short, t.Long, v) > least &&
		s.weighed(k, sla.BaseWindow, t.Long, v) > least && s.enough(t.Long, k, v)
}

// enough tells whether a window holds as much as alerts on it ask for.
func (s *simulated) enough(w time.Duration, k int, v variant) bool {
	size, ok := s.l.EventSize()
	least := func(events int) float64 { return float64(events) * size.Float64() * v.by * 0.8 }
	every := s.l.every.Seconds()
	return !ok || s.sum(s.count, k, w, v)*every >= least(s.l.Alerting.MinimumBadEvents) && s.sum(s.total, k, w, v)*every >= least(s.l.Alerting.MinimumEvents)
}

// burnsAt is whether a tier burns at each step, as far as all variants agree on it
// and on the steps beside.
func (s *simulated) burnsAt(t sla.Tier) (firing, certain []bool) {
	n := len(s.bad)
	all := make([][]bool, len(variants))
	for i, v := range variants {
		all[i] = make([]bool, n)
		for k := range n {
			all[i][k] = s.burns(t, k, v)
		}
	}
	firing, certain = all[0], make([]bool, n)
	for k := 1; k < n-1; k++ {
		certain[k] = true
		for _, one := range all {
			certain[k] = certain[k] && one[k-1] == firing[k] && one[k] == firing[k] && one[k+1] == firing[k]
		}
	}
	return firing, certain
}

// period is what a tally has come to in the level's first period, in a test.
func (s *simulated) period(of []float64, k int, v variant) float64 {
	return s.sum(of, k, s.l.Period.Rolling, v) * s.l.every.Seconds() * s.l.minute()
}

// value asks for a series whose value servers may reckon differently.
func (s *simulated) value(name string, k int, of func(variant) float64, more ...string) []Asked {
	low, high, nothing := math.Inf(1), math.Inf(-1), 0
	for _, v := range []variant{{0, 1}, {1, 1}} {
		if x := of(v); math.IsNaN(x) {
			nothing++
		} else {
			low, high = min(low, x), max(high, x)
		}
	}
	const exact = 0.005
	m := s.l.named(name, more...)
	switch {
	case nothing == 2:
		return []Asked{none(m, k)}
	case nothing == 1:
		return nil
	case low == 0 && high == 0:
		return []Asked{rounded(m, k, 0)}
	}
	return []Asked{between(m, k, low*(1-exact)-1e-9, high*(1+exact))}
}

// ratioAt asks for the ratio of a window.
func (s *simulated) ratioAt(k int, w time.Duration) []Asked {
	return s.value(metricnames.ErrorRatio+sla.FormatDuration(w), k, func(v variant) float64 { return s.ratio(k, w, v) })
}
