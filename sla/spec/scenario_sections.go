package spec

import (
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// scenarioKind is the kind of documents that `upheld simulate` plays.
const scenarioKind = "Scenario"

// Limits of scenarios.
const (
	maxScenarios     = 1000 // of one agreement
	maxScenarioSteps = 100
	maxExpectations  = 100
	maxGivenSeries   = 200
	mostTurns        = 10_000 // of a flapping
)

// LongestScenario is the longest time from a scenario's start to the end of the time that
// is looked at.
const LongestScenario = 92 * 24 * time.Hour

// Bounds of a scrape interval: a five-minute rate needs four scrapes.
const (
	minScrape = time.Second
	maxScrape = sla.BaseWindow / 4
)

var scenarioSection = &section{
	name: "a scenario",
	doc:  "One YAML document is one scenario; a file may hold several, separated by `---`, also beside an agreement.",
	fields: []field{
		{key: "apiVersion", typ: oneOf(apiVersion), required: true, doc: "The version of the format."},
		{key: "kind", typ: oneOf(scenarioKind), required: true, doc: "What the document is."},
		{key: "metadata", typ: mapping(scenarioMetadataSection), required: true, example: "{name: bad-deploy, agreement: shop}", doc: "What it is called, and of which agreement it is."},
		{key: "spec", typ: mapping(scenarioSpecSection), required: true, example: "{steps: [{outage: {for: 20m}}]}", doc: "What happens, and what is expected."},
	},
}

var scenarioMetadataSection = &section{
	name: "metadata of a scenario",
	doc:  "What it is called, and of which agreement it is.",
	fields: []field{
		{key: "name", typ: nameType, required: true, example: "bad-deploy", doc: "Names it in results. Unique among the scenarios of the agreement."},
		{key: "agreement", typ: nameType, required: true, doc: "The agreement. Its specification must be loaded too."},
		{key: "description", typ: textType, doc: "A sentence for people."},
	},
}

var levelsType = valueType{name: "list of levels", sample: "[availability]", scalars: textType.scalars, shape: listOf}

var scenarioSpecSection = &section{
	name: "spec of a scenario",
	doc:  "What happens to which levels, and what is expected of their alerts.",
	fields: []field{
		{key: "at", typ: instantType, def: "a Wednesday at 10:00 within the service hours, which the result states", example: `"2026-03-18T10:00"`, doc: "When it begins: by the wall clock of the agreement's `timeZone`, or with an offset or `Z`."},
		{key: "lookFor", typ: durationType, def: "until alerts have had time to resolve after the last step", example: "6h", doc: "How long is looked at, from `at`. At most 92d."},
		{key: "levels", typ: levelsType, def: "those that a step names, or all of the agreement if none names one", doc: "The levels that are looked at, as `level` or `service/level`."},
		{key: "scrapeInterval", typ: durationType, def: "15s", example: "30s", doc: "How often Prometheus scrapes. From 1s to 75s."},
		{key: "spent", typ: decimalType, def: "0", example: `"40"`, doc: "The share of the budget, in per cent, that was spent earlier in the period."},
		{key: "traffic", typ: valueType{name: "list of mappings", sample: `[{rate: "50"}]`, sections: []*section{trafficSection}, shape: listOf}, doc: "How many events the levels have. Levels that count time need none."},
		{key: "series", typ: valueType{name: "list of mappings", sample: `[{series: 'queue_age_seconds{queue="mail"}', values: 10+0x40 90+0x80}]`, sections: []*section{givenSeriesSection}, shape: listOf}, doc: "Series that are given, for levels whose series cannot be imagined from their queries."},
		{key: "steps", typ: valueType{name: "list of mappings", sample: `[{outage: {for: 20m}}]`, sections: []*section{scenarioStepSection}, shape: listOf}, doc: "What happens, in any order. Steps may overlap."},
		{key: "expect", typ: valueType{name: "list of texts", sample: `[page within 5m]`, scalars: textType.scalars, shape: listOf}, example: "[page within 5m, budget spent < 10%]", doc: "What is expected, see [Expectations](#expectations)."},
	},
}

var trafficSection = &section{
	name: "traffic of a scenario",
	doc:  "How many events levels have. The first entry that a level is in counts for it.",
	fields: []field{
		{key: "levels", typ: levelsType, def: "all", doc: "The levels, as `level` or `service/level`."},
		{key: "rate", typ: decimalType, def: "10", example: `"50"`, doc: "Events a second, on average."},
		{key: "shape", typ: oneOf(namesOf(sla.TrafficShapes)...), def: string(sla.TrafficShapes[0]), doc: "How the traffic changes within a day. " + docOf(sla.TrafficShapes)},
	},
}

var givenSeriesSection = &section{
	name: "series of a scenario",
	doc:  "A series as in tests for promtool. Its first value is that of `at`, and of the time before; its last value stays.",
	fields: []field{
		{key: "series", typ: textType, required: true, example: `'queue_age_seconds{queue="mail"}'`, doc: "The name and labels."},
		{key: "values", typ: textType, required: true, example: "10+0x40 90+0x80", doc: "The values, in promtool's notation."},
		{key: "every", typ: durationType, def: "the scrape interval", example: "1m", doc: "The time from value to value."},
	},
}

var scenarioStepSection = newScenarioStepSection()

func newScenarioStepSection() *section {
	s := &section{name: "scenario step", doc: "One thing that happens. Exactly one key says what."}
	var keys []string
	for _, f := range sla.StepKinds {
		s.fields = append(s.fields, field{key: string(f.Kind), typ: mapping(stepKindSection(f)), example: "{for: 20m}", doc: strings.ToUpper(f.Doc[:1]) + f.Doc[1:] + "."})
		keys = append(keys, string(f.Kind))
	}
	s.oneOf = [][]string{keys}
	return s
}

// stepKindSection are the keys of one kind of step.
func stepKindSection(f sla.StepFacets) *section {
	s := &section{name: "scenario step (" + string(f.Kind) + ")", doc: "When it happens, and to what."}
	if f.Share != "" {
		share := field{key: "share", typ: percentType, example: `"30"`, doc: "How many, in per cent, " + f.Share + "."}
		if share.required = f.DefaultShare.Sign() == 0; !share.required {
			share.def = f.DefaultShare.String()
		}
		s.fields = append(s.fields, share)
	}
	switch f.Kind {
	case sla.StepBurn:
		s.fields = append(s.fields, field{key: "rate", typ: decimalType, required: true, example: `"2"`, doc: "How many times faster than allowed the target's budget is spent."})
	case sla.StepFlapping:
		s.fields = append(s.fields,
			field{key: "every", typ: durationType, required: true, example: "4m", doc: "The length of a turn."},
			field{key: "down", typ: durationType, required: true, example: "1m", doc: "How much of each turn fails, from its begin. Shorter than `every`."})
	case sla.StepLost:
		s.fields = append(s.fields, field{key: "of", typ: oneOf(lostExporter, lostSeries), def: lostExporter, doc: "`exporter`: scrapes fail, so that `up` is 0. `series`: scrapes succeed, without the series."})
	}
	s.fields = append(s.fields,
		field{key: "for", typ: durationType, required: true, example: "20m", doc: "How long it lasts."},
		field{key: "from", typ: durationType, def: "0s", example: "2h", doc: "When it begins, after `at`."})
	if !f.Whole {
		s.fields = append(s.fields, field{key: "levels", typ: levelsType, def: "all that are looked at", doc: "The levels that it happens to, as `level` or `service/level`; also components of composites."})
	}
	return s
}

// What is lost.
const (
	lostExporter = "exporter"
	lostSeries   = "series"
)

// isScenario returns whether a document is a scenario.
func isScenario(root value) bool {
	return root.node.Kind == yamlMapping && headOf(root).text("kind") == scenarioKind
}

// documentKinds are the kinds of documents of this format.
var documentKinds = []string{documentKind, adjustmentKind, scenarioKind}

// isKind returns whether a word is, or nearly is, a kind of document.
func isKind(word string) bool { return Nearest(word, slices.Clone(documentKinds)) != "" }
