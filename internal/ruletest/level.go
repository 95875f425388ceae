package ruletest

import (
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// tested is a level, or one group of it, with what its tests hang on, read off
// its rules.
type tested struct {
	*sla.ServiceLevel                   // of a group, with its promise
	own               promql.Metric     // the labels of what it records, those of the group among them
	group             promql.Metric     // of these, the group's; nil without groups
	nth               int               // of the level's groups
	required          bool              // the group must always have data
	whole             *tested           // of a group: the level
	hours             hours             // when its time counts
	share             sla.Decimal       // agreed service time of all time
	recorded          map[string]bool   // names
	rules             []rulegen.Rule    // all of them
	every             time.Duration     // evaluations of the first tier
	alert             []rulegen.Rule    // its alerts
	reads             []promql.Selector // of what it does not record
	fed               []fed
	below             bool // the base series are fed, because what is below them cannot be
	escalated         bool // it has alerts that escalate others, of which nothing is asked
	bound             bool // bad follows from the total, so that they cannot be fed apart
}

// fed is one series that is fed to a level: its change a sample, or its value,
// as a part of it is bad.
type fed struct {
	series promql.Metric
	gauge  bool
	of     func(bad float64) float64
	born   bool // with its first event, as an error series is
}

// prefixRecorded begins the names of what rules record.
const prefixRecorded = "sla:"

// newTested reads a level's rules. A reason says why it cannot be tested.
func newTested(p rulegen.LevelPlan, extra map[string]string, masks masks, now time.Time) (l *tested, reason string) {
	l = &tested{ServiceLevel: p.Level, own: identity(p.Level.ID, extra), recorded: map[string]bool{}, share: p.Level.AlertShare(now)}
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
			return nil, "its expression may have a value while nothing is fed"
		}
	}
	l.feed()
	return l, ""
}

// feed says what the level is fed, now that its group is known.
func (l *tested) feed() {
	if l.MissingData != sla.MissingExcluded && l.scale() != 1 {
		return // its rules count no more than all of the time, and the tests would need ten times that
	}
	if l.fed = feeds(l); l.fed == nil && !l.bound {
		l.fed = l.base()
		l.below = l.fed != nil
	}
}

// perSample is how much is counted between two samples: so many that alerts which ask
// for a least count get it, and shares in millionths are whole numbers.
const perSample = 1e7

// base feeds what the level's figures begin with, in parts of a second: the base
// series themselves; of a level that judges minutes, the judgements; of
// a composite, the states of its components. Where missing data counts, a level is
// measured while there are the looks that are judged, so these are fed; nil where
// minutes and slots are judged.
func (l *tested) base() []fed {
	total := func(v float64) func(float64) float64 { return func(float64) float64 { return v } }
	bad := func(v float64) func(float64) float64 { return func(bad float64) float64 { return bad * v } }
	rate := perSample / feed.Seconds()
	composite := l.composite()
	switch {
	case composite != nil:
		var all []fed
		for _, x := range composite.Component {
			all = append(all, fed{series: l.named(metricnames.ComponentBad, metricnames.Component, x.Label), gauge: true, of: bad(1)})
		}
		return all
	case l.recorded[metricnames.SlotKnown] && sla.LookedAt(l.Indicator):
		return []fed{{series: l.named(metricnames.SlotBad), gauge: true, of: bad(1)}}
	case l.recorded[metricnames.SlotKnown]:
		return nil
	case l.spreads():
		return []fed{{series: l.named(metricnames.SlotJudged), gauge: true, of: bad(1)}}
	case l.Masked() && !l.heldSlots():
		return []fed{
			{series: l.named(metricnames.RawTotalRate), gauge: true, of: total(l.unit())},
			{series: l.named(metricnames.RawBadRate), gauge: true, of: bad(l.unit())},
		}
	case l.Masked():
		rate = l.unit()
	}
	return []fed{
		{series: l.named(metricnames.TotalRate), gauge: true, of: total(rate)},
		{series: l.named(metricnames.BadRate), gauge: true, of: bad(rate)},
	}
}

// spreads tells of minutes that are judged one by one, and then spread over five.
func (l *tested) spreads() bool { return l.recorded[metricnames.SlotJudged] && !l.heldSlots() }

// heldSlots tells of slots of five minutes and more: the mask of their middle is
// taken by a subquery, which sees nothing of masks that are recorded each step.
func (l *tested) heldSlots() bool { return l.Aggregation.Counts() == sla.CountsSlots }

// feeds are series from which the level's own rules count, nil where it has an
// indicator or aggregation that simple series do not bring about at every step.
func feeds(l *tested) []fed {
	switch l.Aggregation.Counts() {
	case sla.CountsMinutes, sla.CountsSlots:
		return nil
	}
	return countersOf(l)
}

// disturbs tells whether one level would count what is fed to the other.
func (l *tested) disturbs(other *tested) bool {
	for _, s := range l.reads {
		for _, f := range other.fed {
			if s.Matches(f.series) {
				return true
			}
		}
	}
	return false
}
