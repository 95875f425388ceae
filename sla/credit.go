package sla

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// Credits are what a missed promise costs. Live rules follow the tiers; all the rest is
// for verdicts. Tiers and Schemes add up.
type Credits struct {
	Tiers       []CreditTier   // the highest threshold first; thresholds differ
	Schemes     []CreditScheme // further ways to owe, in the order of the reference
	Allowance   time.Duration  // bad time of a period that Schemes do not count
	Cap         *CreditCap     // the most that the level owes in a period
	Fee         *Fee           // nil: the agreement's
	Basis       string         // what percentages refer to, in words; "": as the agreement says
	NonStacking string         // of levels with the same name here, only the greatest credit is paid
	AsTime      bool           // the term is extended instead of money being paid
	Pos         Position
}

// Any returns whether the level can owe anything.
func (c Credits) Any() bool { return len(c.Tiers)+len(c.Schemes) > 0 }

// CreditTier is one tier: Percent is owed if the good share of the period is below
// Below. The tier with the lowest threshold that applies decides, so there are no gaps
// and no overlaps.
type CreditTier struct {
	Below   Decimal // percent: 99.9, or 100 for any failure at all
	AtMost  bool    // Percent is owed at exactly Below, too
	Percent Decimal // of the base: 10
	Pos     Position
}

// Owed returns whether the tier applies to a good share in per cent.
func (t CreditTier) Owed(good Decimal) bool {
	side := good.Cmp(t.Below)
	return side < 0 || side == 0 && t.AtMost
}

// Words says when the tier applies: "below 99.9 %", "at most 99.9 %".
func (t CreditTier) Words() string {
	if t.AtMost {
		return fmt.Sprintf("at most %s %%", t.Below)
	}
	return fmt.Sprintf("below %s %%", t.Below)
}

// Ratio is Below as a ratio: 0.999.
func (t CreditTier) Ratio() Decimal { return t.Below.Quo(hundred) }

// Budget is the share of bad beyond which the tier is owed: 1 - Below.
func (t CreditTier) Budget() Decimal { return NewDecimal(1, 1).Sub(t.Ratio()) }

// CreditPeriod is the period of the level's credits: its first calendar period, since
// contracts usually say the month, or else its first period.
func (l *ServiceLevel) CreditPeriod() Period {
	for _, p := range l.Periods() {
		if p.Calendar != "" {
			return p
		}
	}
	return l.Period
}

// CreditWords describes what is owed: "10 % below 99.9 %, 25 % below 99 %".
func (c Credits) CreditWords() string {
	words := make([]string, 0, len(c.Tiers)+len(c.Schemes))
	for _, t := range c.Tiers {
		words = append(words, fmt.Sprintf("%s %% %s", t.Percent, t.Words()))
	}
	for _, s := range c.Schemes {
		words = append(words, s.Words())
	}
	return strings.Join(words, ", ")
}

// BaseOf is what the percentages of a level's credits refer to: its fee for the period.
// ok is false if that is not known.
func (p CreditPolicy) BaseOf(l *ServiceLevel) (base Money, ok bool) {
	fee := l.Credits.Fee
	if fee == nil {
		fee = p.Fee
	}
	if fee == nil {
		return Money{}, false
	}
	return Money{fee.Of(l.CreditPeriod()), fee.Currency}, true
}

// BasisOf names what the percentages of a level's credits refer to.
func (p CreditPolicy) BasisOf(l *ServiceLevel) string {
	return cmp.Or(l.Credits.Basis, p.Basis, "the fee")
}
