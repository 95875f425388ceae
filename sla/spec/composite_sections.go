package spec

import (
	"slices"

	"github.com/upheld-sla/upheld/sla"
)

var (
	referenceScalar = []schema{{"type": "string", "pattern": `\S`}}
	memberType      = valueType{name: "reference, or a mapping", sample: "storefront/availability", scalars: referenceScalar}
	membersType     = valueType{name: "list of references and mappings", sample: "[storefront/availability, payments/availability]", scalars: referenceScalar, shape: listOf}
)

// operatorKind is one way to combine members, with how it is read.
type operatorKind struct {
	key     string
	typ     valueType
	doc     string
	example string
	decode  func(value, *sla.Node) bool
}

// operatorKinds are the ways to combine members, one line each. The table is filled by
// init because members contain members.
var operatorKinds []operatorKind

func operatorKeys() []string {
	keys := make([]string, len(operatorKinds))
	for i, k := range operatorKinds {
		keys[i] = k.key
	}
	return keys
}

var failoverFields = []field{
	{key: "failover", typ: durationType, def: "0s", example: "60s", doc: "How long it takes to switch to the next member of `any` when one fails. During that time the composite is bad, although the next member is good. Rounded up to whole slots. For `any`."},
	{key: "failovers", typ: decimalType, def: "1", example: `"4"`, doc: "How many failovers are expected in 30 days. Only the prediction uses it. For `any` with `failover`."},
}

var downAboveField = field{
	key: "downAbove", typ: percentType, def: "50", example: `"20"`,
	doc: "A component is down in a slot if more than this share of its events, or probes, was bad. Aggregations that judge minutes or slots keep their own threshold.",
}

var (
	compositeSection       = &section{name: "composite", doc: "A combination of other levels, of this agreement and of others, slot by slot. What it means, with the formulas, is in [composites.md](composites.md)."}
	memberSection          = &section{name: "a member", doc: "A level, or levels combined: exactly one of these. A level alone may be written short, `service/level`."}
	atLeastSection         = &section{name: "at least", doc: "So many of the members must be good."}
	weightedSection        = &section{name: "weighted", doc: "Members with weights."}
	weightedMemberSection  = &section{name: "a weighted member", doc: "A member and its weight."}
	compositeStepSection   = &section{name: "a step of a journey", doc: "One step and what it needs."}
	sharedSection          = &section{name: "a shared dependency", doc: "Something that several components need and that is no member itself: a DNS service, a region. Only the prediction uses it, and counts it once."}
	endToEndSection        = &section{name: "endToEnd", doc: "A level that measures the whole as a customer does. It may be written short, `service/level`. `SLACompositeDivergence` fires while it is worse than the model of the components."}
	levelReferenceSentence = "`service/level`, or `agreement:service/level` of another agreement, whose file must be given too."
)

