package credit

import (
	"fmt"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// owing is one reason for which a level owes a percentage of its base.
type owing struct {
	percent sla.Decimal
	words   string
}

// owedBy returns all reasons why a level owes something.
func (t *settlement) owedBy(l Level) []owing {
	var all []owing
	add := func(o owing) {
		if o.percent.Sign() > 0 {
			all = append(all, o)
		}
	}
	add(l.tier())
	for _, s := range l.Level.Credits.Schemes {
		add(t.scheme(l, s))
	}
	return all
}

// tier is the lowest tier that the level has reached.
func (l Level) tier() owing {
	good := l.Achieved.Mul(hundred)
	var o owing
	for _, tier := range l.Level.Credits.Tiers {
		if tier.Owed(good) {
			o = owing{tier.Percent, share(good) + " is " + tier.Words()}
		}
	}
	return o
}

// scheme is what a level owes by one of its schemes besides tiers.
func (t *settlement) scheme(l Level, s sla.CreditScheme) owing {
	bad := l.Bad.Sub(sla.Seconds(l.Level.Credits.Allowance))
	if bad.Sign() < 0 {
		bad = zero
	}
	switch s := s.(type) {
	case sla.Proportional:
		return l.proportional(s, bad)
	case sla.PerBlock:
		return t.perBlock(l, s, bad)
	case sla.OutageBands:
		return t.bands(l, s, bad)
	case sla.OutageSteps:
		step, _ := reached(s.Steps, len(l.counted()))
		return owing{t.percentFor(step.CreditAmount), number(len(l.counted()), "outage")}
	case sla.FreeHours:
		return t.freeHours(l, s)
	case sla.PoolShare:
		return t.poolShare(l, s)
	}
	panic(fmt.Sprintf("credit: a scheme of type %T", s)) // TestEverySchemeIsSettled
}

// proportional owes the fee for the bad time, or for the bad share of a level that
// counts events.
func (l Level) proportional(s sla.Proportional, bad sla.Decimal) owing {
	lost, words := one.Sub(l.Achieved), share(l.Achieved.Mul(hundred))+" was good"
	if l.Agreed.Sign() > 0 {
		lost, words = bad.Quo(l.Agreed), span(l.Bad)+" bad of "+span(l.Agreed)
		if bad.Cmp(l.Bad) < 0 {
			words += ", of which " + span(sla.Seconds(l.Level.Credits.Allowance)) + " are free"
		}
	}
	if s.Multiplier.Cmp(one) != 0 {
		words += ", times " + s.Multiplier.String()
	}
	return owing{lost.Mul(s.Multiplier).Mul(hundred), words}
}

// perBlock counts blocks of bad time, in the period or in each outage.
func (t *settlement) perBlock(l Level, s sla.PerBlock, bad sla.Decimal) owing {
	each, words := []sla.Decimal{bad}, span(bad)+" bad"
	if s.PerOutage {
		each, words = l.counted(), number(len(l.counted()), "outage")
	}
	blocks := zero
	for _, seconds := range each {
		blocks = blocks.Add(wholes(seconds.Quo(sla.Seconds(s.Block)), s.PartCounts))
	}
	kind := "full"
	if s.PartCounts {
		kind = "begun"
	}
	noun := "blocks"
	if blocks.Cmp(one) == 0 {
		noun = "block"
	}
	return owing{t.percentFor(s.CreditAmount).Mul(blocks), fmt.Sprintf("%s, %s %s %s of %s", words, blocks, kind, noun, sla.FormatDuration(s.Block))}
}

// wholes is a number of blocks, rounded down, or up if a part counts.
func wholes(blocks sla.Decimal, partCounts bool) sla.Decimal {
	down := sla.MustDecimal(blocks.RoundedDown(0))
	if partCounts && down.Cmp(blocks) < 0 {
		return down.Add(one)
	}
	return down
}

// bands owes for each outage the longest band that it reaches.
func (t *settlement) bands(l Level, s sla.OutageBands, bad sla.Decimal) owing {
	each, words := l.counted(), ""
	if s.PerPeriod {
		each, words = []sla.Decimal{bad}, span(bad)+" bad"
	}
	o := owing{}
	for _, seconds := range each {
		amount := sla.CreditAmount{}
		for _, b := range s.Bands {
			if side := seconds.Cmp(sla.Seconds(b.Length)); side > 0 || side == 0 && !b.Above {
				amount = b.CreditAmount
			}
		}
		if amount == (sla.CreditAmount{}) {
			continue
		}
		o.percent = o.percent.Add(t.percentFor(amount))
		if !s.PerPeriod {
			if words != "" {
				words += ", "
			}
			words += "an outage of " + span(seconds) + " owes " + amount.Words()
		}
	}
	o.words = words
	return o
}

// freeHours owes the fee of each clock hour with too much bad time.
func (t *settlement) freeHours(l Level, s sla.FreeHours) owing {
	free := int64(0)
	for _, seconds := range l.BadByHour {
		if seconds.Cmp(sla.Seconds(s.Above)) > 0 {
			free++
		}
	}
	hours := sla.Seconds(t.End.Sub(t.Start)).Quo(sla.Seconds(time.Hour))
	return owing{
		sla.NewDecimal(free, 1).Mul(hundred).Quo(hours),
		fmt.Sprintf("%s with more than %s bad of %s", number(int(free), "clock hour"), sla.FormatDuration(s.Above), hours.Rounded(2)),
	}
}

// poolShare owes the level's share of the amount at risk if the target is missed.
func (t *settlement) poolShare(l Level, s sla.PoolShare) owing {
	if l.Met {
		return owing{}
	}
	p := t.Policy.AtRisk.Mul(s.Weight).Quo(hundred)
	words := fmt.Sprintf("%s is below %s %%, %s %% of the %s %% at risk", share(l.Achieved.Mul(hundred)), l.Level.Target, s.Weight, t.Policy.AtRisk)
	if s.CriticalBelow.Sign() > 0 && l.Achieved.Mul(hundred).Cmp(s.CriticalBelow) < 0 {
		p = p.Mul(s.CriticalMultiplier)
		words += fmt.Sprintf(", times %s below %s %%", s.CriticalMultiplier, s.CriticalBelow)
	}
	if row := t.missesInARow(l); s.RepeatFrom > 0 && row >= s.RepeatFrom {
		p = p.Mul(s.RepeatMultiplier)
		words += fmt.Sprintf(", times %s for %d misses in a row", s.RepeatMultiplier, row)
	}
	return owing{p, words}
}

// reached is the last step that a number has reached.
func reached(steps []sla.CreditStep, n int) (step sla.CreditStep, ok bool) {
	for _, s := range steps {
		if n >= s.From {
			step, ok = s, true
		}
	}
	return step, ok
}

// percentFor is an amount in per cent of the base: days are shares of the period.
func (t *settlement) percentFor(a sla.CreditAmount) sla.Decimal {
	if a.Days.Sign() == 0 {
		return a.Percent
	}
	return a.Days.Mul(hundred).Quo(t.days())
}

// days is how many days of the fee the period has.
func (t *settlement) days() sla.Decimal {
	length := t.Period.Nominal()
	if t.Policy.DayOfFee == sla.ActualDay {
		length = t.End.Sub(t.Start)
	}
	return sla.Seconds(length).Quo(sla.Seconds(24 * time.Hour))
}

// counted returns the bad seconds of each outage with any.
func (l Level) counted() []sla.Decimal {
	var all []sla.Decimal
	for _, o := range l.Outages {
		if o.Counted.Sign() > 0 {
			all = append(all, o.Counted)
		}
	}
	return all
}
