package sla

import (
	"fmt"
	"strings"
	"time"
)

// CreditPolicy is what an agreement says about the credits of all its levels together.
// The zero value adds them up, without a fee and without limits.
type CreditPolicy struct {
	Fee         *Fee         // nil: amounts are not known, only percentages
	Basis       string       // what percentages refer to, in words; "" is "the fee"
	DayOfFee    DayOfFee     // which share of the fee is a day's
	Combine     Combine      // how the credits of several levels become one
	OneCause    bool         // of levels that failed for the same cause, only the greatest credit counts
	BreachCount []CreditStep // by how many levels missed their target, ascending
	AtRisk      Decimal      // percent of the fee that is at risk in a period; 0: there is no pool
	Caps        []CreditCap  // in the order in which they apply
	Minimum     *Minimum
	EarnBack    *EarnBack
	Claim       *CreditClaim // nil: credits are given without being asked for
	Pos         Position     // zero: the agreement has no policy of its own
}

// Fee is what the customer pays. The percentages of credits refer to it.
type Fee struct {
	Money
	Per Unit // what it pays for; "" is the period that credits follow
	Pos Position
}

// Of is the fee of a whole period: three times the monthly fee of a quarter.
func (f Fee) Of(p Period) Decimal {
	switch {
	case f.Per == "":
		return f.Amount
	case p.Months() > 0 && f.Per.facets().months > 0:
		return f.Amount.Mul(NewDecimal(int64(p.Months()), int64(f.Per.facets().months)))
	}
	return f.Amount.Mul(NewDecimal(int64(p.Nominal()), int64(f.Per.facets().nominal)))
}

// Words are the fee for people: "1,200.00 EUR a month".
func (f Fee) Words() string {
	if f.Per == "" {
		return f.String() + " a period"
	}
	return f.String() + " a " + string(f.Per)
}

// DayOfFee says which share of a period's fee is the fee of a day.
type DayOfFee string

// The choices.
const (
	NominalDay DayOfFee = ""       // 1/30 of a month's, 1/7, 1/90 and 1/365 of others
	ActualDay  DayOfFee = "actual" // 1/31 of October's
)

// Combine says how the credits of several levels become one.
type Combine string

// The choices.
const (
	CombineSum   Combine = "sum"
	CombineMax   Combine = "max"   // the greatest
	CombineFirst Combine = "first" // that of the first level, in order of the specification, that owes any
)

// combines is the table of all choices, the default first.
var combines = []struct {
	name Combine
	doc  string
}{
	{CombineSum, "all of them"},
	{CombineMax, "the greatest of them"},
	{CombineFirst, "that of the first level that owes any"},
}

// Combines are all choices, the default first.
func Combines() []Combine {
	all := make([]Combine, len(combines))
	for i, c := range combines {
		all[i] = c.name
	}
	return all
}

// Doc says what is paid: "the greatest of them".
func (c Combine) Doc() string {
	for _, of := range combines {
		if of.name == c || c == "" && of.name == CombineSum {
			return of.doc
		}
	}
	return ""
}

// CapSpan says what a cap of credits limits.
type CapSpan string

// The spans.
const (
	CapLevel  CapSpan = "level"
	CapPeriod CapSpan = "period"
	CapYear   CapSpan = "12_months" // the twelve months up to the end of the period
)

// capSpans is the table of all spans, in the order of the settlement.
var capSpans = []struct {
	span  CapSpan
	words string
}{{CapLevel, "for a level"}, {CapPeriod, "for a period"}, {CapYear, "in 12 months"}}

// CapSpans are all spans.
func CapSpans() []CapSpan {
	all := make([]CapSpan, len(capSpans))
	for i, s := range capSpans {
		all[i] = s.span
	}
	return all
}

// Words are the span for people: "for a period".
func (s CapSpan) Words() string {
	for _, of := range capSpans {
		if of.span == s {
			return of.words
		}
	}
	return ""
}

// CreditCap is the most that is owed: a percentage of the base, or an amount.
type CreditCap struct {
	Per     CapSpan
	Percent Decimal // 0 if Amount is set
	Amount  *Money
	Pos     Position
}

// Words are the cap for people: "at most 50 % for a period".
func (c CreditCap) Words() string {
	if c.Amount != nil {
		return "at most " + c.Amount.String() + " " + c.Per.Words()
	}
	return fmt.Sprintf("at most %s %% %s", c.Percent, c.Per.Words())
}

// Minimum is the smallest credit that is paid; less is not paid at all.
type Minimum struct {
	Money
	OrEqual bool // exactly this is paid
}

// Words are the minimum for people.
func (m Minimum) Words() string {
	if m.OrEqual {
		return "paid from " + m.String() + " on"
	}
	return "paid if more than " + m.String()
}

// EarnBack is how a provider gets credits back: After periods in which every level met
// its target, or at the end of a calendar year whose mean meets it.
type EarnBack struct {
	After int // 0: the mean of the year decides
}

// Words say when credits are earned back.
func (e EarnBack) Words() string {
	if e.After == 0 {
		return "credits of a calendar year are earned back if every level reaches its target on the mean of the year's periods"
	}
	if e.After == 1 {
		return "a credit is earned back if every level meets its target in the next period"
	}
	return fmt.Sprintf("a credit is earned back if every level meets its target in the next %d periods", e.After)
}

// CreditClaim says that credits are owed only if the customer asks for them in time.
type CreditClaim struct {
	Days     int // after the period's end; 0 if Periods decides
	Periods  int // until the end of the n-th period after it
	Evidence []string
	Pos      Position
}

// Words say until when and with what to claim.
func (c CreditClaim) Words() string {
	words := fmt.Sprintf("to be claimed within %d days of the period's end", c.Days)
	if c.Days == 1 {
		words = "to be claimed on the day after the period"
	}
	switch {
	case c.Periods == 1:
		words = "to be claimed by the end of the next period"
	case c.Periods > 1:
		words = fmt.Sprintf("to be claimed by the end of the %s period after", ordinal(c.Periods))
	}
	if len(c.Evidence) > 0 {
		words += ", with " + strings.Join(c.Evidence, ", ")
	}
	return words
}

// Deadline is the last day, as midnight in the zone of the period, on which credits of
// the period that ends at end can be claimed.
func (c CreditClaim) Deadline(p Period, end time.Time) time.Time {
	if c.Periods > 0 {
		for range c.Periods {
			if p.Calendar == "" {
				end = end.Add(p.Rolling)
			} else {
				_, end = p.Bounds(end)
			}
		}
	}
	last := end.Add(-time.Nanosecond).In(p.Location()) // in the last day that belongs to it
	y, m, d := last.Date()
	return time.Date(y, m, d+c.Days, 0, 0, 0, 0, p.Location())
}

// TerminationRight is the right to end the agreement after Breached of OfPeriods periods,
// the judged one included, were breached.
type TerminationRight struct {
	Breached  int
	OfPeriods int
	SameLevel bool // by one and the same level; otherwise by any
	Pos       Position
}

// Words say when the customer may end the agreement.
func (t TerminationRight) Words() string {
	what := "the target of any level is missed"
	if t.SameLevel {
		what = "the target of the same level is missed"
	}
	if t.Breached == t.OfPeriods {
		return fmt.Sprintf("if %s in %d periods in a row", what, t.Breached)
	}
	return fmt.Sprintf("if %s in %d of %d periods", what, t.Breached, t.OfPeriods)
}

// ordinal is "2nd", "3rd", "11th".
func ordinal(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprintf("%d%s", n, suffix)
}
