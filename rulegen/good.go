package rulegen

import (
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Levels that say what is good, so that all else is bad. An error series that was
// never born means that nothing failed; a series of successes that was never born
// rather means that its selector is wrong.

// goodKnown is for how long a level remembers that its good events have existed.
// While they have not, it is unknown how the service is; while they have, that
// there are none now is everything bad.
const goodKnown = 24 * time.Hour

// goodNames are the series by which that is known: the rate of good events, and
// that there was one.
type goodNames struct{ rate, seen string }

// ofGood are the names for what the compiler counts into.
func (c compiler) ofGood() goodNames {
	switch c.into.total {
	case metricnames.ComponentTotal:
		return goodNames{metricnames.ComponentGood, metricnames.ComponentGoodSeen}
	case metricnames.EndToEndTotal:
		return goodNames{metricnames.EndToEndGood, metricnames.EndToEndGoodSeen}
	}
	return goodNames{metricnames.GoodRate, metricnames.GoodSeen}
}

// saysGood tells the indicators of which the rules are made by countedByGood.
func saysGood(i sla.Indicator) bool {
	switch i := i.(type) {
	case *sla.Events:
		return i.Good.Text != ""
	case *sla.HistogramLatency:
		return i.Good.Text != ""
	case *sla.NativeLatency:
		return i.Good.Text != ""
	}
	return false
}

// countedByGood makes the two series of all events and those that are good,
// which the selectors select. The total is known where there is, or was within
// a day, a good event; a group that never had one takes no other's room.
func (c compiler) countedByGood(total, good promql.Expr, selectors ...promql.Selector) []Rule {
	names := c.ofGood()
	now := c.recorded(names.rate).Now()
	if c.grouped() {
		good = c.admitted(good, c.present(selectors...))
	}
	known := promql.Or(now, c.recorded(names.seen).LastOverTime(goodKnown))
	return []Rule{
		c.record(names.rate, good),
		c.totalRule(promql.AndOn(total, known, c.groupLabels()...)),
		c.badFromRest(c.orZero(now)),
	}
}

// goodSeen records, in the second tier, that there were good events since its
// last evaluation: a day of that is a fifth of the samples of the first tier.
func (c compiler) goodSeen() []Rule {
	var rules []Rule
	for _, s := range c.counters() {
		if names := s.ofGood(); saysGood(s.level.Indicator) {
			rules = append(rules, s.record(names.seen, promql.Group(s.recorded(names.rate).CountOverTime(secondTier*c.interval), s.groupLabels()...)))
		}
	}
	return rules
}

// counters are the compilers that count from raw series for the level: its own,
// or those of a composite's components.
func (c compiler) counters() []compiler {
	of, composite := c.level.Indicator.(*sla.Composite)
	if !composite {
		return []compiler{c}
	}
	var all []compiler
	for _, x := range of.Component {
		all = append(all, c.component(x.Level, x.Label, componentState))
	}
	if e := of.EndToEnd; e != nil {
		all = append(all, c.component(e.Level, componentLabel(c.level.ID, e.Level.ID), endToEndState))
	}
	return all
}
