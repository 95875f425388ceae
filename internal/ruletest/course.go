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

// course is a level's way through a healthy stretch, a slow burn, recovery, a
// total outage and the end of all samples, in steps.
//
// In the burn the bad share is twice the highest threshold, so that the tiers
// fire one after the other and a tier is seen to be quiet before: in a total
// outage all would fire within a step or two.
//
// Windows of more than fineUpTo would ask for days of healthy time. They have
// a course of their own, of which only the healthy stretch and the burn are left
// and of whose steps only every sixth is evaluated.
type course struct {
	l        *tested
	pace     int             // steps of an evaluation
	windows  []time.Duration // those that are asked for
	tiers    []sla.Tier      // as well
	share    float64         // bad in the burn
	burn     int             // when it begins
	recovery int
	outage   int
	lost     int
	end      int
	alone    bool // of a group that must be there: its samples end before those of others
	last     bool // the end of all samples is asked for here
}

// late is how many steps anything may come later than it is calculated: a
// window of servers before version 3 has a sample more, and the second tier's
// first increase of the burn is half healthy there.
const late = 3

// fineUpTo is the longest window of the course that is evaluated at every step.
const fineUpTo = 6 * time.Hour

// days tells whether a tier has a window of more than fineUpTo.
func days(t sla.Tier) bool { return max(t.Long, t.Short) > fineUpTo }

// steps is how many steps a duration has, in whole evaluations.
func (c *course) steps(d time.Duration) int { return (steps(d) + c.pace - 1) / c.pace * c.pace }

// tierTime is when a tier burns after the bad share has become so, in steps:
// not before the first, and by the second.
func (c *course) tierTime(t sla.Tier, share float64) (quiet, fires int) {
	threshold, _ := t.Threshold(c.l.ObjectiveBudget())
	needed := threshold.Float64() * float64(max(t.Long, t.Short)) / float64(step) / float64(c.pace) / share
	return (int(needed) - 2) * c.pace, (int(math.Ceil(needed)) + late) * c.pace
}

// newCourse is that of the windows up to fineUpTo, in which every tier has its
// recovery and its outage.
func newCourse(l *tested) *course {
	c := &course{l: l, pace: 1, windows: slices.DeleteFunc(l.windows(), func(w time.Duration) bool { return w > fineUpTo })}
	c.burns(2, func(t sla.Tier) bool { return !days(t) })
	longestShort, keep, outage := time.Duration(0), time.Duration(0), 4*late
	for _, t := range l.Alerting.Tiers {
		longestShort, keep = max(longestShort, t.Short), max(keep, t.KeepFiringFor)
		_, inOutage := c.tierTime(t, 1)
		outage = max(outage, inOutage+c.steps(t.For)+1)
	}
	c.outage = c.recovery + c.steps(longestShort) + late + c.steps(keep)
	for _, w := range c.windows {
		c.outage = max(c.outage, c.forgotten(w))
	}
	c.lost = c.outage + outage
	c.end = c.lost + late + 1
	if n := l.Notice(sla.AlertMeasurementLost); n != nil {
		c.end += c.steps(n.For)
	}
	return c
}

// forgotten is when nothing of the burn is left in a window.
func (c *course) forgotten(w time.Duration) int { return c.recovery + c.steps(w) + 2 }

// burns says when the burn begins and ends, and of which share it is, for tiers
// of a kind.
func (c *course) burns(times float64, kind func(sla.Tier) bool) {
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
		highest = 0.25 // no tier: any share will do
	}
	more := 1 + float64(c.l.nth)/4 // of each group another share, so that none is taken for another
	c.share = min(1, math.Ceil(times*more*highest*scale)/scale)
	c.burn = c.steps(longest) + 2*late*c.pace
	c.recovery = c.burn + 4*late*c.pace
	for _, t := range c.tiers {
		_, fires := c.tierTime(t, c.share)
		c.recovery = max(c.recovery, c.burn+fires+c.pace)
	}
}

func (c *course) of() []*tested { return []*tested{c.l} }

// input is what is fed over the whole course.
func (c *course) input() []Input {
	var all []Input
	for _, f := range c.l.fed {
		var parts []stretch
		for _, s := range []struct {
			steps int
			bad   float64
			gone  bool
		}{{c.burn, 0, false}, {c.recovery - c.burn, c.share, false}, {c.outage - c.recovery, 0, false}, {c.lost - c.outage, 1, false}, {0, 0, true}} {
			if s.gone {
				parts = append(parts, stretch{gone: true})
				continue
			}
			if s.steps == 0 {
				continue
			}
			v := f.of(s.bad)
			parts = append(parts, stretch{steps: s.steps, change: v, value: v})
		}
		values := counter(parts, f.born)
		if f.gauge {
			values = gauge(parts)
		}
		all = append(all, input(f.series, values))
	}
	return all
}

