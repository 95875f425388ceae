package ruletest

import (
	"math"
	"slices"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// hoursScenario is the scenario of levels with masks, and of others that count the same
// series. It takes some days: a burn that begins within the first level's hours and
// ends after them, an outage that begins an hour before its alerts may fire, and no
// samples from a time within hours on. simulated calculates the expectations.
type hoursScenario struct {
	levels          []*levelUnderTest // the hours of the first one decide the times
	bad             []float64         // the bad share of each step
	burn, out, lost int               // the steps at which these begin; 0 for never
	end             int
}

const (
	hourSteps = 6
	burnSteps = 4 * hourSteps
	downSteps = 6 * hourSteps
	mostSteps = 8 * 24 * hourSteps
)

// plan chooses the bad share of each step.
func (c *hoursScenario) plan() {
	until := func(k int, bad float64) {
		for len(c.bad) <= k {
			c.bad = append(c.bad, bad)
		}
	}
	until(hourSteps, 0)
	if c.burn = c.open(len(c.bad)) + 2*hourSteps; c.burn > 2*hourSteps {
		until(c.burn, 0)
		until(c.burn+burnSteps, c.share())
	}
	if at := c.open(len(c.bad) + 2*hourSteps); at > 0 {
		c.out = at - hourSteps
		until(c.out, 0)
		until(c.out+downSteps, 1)
	}
	until(len(c.bad)+hourSteps, 0)
	c.end = len(c.bad)
	wait := tolerance + 1
	for _, l := range c.levels {
		if n := l.Notice(sla.AlertMeasurementLost); n != nil {
			wait = max(wait, tolerance+1+steps(n.For))
		}
	}
	for k := len(c.bad); k < mostSteps; k++ {
		if c.levels[0].hours.alerting(k, k+wait) {
			until(k, 0)
			c.lost, c.end = k, k+wait
			break
		}
	}
	until(c.end, math.NaN())
}

// open is the first step within hours, at or after a step; 0 if there is none.
func (c *hoursScenario) open(from int) int {
	for _, s := range c.levels[0].hours.stretches(hourSteps, mostSteps) {
		if s[1] >= from+hourSteps {
			return max(s[0], from)
		}
	}
	return 0
}

// share is the bad share in the burn: twice the highest threshold.
func (c *hoursScenario) share() float64 {
	share := 0.
	for _, l := range c.levels {
		highest := 0.
		for _, t := range l.Alerting.Tiers {
			threshold, _ := t.ThresholdWithin(l.share, l.ObjectiveBudget())
			highest = max(highest, threshold.Float64())
		}
		if highest == 0 {
			highest = 0.25
		}
		share = max(share, 2*(1+float64(l.nth)/4)*highest)
	}
	return min(0.8, math.Ceil(share*scale)/scale)
}

// sameInputs reports whether two levels have the same input.
func sameInputs(a, b *levelUnderTest) bool {
	return slices.EqualFunc(a.inputs, b.inputs, func(x, y inputSeries) bool {
		return x.series.String() == y.series.String() && x.gauge == y.gauge && x.born == y.born && x.of(0) == y.of(0) && x.of(1) == y.of(1)
	})
}

// phases joins steps with the same share. The share is about the time that ends with
// the step, so the first step has none.
func phases(bad []float64) []phase {
	var all []phase
	for k, share := range bad {
		gone := math.IsNaN(share)
		if n := len(all); n > 0 && all[n-1].gone == gone && (gone || all[n-1].value == share) {
			all[n-1].steps++
			continue
		}
		s := phase{steps: 1, value: share, gone: gone}
		if k == 0 {
			s.steps = 0
		}
		all = append(all, s)
	}
	return all
}

func (c *hoursScenario) of() []*levelUnderTest { return c.levels }

func (c *hoursScenario) input() []Input {
	c.plan()
	var all []Input
	for _, f := range c.levels[0].inputs {
		var parts []phase
		for _, s := range phases(c.bad) {
			if !s.gone {
				v := f.of(s.value)
				s.change, s.value = v, v
			}
			parts = append(parts, s)
		}
		values := counter(parts, f.born)
		if f.gauge {
			values = gauge(parts)
		}
		all = append(all, input(f.series, values))
	}
	return all
}

// moments are the steps at which a level's figures are checked: in the middle of each
// phase, and on both sides of each edge of the hours.
func (c *hoursScenario) moments(l *levelUnderTest) []int {
	var all []int
	for _, k := range []int{c.burn + hourSteps, c.burn + burnSteps - 1, c.out + 3*hourSteps, c.out + downSteps - 1} {
		if k > 3*hourSteps {
			all = append(all, k)
		}
	}
	for k, edges := c.burn, 0; k < len(c.bad) && edges < 4; k++ {
		if k > 1 && (l.hours.kept(k) != l.hours.kept(k-1) || l.hours.agreed(k) != l.hours.agreed(k-1)) {
			edges++
			all = append(all, k-1, k)
		}
	}
	return slices.DeleteFunc(all, func(k int) bool { return k >= len(c.bad) || math.IsNaN(c.bad[k]) })
}

func (c *hoursScenario) expectations() []Expectation {
	var all []Expectation
	for _, l := range c.levels {
		s := simulate(l, c.bad)
		for _, k := range c.moments(l) {
			for _, w := range l.windows() {
				all = append(all, s.ratioAt(k, w)...)
			}
			all = append(all, s.counted(k)...)
		}
		for _, t := range l.Alerting.Tiers {
			if !l.Alerting.WeighByTraffic { // as in burnScenario.firing
				all = append(all, s.tier(t)...)
			}
		}
		if c.lost > 0 && l.first() && l.Notice(sla.AlertMeasurementLost) != nil && l.hours.alerting(c.lost, c.end) {
			labels := l.labelsOf(sla.AlertMeasurementLost.Name)
			all = append(all, l.alerts(sla.AlertMeasurementLost.Name, c.lost), l.alerts(sla.AlertMeasurementLost.Name, c.end, labels...))
		}
	}
	return all
}

// counted checks what is recorded beside ratios, if rules record it.
func (s *simulated) counted(k int) []Expectation {
	l := s.l
	if l.below && l.heldSlots() {
		return nil
	}
	within := func(of float64) float64 {
		if l.hours.inService(k) {
			return of
		}
		return 0
	}
	unit := l.unit()
	exact := func(v float64) func(variant) float64 { return func(variant) float64 { return v } }
	var all []Expectation
	ask := func(name string, v float64) {
		if l.recorded[name] && !l.feeds(name) {
			all = append(all, s.value(name, k, exact(v))...)
		}
	}
	mask := func(on bool) float64 {
		if on {
			return 1
		}
		return 0
	}
	raw := unit
	if l.feeds(metricnames.SlotJudged) {
		const judgements = 3 // input samples in the four and a half minutes over which rules count them
		raw *= judgements
	}
	ask(metricnames.RawTotalRate, raw)
	ask(metricnames.RawBadRate, raw*s.bad[k])
	ask(metricnames.TotalRate, s.total[k])
	ask(metricnames.BadRate, s.count[k])
	ask(metricnames.AgreedMask, mask(l.hours.agreed(k)))
	ask(metricnames.SlotAgreed, mask(l.hours.agreed(k)))
	ask(metricnames.ExcludedTotalRate, (within(unit)-s.total[k])*l.minute())
	ask(metricnames.ExcludedBadRate, (within(unit*s.bad[k])-s.count[k])*l.minute())
	if l.recorded[metricnames.AlertingMask] {
		all = append(all, one(l.ofWhole(metricnames.AlertingMask), at(k), l.hours.kept(k)))
	}
	if l.Period.Calendar != "" {
		return all
	}
	period := []string{metricnames.Period, l.Period.String()}
	sums := map[string][]float64{metricnames.TotalPeriod: s.total, metricnames.BadPeriod: s.count}
	for _, name := range []string{metricnames.TotalPeriod, metricnames.BadPeriod} {
		all = append(all, s.value(name, k, func(v variant) float64 { return s.period(sums[name], k, v) }, period...)...)
	}
	return append(all, s.value(metricnames.ErrorPeriod, k, func(v variant) float64 { return s.ratio(k, l.Period.Rolling, v) }, period...)...)
}

// tier checks, for each time in which a tier burns or does not, the first and the last
// step at which that is certain.
func (s *simulated) tier(t sla.Tier) []Expectation {
	firing, certain := s.burnsAt(t)
	ask := func(k int) Expectation { return s.l.burning(t, k, firing[k]) }
	var all []Expectation
	from := -1
	for k := range firing {
		if certain[k] && from < 0 {
			from = k
		}
		if from < 0 || certain[k] && k+1 < len(firing) && certain[k+1] && firing[k+1] == firing[from] {
			continue
		}
		all = append(all, ask(from))
		if k > from && certain[k] {
			all = append(all, ask(k))
		}
		from = -1
	}
	return all
}

// feeds reports whether a series is input instead of being recorded by rules.
func (l *levelUnderTest) feeds(name string) bool {
	for _, f := range l.inputs {
		if f.series[nameLabel] == name {
			return true
		}
	}
	return false
}
