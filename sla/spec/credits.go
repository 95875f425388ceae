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
		{key: "tiers", typ: valueType{name: "list of mappings", sample: `[{below: "99.9", percent: "10"}]`, sections: []*section{creditTierSection}, shape: listOf}, required: true, doc: "The steps. The lowest threshold that is undercut decides, so there are no gaps between them."},
	},
}

var creditTierSection = &section{
	name: "a credit tier",
	doc:  "A step of the credits.",
	fields: []field{
		{key: "below", typ: percentType, required: true, doc: "The tier applies while the period's good share is below this, in per cent. At exactly this value it does not."},
		{key: "percent", typ: valueType{name: "decimal in quotes, percent", sample: `"10"`, scalars: decimalType.scalars}, required: true, doc: "What is owed, in per cent of the base that the contract names. Above 0, at most 100."},
	},
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
			item.error("credit-tiers", fmt.Sprintf("two credit tiers are below %q, and only one can hold", tier.Below), "keep one of them")
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
	below, _, belowOK := read(o, "below", value.percent)
	percent, at, percentOK := read(o, "percent", value.decimal)
	if percentOK && (percent.Sign() <= 0 || percent.Cmp(sla.NewDecimal(100, 1)) > 0) {
		at.error("bad-credit", at.quoted()+" is not above 0 and at most 100", `write the share that is credited in per cent, e.g. "10"`)
		percentOK = false
	}
	return sla.CreditTier{Below: below, Percent: percent, Pos: v.pos()}, belowOK && percentOK
}

// lintCredits warns of tiers that do not fit the target or each other. Contracts have
// such tiers.
func (d *decoder) lintCredits(l *sla.ServiceLevel) {
	if len(l.Credits.Tiers) == 0 {
		return
	}
	first := l.Credits.Tiers[0]
	switch first.Below.Cmp(l.Target) {
	case 1:
		d.report(sla.Warning, first.Pos, "credit-tiers", fmt.Sprintf("credit is owed below %s %%, although the target of level %q is only %s %%", first.Below, l.ID.SLO, l.Target),
			fmt.Sprintf("begin at the target: below: %q", l.Target.String()))
	case -1:
		d.report(sla.Warning, first.Pos, "credit-tiers", fmt.Sprintf("from %s %% up to the target of %s %% level %q misses its target and owes nothing", first.Below, l.Target, l.ID.SLO),
			fmt.Sprintf("begin at the target, below: %q, if that is not meant", l.Target.String()))
	}
	for i, t := range l.Credits.Tiers[1:] {
		if before := l.Credits.Tiers[i]; t.Percent.Cmp(before.Percent) <= 0 {
			d.report(sla.Warning, t.Pos, "credit-tiers", fmt.Sprintf("below %s %% level %q owes %s %%, which is no more than the %s %% below %s %%", t.Below, l.ID.SLO, t.Percent, before.Percent, before.Below),
				"tiers are cumulative, the lowest decides: give the lower one the greater percentage, or leave it out")
		}
	}
}
