package ruletest

import (
	"math"
	"slices"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// shift is the way of levels whose time counts by masks, and of others that count
// the same series, through some days: they burn from within the first one's hours
// until after them, are down from an hour before it may be told, and are measured
// no more from within hours on. What must come of it is simulated.
type shift struct {
	levels          []*tested // the first one's hours say when
	bad             []float64 // the share of each step
	burn, out, lost int       // when they begin; 0 for never
	end             int
}

const (
	hourSteps = 6
	burnSteps = 4 * hourSteps
	downSteps = 6 * hourSteps
	mostSteps = 8 * 24 * hourSteps
)

// plan lays out the steps.
func (c *shift) plan() {
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
	wait := late + 1
	for _, l := range c.levels {
		if n := l.Notice(sla.AlertMeasurementLost); n != nil {
			wait = max(wait, late+1+steps(n.For))
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

// open is the first step of hours from a step on; 0 if there are none.
func (c *shift) open(from int) int {
	for _, s := range c.levels[0].hours.stretches(hourSteps, mostSteps) {
		if s[1] >= from+hourSteps {
			return max(s[0], from)
		}
	}
	return 0
}

// share is what is bad in the burn: twice what the highest threshold asks for,
// with its weight.
func (c *shift) share() float64 {
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

// sameFeed tells whether two levels are fed the same.
func sameFeed(a, b *tested) bool {
	return slices.EqualFunc(a.fed, b.fed, func(x, y fed) bool {
		return x.series.String() == y.series.String() && x.gauge == y.gauge && x.born == y.born && x.of(0) == y.of(0) && x.of(1) == y.of(1)
	})
}

// stretches joins steps of the same share. A step's share is that of the time
// that ends with it, so that the first has none of its own.
func stretches(bad []float64) []stretch {
	var all []stretch
	for k, share := range bad {
		gone := math.IsNaN(share)
		if n := len(all); n > 0 && all[n-1].gone == gone && (gone || all[n-1].value == share) {
			all[n-1].steps++
			continue
		}
		s := stretch{steps: 1, value: share, gone: gone}
		if k == 0 {
			s.steps = 0
		}
		all = append(all, s)
	}
	return all
}

func (c *shift) of() []*tested { return c.levels }

func (c *shift) input() []Input {
	c.plan()
	var all []Input
	for _, f := range c.levels[0].fed {
		var parts []stretch
		for _, s := range stretches(c.bad) {
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

// moments are the steps at which a level's figures are compared: in the middle of
// what goes on, and to both sides of where hours begin and end.
func (c *shift) moments(l *tested) []int {
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

func (c *shift) asked() []Asked {
	var all []Asked
	for _, l := range c.levels {
		s := simulate(l, c.bad)
		for _, k := range c.moments(l) {
			for _, w := range l.windows() {
				all = append(all, s.ratioAt(k, w)...)
			}
			all = append(all, s.counted(k)...)
		}
		for _, t := range l.Alerting.Tiers {
			if !l.Alerting.WeighByTraffic { // as in a course
				all = append(all, s.tier(t)...)
			}
		}
		if c.lost > 0 && l.first() && l.Notice(sla.AlertMeasurementLost) != nil && l.hours.alerting(c.lost, c.end) {
			told := l.labelsOf(sla.AlertMeasurementLost.Name)
			all = append(all, l.alerts(sla.AlertMeasurementLost.Name, c.lost), l.alerts(sla.AlertMeasurementLost.Name, c.end, told...))
		}
	}
	return all
}

// counted asks for what is recorded beside ratios, where rules record it.
func (s *simulated) counted(k int) []Asked {
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
	var all []Asked
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
		const judgements = 3 // that are fed within the four and a half minutes of which they are counted
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

// tier asks whether a tier burns at the first and the last step of which it is
// certain, of every time in which it does and in which it does not.
func (s *simulated) tier(t sla.Tier) []Asked {
	firing, certain := s.burnsAt(t)
	ask := func(k int) Asked { return s.l.burning(t, k, firing[k]) }
	var all []Asked
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

// feeds tells whether the level is fed a series that it would record.
func (l *tested) feeds(name string) bool {
	for _, f := range l.fed {
		if f.series[nameLabel] == name {
			return true
		}
	}
	return false
}
