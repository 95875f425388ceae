package credit

import (
	"fmt"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

var (
	zero    = sla.Decimal{}
	one     = sla.NewDecimal(1, 1)
	hundred = sla.NewDecimal(100, 1)
)

// Settle calculates what is owed for a period. Each level's claim is limited first.
// Then the levels are combined, and their sum is limited, compared with the minimum,
// and rounded once.
func Settle(in Input) Settlement {
	t := settlement{Input: in, out: Settlement{Levels: make([]LevelCredit, len(in.Levels))}}
	t.findBase()
	var owed []claim
	for i, l := range in.Levels {
		if !l.Level.Credits.Any() {
			continue
		}
		c := t.level(l)
		t.out.Levels[i] = c.LevelCredit
		t.out.ExtendedBy = t.out.ExtendedBy.Add(c.Days)
		if c.value.Sign() > 0 && c.Days.Sign() == 0 {
			c.index = i
			owed = append(owed, c)
		}
	}
	if c, ok := t.breachCount(); ok {
		owed = append(owed, c)
	}
	t.combine(owed)
	t.limit()
	t.earnBack()
	t.finish()
	return t.out
}

// settlement is a Settlement under construction. value is the amount owed so far, in
// money if the fee is known, and otherwise in per cent of it.
type settlement struct {
	Input
	out    Settlement
	base   sla.Decimal // the fee of the whole agreement, or 100
	value  sla.Decimal
	capped []string
	words  []string // sentences
}

// claim is what a level owes on its own.
type claim struct {
	LevelCredit
	index  int // in Input.Levels; -1: the agreement as a whole
	name   string
	value  sla.Decimal
	causes []string
	group  string // only the greatest claim of a group is paid; "" is no group
}

// findBase finds the fee for percentages of the whole agreement: the agreement's, or
// else the sum of its levels' fees.
func (t *settlement) findBase() {
	t.base = hundred
	if t.Policy.Fee != nil {
		t.out.InMoney, t.out.Currency, t.base = true, t.Policy.Fee.Currency, t.Policy.Fee.Of(t.Period)
		return
	}
	sum := zero
	for _, l := range t.Levels {
		if base, ok := t.Policy.BaseOf(l.Level); ok && l.Level.Credits.Any() {
			t.out.InMoney, t.out.Currency, sum = true, base.Currency, sum.Add(base.Amount)
		}
	}
	if t.out.InMoney {
		t.base = sum
	}
}

// baseOf is the fee for a level's percentages, with its description.
func (t *settlement) baseOf(l Level) (sla.Decimal, string) {
	if base, ok := t.Policy.BaseOf(l.Level); ok && t.out.InMoney {
		return base.Amount, base.String()
	}
	return hundred, t.Policy.BasisOf(l.Level)
}

// show is a value as text: "120.00 EUR", "10 %".
func (t *settlement) show(value sla.Decimal) string {
	if t.out.InMoney {
		return sla.Money{Amount: value, Currency: t.out.Currency}.String()
	}
	return percent(value)
}

// level is what a level owes on its own.
func (t *settlement) level(l Level) claim {
	c := claim{name: l.key(), causes: l.causes(), group: l.Level.Credits.NonStacking}
	if c.group != "" {
		c.group += " " + l.Group
	}
	if !l.Known {
		c.Words = "Not decided: whether the promise was kept is not known."
		return c
	}
	var reasons []string
	for _, o := range t.owedBy(l) {
		c.Percent = c.Percent.Add(o.percent)
		reasons = append(reasons, o.words+": "+percent(o.percent))
	}
	if len(reasons) == 0 {
		c.Words = l.nothing()
		return c
	}
	base, of := t.baseOf(l)
	var words strings.Builder
	words.WriteString(strings.Join(reasons, "; "))
	if len(reasons) > 1 {
		words.WriteString("; together " + percent(c.Percent))
	}
	limits := t.capsOf(sla.CapLevel)
	if own := l.Level.Credits.Cap; own != nil {
		limits = append([]sla.CreditCap{*own}, limits...)
	}
	for _, limit := range limits {
		if most := percentOf(limit, base); c.Percent.Cmp(most) > 0 {
			c.Percent = most
			words.WriteString(", but " + limit.Words() + ": " + percent(most))
		}
	}
	c.value = c.Percent.Mul(base).Quo(hundred)
	switch {
	case l.Level.Credits.AsTime:
		c.Days = c.Percent.Mul(t.days()).Quo(hundred)
		fmt.Fprintf(&words, " of the period: the term is extended by %s", days(c.Days))
	case t.out.InMoney:
		c.Amount = c.value
		fmt.Fprintf(&words, " of %s = %s", of, t.show(c.value))
	default:
		words.WriteString(" of " + of)
	}
	c.Words = words.String() + "."
	return c
}

// capsOf are the agreement's caps for a span, in declared order.
func (t *settlement) capsOf(span sla.CapSpan) []sla.CreditCap {
	var caps []sla.CreditCap
	for _, c := range t.Policy.Caps {
		if c.Per == span {
			caps = append(caps, c)
		}
	}
	return caps
}

// percentOf is a cap in per cent of a base.
func percentOf(c sla.CreditCap, base sla.Decimal) sla.Decimal {
	if c.Amount == nil {
		return c.Percent
	}
	if base.Sign() == 0 {
		return zero
	}
	return c.Amount.Amount.Mul(hundred).Quo(base)
}

// breachCount is what is owed for the number of levels that missed their target.
func (t *settlement) breachCount() (claim, bool) {
	missed := 0
	for _, l := range t.Levels {
		if l.Known && !l.Met {
			missed++
		}
	}
	step, ok := reached(t.Policy.BreachCount, missed)
	if !ok {
		return claim{}, false
	}
	share := t.percentFor(step.CreditAmount)
	noun := "levels"
	if missed == 1 {
		noun = "level"
	}
	t.words = append(t.words, fmt.Sprintf("%d %s below target: %s", missed, noun, percent(share)))
	return claim{index: -1, name: "the number of breaches", value: share.Mul(t.base).Quo(hundred)}, true
}
