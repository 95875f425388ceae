package ruletest

import (
	"math"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// burnScenario has five phases: healthy, a slow burn, recovery, a total outage, and
// no samples at all. Times are in steps.
//
// In the burn the bad share is twice the highest threshold, so that tiers fire one
// after the other, and the tests can see each of them quiet before. In a total
// outage all would fire within a step or two.
//
// Windows longer than fineUpTo would need days of healthy time. daysScenario has
// them: it has only the first two phases and evaluates every sixth step.
type burnScenario struct {
	l        *levelUnderTest
	pace     int             // steps between evaluations
	windows  []time.Duration // whose ratios are checked
	tiers    []sla.Tier      // whose states are checked
	share    float64         // the bad share in the burn
	burn     int             // the step at which the burn begins
	recovery int             // and recovery
	outage   int             // and the total outage
	lost     int             // and the samples end
	end      int             // the last step
	alone    bool            // this is a required group, whose samples end before those of the others
	last     bool            // the loss of the whole level is expected here
}

// tolerance is how many steps later than calculated something may happen. Before
// version 3 a window has one more sample, and the second layer's first increase of
// the burn is half healthy.
const tolerance = 3

// fineUpTo is the longest window that is evaluated at every step.
const fineUpTo = 6 * time.Hour

// days reports whether a tier has a window longer than fineUpTo.
func days(t sla.Tier) bool { return max(t.Long, t.Short) > fineUpTo }

// steps is how many steps a duration has, rounded up to whole evaluations.
func (c *burnScenario) steps(d time.Duration) int { return (steps(d) + c.pace - 1) / c.pace * c.pace }

// tierTime is how many steps after the bad share rose to share the tier burns: it is
// quiet at the first step, and burns at the second.
func (c *burnScenario) tierTime(t sla.Tier, share float64) (quiet, fires int) {
	threshold, _ := t.Threshold(c.l.ObjectiveBudget())
	needed := threshold.Float64() * float64(max(t.Long, t.Short)) / float64(step) / float64(c.pace) / share
	return (int(needed) - 2) * c.pace, (int(math.Ceil(needed)) + tolerance) * c.pace
}

// newBurnScenario returns the scenario for windows up to fineUpTo. It is long enough
// for every tier to recover and to fire in the outage.
func newBurnScenario(l *levelUnderTest) *burnScenario {
	c := &burnScenario{l: l, pace: 1, windows: slices.DeleteFunc(l.windows(), func(w time.Duration) bool { return w > fineUpTo })}
	c.burns(2, func(t sla.Tier) bool { return !days(t) })
	longestShort, keep, outage := time.Duration(0), time.Duration(0), 4*tolerance
	for _, t := range l.Alerting.Tiers {
		longestShort, keep = max(longestShort, t.Short), max(keep, t.KeepFiringFor)
		_, inOutage := c.tierTime(t, 1)
		outage = max(outage, inOutage+c.steps(t.For)+1)
	}
	c.outage = c.recovery + c.steps(longestShort) + tolerance + c.steps(keep)
	for _, w := range c.windows {
		c.outage = max(c.outage, c.forgottenBy(w))
	}
	c.lost = c.outage + outage
	c.end = c.lost + tolerance + 1
	if n := l.Notice(sla.AlertMeasurementLost); n != nil {
		c.end += c.steps(n.For)
	}
	return c
}

// forgottenBy is the step at which a window no longer contains any of the burn.
func (c *burnScenario) forgottenBy(w time.Duration) int { return c.recovery + c.steps(w) + 2 }

// burns chooses when the burn begins and ends, and its bad share, for the tiers that
// kind selects.
func (c *burnScenario) burns(times float64, kind func(sla.Tier) bool) {
	longest, highest := time.Duration(0), 0.
	for _, w := range c.windows {
		longest = max(longest, w)
	}
	for _, t := range c.l.Alerting.Tiers {
		if threshold, _ := t.Threshold(c.l.ObjectiveBudget()); kind(t) {
			highest = max(highest, threshold.Float64())
			c.tiers = append(c.tiers, t)
		}
	}
	if highest == 0 {
		highest = 0.25 // without tiers any share works
	}
	more := 1 + float64(c.l.nth)/4 // each group has its own share, so that groups cannot be confused
	c.share = min(1, math.Ceil(times*more*highest*scale)/scale)
	c.burn = c.steps(longest) + 2*tolerance*c.pace
	c.recovery = c.burn + 4*tolerance*c.pace
	for _, t := range c.tiers {
		_, fires := c.tierTime(t, c.share)
		c.recovery = max(c.recovery, c.burn+fires+c.pace)
	}
}

func (c *burnScenario) of() []*levelUnderTest { return []*levelUnderTest{c.l} }

// input is the raw series over all phases.
func (c *burnScenario) input() []Input {
	var all []Input
	for _, f := range c.l.inputs {
		var parts []phase
		for _, s := range []struct {
			steps int
			bad   float64
			gone  bool
		}{{c.burn, 0, false}, {c.recovery - c.burn, c.share, false}, {c.outage - c.recovery, 0, false}, {c.lost - c.outage, 1, false}, {0, 0, true}} {
			if s.gone {
				parts = append(parts, phase{gone: true})
				continue
			}
			if s.steps == 0 {
				continue
			}
			v := f.of(s.bad)
			parts = append(parts, phase{steps: s.steps, change: v, value: v})
		}
		values := counter(parts, f.born)
		if f.gauge {
			values = gauge(parts)
		}
		all = append(all, input(f.series, values))
	}
	return all
}

// expectations is what the rules must record and fire for this input.
func (c *burnScenario) expectations() []Expectation {
	l := c.l
	var all []Expectation
	for _, w := range c.windows { // healthy
		all = append(all, rounded(l.named(ratioName(w)), c.burn, 0))
	}
	all = append(all,
		rounded(l.named(metricnames.ErrorPeriod, metricnames.Period, l.Period.String()), c.burn, 0),
		rounded(l.named(metricnames.BudgetRemaining, metricnames.Period, l.Period.String()), c.burn, scale))
	for _, name := range l.alertNames() {
		if t := testOf(name); t.whileUnmeasured && t.burn == nil {
			continue // its input is not measured here
		}
		if l.first() || !l.ofWholeLevel(name) {
			all = append(all, l.alerts(name, c.burn))
		}
	}
	all = append(all, rounded(l.named(metricnames.ErrorRatio+sla.FormatDuration(sla.BaseWindow)), c.burn+tolerance, math.Round(c.share*scale)))
	if !l.below { // otherwise its input is missing
		all = append(all, c.state(c.burn, sla.StateUp), c.state(c.lost-1, sla.StateDown))
	}
	all = append(append(all, c.firing()...), c.counts()...)
	for _, w := range c.windows {
		all = append(all, c.afterBurn(ratioName(w), w))
	}
	for _, w := range c.windows { // the bad time has left the window by now
		all = append(all, rounded(l.named(ratioName(w)), c.forgottenBy(w), 0))
	}
	if l.Period.Calendar == "" { // a calendar period may end meanwhile
		all = append(all, c.afterBurn("", min(l.Period.Rolling, time.Duration(c.recovery)*step)))
	}
	all = append(all, l.alerts(sla.AlertBudgetBurn.Name, c.outage))
	if len(l.Alerting.Tiers) > 0 && len(l.PartOf) == 0 && !l.Alerting.WeighByTraffic {
		all = append(all, c.alertsInOutage()...)
	}
	for _, t := range alertTests() {
		if t.burn != nil && len(l.labelsOf(t.kind.Name)) > 0 {
			all = append(all, t.burn(c)...)
		}
	}
	return append(all, none(l.named(metricnames.TotalRate), c.end))
}

// state expects the state that the level has in its service hours.
func (c *burnScenario) state(at int, measured sla.State) Expectation {
	if !c.l.hours.inService(at) {
		measured = sla.StateOutOfHours
	}
	code := float64(measured.Code())
	return between(c.l.named(metricnames.ServiceState), at, code-0.5, code+0.5)
}

// lostMeasurement expects SLAMeasurementLost: once for all groups together, and for
// a required group alone.
func (c *burnScenario) lostMeasurement() []Expectation {
	l, labels := c.l, c.l.labelsOf(sla.AlertMeasurementLost.Name)
	switch {
	case c.alone:
		a := l.alerts(sla.AlertMeasurementLost.Name, c.end, promql.Metric(labels[0]).With(l.group))
		a.Expr = l.named(alerts, "alertname", sla.AlertMeasurementLost.Name, "alertstate", isFiring).String()
		return []Expectation{a}
	case c.last:
		return []Expectation{l.alerts(sla.AlertMeasurementLost.Name, c.lost), l.alerts(sla.AlertMeasurementLost.Name, c.end, labels...)}
	}
	return nil
}

// alignEnds lets the samples of all groups of a level end at once; those of a
// required group end before the others.
func alignEnds(scenarios []*burnScenario) {
	lost, longest := 0, 0
	for _, c := range scenarios {
		lost, longest = max(lost, c.lost), max(longest, c.end-c.lost)
	}
	alone := -1
	if len(scenarios) > 1 {
		alone = slices.IndexFunc(scenarios, func(c *burnScenario) bool { return c.l.required })
	}
	expected := false
	for i, c := range scenarios {
		c.lost, c.end = lost, lost+longest
		if c.alone = i == alone; c.alone {
			continue
		}
		if alone >= 0 {
			c.lost, c.end = c.end+tolerance, c.end+tolerance+longest
		}
		c.last, expected = !expected, true
	}
}

// counts checks how many events were counted before the burn, for levels that count
// single events. At most one sample of a rate is in the five minutes of an increase.
func (c *burnScenario) counts() []Expectation {
	l := c.l
	if l.below || l.Aggregation.Counts() != sla.CountsEvents || l.Period.Rolling < step*time.Duration(c.burn+2) {
		return nil
	}
	period := []string{metricnames.Period, l.Period.String()}
	n := float64(c.burn)
	perStep := perSample / inputInterval.Seconds() * l.every.Seconds()
	slots := l.Period.Rolling.Seconds() / rulegen.SecondLayer(l.every).Seconds()
	const exact = 0.02
	return []Expectation{
		between(l.named(metricnames.TotalPeriod, period...), c.burn, n*perStep*(1-exact), n*perStep*(1+exact)),
		between(l.named(metricnames.CoveragePeriod, period...), c.burn, n/slots*(1-exact), n/slots*(1+exact)),
	}
}

// firing expects each tier to be quiet just before it is due, and then to burn.
func (c *burnScenario) firing() []Expectation {
	l := c.l
	if l.Alerting.WeighByTraffic {
		return nil // an evaluation every ten minutes stands for one minute, so traffic would weigh too little
	}
	var all []Expectation
	for _, t := range l.Alerting.Tiers {
		if !slices.ContainsFunc(c.tiers, func(of sla.Tier) bool { return of.Name == t.Name }) {
			continue
		}
		quiet, fires := c.tierTime(t, c.share)
		if quiet >= 1 { // otherwise it is due at once
			all = append(all, l.burning(t, c.burn+quiet, false))
		}
		all = append(all, l.burning(t, c.burn+fires, true))
	}
	return all
}

// afterBurn checks the ratio of a window at the end of the burn, or without a name the
// ratio of the period, which has counted since the start. The bounds are right for
// windows of n samples and of n + 1.
func (c *burnScenario) afterBurn(name string, w time.Duration) Expectation {
	k, n := (c.recovery-c.burn)/c.pace, c.steps(w)/c.pace
	low := c.share * max(0, float64(min(k, n))-1.5) / float64(n+1) * 0.99
	high := c.share * min(1, float64(k+1)/float64(n)) * 1.01
	if k > n+1 {
		low = c.share * 0.99
	}
	m := c.l.named(name)
	if name == "" {
		m = c.l.named(metricnames.ErrorPeriod, metricnames.Period, c.l.Period.String())
	}
	return between(m, c.recovery, low, high)
}

func ratioName(w time.Duration) string { return metricnames.ErrorRatio + sla.FormatDuration(w) }

// windows are the windows whose ratio the level records, ascending.
func (l *levelUnderTest) windows() []time.Duration {
	all := slices.Clone(sla.StandardWindows)
	for _, t := range l.Alerting.Tiers {
		all = append(all, t.Long, t.Short)
	}
	if f := l.Notice(sla.AlertBudgetForecast); f != nil {
		all = append(all, f.Over)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return slices.DeleteFunc(all, func(w time.Duration) bool { return !l.recorded[ratioName(w)] })
}

// burning expects a tier to burn, or not to.
func (l *levelUnderTest) burning(t sla.Tier, steps int, burns bool) Expectation {
	m := l.named(metricnames.BurnTier, metricnames.Tier, t.Name)
	a := Expectation{Expr: m.String() + " > bool 0", At: at(steps), Samples: []Sample{}, about: m.With(nil)}
	if burns {
		delete(m, nameLabel)
		a.Samples = append(a.Samples, Sample{m.String(), 1})
	}
	return a
}

// alertOfTier expects the alert that a tier is part of.
func (l *levelUnderTest) alertOfTier(t sla.Tier, steps int) Expectation {
	for _, a := range l.BurnAlerts() {
		if !a.Has(t.Name) {
			continue
		}
		expected := l.alerts(sla.AlertBudgetBurn.Name, steps)
		expected.Expr = l.selectAlerts(sla.AlertBudgetBurn.Name, metricnames.Severity, a.Severity, metricnames.Tier, a.Tier).String()
		expected.Samples = l.alerts(sla.AlertBudgetBurn.Name, steps, l.labelsOfBurn(a)).Samples
		return expected
	}
	return Expectation{}
}

// alertsInOutage expects, at the end of the outage, the burn alerts that no other alert
// holds back. It expects no others if the alerts that hold them back fire first.
func (c *burnScenario) alertsInOutage() []Expectation {
	l, alerts := c.l, c.l.BurnAlerts()
	var labels []map[string]string
	first := true
	for _, a := range alerts {
		i := slices.IndexFunc(alerts, a.WithheldBy)
		if i < 0 {
			labels = append(labels, l.labelsOfBurn(a))
		}
		first = first && (i < 0 || c.latest(alerts[i]) <= c.earliest(a)+1) // an alert waits one step for the other
	}
	all := l.alerts(sla.AlertBudgetBurn.Name, c.lost, labels...)
	if first {
		return []Expectation{all}
	}
	var each []Expectation
	for i, of := range labels {
		expected := all
		expected.Expr = l.selectAlerts(sla.AlertBudgetBurn.Name, metricnames.Severity, of[metricnames.Severity], metricnames.Tier, of[metricnames.Tier]).String()
		expected.Samples = all.Samples[i : i+1]
		each = append(each, expected)
	}
	return each
}

// latest is the last step of the outage by which an alert must have fired.
func (c *burnScenario) latest(a sla.BurnAlert) int {
	by := math.MaxInt
	for _, t := range a.Tiers {
		threshold, _ := t.Threshold(c.l.ObjectiveBudget())
		by = min(by, int(threshold.Float64()*float64(steps(max(t.Long, t.Short))+1))+1) // one more sample before version 3
	}
	return by + c.steps(a.For)
}

// earliest is a step of the outage before which no tier of an alert burns. Windows
// that reach back to the burn contain it, and windows that reach back to the start
// are shorter.
func (c *burnScenario) earliest(a sla.BurnAlert) int {
	first := math.MaxInt
	for _, t := range a.Tiers {
		threshold, _ := t.Threshold(c.l.ObjectiveBudget())
		window, had := steps(t.Long), 0.
		if window > c.outage-c.recovery {
			window, had = min(window, c.outage), c.share*float64(c.recovery-c.burn+1)
		}
		first = min(first, max(1, int(threshold.Float64()*float64(window)-had)))
	}
	return first
}