// asked is what the rules must have made of it.
func (c *course) asked() []Asked {
	l := c.l
	var all []Asked
	for _, w := range c.windows { // healthy
		all = append(all, rounded(l.named(ratioName(w)), c.burn, 0))
	}
	all = append(all,
		rounded(l.named(metricnames.ErrorPeriod, metricnames.Period, l.Period.String()), c.burn, 0),
		rounded(l.named(metricnames.BudgetRemaining, metricnames.Period, l.Period.String()), c.burn, scale))
	for _, name := range l.alertNames() {
		if l.first() || !l.ofWholeLevel(name) {
			all = append(all, l.alerts(name, c.burn))
		}
	}
	all = append(all, rounded(l.named(metricnames.ErrorRatio+sla.FormatDuration(sla.BaseWindow)), c.burn+late, math.Round(c.share*scale)))
	all = append(append(all, c.firing()...), c.amounts()...)
	for _, w := range c.windows {
		all = append(all, c.burnt(ratioName(w), w))
	}
	for _, w := range c.windows { // what was bad has left the window, and no later
		all = append(all, rounded(l.named(ratioName(w)), c.forgotten(w), 0))
	}
	if l.Period.Calendar == "" { // a calendar period may turn meanwhile
		all = append(all, c.burnt("", min(l.Period.Rolling, time.Duration(c.recovery)*step)))
	}
	all = append(all, l.alerts(sla.AlertBudgetBurn.Name, c.outage))
	if len(l.Alerting.Tiers) > 0 && len(l.PartOf) == 0 && !l.Alerting.WeighByTraffic {
		all = append(all, c.told()...)
	}
	for _, t := range alertTests() {
		if t.course != nil && len(l.labelsOf(t.kind.Name)) > 0 {
			all = append(all, t.course(c)...)
		}
	}
	return append(all, none(l.named(metricnames.TotalRate), c.end))
}

// loss asks for the alert that nobody knows how the level is, which is told of
// all groups together, and of one that must be there by itself.
func (c *course) loss() []Asked {
	l, told := c.l, c.l.labelsOf(sla.AlertMeasurementLost.Name)
	switch {
	case c.alone:
		a := l.alerts(sla.AlertMeasurementLost.Name, c.end, promql.Metric(told[0]).With(l.group))
		a.Expr = l.named(alerts, "alertname", sla.AlertMeasurementLost.Name, "alertstate", isFiring).String()
		return []Asked{a}
	case c.last:
		return []Asked{l.alerts(sla.AlertMeasurementLost.Name, c.lost), l.alerts(sla.AlertMeasurementLost.Name, c.end, told...)}
	}
	return nil
}

// together has the courses of a level's groups end one after the other if there
// is one that must be there, and else at once.
func together(courses []*course) {
	lost, longest := 0, 0
	for _, c := range courses {
		lost, longest = max(lost, c.lost), max(longest, c.end-c.lost)
	}
	alone := -1
	if len(courses) > 1 {
		alone = slices.IndexFunc(courses, func(c *course) bool { return c.l.required })
	}
	asked := false
	for i, c := range courses {
		c.lost, c.end = lost, lost+longest
		if c.alone = i == alone; c.alone {
			continue
		}
		if alone >= 0 {
			c.lost, c.end = c.end+late, c.end+late+longest
		}
		c.last, asked = !asked, true
	}
}

// amounts ask for what was counted until the burn, where events are counted one
// by one: at most one sample of a rate falls into the five minutes of an increase.
func (c *course) amounts() []Asked {
	l := c.l
	if l.below || l.Aggregation.Counts() != sla.CountsEvents || l.Period.Rolling < step*time.Duration(c.burn+2) {
		return nil
	}
	period := []string{metricnames.Period, l.Period.String()}
	n := float64(c.burn)
	perStep := perSample / feed.Seconds() * l.every.Seconds()
	slots := l.Period.Rolling.Seconds() / rulegen.SecondTier(l.every).Seconds()
	const exact = 0.02
	return []Asked{
		between(l.named(metricnames.TotalPeriod, period...), c.burn, n*perStep*(1-exact), n*perStep*(1+exact)),
		between(l.named(metricnames.CoveragePeriod, period...), c.burn, n/slots*(1-exact), n/slots*(1+exact)),
	}
}

// firing asks for each tier just before it is due and when it is.
func (c *course) firing() []Asked {
	l := c.l
	if l.Alerting.WeighByTraffic {
		return nil // what is evaluated every ten minutes stands for one, so that traffic weighs less than it does
	}
	var all []Asked
	for _, t := range l.Alerting.Tiers {
		if !slices.ContainsFunc(c.tiers, func(of sla.Tier) bool { return of.Name == t.Name }) {
			continue
		}
		quiet, fires := c.tierTime(t, c.share)
		if quiet >= 1 { // else it is due at once
			all = append(all, l.burning(t, c.burn+quiet, false))
		}
		all = append(all, l.burning(t, c.burn+fires, true))
	}
	return all
}

