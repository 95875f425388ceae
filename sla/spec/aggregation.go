package spec

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// namesOf returns words of the model as strings.
func namesOf[S ~string](words []S) []string {
	names := make([]string, len(words))
	for i, w := range words {
		names[i] = string(w)
	}
	return names
}

// docOf describes each of several words of the model, for the reference.
func docOf[S interface {
	~string
	Doc() string
}](words []S) string {
	sentences := make([]string, len(words))
	for i, w := range words {
		sentences[i] = "`" + string(w) + "`: " + w.Doc() + "."
	}
	return strings.Join(sentences, " ")
}

func code(a sla.Aggregation) string { return "`" + string(a) + "`" }

// optionOf names the aggregations that take an option, without those in but.
func optionOf(option string, but ...sla.Aggregation) []string {
	var names []string
	for _, a := range sla.Aggregations() {
		required, optional := a.Options()
		if slices.Contains(slices.Concat(required, optional), option) && !slices.Contains(but, a) {
			names = append(names, code(a))
		}
	}
	return names
}

// ofOption is the sentence in the reference that names the aggregations with an option.
func ofOption(option string) string { return "For " + list(optionOf(option)) + "." }

var aggregationSection = &section{
	name: "aggregation",
	doc:  "An aggregation may be written short, `aggregation: time`, or as this mapping with options. [Rules](rules.md#aggregations-over-minutes-and-slots) says how minutes and slots are counted.",
	fields: []field{
		{key: "method", typ: oneOf(namesOf(sla.Aggregations())...), required: true, doc: docOf(sla.Aggregations())},
		{key: "errorThreshold", typ: percentType, example: `"5"`, doc: "A minute is bad if more than this share of its events is bad. " + ofOption("errorThreshold")},
		{key: "minRun", typ: durationType, example: "5m", doc: "How long a run of bad minutes must be to count. Whole minutes, from `2m` to `1h`. " + ofOption("minRun")},
		{key: "quantile", typ: decimalType, example: `"0.95"`, doc: "Which quantile is judged, between 0 and 1. " + ofOption("quantile")},
		{key: "slot", typ: durationType, def: "5m", example: "1h", doc: "The width of a slot, from `5m` to `1h` in steps of 5 minutes. " + ofOption("slot")},
		{key: "minRequests", typ: countType, example: "60", def: "0", doc: "A minute or slot with fewer events counts as empty."},
		{key: "emptySlot", typ: oneOf("good", "unknown"), def: "good", doc: "What an empty minute or slot counts as: `good`, as most contracts say, or `unknown`, which is in neither sum."},
		{key: "weight", typ: queryType, example: `'customers_affected / customers'`, doc: "How much a bad minute counts, from 0 to 1, if a contract weights outages by the customers affected. Several series are averaged. Without a sample the minute counts in full. For " + strings.Join(optionOf("weight", sla.Time), ", ") + ", and `time` of a `condition` or `ratio`."},
		{key: "quorum", typ: countType, example: "2", doc: "For probes from several locations: how many must find a minute bad. If fewer report, the minute is unknown. Without it, the probes of all locations are added up. " + ofOption("quorum")},
		{key: "outage", typ: mapping(outageSection), example: "{confirmAfter: 3m, recoverAfter: 2m}", verdictOnly: true, doc: "When bad time is an outage. Verdict only: rules count all bad time. " + ofOption("outage")},
	},
}

var aggregationType = valueType{
	name: "one of " + either(namesOf(sla.Aggregations())) + ", or a mapping", sample: "bad_minute",
	scalars:  []schema{{"type": "string", "enum": shortAggregations()}},
	sections: []*section{aggregationSection},
}

// shortAggregations are the aggregations that need no options.
func shortAggregations() []string {
	var names []string
	for _, a := range sla.Aggregations() {
		if required, _ := a.Options(); len(required) == 0 {
			names = append(names, string(a))
		}
	}
	return names
}

// aggregation is the value of the key aggregation.
type aggregation struct {
	method   sla.Aggregation
	methodAt value
	slots    sla.Slots
	outage   sla.OutageRule
}

