package ruletest

import (
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// masks are the masks of an agreement that depend only on the clock.
type masks struct {
	hours, exclusions map[string]*rulegen.Mask
	rules             []rulegen.Rule
}

func newMasks() masks {
	return masks{map[string]*rulegen.Mask{}, map[string]*rulegen.Mask{}, nil}
}

// add adds the masks in a level's groups; they are shared by all levels.
func (m *masks) add(p rulegen.LevelPlan) {
	for _, g := range p.Groups {
		for _, r := range g.Rules {
			switch {
			case r.Mask == nil:
				continue
			case r.Record == metricnames.ServiceHoursMask:
				m.hours[r.Labels[metricnames.Calendar]] = r.Mask
			case r.Record == metricnames.ExclusionMask:
				m.exclusions[r.Labels[metricnames.Exclusion]] = r.Mask
			}
			m.rules = append(m.rules, r)
		}
	}
}

// hours says when the time of a level counts, by the clock. Exclusions on a condition
// never hold in the tests, since no input series is such a condition.
type hours struct {
	service          *rulegen.Mask // nil: always
	removed, excused []*rulegen.Mask
}

func (m masks) of(l *sla.ServiceLevel) hours {
	var h hours
	if l.ServiceHours != nil {
		h.service = m.hours[l.ServiceHours.Name]
	}
	for _, e := range l.Exclusions {
		mask := m.exclusions[e.Name]
		switch {
		case mask == nil:
		case e.Removes():
			h.removed = append(h.removed, mask)
		default:
			h.excused = append(h.excused, mask)
		}
	}
	return h
}

// moment is the instant of a step; tests begin in 1970.
func moment(steps int) time.Time { return time.Unix(0, 0).Add(time.Duration(steps) * step) }

func holds(all []*rulegen.Mask, at time.Time) bool {
	return slices.ContainsFunc(all, func(m *rulegen.Mask) bool { return m.Holds(at) })
}

func (h hours) inService(step int) bool { return h.service == nil || h.service.Holds(moment(step)) }

func (h hours) agreed(step int) bool { return h.inService(step) && !holds(h.removed, moment(step)) }

// agreedAlways reports whether all time in the tests is agreed.
func (h hours) agreedAlways() bool {
	for k := range longestSearch {
		if !h.agreed(k) {
			return false
		}
	}
	return true
}

// kept reports whether failures count.
func (h hours) kept(step int) bool { return h.agreed(step) && !holds(h.excused, moment(step)) }

// alerting reports whether burn alerts may fire at all times between two steps, both
// included.
func (h hours) alerting(from, to int) bool {
	for k := from; k <= to; k++ {
		if !h.kept(k) {
			return false
		}
	}
	return true
}

// never reports whether burn alerts may not fire at any of these steps, both included.
func (h hours) never(from, to int) bool {
	for k := from; k <= to; k++ {
		if h.kept(k) {
			return false
		}
	}
	return true
}

// stretches returns the first and last step of each run of least steps or more, up to
// last, in which burn alerts may fire.
func (h hours) stretches(least, last int) [][2]int {
	var all [][2]int
	from := -1
	for k := 0; k <= last+1; k++ {
		on := k <= last && h.kept(k)
		if on && from < 0 {
			from = k
		}
		if !on && from >= 0 {
			if k-from >= least {
				all = append(all, [2]int{from, k - 1})
			}
			from = -1
		}
	}
	return all
}

// unit is the total that is counted per second. It is ten for a level with masks that
// counts time: its rules stand for one minute but are evaluated every ten, so their
// sums are the true time.
func (l *levelUnderTest) unit() float64 {
	_, p, _ := l.Probed()
	switch {
	case l.spreads():
		return l.every.Seconds() / sla.BaseWindow.Seconds() // one minute of five has a judgement
	case l.Aggregation.Counts() == sla.CountsEvents:
		return perSample / inputInterval.Seconds()
	case l.below:
		return step.Seconds() / l.every.Seconds()
	case p != nil:
		return perSample * l.scale() / inputInterval.Seconds() * p.Interval.Seconds()
	}
	return 1 // a state
}

// scale is the factor of perSample.
func (l *levelUnderTest) scale() float64 {
	_, p, _ := l.Probed()
	if !l.Masked() || l.Aggregation.Counts() != sla.CountsSeconds || p == nil {
		return 1
	}
	return step.Seconds() / l.every.Seconds() * inputInterval.Seconds() / p.Interval.Seconds() / perSample
}
