package ruletest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// outageScenario is the scenario of a level whose recovery limits outages: good, down,
// good again, each for the same time. It is evaluated every minute, since outages last
// whole minutes.
type outageScenario struct {
	l      *levelUnderTest
	inputs []inputSeries
	length time.Duration // of each part
}

// judgedLate is how long after its end a minute or slot is judged at the latest, in
// whole evaluations: rules read it 15 s after its end.
const judgedLate = 2 * missingStep

// newOutageScenario returns nil for a level without such a scenario.
func newOutageScenario(l *levelUnderTest) *outageScenario {
	if !l.recorded[metricnames.OutageDown] {
		return nil
	}
	o := &outageScenario{l: l, length: max(10*time.Minute, 2*l.Slots.MinRun)}
	if l.heldSlots() {
		o.length = o.slot() * ((2*o.length + o.slot() - 1) / o.slot())
	}
	within, outside := true, true
	for k := range steps(3*o.length) + 2 {
		within, outside = within && l.hours.inService(k), outside && !l.hours.inService(k)
	}
	if !within && !outside {
		return nil
	}
	if o.inputs = rawSeriesOf(l); o.inputs == nil || l.Slots.Quorum > 0 || l.scale() != 1 {
		o.inputs = []inputSeries{{series: l.named(metricnames.OutageDown), gauge: true, of: func(bad float64) float64 { return bad }}}
	}
	if outside { // rules do not record it, and without it the outage does not count
		hour := o.length.Seconds() + time.Hour.Seconds()
		o.inputs = append(o.inputs, inputSeries{series: l.named(metricnames.OutageInHours), gauge: true, of: func(float64) float64 { return hour }})
	}
	return o
}

// slot is the time that is judged as a whole.
func (o *outageScenario) slot() time.Duration {
	if o.l.heldSlots() {
		return o.l.Slots.Width
	}
	return time.Minute
}

// counted reports whether the input is what the level counts, and not the states that
// rules record.
func (o *outageScenario) counted() bool {
	return o.inputs[0].series[nameLabel] != metricnames.OutageDown
}

func (o *outageScenario) of() []*levelUnderTest {
	with := *o.l
	with.inputs = o.inputs
	return []*levelUnderTest{&with}
}

// input is each series over the three parts. The first sample of a part belongs to the
// part before.
func (o *outageScenario) input() []Input {
	n := int(o.length / missingInterval)
	var all []Input
	for _, f := range o.inputs {
		parts, last := []string{number(f.start())}, 0.
		for _, bad := range []float64{0, 1, 0} {
			v := f.of(bad)
			if !o.counted() { // rules record a state once a minute
				parts = append(parts, strings.Repeat("_x3 "+number(v)+" ", n/4-1)+"_x3 "+number(v))
				continue
			}
			if f.gauge {
				parts = append(parts, fmt.Sprintf("%s+0x%d", number(v), n-1))
				continue
			}
			parts = append(parts, fmt.Sprintf("%s+%sx%d", number(last+v), number(v), n-1))
			last += v * float64(n)
		}
		all = append(all, input(f.series, strings.Join(parts, " ")))
	}
	return all
}

// start is the first value of a series: a counter's is 0.
func (f inputSeries) start() float64 {
	if f.gauge {
		return f.of(0)
	}
	return 0
}

func (o *outageScenario) expectations() []Expectation {
	l := o.l
	began, ended := o.length, 2*o.length
	if !o.counted() { // a state is about the previous minute, or slot
		began, ended = o.stateOf(began), o.stateOf(ended)
	}
	lasted := (ended - began).Seconds()
	at := func(when time.Duration, a Expectation) Expectation {
		a.At = sla.FormatDuration(when)
		return a
	}
	during := 2 * o.length
	known := 2*o.length + o.slot() + judgedLate // the end, at the latest
	end := 3 * o.length
	exactly := func(when time.Duration, m promql.Metric, v float64) Expectation {
		return at(when, between(m, 0, v-0.5, v+0.5))
	}
	all := []Expectation{
		at(o.length, none(l.named(metricnames.OutageAge), 0)),
		exactly(during, l.named(metricnames.OutageSince), began.Seconds()),
		exactly(during, l.named(metricnames.OutageAge), (during - began).Seconds()),
		exactly(during, l.named(metricnames.OutageDown), 1),
		exactly(known, l.named(metricnames.OutageDown), 0),
		at(known, none(l.named(metricnames.OutageAge), 0)),
	}
	for _, p := range l.Periods() {
		period := []string{metricnames.Period, p.String()}
		all = append(all, exactly(end, l.named(metricnames.OutageCount, period...), 1),
			exactly(end, l.named(metricnames.OutageLongest, period...), lasted), exactly(end, l.named(metricnames.OutageMean, period...), lasted))
	}
	return all
}

