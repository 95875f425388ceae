package spec

import (
	"fmt"
	"slices"

	"github.com/upheld-sla/upheld/sla"
)

var creditsSection = &section{
	name: "credits",
	doc:  "What a missed target share costs. Credits follow the level's first calendar period, or its first period if it has none. Rules record what is owed and how far the next tier is: [credits](rules.md#credits).",
	fields: []field{
		{key: "tiers", typ: valueType{name: "list of mappings", sample: `[{below: "99.9", percent: "10"}]`, sections: []*section{creditTierSection}, shape: listOf}, required: true, doc: "The steps. The lowest threshold that is reached decides, so there are no gaps between them."},
	},
}

var creditTierSection = &section{
	name: "a credit tier",
	doc:  "A step of the credits.",
	fields: []field{
		{key: "below", typ: percentType, synonyms: []string{"lt", "lessThan", "under"}, doc: "The tier applies while the period's good share is below this, in per cent. At exactly this value it does not. `\"100\"` is any failure at all."},
		{key: "atMost", typ: percentType, synonyms: []string{"le", "lte", "upTo", "max"}, doc: "The tier applies while the period's good share is this or less. Instead of `below`."},
		{key: "percent", typ: valueType{name: "decimal in quotes, percent", sample: `"10"`, scalars: decimalType.scalars}, required: true, doc: "What is owed, in per cent of the base that the contract names. Above 0, at most 100."},
	},
	oneOf: [][]string{{"below", "atMost"}},
}

// readCredits reads the credit tiers of a level, and sorts them from the highest
// threshold down.
func (d *levelDraft) readCredits(at value) {
	l := d.level
	credits := at.object(creditsSection)
	if credits == nil {
		return
	}
	items, _, _ := read(credits, "tiers", value.list)
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
	if d.targetOK {
		at.d.lintCredits(l)
	}
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
	percent, at, percentOK := read(o, "percent", value.decimal)
	if percentOK && (percent.Sign() <= 0 || percent.Cmp(sla.NewDecimal(100, 1)) > 0) {
		at.error("bad-credit", at.quoted()+" is not above 0 and at most 100", `write the share that is credited in per cent, e.g. "10"`)
		percentOK = false
	}
	return sla.CreditTier{Below: below, AtMost: atMostOK, Percent: percent, Pos: v.pos()}, belowOK && percentOK
}