func parseAggregation(v value) (aggregation, bool) {
	if v.node.Kind != yamlMapping {
		method, ok := word(sla.Aggregations()...)(v)
		if !ok {
			return aggregation{}, false
		}
		if required, _ := method.Options(); len(required) > 0 {
			v.error("missing-key", v.quoted()+" needs "+list(required),
				fmt.Sprintf("write %s: {method: %s, %s: %s}", v.name, method, required[0], aggregationSection.field(required[0]).sample()))
			return aggregation{}, false
		}
		return aggregation{method: method, methodAt: v, slots: method.DefaultSlots()}, true
	}
	o := v.object(aggregationSection)
	if o == nil {
		return aggregation{}, false
	}
	method, at, ok := read(o, "method", word(sla.Aggregations()...))
	if !ok {
		return aggregation{}, false
	}
	a := aggregation{method: method, methodAt: at, slots: method.DefaultSlots()}
	good := checkOptions(o, method, at)
	if v, given := o.get("outage"); given {
		a.outage = decodeOutage(v)
	}
	return a, decodeSlotOptions(o, &a.slots) && good
}

// checkOptions reports options that the method does not take, and those it lacks.
func checkOptions(o *object, method sla.Aggregation, at value) bool {
	required, optional := method.Options()
	ok := true
	for _, f := range aggregationSection.fields {
		_, given := o.get(f.key)
		switch {
		case f.key == "method":
		case slices.Contains(required, f.key):
			if !given {
				at.error("missing-key", at.quoted()+" needs "+quote(f.key), "add "+f.key+": "+f.sample())
				ok = false
			}
		case given && !slices.Contains(optional, f.key):
			v, _ := o.get(f.key)
			v.d.errorAt(v.key, "conflicting-keys", quote(f.key)+" is no option of "+string(method), "leave it out; its options are "+options(method))
			ok = false
		}
	}
	return ok
}

func options(method sla.Aggregation) string {
	if all := slices.Concat(method.Options()); len(all) > 0 {
		return list(all)
	}
	return "none"
}

// option reads an optional key into place. check returns a message and a remedy if the
// value is not allowed. option returns false after an error.
func option[T any](o *object, key string, parse func(value) (T, bool), place *T, check func(T) (message, remedy string)) bool {
	at, given := o.get(key)
	if !given {
		return true
	}
	got, ok := parse(at)
	if !ok {
		return false
	}
	if message, remedy := check(got); message != "" {
		at.error("bad-aggregation", at.quoted()+" "+message, remedy)
		return false
	}
	*place = got
	return true
}

// decodeSlotOptions reads every option, even after an error, so that all mistakes are
// reported at once.
func decodeSlotOptions(o *object, s *sla.Slots) bool {
	empty := ""
	results := []bool{
		option(o, "errorThreshold", value.decimal, &s.ErrorThreshold, func(d sla.Decimal) (message, remedy string) {
			if d.Cmp(sla.NewDecimal(100, 1)) >= 0 {
				return "is everything: no minute could have more", `write a share in per cent below 100, e.g. "5"`
			}
			return "", ""
		}),
		option(o, "minRun", value.duration, &s.MinRun, func(d time.Duration) (message, remedy string) {
			if d%time.Minute != 0 || d < 2*time.Minute || d > time.Hour {
				return "is not a whole number of minutes from 2m to 1h", "write e.g. 5m; for single minutes use the method bad_minute"
			}
			return "", ""
		}),
		option(o, "quantile", value.decimal, &s.Quantile, func(d sla.Decimal) (message, remedy string) {
			if d.Sign() <= 0 || d.Cmp(sla.NewDecimal(1, 1)) >= 0 {
				return "is not between 0 and 1", `write e.g. "0.95"`
			}
			return "", ""
		}),
		option(o, "slot", value.duration, &s.Width, func(d time.Duration) (message, remedy string) {
			if d%sla.BaseWindow != 0 || d > time.Hour {
				return "is not a multiple of 5m up to 1h", "write 5m, or 1h"
			}
			return "", ""
		}),
		option(o, "minRequests", parseRequests, &s.MinRequests, anyValue[int64]),
		option(o, "emptySlot", word("good", "unknown"), &empty, anyValue[string]),
		option(o, "weight", value.query, &s.Weight, anyValue[sla.Query]),
		option(o, "quorum", parseRequests, &s.Quorum, func(n int64) (message, remedy string) {
			if n < 2 {
				return "is no quorum: it takes two to agree", "write 2 or more, or leave it out"
			}
			return "", ""
		}),
	}
	s.EmptyUnknown = empty == "unknown"
	return !slices.Contains(results, false)
}

func anyValue[T any](T) (message, remedy string) { return "", "" }

// parseRequests parses a whole number.
func parseRequests(v value) (int64, bool) {
	c, ok := v.count()
	return int64(c.number), ok
}