// burnt asks for the ratio of a window at the end of the burn, or with no name
// for that of the period, which has counted since the beginning. The bounds
// hold for windows of n samples and of n + 1.
func (c *course) burnt(name string, w time.Duration) Asked {
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

// windows are those whose ratio the level records, ascending.
func (l *tested) windows() []time.Duration {
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

// alertNames are those of the level's alerts.
func (l *tested) alertNames() []string {
	var names []string
	for _, k := range sla.AlertKinds {
		if k.OfLevels() && len(l.labelsOf(k.Name)) > 0 {
			names = append(names, k.Name)
		}
	}
	return names
}

// labelsOf are the labels of the level's alerts of a name. One that there is for
// each period has the period's too, from the series; of several periods only the
// first is fed.
func (l *tested) labelsOf(name string) []map[string]string {
	var all []map[string]string
	for _, r := range l.alert {
		if r.Alert != name {
			continue
		}
		labels, of := promql.Metric(r.Labels), testOf(name)
		if !of.kind.WholeLevel {
			labels = labels.With(l.group)
		}
		if of.labels != nil {
			labels = labels.With(of.labels(l))
		}
		if of.kind.PerPeriod {
			if p := labels[metricnames.Period]; p != "" && p != l.Period.String() {
				continue
			}
			labels = labels.With(promql.Metric{metricnames.Period: l.Period.String()})
		}
		all = append(all, labels)
	}
	return all
}

// burning asks whether a tier burns.
func (l *tested) burning(t sla.Tier, steps int, burns bool) Asked {
	m := l.named(metricnames.BurnTier, metricnames.Tier, t.Name)
	a := Asked{Expr: m.String() + " > bool 0", At: at(steps), Samples: []Sample{}, about: m.With(nil)}
	if burns {
		delete(m, nameLabel)
		a.Samples = append(a.Samples, Sample{m.String(), 1})
	}
	return a
}

// told asks for the alert of a tier.
func (l *tested) told(t sla.Tier, steps int) Asked {
	for _, a := range l.BurnAlerts() {
		if !a.Has(t.Name) {
			continue
		}
		asked := l.alerts(sla.AlertBudgetBurn.Name, steps)
		asked.Expr = l.selectAlerts(sla.AlertBudgetBurn.Name, metricnames.Severity, a.Severity, metricnames.Tier, a.Tier).String()
		asked.Samples = l.alerts(sla.AlertBudgetBurn.Name, steps, l.labelsOfBurn(a)).Samples
		return asked
	}
	return Asked{}
}

// labelsOfBurn are the labels that a burn alert must have.
func (l *tested) labelsOfBurn(a sla.BurnAlert) map[string]string {
	for _, labels := range l.labelsOf(sla.AlertBudgetBurn.Name) {
		if labels[metricnames.Severity] == a.Severity && labels[metricnames.Tier] == a.Tier {
			return labels
		}
	}
	return nil
}

// told asks what is told at the end of the outage: the alerts that nothing holds
// back, and no others, if what holds them back is there first.
func (c *course) told() []Asked {
	l, alerts := c.l, c.l.BurnAlerts()
	var labels []map[string]string
	first := true
	for _, a := range alerts {
		i := slices.IndexFunc(alerts, a.WithheldBy)
		if i < 0 {
			labels = append(labels, l.labelsOfBurn(a))
		}
		first = first && (i < 0 || c.latest(alerts[i]) <= c.earliest(a)+1) // which waits a step for the other
	}
	all := l.alerts(sla.AlertBudgetBurn.Name, c.lost, labels...)
	if first {
		return []Asked{all}
	}
	var each []Asked
	for i, of := range labels {
		asked := all
		asked.Expr = l.selectAlerts(sla.AlertBudgetBurn.Name, metricnames.Severity, of[metricnames.Severity], metricnames.Tier, of[metricnames.Tier]).String()
		asked.Samples = all.Samples[i : i+1]
		each = append(each, asked)
	}
	return each
}

// latest is the step of the outage by which an alert fires.
func (c *course) latest(a sla.BurnAlert) int {
	by := math.MaxInt
	for _, t := range a.Tiers {
		threshold, _ := t.Threshold(c.l.ObjectiveBudget())
		by = min(by, int(threshold.Float64()*float64(steps(max(t.Long, t.Short))+1))+1) // a sample more before version 3
	}
	return by + c.steps(a.For)
}

// earliest is a step of the outage before which an alert does not burn. Windows
// that reach back to the burn have that in them, and those that reach back to the
// beginning are the shorter for it.
func (c *course) earliest(a sla.BurnAlert) int {
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
