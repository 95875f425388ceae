package spec

import "github.com/upheld-sla/upheld/sla"

// adjustmentKind is the kind of documents that are written after the fact.
const adjustmentKind = "Adjustment"

// Limits of adjustments.
const (
	maxAdjustments = 10_000 // of one agreement
	maxApprovals   = 20
	maxEvidence    = 50
)

var adjustmentSection = &section{
	name: "an adjustment",
	doc:  "One YAML document is one adjustment; a file may hold several, separated by `---`, also beside an agreement.",
	fields: []field{
		{key: "apiVersion", typ: oneOf(apiVersion), required: true, doc: "The version of the format."},
		{key: "kind", typ: oneOf(adjustmentKind), required: true, doc: "What the document is."},
		{key: "metadata", typ: mapping(adjustmentMetadataSection), required: true, example: "{name: power-failure, agreement: shop}", doc: "What it is called, and of which agreement it is."},
		{key: "spec", typ: mapping(adjustmentSpecSection), required: true, example: "{…}", doc: "What is written down, by whom and why."},
	},
}

var adjustmentMetadataSection = &section{
	name: "metadata of an adjustment",
	doc:  "What it is called, and of which agreement it is.",
	fields: []field{
		{key: "name", typ: nameType, required: true, example: "power-failure", doc: "Names it in reports and disputes. Unique among the adjustments and exclusions of the agreement."},
		{key: "agreement", typ: nameType, required: true, doc: "The agreement. Its specification must be loaded too."},
	},
}

var adjustmentSpecSection = &section{
	name: "spec of an adjustment",
	doc:  "Who says what, why, and who approved. Exactly one of `exclusion`, `dispute`, `correction`, `obligation` and `cause` says what.",
	fields: []field{
		{key: "filed", typ: fullDateType, required: true, example: `"2026-11-03"`, doc: "The day on which it was filed."},
		{key: "by", typ: partyType, required: true, doc: "The party that filed it. Filing is no approval."},
		{key: "reason", typ: textType, required: true, example: "Power failure of the utility", doc: "Why, in a sentence."},
		{key: "evidence", typ: textList("[tickets/4711.md]"), doc: "What proves it: files, URLs or words. They are not read."},
		{key: "approvals", typ: valueType{name: "list of mappings", sample: `[{party: customer, name: B. Customer, on: "2026-11-04"}]`, sections: []*section{partyApprovalSection}, shape: listOf}, doc: "Who approved it, for which party."},
		{key: "withdrawn", typ: fullDateType, example: `"2026-11-20"`, doc: "The day on which it was withdrawn. It then has no effect, and stays on record."},
		{key: "exclusion", typ: mapping(excludedSection), doc: "Time that does not count."},
		{key: "dispute", typ: mapping(disputeSection), doc: "Something that a party does not accept."},
		{key: "correction", typ: mapping(correctionSection), doc: "What was measured is wrong or missing, and this is right."},
		{key: "obligation", typ: mapping(deliverySection), doc: "Whether an obligation was fulfilled in time."},
		{key: "cause", typ: mapping(causeSection), doc: "Why levels were down. For people: it changes no figure."},
	},
	oneOf: [][]string{adjustmentKinds},
}

// adjustmentKinds are the keys that say what an adjustment is.
var adjustmentKinds = []string{"exclusion", "dispute", "correction", "obligation", "cause"}

var partyApprovalSection = &section{
	name: "an approval of a party",
	doc:  "That somebody approved for a party.",
	fields: []field{
		{key: "party", typ: partyType, required: true, doc: "For which party."},
		{key: "name", typ: textType, required: true, example: "B. Customer", doc: "Who."},
		{key: "on", typ: fullDateType, required: true, example: `"2026-11-04"`, doc: "On which day."},
		{key: "why", typ: textType, doc: "A sentence about it."},
	},
}

// reachFields are the keys for a time and its levels.
func reachFields(required bool) []field {
	return []field{
		{key: "from", typ: instantType, required: required, example: `"2026-10-20T14:00"`, doc: "When it begins: by the wall clock of the agreement's `timeZone`, or with an offset or `Z`."},
		{key: "to", typ: instantType, required: required, example: `"2026-10-20T15:30"`, doc: "When it ends."},
		{key: "levels", typ: valueType{name: "list of levels", sample: "[availability]", scalars: textType.scalars, shape: listOf}, def: "all of the agreement", doc: "The levels that it is about, as `level` or `service/level`."},
	}
}

var excludedSection = &section{
	name: "excluded time",
	doc:  "Time that does not count, once who must approve has approved.",
	fields: append(reachFields(true),
		field{key: "exclusion", typ: nameType, example: "force-majeure", doc: "The exclusion of the agreement that is claimed: one with `approval`. It says the effect and who must approve."},
		field{key: "category", typ: oneOf(sla.Categories...), example: "customer_caused", doc: "Instead of `exclusion`: the kind of reason, for time that the agreement names no exclusion for. Both parties must approve."},
		field{key: "effect", typ: effectType, doc: "With `category`. " + docOf(sla.Effects())},
	),
	oneOf: [][]string{{"exclusion", "category"}},
}

var disputeSection = &section{
	name: "a dispute",
	doc:  "Something that a party does not accept. While nobody withdraws it, a level whose verdict depends on it is `disputed`. If both parties approve the dispute, what it is about does not hold.",
	fields: append([]field{
		{key: "of", typ: nameType, required: true, example: "power-failure", doc: "The adjustment, or the exclusion of the agreement, that is not accepted."},
	}, disputeReach()...),
}

// disputeReach are the keys for the time of a dispute. A dispute of an adjustment does not
// need them.
func disputeReach() []field {
	fields := reachFields(false)
	fields[0].doc = "Of an exclusion of the agreement: when the time begins in which it does not hold."
	return fields
}

var correctionSection = &section{
	name: "a correction",
	doc:  "What was measured is wrong or missing, and this is right. Both parties must approve.",
	fields: append(reachFields(true),
		field{key: "state", typ: oneOf(namesOf(sla.AllObserved)...), required: true, doc: "What the time was. `unknown` takes measurements away, as if there were none. `good` and `bad` are for levels that count time, minutes or slots; events can only be taken away."},
		field{key: "places", typ: labelsType, example: "{location: fra}", doc: "Only what places with these labels measured. Without it, all places."},
	),
}

var deliverySection = &section{
	name: "a delivery",
	doc:  "Whether an obligation was fulfilled in time. Both parties must approve before a late one excuses anything.",
	fields: []field{
		{key: "id", typ: nameType, required: true, example: "cert-renewal", doc: "The obligation's `id`."},
		{key: "due", typ: fullDateType, required: true, example: `"2026-10-07"`, doc: "The day at whose end it was due."},
		{key: "done", typ: instantType, example: `"2026-10-09T11:20"`, doc: "When it was fulfilled. Without it, it still is not."},
	},
}

var causeSection = &section{
	name: "a cause",
	doc:  "Why levels were down.",
	fields: append(reachFields(true),
		field{key: "party", typ: oneOf(namesOf(sla.CauseParties)...), required: true, doc: "Who or what caused it. What is `unknown` counts against the provider, until both approve an exclusion."},
		field{key: "what", typ: textType, required: true, example: "A certificate had expired", doc: "What happened."},
	),
}
