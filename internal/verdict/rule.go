package verdict

import (
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// rule is what makes a minute or slot bad by an aggregation; package sla has what the
// rest of the program knows of aggregations.
type rule struct {
	name sla.Aggregation
	// down returns whether a minute or slot with events is bad; nil if it is as bad as
	// the share of its events that is.
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

// ruleOf is that of an aggregation. There is a line for each that the model knows, which
// a test demands.
func ruleOf(a sla.Aggregation) rule {
	return rules[slices.IndexFunc(rules, func(r rule) bool { return r.name == a })]
}

// stateOf is the state of a level over time as it was measured, before anything is
// excluded: of levels that count seconds to the second, of others by their minutes or
// slots. A minute of a level that counts events is bad if more than half of them are,
// which only its outages are made of.
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

// mostlyBad is the rule of composites for components without one of their own.
var mostlyBad = rule{down: func(_ sla.Slots, total, bad sla.Decimal) bool {
	return abovePercent(sla.DefaultDownAbove, total, bad)
}}
