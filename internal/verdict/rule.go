package verdict

import (
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// rule says what makes a minute or slot bad by an aggregation. Package sla has what the
// rest of the program knows of aggregations.
type rule struct {
	name sla.Aggregation
	// down returns whether a minute or slot with events is bad; if it is nil, the bad
	// share of the events is its badness.
	down func(s sla.Slots, total, bad sla.Decimal) bool
}

// rules is the table of all aggregations.
var rules = []rule{
	{sla.Time, nil},
	{sla.RequestRatio, nil},
	{sla.MeanSlotErrorRate, nil},
	{sla.BadMinute, aboveErrorThreshold},
	{sla.QualifiedRun, aboveErrorThreshold},
	{sla.AllFailedMinute, func(_ sla.Slots, total, bad sla.Decimal) bool { return bad.Cmp(total) >= 0 }},
	{sla.SlotQuantile, func(s sla.Slots, total, bad sla.Decimal) bool {
		return bad.Cmp(one.Sub(s.Quantile).Mul(total)) > 0 // the quantile is above the threshold
	}},
}

func aboveErrorThreshold(s sla.Slots, total, bad sla.Decimal) bool {
	return abovePercent(s.ErrorThreshold, total, bad)
}

func abovePercent(percent, total, bad sla.Decimal) bool {
	return bad.Mul(hundred).Cmp(percent.Mul(total)) > 0
}

// ruleOf returns the rule of an aggregation. A test demands a line for each that the
// model knows.
func ruleOf(a sla.Aggregation) rule {
	return rules[slices.IndexFunc(rules, func(r rule) bool { return r.name == a })]
}

// stateOf is the state of a level over time as measured, before anything is excluded:
// to the second if it counts seconds, else by its minutes or slots. If it counts
// events, a minute is bad if more than half of its events are. Only outages use that.
func stateOf(l *sla.ServiceLevel, places []Place, zone *time.Location) track {
	r := ruleOf(l.Aggregation)
	switch l.Aggregation.Counts() {
	case sla.CountsMinutes:
		var t track
		if l.Slots.Quorum > 0 {
			t = judgedByQuorum(places, r, sla.CountedSlots(l), zone)
		} else {
			t = judgedCells(countedAt(places), r, sla.CountedSlots(l), zone)
		}
		if l.Slots.MinRun > 0 {
			t = runsOf(t, l.Slots.MinRun)
		}
		return t
	case sla.CountsSlots:
		return judgedCells(countedAt(places), r, sla.CountedSlots(l), zone)
	case sla.CountsEvents:
		return judgedCells(countedAt(places), mostlyBad, sla.Slots{Width: time.Minute}, zone)
	}
	return meanOf(places)
}

// mostlyBad makes a minute bad if more than the default downAbove of its events are.
var mostlyBad = rule{down: func(_ sla.Slots, total, bad sla.Decimal) bool {
	return abovePercent(sla.DefaultDownAbove, total, bad)
}}
