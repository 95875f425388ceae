package spec

import (
	"fmt"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

var creditAmountFields = []field{
	{key: "percent", typ: creditPercentType, example: `"5"`, doc: "What is owed, in per cent of the base. Above 0, at most 100."},
	{key: "days", typ: decimalType, example: `"1"`, doc: "What is owed, as the fee of so many days: a thirtieth of a month's fee each, unless `spec.creditPolicy.dayOfFee` says otherwise."},
}

var creditAmountOf = []string{"percent", "days"}

var proportionalSection = &section{
	name: "proportional",
	doc:  "Credit in proportion to the bad time: bad time over agreed time, times the fee, times `multiplier`.",
	fields: []field{
		{key: "multiplier", typ: decimalType, def: `"1"`, example: `"10"`, doc: "How many times the fee of the bad time is owed. Above 0."},
	},
}

var perBlockSection = &section{
	name: "perBlock",
	doc:  "Credit for each block of bad time.",
	fields: append([]field{
		{key: "block", typ: durationType, required: true, example: "30m", doc: "How long a block is."},
		{key: "partOfBlock", typ: oneOf("counts", "ignored"), required: true, example: "counts", doc: "What a part of a block is: `counts` as a block (\"or part thereof\"), or `ignored`."},
		{key: "per", typ: oneOf("period", "outage"), def: "period", doc: "Whether the bad time of the period is added up before it is cut into blocks, or each outage is cut by itself."},
	}, creditAmountFields...),
	oneOf: [][]string{creditAmountOf},
}

var outageBandsSection = &section{
	name: "outageBands",
	doc:  "Credit by the length of outages.",
	fields: []field{
		{key: "per", typ: oneOf("outage", "period"), def: "outage", doc: "`outage`: each outage owes by its own length. `period`: all bad time of the period owes as one outage."},
		{key: "bands", typ: valueType{name: "list of mappings", sample: `[{from: 5m, days: "1"}, {above: 4h, days: "30"}]`, sections: []*section{outageBandSection}, shape: listOf}, required: true, doc: "The lengths. The longest that is reached decides, so there are no gaps between them."},
	},
}

var outageBandSection = &section{
	name: "an outage band",
	doc:  "What an outage of some length owes.",
	fields: append([]field{
		{key: "from", typ: durationType, synonyms: []string{"atLeast", "ge"}, example: "5m", doc: "Outages of this length or longer."},
		{key: "above", typ: durationType, synonyms: []string{"moreThan", "gt"}, example: "4h", doc: "Outages that are longer than this. Instead of `from`."},
	}, creditAmountFields...),
	oneOf: [][]string{{"from", "above"}, creditAmountOf},
}

var creditStepSection = &section{
	name: "a credit step",
	doc:  "What so many outages, or missed levels, owe.",
	fields: append([]field{
		{key: "from", typ: valueType{name: "whole number", sample: "3", scalars: []schema{{"type": "integer", "minimum": 1}}}, required: true, doc: "The step is reached from this number on."},
	}, creditAmountFields...),
	oneOf: [][]string{creditAmountOf},
}

var stepsType = valueType{name: "list of mappings", sample: `[{from: 1, percent: "5"}, {from: 3, percent: "10"}]`, sections: []*section{creditStepSection}, shape: listOf}

var freeHoursSection = &section{
	name: "freeHours",
	doc:  "Clock hours that cost nothing.",
	fields: []field{
		{key: "above", typ: durationType, required: true, example: "6m", doc: "An hour of the clock with more bad time than this is free. Shorter than 1h."},
	},
}

var poolShareSection = &section{
	name: "atRisk of a level",
	doc:  "The level's share of the agreement's amount at risk.",
	fields: []field{
		{key: "weight", typ: creditPercentType, required: true, example: `"25"`, doc: "In per cent of the amount at risk. The weights of all levels may add up to more than 100: what is at risk limits their sum."},
		{key: "critical", typ: mapping(criticalSection), example: `{below: "99", multiplier: "2"}`, doc: "A share below which more is owed."},
		{key: "repeat", typ: mapping(repeatSection), example: `{from: 2, multiplier: "1.5"}`, doc: "From which miss in a row on more is owed."},
	},
}

var criticalSection = &section{
	name: "critical",
	doc:  "A second, lower bound whose miss costs more.",
	fields: []field{
		{key: "below", typ: percentType, required: true, example: `"99"`, doc: "The good share, in per cent, below which the level is critical. Below the target."},
		{key: "multiplier", typ: decimalType, required: true, example: `"2"`, doc: "How many times the level's share is owed then. Above 0."},
	},
}

var repeatSection = &section{
	name: "repeat",
	doc:  "Repeated misses cost more.",
	fields: []field{
		{key: "from", typ: valueType{name: "whole number", sample: "2", scalars: []schema{{"type": "integer", "minimum": 2}}}, required: true, doc: "The first miss in a row that costs more: 2 is the second period in a row."},
		{key: "multiplier", typ: decimalType, required: true, example: `"1.5"`, doc: "How many times the level's share is owed then. Above 0."},
	},
}

func (d *levelDraft) readProportional(v value) (sla.CreditScheme, bool) {
	o := v.object(proportionalSection)
	if o == nil {
		return nil, false
	}
	p := sla.Proportional{Multiplier: sla.NewDecimal(1, 1)}
	setIfGiven(&p.Multiplier, optional(o, "multiplier", value.positive))
	return p, true
}

func (d *levelDraft) readPerBlock(v value) (sla.CreditScheme, bool) {
	o := v.object(perBlockSection)
	if o == nil || !d.needsTime(v) {
		return nil, false
	}
	block, _, ok := read(o, "block", value.duration)
	part, _, partOK := read(o, "partOfBlock", word("counts", "ignored"))
	per, _, _ := read(o, "per", word("period", "outage"))
	amount, amountOK := readCreditAmount(o)
	return sla.PerBlock{Block: block, CreditAmount: amount, PartCounts: part == "counts", PerOutage: per == "outage"}, ok && partOK && amountOK
}

// needsTime reports a scheme that counts bad time, of a level that counts events.
func (d *levelDraft) needsTime(v value) bool {
	if l := d.level; l.Indicator != nil && !l.Aggregation.ByTime() {
		v.d.errorAt(v.key, "bad-credit", fmt.Sprintf("%s counts bad time, and the level %q counts events, by %s", v.name, l.ID.SLO, l.Aggregation),
			"write tiers or proportional, or count the level by minutes: aggregation: {method: bad_minute, errorThreshold: \"5\"}")
		return false
	}
	return true
}

// readCreditAmount reads percent or days of a section.
func readCreditAmount(o *object) (sla.CreditAmount, bool) {
	percent, _, ofPercent := read(o, "percent", value.creditPercent)
	days, _, ofDays := read(o, "days", value.positive)
	return sla.CreditAmount{Percent: percent, Days: days}, ofPercent != ofDays
}

func (d *levelDraft) readOutageBands(v value) (sla.CreditScheme, bool) {
	o := v.object(outageBandsSection)
	if o == nil || !d.needsTime(v) {
		return nil, false
	}
	per, _, _ := read(o, "per", word("outage", "period"))
	scheme := sla.OutageBands{PerPeriod: per == "period"}
	items, _, ok := read(o, "bands", limitedList(50))
	for _, item := range items {
		item.name = "an outage band"
		band, bandOK := decodeOutageBand(item)
		if !bandOK {
			ok = false
			continue
		}
		if n := len(scheme.Bands); n > 0 && !longer(band, scheme.Bands[n-1]) {
			item.error("credit-bands", "this band is not longer than the one before", "write bands from the shortest to the longest")
			ok = false
		}
		scheme.Bands = append(scheme.Bands, band)
	}
	if ok {
		v.d.lintBands(scheme.Bands)
	}
	return scheme, ok
}

// longer returns whether a band begins after another one.
func longer(a, b sla.OutageBand) bool {
	return a.Length > b.Length || a.Length == b.Length && a.Above && !b.Above
}

func decodeOutageBand(v value) (sla.OutageBand, bool) {
	o := v.object(outageBandSection)
	if o == nil {
		return sla.OutageBand{}, false
	}
	from, _, ofFrom := read(o, "from", value.duration)
	above, _, ofAbove := read(o, "above", value.durationOrZero)
	amount, ok := readCreditAmount(o)
	return sla.OutageBand{Length: max(from, above), Above: ofAbove, CreditAmount: amount, Pos: v.pos()}, ok && ofFrom != ofAbove
}

// lintBands warns of bands that owe no more than a shorter one.
func (d *decoder) lintBands(bands []sla.OutageBand) {
	for i, b := range bands[min(1, len(bands)):] {
		if before := bands[i]; notMore(b.CreditAmount, before.CreditAmount) {
			d.report(sla.Warning, b.Pos, "credit-bands", fmt.Sprintf("this band owes %s, which is no more than the %s of a shorter outage", b.Words(), before.Words()),
				"give the longer outage more, or leave the band out")
		}
	}
}

// notMore compares amounts of the same kind.
func notMore(a, b sla.CreditAmount) bool {
	return a.Days.Sign() == b.Days.Sign() && a.Percent.Cmp(b.Percent) <= 0 && a.Days.Cmp(b.Days) <= 0
}

func (d *levelDraft) readOutageCount(v value) (sla.CreditScheme, bool) {
	steps, ok := parseCreditSteps(v)
	return sla.OutageSteps{Steps: steps}, ok && d.needsTime(v)
}

// parseCreditSteps parses steps, the lowest first.
func parseCreditSteps(v value) ([]sla.CreditStep, bool) {
	var steps []sla.CreditStep
	items, ok := limitedList(50)(v)
	for _, item := range items {
		item.name = "a credit step"
		o := item.object(creditStepSection)
		if o == nil {
			ok = false
			continue
		}
		from, at, fromOK := read(o, "from", value.count)
		amount, amountOK := readCreditAmount(o)
		step := sla.CreditStep{From: from.number, CreditAmount: amount, Pos: item.pos()}
		switch n := len(steps); {
		case !fromOK || !amountOK:
			ok = false
			continue
		case step.From < 1:
			at.error("bad-count", at.quoted()+" is not above 0", "write from: 1")
			ok = false
		case n > 0 && step.From <= steps[n-1].From:
			at.error("credit-steps", at.quoted()+" is not above the step before", "write steps from the lowest number to the highest")
			ok = false
		case n > 0 && notMore(step.CreditAmount, steps[n-1].CreditAmount):
			item.warn("credit-steps", fmt.Sprintf("this step owes %s, which is no more than the %s of the one before", step.Words(), steps[n-1].Words()), "give the later step more, or leave it out")
		}
		steps = append(steps, step)
	}
	return steps, ok
}

func (d *levelDraft) readFreeHours(v value) (sla.CreditScheme, bool) {
	o := v.object(freeHoursSection)
	if o == nil || !d.needsTime(v) {
		return nil, false
	}
	above, at, ok := read(o, "above", value.durationOrZero)
	if ok && above >= time.Hour {
		at.error("bad-credit", at.quoted()+" is no bound: no hour has more", "make it shorter than 1h")
		return nil, false
	}
	return sla.FreeHours{Above: above}, ok
}

func (d *levelDraft) readPoolShare(v value) (sla.CreditScheme, bool) {
	o := v.object(poolShareSection)
	if o == nil {
		return nil, false
	}
	weight, _, ok := read(o, "weight", value.creditPercent)
	s := sla.PoolShare{Weight: weight}
	if at, given := o.get("critical"); given {
		if c := at.object(criticalSection); c != nil {
			below, belowAt, belowOK := read(c, "below", value.percent)
			if belowOK && d.targetOK && below.Cmp(d.level.Target) >= 0 {
				belowAt.error("bad-credit", belowAt.quoted()+" is not below the target "+quote(d.level.Target.String()), "make it lower")
			}
			s.CriticalBelow = below
			s.CriticalMultiplier, _, _ = read(c, "multiplier", value.positive)
		}
	}
	if at, given := o.get("repeat"); given {
		if r := at.object(repeatSection); r != nil {
			from, fromAt, fromOK := read(r, "from", value.count)
			if fromOK && from.number < 2 {
				fromAt.error("bad-count", fromAt.quoted()+" is not above 1", "write from: 2 for the second miss in a row")
			}
			s.RepeatFrom = from.number
			s.RepeatMultiplier, _, _ = read(r, "multiplier", value.positive)
		}
	}
	return s, ok
}
