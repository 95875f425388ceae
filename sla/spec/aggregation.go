package spec

import (
	"fmt"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// aggregationKind is one way to make measurements one number, with the options
// that it takes beside method.
type aggregationKind struct {
	name     sla.Aggregation
	required []string
	optional []string
	doc      string
}

// aggregationKinds are the aggregations, one line each.
var aggregationKinds = []aggregationKind{
	{sla.Time, nil, []string{"weight"}, "every second weighs the same"},
	{sla.RequestRatio, nil, nil, "every event weighs the same"},
	{sla.MeanSlotErrorRate, nil, []string{"slot", "minRequests", "emptySlot"}, "the mean of the slots' error rates"},
	{sla.BadMinute, []string{"errorThreshold"}, []string{"minRequests", "emptySlot", "quorum", "weight"}, "minutes with more errors than a threshold"},
	{sla.QualifiedRun, []string{"errorThreshold", "minRun"}, []string{"minRequests", "emptySlot", "quorum"}, "such minutes, where enough of them follow each other"},
	{sla.AllFailedMinute, nil, []string{"minRequests", "emptySlot", "quorum", "weight"}, "minutes in which everything failed"},
	{sla.SlotQuantile, []string{"quantile"}, []string{"minRequests", "emptySlot"}, "slots of five minutes whose quantile is above the threshold"},
}

func aggregationNames() []string {
	names := make([]string, len(aggregationKinds))
	for i, k := range aggregationKinds {
		names[i] = string(k.name)
	}
	return names
}

var aggregationSection = &section{
	name: "aggregation",
	doc:  "An aggregation may be written short, `aggregation: time`, or as this mapping where it has options. Minutes and slots are those of [rules.md](rules.md).",
	fields: []field{
		{key: "method", typ: oneOf(aggregationNames()...), required: true, doc: "`time`: every second weighs the same. `request_ratio`: every event does. `mean_slot_error_rate`: the mean of the error rates of slots. `bad_minute`: minutes with more errors than a threshold. `qualified_run`: such minutes, where enough of them follow each other. `all_failed_minute`: minutes in which everything failed. `slot_quantile`: slots of five minutes in which a quantile of the response times is above the threshold."},
		{key: "errorThreshold", typ: percentType, example: `"5"`, doc: "A minute is bad if more than this share of its events is. Of `bad_minute` and `qualified_run`."},
		{key: "minRun", typ: durationType, example: "5m", doc: "How long a run of bad minutes must be for them to count. Whole minutes, from `2m` to `1h`. Of `qualified_run`."},
		{key: "quantile", typ: decimalType, example: `"0.95"`, doc: "Which quantile is judged, between 0 and 1. Of `slot_quantile`."},
		{key: "slot", typ: durationType, def: "5m", example: "1h", doc: "The width of a slot, from `5m` to `1h` in steps of 5 minutes. Of `mean_slot_error_rate`."},
		{key: "minRequests", typ: countType, example: "60", def: "0", doc: "A minute or slot with fewer events is as if empty."},
		{key: "emptySlot", typ: oneOf("good", "unknown"), def: "good", doc: "What an empty minute or slot counts as: `good`, as most contracts say, or `unknown`, which is in neither sum."},
		{key: "weight", typ: queryType, example: `'customers_affected / customers'`, doc: "What share of a whole minute a bad one counts, from 0 to 1, as where a contract weighs outages by the customers affected; several series are averaged. While it has no sample the minute counts in full. Of `bad_minute`, `all_failed_minute`, and `time` of a `condition` or `ratio`."},
		{key: "quorum", typ: countType, example: "2", doc: "Of probes from several locations: how many must find a minute bad for it to be bad. While fewer report it is unknown. Without it the probes of all locations are added up. Of `bad_minute`, `qualified_run` and `all_failed_minute`."},
	},
}

var aggregationType = valueType{
	name: "one of " + either(aggregationNames()) + ", or a mapping", sample: "bad_minute",
	scalars:  []schema{{"type": "string", "enum": shortAggregations()}},
	sections: []*section{aggregationSection},
}

// shortAggregations are those that need no options.
func shortAggregations() []string {
	var names []string
	for _, k := range aggregationKinds {
		if len(k.required) == 0 {
			names = append(names, string(k.name))
		}
	}
	return names
}

// aggregation is a method with its options.
type aggregation struct {
	method   sla.Aggregation
	methodAt value
	slots    sla.Slots
}

func (v value) aggregation() (aggregation, bool) {
	if v.node.Kind != yamlMapping {
		method, ok := word(methods()...)(v)
		if !ok {
			return aggregation{}, false
		}
		kind := aggregationOf(method)
		if len(kind.required) > 0 {
			v.wrong("missing-key", v.said()+" needs "+list(kind.required),
				fmt.Sprintf("write %s: {method: %s, %s: %s}", v.name, method, kind.required[0], aggregationSection.field(kind.required[0]).sample()))
			return aggregation{}, false
		}
		return aggregation{method, v, defaultSlots(method)}, true
	}
	o := v.object(aggregationSection)
	if o == nil {
		return aggregation{}, false
	}
	method, at, ok := read(o, "method", word(methods()...))
	if !ok {
		return aggregation{}, false
	}
	a := aggregation{method, at, defaultSlots(method)}
	good := o.suits(aggregationOf(method), at)
	return a, o.slotOptions(&a.slots) && good
}

func methods() []sla.Aggregation {
	all := make([]sla.Aggregation, len(aggregationKinds))
	for i, k := range aggregationKinds {
		all[i] = k.name
	}
	return all
}

func aggregationOf(method sla.Aggregation) aggregationKind {
	i := slices.IndexFunc(aggregationKinds, func(k aggregationKind) bool { return k.name == method })
	return aggregationKinds[i]
}

func defaultSlots(method sla.Aggregation) sla.Slots {
	switch method {
	case sla.RequestRatio, sla.Time:
		return sla.Slots{}
	case sla.MeanSlotErrorRate, sla.SlotQuantile:
		return sla.Slots{Width: sla.BaseWindow}
	}
	return sla.Slots{Width: time.Minute}
}

// suits reports options that the method does not take, and those it lacks.
func (o *object) suits(kind aggregationKind, at value) bool {
	ok := true
	for _, f := range aggregationSection.fields {
		_, given := o.get(f.key)
		switch {
		case f.key == "method":
		case slices.Contains(kind.required, f.key):
			if !given {
				at.wrong("missing-key", at.said()+" needs "+quote(f.key), "add "+f.key+": "+f.sample())
				ok = false
			}
		case given && !slices.Contains(kind.optional, f.key):
			v, _ := o.get(f.key)
			v.d.errorAt(v.key, "conflicting-keys", quote(f.key)+" is no option of "+string(kind.name), "leave it out; its options are "+options(kind))
			ok = false
		}
	}
	return ok
}

func options(kind aggregationKind) string {
	if all := slices.Concat(kind.required, kind.optional); len(all) > 0 {
		return list(all)
	}
	return "none"
}

// option reads a key that may be left out into place; check says what is wrong
// with its value, or nothing. It is false if the value is wrong.
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
		at.wrong("bad-aggregation", at.said()+" "+message, remedy)
		return false
	}
	*place = got
	return true
}

// slotOptions reads every option, so that all mistakes are reported at once.
func (o *object) slotOptions(s *sla.Slots) bool {
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
		option(o, "minRequests", value.requests, &s.MinRequests, nothingWrong[int64]),
		option(o, "emptySlot", word("good", "unknown"), &empty, nothingWrong[string]),
		option(o, "weight", value.query, &s.Weight, nothingWrong[sla.Query]),
		option(o, "quorum", value.requests, &s.Quorum, func(n int64) (message, remedy string) {
			if n < 2 {
				return "is no quorum: it takes two to agree", "write 2 or more, or leave it out"
			}
			return "", ""
		}),
	}
	s.EmptyUnknown = empty == "unknown"
	return !slices.Contains(results, false)
}

func nothingWrong[T any](T) (message, remedy string) { return "", "" }

// requests is a whole number as the model has it.
func (v value) requests() (int64, bool) {
	c, ok := v.count()
	return int64(c.number), ok
}
