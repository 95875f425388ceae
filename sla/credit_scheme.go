package sla

import (
	"fmt"
	"strings"
	"time"
)

// CreditScheme is a way in which a level owes credit besides tiers of its achieved share.
// Only verdicts follow them.
type CreditScheme interface {
	Words() string // for people
}

// CreditAmount is what one step owes: a percentage of the base, or the fee of so many
// days. One of them is above 0.
type CreditAmount struct {
	Percent Decimal
	Days    Decimal
}

// Words are the amount for people: "5 %", "the fee of 7 days".
func (a CreditAmount) Words() string {
	if a.Days.Sign() == 0 {
		return a.Percent.String() + " %"
	}
	if a.Days.Cmp(NewDecimal(1, 1)) == 0 {
		return "the fee of 1 day"
	}
	return fmt.Sprintf("the fee of %s days", a.Days)
}

// CreditStep owes its amount from a number of things on; the last step that is reached
// decides.
type CreditStep struct {
	From int
	CreditAmount
	Pos Position
}

// Proportional credit is the fee of the bad time, times Multiplier.
type Proportional struct{ Multiplier Decimal }

// Words describe the scheme.
func (p Proportional) Words() string {
	if p.Multiplier.Cmp(NewDecimal(1, 1)) == 0 {
		return "the fee of the bad time"
	}
	return p.Multiplier.String() + " times the fee of the bad time"
}

// PerBlock credit is an amount for each block of bad time.
type PerBlock struct {
	Block time.Duration
	CreditAmount
	PartCounts bool // a part of a block counts as one ("or part thereof"); otherwise it counts nothing
	PerOutage  bool // blocks are counted in each outage; otherwise in all bad time of the period
}

// Words describe the scheme.
func (p PerBlock) Words() string {
	what := "bad time of the period"
	if p.PerOutage {
		what = "each outage"
	}
	if p.PartCounts {
		return fmt.Sprintf("%s for every %s of %s or part of it", p.CreditAmount.Words(), FormatDuration(p.Block), what)
	}
	return fmt.Sprintf("%s for every full %s of %s", p.CreditAmount.Words(), FormatDuration(p.Block), what)
}

// OutageBands owe the amount of the longest band that an outage reaches.
type OutageBands struct {
	Bands     []OutageBand // ascending
	PerPeriod bool         // all bad time of the period is one outage
}

// OutageBand is reached by outages of at least Length, or above it.
type OutageBand struct {
	Length time.Duration
	Above  bool // an outage of exactly Length does not reach it
	CreditAmount
	Pos Position
}

// Words describe the scheme.
func (o OutageBands) Words() string {
	what := "an outage"
	if o.PerPeriod {
		what = "the bad time of the period"
	}
	steps := make([]string, len(o.Bands))
	for i, b := range o.Bands {
		from := "from"
		if b.Above {
			from = "above"
		}
		steps[i] = fmt.Sprintf("%s %s %s", b.Words(), from, FormatDuration(b.Length))
	}
	return "for " + what + " " + strings.Join(steps, ", ")
}

// OutageSteps owes by how many outages a period has.
type OutageSteps struct{ Steps []CreditStep }

// Words describe the scheme.
func (o OutageSteps) Words() string { return StepWords(o.Steps, "outage") }

// StepWords describe steps by a number of things: "5 % from 1 outage on, 10 % from 3".
func StepWords(steps []CreditStep, of string) string {
	words := make([]string, len(steps))
	for i, s := range steps {
		words[i] = fmt.Sprintf("%s from %d", s.Words(), s.From)
		if i == 0 {
			words[i] += " " + of
			if s.From != 1 {
				words[i] += "s"
			}
			words[i] += " on"
		}
	}
	return strings.Join(words, ", ")
}

// FreeHours are clock hours for which nothing is paid: those with more than Above bad.
type FreeHours struct{ Above time.Duration }

// Words describe the scheme.
func (f FreeHours) Words() string {
	return fmt.Sprintf("the fee of each clock hour with more than %s of bad time", FormatDuration(f.Above))
}

// PoolShare is a level's weight in the agreement's amount at risk. It owes when the target
// is missed.
type PoolShare struct {
	Weight             Decimal // percent of the amount at risk
	CriticalBelow      Decimal // percent of good share; 0: there is no critical share
	CriticalMultiplier Decimal
	RepeatFrom         int // from the n-th miss in a row on; 0: repeated misses cost no more
	RepeatMultiplier   Decimal
}

// Words describe the scheme.
func (a PoolShare) Words() string {
	words := a.Weight.String() + " % of the amount at risk"
	if a.CriticalBelow.Sign() > 0 {
		words += fmt.Sprintf(", times %s below %s %%", a.CriticalMultiplier, a.CriticalBelow)
	}
	if a.RepeatFrom > 0 {
		words += fmt.Sprintf(", times %s from the %s miss in a row", a.RepeatMultiplier, ordinal(a.RepeatFrom))
	}
	return words
}
