package spec

import (
	"fmt"
	"slices"

	"github.com/upheld-sla/upheld/sla"
)

// creditScheme is a way to owe besides tiers: its key, and how it is read.
type creditScheme struct {
	read func(*levelDraft, value) (sla.CreditScheme, bool)
	field
}

// creditSchemes are all of them, in the order of the reference.
var creditSchemes = []creditScheme{
	{(*levelDraft).readProportional, field{key: "proportional", verdictOnly: true, typ: mapping(proportionalSection), example: `{multiplier: "10"}`, doc: "Owes the fee of the bad time, or a multiple of it. Of a level that counts events: of the bad share. Verdict only."}},
	{(*levelDraft).readPerBlock, field{key: "perBlock", verdictOnly: true, typ: mapping(perBlockSection), example: `{block: 30m, percent: "5", partOfBlock: counts}`, doc: "Owes an amount for each block of bad time. Verdict only."}},
	{(*levelDraft).readOutageBands, field{key: "outageBands", verdictOnly: true, typ: mapping(outageBandsSection), example: `{bands: [{from: 5m, days: "1"}]}`, doc: "Owes an amount by how long an outage is. Verdict only."}},
	{(*levelDraft).readOutageCount, field{key: "outageCount", verdictOnly: true, typ: stepsType, doc: "Owes an amount by how many outages the period has. The last step that is reached decides. Verdict only."}},
	{(*levelDraft).readFreeHours, field{key: "freeHours", verdictOnly: true, typ: mapping(freeHoursSection), example: "{above: 6m}", doc: "Owes the fee of each clock hour with too much bad time. Verdict only."}},
	{(*levelDraft).readPoolShare, field{key: "atRisk", verdictOnly: true, typ: mapping(poolShareSection), example: `{weight: "25"}`, doc: "Owes a share of `spec.creditPolicy.atRisk` if the target is missed. Verdict only."}},
}

var creditsSection = newCreditsSection()

func newCreditsSection() *section {
	s := &section{
		name: "credits",
		doc:  "What a missed promise costs. It needs at least one of `tiers`, `proportional`, `perBlock`, `outageBands`, `outageCount`, `freeHours` and `atRisk`; several add up. Credits follow the level's first calendar period, or its first period if it has none. Rules record what is owed by `tiers` and how far the next tier is: [credits](rules.md#credits). All other keys are for verdicts: [credits](credits.md).",
		fields: []field{
			{key: "tiers", typ: valueType{name: "list of mappings", sample: `[{below: "99.9", percent: "10"}]`, sections: []*section{creditTierSection}, shape: listOf}, doc: "Steps of the achieved share. The lowest threshold that is reached decides, so there are no gaps between them."},
		},
	}
	for _, k := range creditSchemes {
		s.fields = append(s.fields, k.field)
	}
	s.fields = append(s.fields,
		field{key: "allowance", verdictOnly: true, typ: durationType, example: "30m", doc: "Bad time of a period that costs nothing, for `proportional`, `perBlock` and `outageBands` over a period. Verdict only."},
		field{key: "cap", verdictOnly: true, typ: mapping(levelCapSection), example: `{percent: "50"}`, doc: "The most that the level owes in a period. Verdict only."},
		field{key: "fee", verdictOnly: true, typ: mapping(feeSection), example: `{amount: "1200.00", currency: EUR}`, def: "`spec.creditPolicy.fee`", doc: "What percentages are of. Of a level with groups: of each group. Verdict only."},
		field{key: "basis", verdictOnly: true, typ: textType, example: `"the monthly fee of the affected server"`, doc: "What percentages are of, in words, where the amount is not known here. Verdict only."},
		field{key: "nonStacking", verdictOnly: true, typ: nameType, example: "server", doc: "Of levels (and of the groups with equal labels) that have the same name here, only the greatest credit is paid. Verdict only."},
		field{key: "paidAs", verdictOnly: true, typ: oneOf("money", "time"), def: "money", doc: "`time`: the term is extended by the percentage of the period. It is reported, and not part of what is paid. Verdict only."},
	)
	return s
}

var creditTierSection = &section{
	name: "a credit tier",
	doc:  "A step of the credits.",
	fields: []field{
		{key: "below", typ: percentType, synonyms: []string{"lt", "lessThan", "under"}, doc: "The tier applies while the period's good share is below this, in per cent. At exactly this value it does not. `\"100\"` is any failure at all."},
		{key: "atMost", typ: percentType, synonyms: []string{"le", "lte", "upTo", "max"}, doc: "The tier applies while the period's good share is this or less. Instead of `below`."},
		{key: "percent", typ: creditPercentType, required: true, doc: "What is owed, in per cent of the base that the contract names. Above 0, at most 100."},
	},
	oneOf: [][]string{{"below", "atMost"}},
}

