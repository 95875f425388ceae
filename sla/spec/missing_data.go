package spec

import (
	"fmt"

	"github.com/upheld-sla/upheld/sla"
)

// readMissingData reads what missing time counts as.
func (d *levelDraft) readMissingData(at value) {
	l := d.level
	policy, ok := word[string]("excluded", "bad", "good")(at)
	if !ok || policy == "excluded" || l.Indicator == nil {
		return
	}
	switch {
	case sla.HasUnknownPolicy(l.Indicator):
		at.error("bad-missing-data", "a composite has its own policy for what is unknown", "write unknown: "+policy+" in the composite")
	case len(l.GroupBy.Labels) > 0:
		at.error("bad-missing-data", fmt.Sprintf("the level %q has groups, and it is not known whether a group without data should exist", l.ID.SLO), "leave missingData out; required: true on a group alerts when it is gone")
	case !l.Aggregation.ByTime():
		at.error("bad-missing-data", fmt.Sprintf("the level %q is measured by %s, and it is not known how many events are missing", l.ID.SLO, l.Aggregation), "leave it out, or count the level by minutes: aggregation: {method: bad_minute, errorThreshold: \"5\"}")
	default:
		l.MissingData = sla.MissingData(policy)
	}
}
