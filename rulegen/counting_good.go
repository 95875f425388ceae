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

// ofGood are the names for what is counted into.
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

// countedByGood makes the two series of all events and those that are good,
// which are what and which the selectors select. The total is known where there is, or was within
// a day, a good event; a group that never had one takes no other's room.
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

// goodSeen records, in the second tier, that there were good events since its
// last evaluation: a day of that is a fifth of the samples of the first tier.
func goodSeen(l level) []Rule {
	var rules []Rule
	for _, s := range l.counters() {
		if names := s.ofGood(); s.kind.saysGood {
			rules = append(rules, s.record(names.seen, promql.Group(s.recorded(names.rate).CountOverTime(secondTier*l.interval), s.groupLabels()...)).
				says("%s1 if there were good events since the last evaluation.", s.whose()))
		}
	}
	return rules
}
