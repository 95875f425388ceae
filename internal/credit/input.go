package credit

import (
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Input is everything that a settlement depends on. Settle reads no clock.
type Input struct {
	Policy      sla.CreditPolicy
	Termination *sla.TerminationRight
	Period      sla.Period
	Start, End  time.Time // of the period
	Levels      []Level   // of the whole agreement, in the order of the specification
	Earlier     []Earlier // in order of time; the history ends at the first gap between them
}

// Level is the result of one level, or of one of its groups.
type Level struct {
	Level       *sla.ServiceLevel
	Group       string // labels of the group, in any form that stays the same; "" without groups
	Known       bool   // whether the promise was kept is known
	Met         bool
	Achieved    sla.Decimal // good share, 0 to 1
	Bad, Agreed sla.Decimal // seconds; Agreed is 0 for a level that counts events
	Outages     []Outage
	BadByHour   []sla.Decimal // bad seconds of each clock hour that has any
}

// Outage is a time in which a level was down.
type Outage struct {
	Counted sla.Decimal // bad seconds that count
	Causes  []string    // components that were down, or what the parties agreed on; none if unknown
}

// key names a level and its group.
func (l Level) key() string { return Key(l.Level.ID, l.Group) }

// Key names a level, or one group of it, in an Earlier.
func Key(level sla.ID, group string) string { return level.Service + "/" + level.SLO + group }

// Earlier is the result of an earlier period.
type Earlier struct {
	Start, End time.Time
	Levels     map[string]EarlierLevel // by Key
	Gross, Net Owed                    // before and after the credits earned back in it
}

// EarlierLevel is the result of a level in an earlier period.
type EarlierLevel struct {
	Known, Met bool
	Achieved   sla.Decimal
}

// Owed is a credit as a percentage of the fee and, if the fee is known, as an amount.
type Owed struct{ Percent, Amount sla.Decimal }

// Settlement is what is owed for a period.
type Settlement struct {
	Levels   []LevelCredit // as Input.Levels
	InMoney  bool          // the fee is known: Gross, EarnedBack and Net are amounts; otherwise they are per cent of it
	Currency sla.Currency
	Percent  sla.Decimal // Net in per cent of the fee
	Gross    sla.Decimal // what this period costs
	// EarnedBack is what the provider gets back in this period from credits of this and
	// earlier ones. Net is Gross minus that. It is negative if more is earned back than
	// this period costs; over all periods together it never is.
	EarnedBack, Net sla.Decimal
	CappedBy        string      // in words; "" if no limit took effect
	ExtendedBy      sla.Decimal // days by which the term is extended instead of money
	ClaimBy         time.Time   // the last day, as midnight in the zone of the period; zero if nothing must be claimed
	Evidence        []string    // what a claim needs
	Termination     string      // why the customer may end the agreement; "" if it may not
	Words           string      // how Net was computed
}

// LevelCredit is what one level contributes.
type LevelCredit struct {
	Percent sla.Decimal // of the level's base
	Amount  sla.Decimal // exact; only if the settlement is in money
	Days    sla.Decimal // by which the term is extended, instead of money
	Paid    bool        // it is part of Gross
	Words   string      // how it was computed; "" for a level without credits
}
