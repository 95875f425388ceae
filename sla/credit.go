package sla

import (
	"fmt"
	"strings"
)

// Credits are what a missed target costs, in per cent of the base that the contract
// names.
type Credits struct {
	Tiers []CreditTier // the highest threshold first; thresholds differ
}

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

// CreditWords describes the credits: "10 % below 99.9 %, 25 % below 99 %".
func (c Credits) CreditWords() string {
	words := make([]string, 0, len(c.Tiers))
	for _, t := range c.Tiers {
		words = append(words, fmt.Sprintf("%s %% %s", t.Percent, t.Words()))
	}
	return strings.Join(words, ", ")
}
