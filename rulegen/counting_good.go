package rulegen

import (
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// Levels that say what is good, so that all else is bad. If the error series does
// not exist, nothing has failed. If the series of successes does not exist, its
// selector is probably wrong.

// goodKnown is how long a level remembers that it had good events. If it never
// had any, nobody knows how the service is; if it had some, having none now
// means that everything is bad.
const goodKnown = 24 * time.Hour

// goodNames name the series for this: the rate of good events, and that there
// was one.
type goodNames struct{ rate, seen string }

// ofGood are the names that go with the series that is counted into.
func (c counting) ofGood() goodNames {
	switch c.into.total {
	case metricnames.ComponentTotal:
		return goodNames{metricnames.ComponentGood, metricnames.ComponentGoodSeen}
	case metricnames.EndToEndTotal:
		return goodNames{metricnames.EndToEndGood, metricnames.EndToEndGoodSeen}
	case metricnames.OutageTotal:
		return goodNames{metricnames.OutageGood, metricnames.GoodSeen} // which the level records anyway
	}
	return goodNames{metricnames.GoodRate, metricnames.GoodSeen}
}

// countedByGood makes the two series from all events and the good ones, which selectors select
// and the text what describes. The total is known if there is a good event, or was one within a
// day; a group that never had one takes no room from others.
func (c counting) countedByGood(total, good promql.Expr, what string, selectors ...promql.Selector) []Rule {
	names := c.ofGood()
	now := c.recorded(names.rate).Now()
	if c.grouped() {
		good = c.admitted(good, c.present(selectors...))
	}
	known := promql.Or(now, c.recorded(names.seen).LastOverTime(goodKnown))
	return []Rule{
		c.limitsGroups(c.counts(c.record(names.rate, good), what)),
		c.totalRule(promql.AndOn(total, known, c.groupLabels()...), "all events per second").
			says("Unknown if there was no good event for %s: then the selector of good may be wrong.", sla.FormatDuration(goodKnown)),
		c.badFromRest(c.orZero(now), "events per second that are not good"),
	}
}

// goodSeen records in the second layer that there were good events since its
// last evaluation. A day of that is a fifth of the samples of the first layer.
func goodSeen(l level) []Rule {
	var rules []Rule
	for _, s := range l.counters() {
		if names := s.ofGood(); s.kind.saysGood {
			rules = append(rules, s.record(names.seen, promql.Group(s.recorded(names.rate).CountOverTime(secondLayer*l.interval), s.groupLabels()...)).
				says("%s1 if there were good events since the last evaluation.", s.whose()))
		}
	}
	return rules
}
