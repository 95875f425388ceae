package spec

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// periodDeadlines are the ways to write a deadline by periods.
var periodDeadlines = []string{"end_of_next_period", "end_of_second_period_after"}

var creditPolicySection = &section{
	name: "creditPolicy",
	doc:  "How what the levels owe becomes what is paid. Only verdicts follow it: [credits](credits.md).",
	fields: []field{
		{key: "fee", typ: mapping(feeSection), example: `{amount: "1200.00", currency: EUR, per: month}`, doc: "What percentages are of. Without it, credits are percentages."},
		{key: "basis", typ: textType, def: "the fee", example: `"the charges of the billing cycle"`, doc: "What percentages are of, in words."},
		{key: "dayOfFee", typ: oneOf("nominal", "actual"), def: "nominal", doc: "How much of a period's fee is a day's: 1/30 of a month's (`nominal`; 1/7 of a week's, 1/90 and 1/365 of a quarter's and a year's), or 1/31 of a month of 31 days (`actual`)."},
		{key: "combine", typ: oneOf(namesOf(sla.Combines())...), def: "sum", doc: "What is paid of what several levels owe. " + docOf(sla.Combines())},
		{key: "dedupeBy", typ: oneOf("cause"), doc: "`cause`: of levels that failed for the same cause, as a composite and its component, only the greatest credit is paid. Without it, each is paid."},
		{key: "breachCount", typ: stepsType, doc: "Owes an amount by how many levels missed their target in the period, besides what the levels owe. The last step that is reached decides."},
		{key: "atRisk", typ: creditPercentType, example: `"12"`, doc: "How much of the fee is at risk in a period, in per cent. Levels with `atRisk` owe shares of it, and it limits what is owed."},
		{key: "caps", typ: valueType{name: "list of mappings", sample: `[{per: period, percent: "50"}]`, sections: []*section{creditCapSection}, shape: listOf}, doc: "The most that is owed. They apply in this order, those of levels before credits are added up."},
		{key: "minimumPayout", typ: mapping(minimumPayoutSection), example: `{amount: "1.00", currency: USD}`, doc: "Credits below it are not paid."},
		{key: "earnBack", typ: mapping(earnBackSection), example: "{rule: all_met, after: 3}", doc: "How the provider gets credits back. Without it, it does not."},
		{key: "claim", typ: mapping(creditClaimSection), example: "{deadline: 30d}", doc: "Credits must be claimed. Without it, they are given without being asked for."},
	},
}

var minimumPayoutSection = &section{
	name: "minimumPayout",
	doc:  "The smallest credit that is paid.",
	fields: append(moneyFields[:2:2],
		field{key: "comparison", typ: oneOf("gt", "ge"), def: "gt", doc: "Whether a credit must be greater than the amount, or exactly the amount is paid (`ge`)."}),
}

var earnBackSection = &section{
	name: "earnBack",
	doc:  "How the provider gets credits back.",
	fields: []field{
		{key: "rule", typ: oneOf("all_met", "yearly_average"), required: true, doc: "`all_met`: every level meets its target in the next `after` periods. `yearly_average`: at the end of a calendar year, the mean of its periods reaches the target of every level; then all credits of the year are earned back."},
		{key: "after", typ: valueType{name: "whole number", sample: "3", scalars: []schema{{"type": "integer", "minimum": 1, "maximum": 120}}}, doc: "How many periods, for `all_met`."},
	},
}

var creditClaimSection = &section{
	name: "claim of credits",
	doc:  "Until when, and with what, the customer must claim credits.",
	fields: []field{
		{key: "deadline", typ: valueType{name: "days, or one of " + either(periodDeadlines), sample: "30d", scalars: []schema{{"type": "string", "enum": periodDeadlines}, {"type": "string", "pattern": "^[0-9]+d$"}}}, required: true, doc: "How many days after the period's last day, or until the end of which period."},
		{key: "evidence", typ: valueType{name: "list of texts", sample: "[request logs]", scalars: textType.scalars, shape: listOf}, doc: "What a claim needs, in words."},
	},
}

var terminationSection = &section{
	name: "terminationRight",
	doc:  "When the customer may end the agreement: after so many breached periods of the last ones, the judged one included.",
	fields: []field{
		{key: "breached", typ: valueType{name: "whole number", sample: "3", scalars: []schema{{"type": "integer", "minimum": 1}}}, required: true, doc: "How many periods were breached. As many as `ofPeriods` is all of them in a row."},
		{key: "ofPeriods", typ: valueType{name: "whole number", sample: "6", scalars: []schema{{"type": "integer", "minimum": 1, "maximum": maxHistory}}}, required: true, doc: "Of how many periods, the last ones."},
		{key: "sameLevel", typ: booleanType, def: "false", doc: "`true`: one and the same level must have missed its target in each of them; otherwise any."},
	},
}