func init() {
	memberType.sections, membersType.sections = []*section{memberSection}, []*section{memberSection}
	operatorKinds = []operatorKind{
		{"all", membersType, "Good while every member is.", "[web/availability, cart/availability]", decodeMembers(sla.OpAll)},
		{"any", membersType, "Good while one member is: redundancy. With `failover`, write them in the order in which they serve.", "[psp-a/availability, psp-b/availability]", decodeMembers(sla.OpAny)},
		{"atLeast", mapping(atLeastSection), "Good while at least `k` members are.", "{k: 2, of: [search-1/availability, search-2/availability, search-3/availability]}", decodeAtLeast},
		{"weighted", mapping(weightedSection), "The weighted mean of the members: a slot is as bad as the weight of its bad members.", "{of: [{weight: \"0.8\", needs: web/availability}, {weight: \"0.2\", needs: api/availability}]}", decodeWeighted},
		{"journey", valueType{name: "list of mappings", sample: "[…]", sections: []*section{compositeStepSection}, shape: listOf}, "Steps that a user takes one after the other. All must work.", "[{step: browse, needs: web/availability}, {step: pay, needs: psp/availability}]", decodeSteps},
	}
	var operators []field
	for _, k := range operatorKinds {
		operators = append(operators, field{key: k.key, typ: k.typ, doc: k.doc, example: k.example})
	}
	referenceType := valueType{name: "reference", sample: "storefront/availability", scalars: textType.scalars}
	memberSection.fields = slices.Concat([]field{{key: "level", typ: referenceType, doc: "A level: " + levelReferenceSentence}},
		operators, failoverFields, []field{downAboveField})
	memberSection.oneOf = [][]string{append([]string{"level"}, operatorKeys()...)}
	compositeSection.fields = slices.Concat(operators, failoverFields, []field{
		{key: "unknown", typ: oneOf("excluded", "bad", "good"), def: "excluded", doc: "What a slot counts as if the composite's state is unknown, because components were missing while the server scraped their jobs: neither (`excluded`), `bad`, or `good`. What the server did not see never counts. If one of two redundant members is good, the other may be unknown."},
		{key: "componentAlerts", typ: oneOf("linked", "inhibited", "independent"), def: "linked", doc: "What happens to the components' own alerts. `linked`: they get the label `composite`. `inhibited`: they do not begin while the composite's alert fires. `independent`: nothing."},
		{key: "endToEnd", typ: valueType{name: "reference, or a mapping", sample: "checkout/journey", scalars: referenceScalar, sections: []*section{endToEndSection}}, doc: "A level that measures the whole as a customer does."},
		{key: "sharedDependencies", typ: valueType{name: "list of mappings", sample: "[…]", sections: []*section{sharedSection}, shape: listOf}, doc: "What several components need, although it is no member."},
	})
	compositeSection.oneOf = [][]string{operatorKeys()}
	atLeastSection.fields = []field{
		{key: "k", typ: countType, required: true, example: "2", doc: "How many must be good, from 1 to the number of members."},
		{key: "of", typ: membersType, required: true, doc: "The members."},
	}
	weightedSection.fields = []field{
		{key: "of", typ: valueType{name: "list of mappings", sample: "[…]", sections: []*section{weightedMemberSection}, shape: listOf}, required: true, doc: "The members with their weights, which add up to 1."},
		{key: "normalize", typ: booleanType, def: "false", doc: "`true`: the weights are divided by their sum, so they may add up to anything."},
	}
	weightedMemberSection.fields = []field{
		{key: "weight", typ: decimalType, required: true, example: `"0.5"`, doc: "The member's weight, above 0."},
		{key: "name", typ: textType, example: "browse", doc: "What people call it."},
		{key: "needs", typ: memberType, required: true, doc: "The member."},
	}
	compositeStepSection.fields = []field{
		{key: "step", typ: textType, required: true, example: "pay", doc: "What people call the step."},
		{key: "needs", typ: memberType, required: true, doc: "What the step needs to work."},
	}
	sharedSection.fields = []field{
		{key: "name", typ: textType, required: true, example: "dns", doc: "What people call it."},
		{key: "level", typ: referenceType, doc: "The level with its promise: " + levelReferenceSentence + " Either `level` or `availability`."},
		{key: "availability", typ: percentType, doc: "What it promises, in per cent, if it has no level. Either `level` or `availability`."},
		{key: "affects", typ: valueType{name: "list of references", sample: "[web/availability, cart/availability]", scalars: referenceScalar, shape: listOf}, required: true, doc: "The components that fail with it. Their target shares are assumed to include its failures."},
	}
	sharedSection.oneOf = [][]string{{"level", "availability"}}
	endToEndSection.fields = []field{
		{key: "level", typ: referenceType, required: true, doc: "The level: " + levelReferenceSentence},
		downAboveField,
		{key: "above", typ: percentType, def: "5", example: `"2"`, doc: "How many percentage points more of the window the level must have been bad than the composite."},
		{key: "over", typ: durationType, def: "1h", doc: "The window, in whole minutes from `10m` to `6h`."},
		{key: "enabled", typ: booleanType, def: "true", doc: "`false`: no alert; the divergence is still recorded."},
		{key: "severity", typ: valueType{name: "text", sample: "ticket", scalars: textType.scalars}, def: "ticket", doc: "The label `severity` of the alert."},
		{key: "for", typ: durationType, def: "0s", example: "10m", doc: "How long this must last before the alert fires."},
		{key: "labels", typ: labelsType, example: "{channel: sre}", doc: "Added to the alert."},
	}
}