var creditPercentType = valueType{name: "decimal in quotes, percent", sample: `"10"`, scalars: decimalType.scalars}

// readCredits reads the credits of a level, and sorts tiers from the highest threshold
// down.
func (d *levelDraft) readCredits(at value) {
	l := d.level
	credits := at.object(creditsSection)
	if credits == nil {
		return
	}
	l.Credits.Pos = at.d.pos(at.key)
	d.readTiers(credits)
	for _, k := range creditSchemes {
		if v, given := credits.get(k.key); given {
			if scheme, ok := k.read(d, v); ok {
				l.Credits.Schemes = append(l.Credits.Schemes, scheme)
			}
		}
	}
	d.readCreditTerms(credits)
	ways := []string{"tiers"}
	for _, k := range creditSchemes {
		ways = append(ways, k.key)
	}
	if len(credits.given(slices.Clone(ways)...)) == 0 {
		at.d.errorAt(at.key, "no-credits", "credits say not what is owed", `add tiers: [{below: "99.9", percent: "10"}], or another of `+list(ways[1:]))
	}
	if d.targetOK {
		at.d.lintCredits(l)
	}
}

func (d *levelDraft) readTiers(credits *object) {
	l := d.level
	items, _, _ := read(credits, "tiers", limitedList(50))
	for _, item := range items {
		item.name = "a credit tier"
		tier, ok := decodeCreditTier(item)
		if !ok {
			continue
		}
		if i := slices.IndexFunc(l.Credits.Tiers, func(t sla.CreditTier) bool { return t.Below.Cmp(tier.Below) == 0 }); i >= 0 {
			item.error("credit-tiers", fmt.Sprintf("two credit tiers have the threshold %q, and only one can hold", tier.Below), "keep one of them")
			continue
		}
		l.Credits.Tiers = append(l.Credits.Tiers, tier)
	}
	slices.SortFunc(l.Credits.Tiers, func(a, b sla.CreditTier) int { return b.Below.Cmp(a.Below) })
}

func decodeCreditTier(v value) (sla.CreditTier, bool) {
	o := v.object(creditTierSection)
	if o == nil {
		return sla.CreditTier{}, false
	}
	below, _, belowOK := read(o, "below", value.percentOrAll)
	atMost, _, atMostOK := read(o, "atMost", value.percent)
	if atMostOK {
		below, belowOK = atMost, true
	}
	percent, _, percentOK := read(o, "percent", value.creditPercent)
	return sla.CreditTier{Below: below, AtMost: atMostOK, Percent: percent, Pos: v.pos()}, belowOK && percentOK
}

// creditPercent parses a percentage above 0 and at most 100.
func (v value) creditPercent() (sla.Decimal, bool) {
	percent, ok := v.decimal()
	if ok && (percent.Sign() <= 0 || percent.Cmp(sla.NewDecimal(100, 1)) > 0) {
		v.error("bad-credit", v.quoted()+" is not above 0 and at most 100", `write the share that is credited in per cent, e.g. "10"`)
		return percent, false
	}
	return percent, ok
}

// positive parses a decimal above 0.
func (v value) positive() (sla.Decimal, bool) {
	d, ok := v.decimal()
	if ok && d.Sign() <= 0 {
		v.error("bad-credit", v.quoted()+" is not above 0", "write e.g. "+v.field.sample())
		return d, false
	}
	return d, ok
}

// readCreditTerms reads the limits of the level's credits, and what percentages refer to.
func (d *levelDraft) readCreditTerms(credits *object) {
	c := &d.level.Credits
	if allowance, at, ok := read(credits, "allowance", value.duration); ok {
		c.Allowance = allowance
		if !slices.ContainsFunc(c.Schemes, countsAllBadTime) {
			at.error("bad-credit", "allowance is bad time that costs nothing, and nothing here counts the bad time of a period", "leave it out, or write proportional or perBlock")
		}
	}
	c.Cap = decodeLevelCap(credits)
	c.Fee = decodeFee(credits)
	c.Basis, _, _ = read(credits, "basis", value.text)
	c.NonStacking, _, _ = read(credits, "nonStacking", value.identifier)
	paidAs, _, _ := read(credits, "paidAs", word("money", "time"))
	c.AsTime = paidAs == "time"
	if at, given := credits.get("atRisk"); given && c.Fee != nil {
		at.d.errorAt(at.key, "bad-credit", "what is at risk is a share of the agreement's fee, and this level has its own", "leave out fee, or write tiers instead of atRisk")
	}
}

// countsAllBadTime returns whether a scheme counts all bad time of a period.
func countsAllBadTime(s sla.CreditScheme) bool {
	switch s := s.(type) {
	case sla.Proportional:
		return true
	case sla.PerBlock:
		return !s.PerOutage
	case sla.OutageBands:
		return s.PerPeriod
	}
	return false
}