// stateOf is when the minute or slot began whose state is read first after a state's
// sample at the instant: the next evaluation reads the one that ended 15 s before.
func (o *outageScenario) stateOf(at time.Duration) time.Duration {
	read := at + missingStep - min(15*time.Second, o.slot())
	return read.Truncate(o.slot()) - o.slot()
}

// outages returns the file for outages. It has no tests if there is nothing to test.
func (s *Suite) outages(ruleFiles, groups []string) File {
	var all [][]scenario
	for _, groups := range s.all {
		if o := newOutageScenario(groups[0]); o != nil {
			all = put(all, o)
		}
	}
	f := File{
		Name: "outages", RuleFiles: ruleFiles, EvaluationInterval: sla.FormatDuration(missingStep), GroupEvalOrder: groups,
		Notes: []string{"Of outages: evaluated every minute, since they are of whole minutes."},
	}
	f.add("good, down, good again", all)
	for i := range f.Tests {
		f.Tests[i].Interval = sla.FormatDuration(missingInterval)
	}
	return f
}

// restoreTimes sets, for each objective, ages of an outage just below and just above
// the thresholds of alerts about restoring.
func (f *figures) restoreTimes(k *sla.AlertKind) {
	age := f.l.named(metricnames.OutageAge)
	f.limits(k, f.l.Recovery.EachOutage(), func(sla.NamedObjective) promql.Metric { return age })
}

// recoveryAges does the same for ages of recovery points.
func (f *figures) recoveryAges(k *sla.AlertKind) {
	if f.l.first() {
		f.limits(k, f.l.Recovery.Ages(), func(o sla.NamedObjective) promql.Metric {
			m := f.l.ofWhole(metricnames.RecoveryAge)
			m[metricnames.Recovery] = o.Name
			return m
		})
	}
}

// unknownAges first sets no age, and then one after another.
func (f *figures) unknownAges() {
	l, name := f.l, sla.AlertRecoveryAgeUnknown.Name
	if !l.first() {
		return
	}
	labels := l.labelsOf(name)
	f.moment(func(_, at int) []Expectation {
		return []Expectation{l.alerts(name, 0), l.alerts(name, at, labels...)}
	})
	for _, o := range l.Recovery.Ages() {
		f.moment(func(_, at int) []Expectation {
			others := slices.DeleteFunc(slices.Clone(labels), func(of map[string]string) bool { return of[metricnames.Recovery] == o.Name })
			return []Expectation{l.alerts(name, at, others...)}
		})
		age := l.ofWhole(metricnames.RecoveryAge)
		age[metricnames.Recovery] = o.Name
		f.set(age, 1)
	}
}

// limits sets a series just below and just above the threshold of an alert about an
// objective, and above the limit. Objectives with the same series fire by their own
// limits.
func (f *figures) limits(k *sla.AlertKind, objectives []sla.NamedObjective, series func(sla.NamedObjective) promql.Metric) {
	l, n := f.l, f.l.Notice(k)
	fires := func(o sla.NamedObjective, v float64) bool {
		limit := o.Limit.Seconds()
		if n.Share.Sign() == 0 {
			return v > limit
		}
		after := map[*sla.AlertKind]*sla.AlertKind{sla.AlertRestoreTimeNear: sla.AlertRestoreTimeExceeded, sla.AlertRecoveryAgeNear: sla.AlertRecoveryAgeExceeded}[k]
		return v >= limit*n.Share.Float64()/100 && (v <= limit || l.Notice(after) == nil)
	}
	for _, o := range objectives {
		from := o.Limit.Seconds()
		values := []float64{from * (1 - margin), from * (1 + margin)}
		if n.Share.Sign() > 0 {
			near := from * n.Share.Float64() / 100
			values = []float64{near * (1 - margin), near * (1 + margin), from * (1 + margin)}
		}
		for _, v := range values {
			set := series(o)
			f.moment(func(_, at int) []Expectation {
				var firing []map[string]string
				for _, labels := range l.labelsOf(k.Name) {
					for _, other := range objectives {
						if other.Name == labels[metricnames.Recovery] && series(other).String() == set.String() && fires(other, v) {
							firing = append(firing, labels)
						}
					}
				}
				return []Expectation{l.alerts(k.Name, at, firing...)}
			})
			f.set(set, v)
		}
	}
}