// maxHistory bounds how far back an agreement looks.
const maxHistory = 120

// decodeCreditPolicy reads spec.creditPolicy and spec.terminationRight.
func decodeCreditPolicy(o *object, a *sla.Agreement) {
	if at, given := o.get("creditPolicy"); given {
		if p := at.object(creditPolicySection); p != nil {
			a.CreditPolicy = creditPolicyOf(p)
			a.CreditPolicy.Pos = at.d.pos(at.key)
		}
	}
	if at, given := o.get("terminationRight"); given {
		a.Termination = decodeTermination(at)
	}
}

func creditPolicyOf(o *object) sla.CreditPolicy {
	p := sla.CreditPolicy{Fee: decodeFee(o)}
	p.Basis, _, _ = read(o, "basis", value.text)
	if day, _, _ := read(o, "dayOfFee", word("nominal", string(sla.ActualDay))); day == string(sla.ActualDay) {
		p.DayOfFee = sla.ActualDay
	}
	p.Combine, _, _ = read(o, "combine", word(sla.Combines()...))
	_, _, p.OneCause = read(o, "dedupeBy", word("cause"))
	p.BreachCount, _, _ = read(o, "breachCount", parseCreditSteps)
	p.AtRisk, _, _ = read(o, "atRisk", value.creditPercent)
	items, _, _ := read(o, "caps", limitedList(50))
	for _, item := range items {
		item.name = "a credit cap"
		x := item.object(creditCapSection)
		if x == nil {
			continue
		}
		per, _, ok := read(x, "per", word(sla.CapSpans()...))
		if c, capOK := readCap(x); ok && capOK {
			c.Per = per
			p.Caps = append(p.Caps, c)
		}
	}
	if at, given := o.get("minimumPayout"); given {
		if x := at.object(minimumPayoutSection); x != nil {
			money, ok := readMoney(x)
			comparison, _, _ := read(x, "comparison", word("gt", "ge"))
			if ok {
				p.Minimum = &sla.Minimum{Money: money, OrEqual: comparison == "ge"}
			}
		}
	}
	p.EarnBack = decodeEarnBack(o)
	p.Claim = decodeCreditClaim(o)
	return p
}

func decodeEarnBack(o *object) *sla.EarnBack {
	at, given := o.get("earnBack")
	if !given {
		return nil
	}
	x := at.object(earnBackSection)
	if x == nil {
		return nil
	}
	rule, _, ok := read(x, "rule", word("all_met", "yearly_average"))
	after, afterAt, afterOK := read(x, "after", value.count)
	_, afterGiven := x.get("after")
	switch {
	case !ok || afterGiven && !afterOK:
		return nil
	case rule == "all_met" && !afterGiven:
		x.missing(`"after" is missing in earnBack with all_met`, "add after: 3")
		return nil
	case rule != "all_met" && afterGiven:
		afterAt.d.errorAt(afterAt.key, "conflicting-keys", "after goes with all_met", "leave it out")
		return nil
	case afterGiven && (after.number < 1 || after.number > maxHistory):
		afterAt.error("bad-count", fmt.Sprintf("%s is not from 1 to %d", afterAt.quoted(), maxHistory), "write e.g. after: 3")
		return nil
	}
	return &sla.EarnBack{After: after.number}
}

func decodeCreditClaim(o *object) *sla.CreditClaim {
	at, given := o.get("claim")
	if !given {
		return nil
	}
	x := at.object(creditClaimSection)
	if x == nil {
		return nil
	}
	c := &sla.CreditClaim{Pos: at.d.pos(at.key)}
	deadline, deadlineAt, ok := read(x, "deadline", value.text)
	c.Evidence, _, _ = read(x, "evidence", value.texts)
	if !ok {
		return nil
	}
	if c.Periods = slices.Index(periodDeadlines, deadline) + 1; c.Periods > 0 {
		return c
	}
	days, found := strings.CutSuffix(deadline, "d")
	n, err := strconv.Atoi(days)
	if !found || err != nil || n < 1 || n > 3660 {
		deadlineAt.error("bad-value", deadlineAt.quoted()+" is no number of days from 1d to 3660d, and not "+either(periodDeadlines), "write deadline: 30d")
		return nil
	}
	c.Days = n
	return c
}

