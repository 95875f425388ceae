package spec

import (
	"fmt"

	"github.com/upheld-sla/upheld/sla"
)

const policyExcluded = "excluded"

var policies = []string{policyExcluded, string(sla.MissingBad), string(sla.MissingGood)}

var missingDataSection = &section{
	name: "missing data",
	doc:  "What time without a result counts as, with what verdicts make of it.",
	fields: []field{
		{key: "policy", typ: oneOf(policies...), def: policyExcluded, doc: "What missing time counts as, as in the short form."},
		{key: "notSeen", typ: oneOf(policies...), def: policyExcluded, verdictOnly: true, doc: "What time counts as that the server did not see. Verdict only: for rules it never counts."},
		{key: "minCoverage", typ: percentType, example: `"99.0"`, verdictOnly: true, doc: "The share of the agreed time that must be measured, in per cent. Verdict only."},
		{key: "belowCoverage", typ: oneOf(namesOf(sla.AllBelowCoverage)...), def: string(sla.InsufficientData), verdictOnly: true, doc: "The verdict if less was measured. Verdict only."},
	},
}

var missingDataType = valueType{
	name: "one of " + either(policies) + ", or a mapping", sample: "bad",
	scalars:  []schema{{"type": "string", "enum": policies}},
	sections: []*section{missingDataSection},
}

// readMissingData reads what missing time counts as, short or as a mapping.
func (d *levelDraft) readMissingData(at value) {
	if at.node.Kind != yamlMapping {
		d.level.MissingData = d.policy(at)
		return
	}
	o := at.object(missingDataSection)
	if o == nil {
		return
	}
	s := &d.level.Settlement
	if policy, given := o.get("policy"); given {
		d.level.MissingData = d.policy(policy)
	}
	if policy, given := o.get("notSeen"); given {
		s.NotSeen = d.policy(policy)
	}
	if least, at, ok := read(o, "minCoverage", value.percent); ok {
		s.MinCoverage, s.BelowCoverage = least, sla.InsufficientData
		setIfGiven(&s.BelowCoverage, optional(o, "belowCoverage", word(sla.AllBelowCoverage...)))
	} else if below, given := o.get("belowCoverage"); given && at.node == nil {
		below.d.errorAt(below.key, "missing-key", quote("belowCoverage")+" needs "+quote("minCoverage"), `add minCoverage: "99.0"`)
	}
}

func (d *levelDraft) readPartialPeriod(at value) {
	if text, ok := word[string](sla.PartialPeriods()...)(at); ok {
		d.level.Settlement.Partial = sla.ParsePartialPeriod(text)
	}
}

// policy reads what unmeasured time counts as.
func (d *levelDraft) policy(at value) sla.MissingData {
	l := d.level
	policy, ok := word[string](policies...)(at)
	if !ok || policy == policyExcluded || l.Indicator == nil {
		return sla.MissingExcluded
	}
	switch {
	case sla.HasUnknownPolicy(l.Indicator):
		at.error("bad-missing-data", "a composite has its own policy for what is unknown", "write unknown: "+policy+" in the composite")
	case len(l.GroupBy.Labels) > 0:
		at.error("bad-missing-data", fmt.Sprintf("the level %q has groups, and it is not known whether a group without data should exist", l.ID.SLO), "leave missingData out; required: true on a group alerts when it is gone")
	case !l.Aggregation.ByTime():
		at.error("bad-missing-data", fmt.Sprintf("the level %q is measured by %s, and it is not known how many events are missing", l.ID.SLO, l.Aggregation), "leave it out, or count the level by minutes: aggregation: {method: bad_minute, errorThreshold: \"5\"}")
	default:
		return sla.MissingData(policy)
	}
	return sla.MissingExcluded
}
