package credit

import (
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Input is everything that a settlement is made of. Settle reads no clock.
type Input struct {
	Policy      sla.CreditPolicy
	Termination *sla.TerminationRight
	Period      sla.Period
	Start, End  time.Time // of the period
	Levels      []Level   // of the whole agreement, in the order of the specification
	Earlier     []Earlier // in order of time; those that do not follow each other without a gap end the history
}

// Level is what became of one level, or of one group of it.
type Level struct {
	Level       *sla.ServiceLevel
	Group       string // of a level with groups: its labels, in any form that stays the same
	Known       bool   // whether the promise was kept is decided
	Met         bool
	Achieved    sla.Decimal // good share, 0 to 1
	Bad, Agreed sla.Decimal // seconds; Agreed is 0 for a level that counts events
	Outages     []Outage
	BadByHour   []sla.Decimal // bad seconds of each clock hour that has any
}

// Outage is a time in which a level was down.
type Outage struct {
	Counted sla.Decimal // bad seconds that count
	Causes  []string    // components that were down, or what the parties agreed on; none if it is not known
}

// key names a level and its group.
func (l Level) key() string { return Key(l.Level.ID, l.Group) }

// Key names a level, or one group of it, in an Earlier.
func Key(level sla.ID, group string) string { return level.Service + "/" + level.SLO + group }

// Earlier is what became of an earlier period.
type Earlier struct {
	Start, End time.Time
	Levels     map[string]EarlierLevel // by Key
	Gross, Net Owed                    // before and after what was earned back then
}

// EarlierLevel is what became of a level in an earlier period.
type EarlierLevel struct {
	Known, Met bool
	Achieved   sla.Decimal
}

// Owed is a credit as a percentage of the fee and, if that is known, as an amount.
type Owed struct{ Percent, Amount sla.Decimal }

// Settlement is what is owed for a period.
type Settlement struct {
	Levels   []LevelCredit // as Input.Levels
	InMoney  bool          // the fee is known: Gross, EarnedBack and Net are amounts; otherwise they are per cent of it
	Currency sla.Currency
	Percent  sla.Decimal // Net in per cent of the fee
	Gross    sla.Decimal // what this period costs
	// EarnedBack is what the provider gets back in this period of credits of this and
	// earlier ones. Net is Gross without it. It is below 0 if more is earned back than
	// this period costs; over all periods together it never is.
	EarnedBack, Net sla.Decimal
	CappedBy        string      // in words; "" if no limit took effect
	ExtendedBy      sla.Decimal // days that the term is extended by, in place of money
	ClaimBy         time.Time   // the last day, as midnight in the zone of the period; zero if nothing must be claimed
	Evidence        []string    // what a claim needs
	Termination     string      // why the customer may end the agreement; "" if it may not
	Words           string      // how Net came about
}

// LevelCredit is what one level contributes.
type LevelCredit struct {
	Percent sla.Decimal // of the level's base
	Amount  sla.Decimal // exact; only if the settlement is in money
	Days    sla.Decimal // that the term is extended by, in place of money
	Paid    bool        // it is part of Gross
	Words   string      // how it came about; "" for a level without credits
}
