package ruletest

import (
	"math"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// simulated calculates, step by step, what is counted of a level with masks, the ratios
// of its windows and the states of its tiers. It uses the formulas of
// docs/service-hours.md instead of the rules.
type simulated struct {
	l     *levelUnderTest
	bad   []float64 // the bad share of each step; NaN if nothing is measured
	total []float64 // what counts, per second
	count []float64 // the bad part of that
	agree []float64 // what counts as agreed time, per second
}

// simulate calculates a level with these bad shares.
func simulate(l *levelUnderTest, bad []float64) *simulated {
	s := &simulated{l: l, bad: bad, total: make([]float64, len(bad)), count: make([]float64, len(bad)), agree: make([]float64, len(bad))}
	masked := l.Masked() && (!l.below || !l.heldSlots()) // otherwise the input is base series, which no rule masks
	for k, share := range bad {
		if math.IsNaN(share) || k == 0 && len(l.inputs) > 0 && !l.inputs[0].gauge {
			continue // there is no rate at the first sample
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

// longestFirstLayer is the longest window that is summed from the first layer.
const longestFirstLayer = 6 * time.Hour

// minute is the factor by which a minute counts more in the second layer than in the
// first, which spreads it over five minutes, of which promtool evaluates one.
func (l *levelUnderTest) minute() float64 {
	if l.spreads() {
		return sla.BaseWindow.Seconds() / l.every.Seconds()
	}
	return 1
}

// variant is one way in which a server may calculate: whether a window contains the
// sample at its left edge, and how far a threshold is off.
type variant struct {
	more int
	by   float64
}

var variants = []variant{{0, 1 - margin}, {0, 1 + margin}, {1, 1 - margin}, {1, 1 + margin}}

// sum adds up a window.
func (s *simulated) sum(of []float64, k int, w time.Duration, v variant) float64 {
	sum := 0.
	for i := max(0, k-steps(w)+1-v.more); i <= k; i++ {
		sum += of[i]
	}
	return sum
}

// ratio is the bad share of a window, NaN if nothing counted.
func (s *simulated) ratio(k int, w time.Duration, v variant) float64 {
	return s.sum(s.count, k, w, v) / s.sum(s.total, k, w, v)
}

// weighed is the bad share of a window, weighted as in the alert with a long window.
func (s *simulated) weighed(k int, w, long time.Duration, v variant) float64 {
	if !s.l.Masked() {
		return s.ratio(k, w, v)
	}
	agreed := s.sum(s.agree, k, long, v) * s.l.every.Seconds() / long.Seconds()
	if long > longestFirstLayer {
		agreed *= s.l.minute()
	}
	return s.ratio(k, w, v) * agreed / s.l.share.Float64()
}

// burns reports whether the condition of a tier holds.
func (s *simulated) burns(t sla.Tier, k int, v variant) bool {
	threshold, _ := t.ThresholdWithin(s.l.share, s.l.ObjectiveBudget())
	least := threshold.Float64() * v.by
	return s.l.hours.kept(k) && s.weighed(k, t.Long, t.Long, v) > least && s.weighed(k, t.Short, t.Long, v) > least &&
		s.weighed(k, sla.BaseWindow, t.Long, v) > least && s.enough(t.Long, k, v)
}

// enough reports whether a window contains the minimum of events.
func (s *simulated) enough(w time.Duration, k int, v variant) bool {
	size, ok := s.l.EventSize()
	least := func(events int) float64 { return float64(events) * size.Float64() * v.by * 0.8 }
	every := s.l.every.Seconds()
	return !ok || s.sum(s.count, k, w, v)*every >= least(s.l.Alerting.MinimumBadEvents) && s.sum(s.total, k, w, v)*every >= least(s.l.Alerting.MinimumEvents)
}

// burnsAt returns whether a tier burns at each step, and whether that is certain: all
// variants agree on it, and on the steps before and after.
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

// period is a sum over the level's first period.
func (s *simulated) period(of []float64, k int, v variant) float64 {
	return s.sum(of, k, s.l.Period.Rolling, v) * s.l.every.Seconds() * s.l.minute()
}

// value expects a value that agrees with all variants.
func (s *simulated) value(name string, k int, of func(variant) float64, more ...string) []Expectation {
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
		return []Expectation{none(m, k)}
	case nothing == 1:
		return nil
	case low == 0 && high == 0:
		return []Expectation{rounded(m, k, 0)}
	}
	return []Expectation{between(m, k, low*(1-exact)-1e-9, high*(1+exact))}
}

// ratioAt checks the ratio of a window.
func (s *simulated) ratioAt(k int, w time.Duration) []Expectation {
	return s.value(metricnames.ErrorRatio+sla.FormatDuration(w), k, func(v variant) float64 { return s.ratio(k, w, v) })
}
