package sla

import (
	"fmt"
	"strings"
)

// Credits are what a missed target costs, in per cent of whatever the contract
// takes as its base: amounts of money are not known here.
type Credits struct {
	Tiers []CreditTier // the highest threshold first, each another
}

// CreditTier is one step: while the good share of the period is below Below,
// Percent is owed. Thresholds are cumulative: the lowest that is undercut
// decides, so there can be no gap and no overlap.
type CreditTier struct {
	Below   Decimal // percent: 99.9
	Percent Decimal // of the base: 10
	Pos     Position
}

// Budget is the share of bad beyond which the tier is owed: 1 - Below.
func (t CreditTier) Budget() Decimal { return NewDecimal(1, 1).Sub(t.Below.Quo(hundred)) }

// CreditPeriod is the period that the level's credits hang on: its first
// calendar period, as contracts say the month, or else its first.
func (l *ServiceLevel) CreditPeriod() Period {
	for _, p := range l.Periods() {
		if p.Calendar != "" {
			return p
		}
	}
	return l.Period
}

// CreditWords say what is owed: "10 % below 99.9 %, 25 % below 99 %".
func (c Credits) CreditWords() string {
	words := make([]string, 0, len(c.Tiers))
	for _, t := range c.Tiers {
		words = append(words, fmt.Sprintf("%s %% below %s %%", t.Percent, t.Below))
	}
	return strings.Join(words, ", ")
}