func decodeTermination(at value) *sla.TerminationRight {
	x := at.object(terminationSection)
	if x == nil {
		return nil
	}
	breached, breachedAt, ok := read(x, "breached", value.count)
	of, ofAt, ofOK := read(x, "ofPeriods", value.count)
	same, _, _ := read(x, "sameLevel", value.boolean)
	switch {
	case !ok || !ofOK:
		return nil
	case of.number < 1 || of.number > maxHistory:
		ofAt.error("bad-count", fmt.Sprintf("%s is not from 1 to %d", ofAt.quoted(), maxHistory), "write e.g. ofPeriods: 6")
		return nil
	case breached.number < 1 || breached.number > of.number:
		breachedAt.error("bad-count", fmt.Sprintf("%s is not from 1 to the %d of ofPeriods", breachedAt.quoted(), of.number), "write e.g. breached: 3")
		return nil
	}
	return &sla.TerminationRight{Breached: breached.number, OfPeriods: of.number, SameLevel: same, Pos: at.d.pos(at.key)}
}

// checkCredits reports what does not fit between the credits of the levels and the
// agreement's policy.
func (d *decoder) checkCredits(a *sla.Agreement) {
	p := a.CreditPolicy
	var withFee, without []*sla.ServiceLevel
	stacking := map[string]int{}
	owes, pool := len(p.BreachCount) > 0, false
	for _, l := range a.Levels {
		if !l.Credits.Any() {
			continue
		}
		owes = true
		if stacking[l.Credits.NonStacking]++; l.Credits.Fee != nil {
			withFee = append(withFee, l)
		} else {
			without = append(without, l)
		}
		for _, s := range l.Credits.Schemes {
			if _, is := s.(sla.PoolShare); is {
				pool = true
				if p.AtRisk.Sign() == 0 {
					d.report(sla.Error, l.Credits.Pos, "bad-credit", fmt.Sprintf("level %q has a weight, and nothing is at risk", l.ID.SLO), `add spec.creditPolicy: {atRisk: "12"}`)
				}
			}
		}
	}
	if p.Fee == nil && len(withFee) > 0 && len(without) > 0 {
		d.report(sla.Error, without[0].Credits.Pos, "no-fee", fmt.Sprintf("level %q has no fee, and level %q has one: their credits cannot be added up", without[0].ID.SLO, withFee[0].ID.SLO),
			"give it a fee too, or write spec.creditPolicy.fee")
	}
	for _, l := range a.Levels {
		if name := l.Credits.NonStacking; name != "" && stacking[name] == 1 && len(l.GroupBy.Labels) == 0 {
			d.report(sla.Warning, l.Credits.Pos, "unused-non-stacking", fmt.Sprintf("no other level has nonStacking: %s, so nothing is left out", name), "give it to the levels whose credits do not add up, or leave it out")
		}
	}
	if p.Pos != (sla.Position{}) {
		d.checkPolicy(p, owes, pool)
	}
	d.checkAmounts(a)
}

// checkPolicy warns of a policy that nothing follows.
func (d *decoder) checkPolicy(p sla.CreditPolicy, owes, pool bool) {
	if !owes {
		d.report(sla.Warning, p.Pos, "unused-credit-policy", "no level of the agreement has credits", "give levels credits, or leave creditPolicy out")
		return
	}
	if p.AtRisk.Sign() > 0 && !pool {
		d.report(sla.Warning, p.Pos, "unused-credit-policy", "no level has a weight in what is at risk", `give levels credits: {atRisk: {weight: "25"}}, or write a cap instead`)
	}
	if p.Minimum != nil && !d.feeGiven {
		d.report(sla.Error, p.Pos, "no-fee", "minimumPayout is an amount, and no fee says what percentages are in money", "add spec.creditPolicy.fee")
	}
}

// checkAmounts reports caps that are amounts where no fee is known.
func (d *decoder) checkAmounts(a *sla.Agreement) {
	if d.feeGiven {
		return
	}
	caps := slices.Clone(a.CreditPolicy.Caps)
	for _, l := range a.Levels {
		if l.Credits.Cap != nil {
			caps = append(caps, *l.Credits.Cap)
		}
	}
	for _, c := range caps {
		if c.Amount != nil {
			d.report(sla.Error, c.Pos, "no-fee", "this cap is an amount, and no fee says what percentages are in money", "write it in per cent, or add spec.creditPolicy.fee")
		}
	}
}
