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
		at.error("bad-missing-data", fmt.Sprintf("the level %q has groups, and of one without data nobody knows whether it is to be there", l.ID.SLO), "leave missingData out; required: true on a group tells when it is gone")
	case !l.Aggregation.ByTime():
		at.error("bad-missing-data", fmt.Sprintf("the level %q is measured by %s, and how many events are missing nobody knows", l.ID.SLO, l.Aggregation), "leave it out, or count the level by minutes: aggregation: {method: bad_minute, errorThreshold: \"5\"}")
	default:
		l.MissingData = sla.MissingData(policy)
	}
}
