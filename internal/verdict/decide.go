package verdict

import (
	"fmt"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// placesOfPercent are the decimal places that percentages are rounded down to.
const placesOfPercent = 8

// percent is a share in per cent, rounded down: a value below a target never looks like
// the target.
func percent(share sla.Decimal) string { return share.Mul(hundred).RoundedDown(placesOfPercent) }

// report writes down what the level came to.
func (b *ledger) report() Level {
	l := b.level
	v := Level{
		Service: l.ID.Service, SLO: l.ID.SLO, Description: l.Description,
		Indicator: l.Indicator.Words(), Method: l.AggregationWords(),
		Target: b.target.String(), Unit: b.unit.name, Coverage: percent(b.coverage()),
		Agreed: b.amount(b.fixed(sla.NewDecimal(b.agreed, 1), b.agreed+b.rest)), Unknown: b.amount(sla.NewDecimal(b.unknown, 1)),
		Bad: b.amount(b.bad.value()), Removed: b.amount(b.removed.value()), Excused: b.amount(b.excused.value()),
		Excluded: b.amount(b.removed.value().Add(b.excused.value())),
		Budget:   b.amount(one.Sub(b.target.Quo(hundred)).Mul(b.atEnd())),
		Choices:  b.choices(), Outages: b.outages(), Recovery: b.recoveries(), Blame: b.blame(),
		Course: b.course(), Places: []PlaceResult{}, Gaps: []ReportedGap{}, But: []But{},
	}
	if b.unit.of == 0 {
		v.Agreed, v.Unknown = b.amount(b.total.value()), ""
	}
	if share, ok := b.raw(); ok {
		v.Raw = percent(share)
	}
	if share, ok := b.achieved(); ok {
		v.Achieved, v.Exact = percent(share), share.Ratio()
	}
	if share, ok := b.best(); ok {
		v.Best = percent(share)
	}
	v.Verdict, v.Why = b.decide()
	return v
}

// amount is a number of nanoseconds or events in the unit of the level, as a decimal.
func (b *ledger) amount(d sla.Decimal) string { return b.inUnit(d).Rounded(9) }

// decide compares exact values: an achieved share that equals the target meets it.
func (b *ledger) decide() (Verdict, string) {
	share, ok := b.achieved()
	switch {
	case !b.anyForce:
		return NotApply, "The agreement was not in force."
	case !b.inForce && b.level.Settlement.Partial == sla.NotScored:
		return NotApply, "The agreement was not in force in all of the period, which therefore has no verdict."
	case b.agreed+b.rest == 0:
		return NotApply, "The period has no agreed time."
	case b.agreed == 0:
		return NotApply, "There was no agreed time yet."
	case !ok && b.known > 0:
		return Insufficient, "There was nothing to count in the time that was measured."
	case !ok:
		return Insufficient, "Nothing was measured."
	}
	met := share.Cmp(b.target.Quo(hundred)) >= 0
	if met && b.known == 0 {
		return Insufficient, "Nothing was measured, so nobody knows whether it was good."
	}
	if least := b.level.Settlement.MinCoverage; b.coverage().Mul(hundred).Cmp(least) < 0 {
		words := fmt.Sprintf("%s %% of the agreed time was measured, and the agreement demands %s %%.", percent(b.coverage()), least)
		if b.level.Settlement.BelowCoverage == sla.CountsAsBreach {
			return Breached, words
		}
		return Insufficient, words
	}
	words := fmt.Sprintf("%s %% %s the promised %s %%", percent(share), comparison(share, b.target), b.target)
	if b.final() {
		words += "."
	} else {
		words += " so far" + b.outlook()
	}
	if met {
		return Met, words
	}
	return Breached, words
}

func comparison(share, target sla.Decimal) string {
	switch share.Mul(hundred).Cmp(target) {
	case 0:
		return "is just"
	case 1:
		return "is more than"
	}
	return "is less than"
}

// outlook says at which share the period can end at best.
func (b *ledger) outlook() string {
	best, ok := b.best()
	if !ok {
		return "."
	}
	if best.Cmp(b.target.Quo(hundred)) < 0 {
		return fmt.Sprintf("; it cannot be kept any more: at best the period ends at %s %%.", percent(best))
	}
	return fmt.Sprintf("; at best the period ends at %s %%.", percent(best))
}

// final returns whether the whole period was judged.
func (b *ledger) final() bool { return !b.until.Before(b.to) }

// choices says how excluded and unknown time was counted.
func (b *ledger) choices() Choices {
	c := Choices{Exclusions: "none", Unknown: unknownWords(b.level), NotSeen: notSeenWords(b.level), Standing: "to_date"}
	if b.final() {
		c.Standing = "final"
	}
	var effects []sla.Effect
	var names strings.Builder
	for _, e := range b.timetable.exclusions {
		if len(effects) > 0 {
			names.WriteString(", ")
		}
		effects = append(effects, e.Effect)
		names.WriteString(e.Name + ": " + string(e.Effect))
	}
	for i, e := range effects {
		c.Exclusions = string(e)
		if i > 0 && e != effects[0] {
			c.Exclusions = names.String()
			break
		}
	}
	return c
}

// unknownWords say what unknown time counts as.
func unknownWords(l *sla.ServiceLevel) string {
	if c, ok := l.Indicator.(*sla.Composite); ok {
		return string(c.Unknown)
	}
	if l.MissingData == sla.MissingExcluded {
		return string(sla.UnknownExcluded)
	}
	return string(l.MissingData)
}

// notSeenWords says what time counts as in which the server did not scrape.
func notSeenWords(l *sla.ServiceLevel) string {
	if l.Settlement.NotSeen == sla.MissingExcluded {
		return string(sla.UnknownExcluded)
	}
	return string(l.Settlement.NotSeen)
}

// summary is the verdict in one sentence.
func (r *Report) summary() string {
	count := map[Verdict]int{}
	for _, l := range r.Levels {
		count[l.Verdict]++
	}
	over := "In " + r.Period.Name
	if r.Period.Until.Before(r.Period.End) {
		over = "So far in " + r.Period.Name
	}
	switch r.Verdict {
	case Met:
		return over + " the agreement was kept."
	case Breached:
		if count[Breached] == 0 {
			return over + " the agreement was not kept: what it says about recovery was not."
		}
		return fmt.Sprintf("%s the agreement was not kept: %s below target.", over, ofLevels(count[Breached], len(r.Levels)))
	case Insufficient:
		if count[Insufficient] == 0 {
			return over + " every target was met, but not all that is promised about recovery was measured."
		}
		return fmt.Sprintf("%s too little was measured to say whether the agreement was kept: %s unknown.", over, ofLevels(count[Insufficient], len(r.Levels)))
	case Disputed:
		return fmt.Sprintf("%s the parties do not agree on an exclusion that decides: %s in dispute.", over, ofLevels(count[Disputed], len(r.Levels)))
	case DeclaredOnly:
		return over + " nothing was promised by a number."
	}
	return over + " nothing was promised."
}

func ofLevels(n, all int) string {
	if all == 1 {
		return "the only level is"
	}
	if n == 1 {
		return fmt.Sprintf("1 of %d levels is", all)
	}
	return fmt.Sprintf("%d of %d levels are", n, all)
}
