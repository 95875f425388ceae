package ruletest

import (
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// levelUnderTest is a level, or one of its groups, with facts for its tests, which it
// reads from its rules.
type levelUnderTest struct {
	*sla.ServiceLevel                   // of a group, with its promise
	own               promql.Metric     // the labels of what it records, including the group's
	group             promql.Metric     // the group's own labels among these; nil without groups
	nth               int               // of the level's groups
	required          bool              // the group must always have data
	whole             *levelUnderTest   // the level, for a group
	hours             hours             // when its time counts
	share             sla.Decimal       // share of all time that is agreed service time
	recorded          map[string]bool   // names
	rules             []rulegen.Rule    // all of them
	every             time.Duration     // evaluations of the first tier
	alert             []rulegen.Rule    // its alerts
	reads             []promql.Selector // selectors of what it does not record
	inputs            []inputSeries
	below             bool // recorded series are input, because raw series are not simple
	escalated         bool // it has escalations, which are not tested
	bound             bool // bad is calculated from the total, so tests cannot set them separately
}

// inputSeries is one input series of a level. For a bad share, of is its change from
// sample to sample, or its value.
type inputSeries struct {
	series promql.Metric
	gauge  bool
	of     func(bad float64) float64
	born   bool // it appears with its first event, like an error series
}

// prefixRecorded begins the names of what rules record.
const prefixRecorded = "sla:"

// newLevelUnderTest reads the level's rules. A reason says why it cannot be tested.
func newLevelUnderTest(p rulegen.LevelPlan, extra map[string]string, masks masks, now time.Time) (l *levelUnderTest, reason string) {
	l = &levelUnderTest{ServiceLevel: p.Level, own: identity(p.Level.ID, extra), recorded: map[string]bool{}, share: p.Level.AlertShare(now)}
	l.hours = masks.of(p.Level)
	for _, g := range p.Groups {
		for _, r := range g.Rules {
			l.rules = append(l.rules, r)
			if r.Record == metricnames.TotalRate {
				l.every = g.Interval
			}
			if r.Labels[metricnames.Escalation] != "" {
				l.escalated = true
			} else if r.Alert != "" {
				l.alert = append(l.alert, r)
			} else {
				l.recorded[r.Record] = true
			}
			for _, s := range r.Expr.Reads() {
				l.bound = l.bound || r.Record == metricnames.BadRate && s.Name() == metricnames.TotalRate
				if !strings.HasPrefix(s.Name(), prefixRecorded) {
					l.reads = append(l.reads, s)
				}
			}
		}
	}
	for _, q := range p.Level.Indicator.Queries() {
		e, err := promql.Parse(q.Text)
		if err != nil {
			return nil, err.Error()
		}
		if e.OutOfNothing() {
			return nil, "its expression may have a value without any input"
		}
	}
	l.chooseInputs()
	return l, ""
}

// chooseInputs chooses the input series, when the group is known.
func (l *levelUnderTest) chooseInputs() {
	if l.MissingData != sla.MissingExcluded && l.scale() != 1 {
		return // rules count at most one per second, and the tests would need ten times as much
	}
	if l.inputs = rawInputs(l); l.inputs == nil && !l.bound {
		l.inputs = l.baseInputs()
		l.below = l.inputs != nil
	}
}

// perSample is how many events are between two samples: enough for alerts that need a
// minimum, and so many that millionths of them are whole numbers.
const perSample = 1e7

// baseInputs are recorded series for a level whose raw series are not simple: the base
// series, in seconds per second; for a level that judges minutes, the judgements; for a
// composite, the states of its components. If missing data counts, a level is measured
// while the judged series exist, so these are the input. It is nil if they are minutes
// or slots.
func (l *levelUnderTest) baseInputs() []inputSeries {
	total := func(v float64) func(float64) float64 { return func(float64) float64 { return v } }
	bad := func(v float64) func(float64) float64 { return func(bad float64) float64 { return bad * v } }
	rate := perSample / inputInterval.Seconds()
	composite := l.composite()
	switch {
	case composite != nil:
		var all []inputSeries
		for _, x := range composite.Component {
			all = append(all, inputSeries{series: l.named(metricnames.ComponentBad, metricnames.Component, x.Label), gauge: true, of: bad(1)})
		}
		return all
	case l.recorded[metricnames.SlotKnown] && sla.LookedAt(l.Indicator):
		return []inputSeries{{series: l.named(l.minuteByMinute()), gauge: true, of: bad(1)}}
	case l.recorded[metricnames.SlotKnown]:
		return nil
	case l.spreads():
		return []inputSeries{{series: l.named(metricnames.SlotJudged), gauge: true, of: bad(1)}}
	case l.Masked() && !l.heldSlots():
		return []inputSeries{
			{series: l.named(metricnames.RawTotalRate), gauge: true, of: total(l.unit())},
			{series: l.named(metricnames.RawBadRate), gauge: true, of: bad(l.unit())},
		}
	case l.Masked():
		rate = l.unit()
	}
	return []inputSeries{
		{series: l.named(metricnames.TotalRate), gauge: true, of: total(rate)},
		{series: l.named(metricnames.BadRate), gauge: true, of: bad(rate)},
	}
}

// minuteByMinute names the series of how bad each minute is, before weights and the
// filling of missing data.
func (l *levelUnderTest) minuteByMinute() string {
	for _, name := range []string{metricnames.SlotBad, metricnames.SlotKnown} {
		if l.recorded[name] {
			return name
		}
	}
	return metricnames.SlotJudged
}

// spreads reports whether minutes are judged one by one, and then spread over five.
func (l *levelUnderTest) spreads() bool { return l.recorded[metricnames.SlotJudged] && !l.heldSlots() }

// heldSlots reports whether slots of five minutes and more are judged. Rules read the
// mask in the middle of a slot by a subquery, which does not see masks that are
// recorded only at each step.
func (l *levelUnderTest) heldSlots() bool { return l.Aggregation.Counts() == sla.CountsSlots }

// rawInputs returns the raw series that the level's rules count; nil for an indicator
// or aggregation that simple series cannot exercise at every step.
func rawInputs(l *levelUnderTest) []inputSeries {
	switch l.Aggregation.Counts() {
	case sla.CountsMinutes, sla.CountsSlots:
		return nil
	}
	return rawSeriesOf(l)
}

// disturbs reports whether one level would count the input of the other.
func (l *levelUnderTest) disturbs(other *levelUnderTest) bool {
	for _, s := range l.reads {
		for _, f := range other.inputs {
			if s.Matches(f.series) {
				return true
			}
		}
	}
	return false
}
