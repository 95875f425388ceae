package credit

import (
	"fmt"
	"slices"

	"github.com/upheld-sla/upheld/sla"
)

// past returns the last n periods before this one, the latest first, up to the first
// gap between them. n < 0 means all.
func (t *settlement) past(n int) []Earlier {
	var all []Earlier
	next := t.Start
	for _, e := range slices.Backward(t.Earlier) {
		if len(all) == n || !e.End.Equal(next) {
			break
		}
		all, next = append(all, e), e.Start
	}
	return all
}

// missesInARow counts the consecutive periods up to this one in which a level missed
// its target.
func (t *settlement) missesInARow(l Level) int {
	row := 1
	for _, e := range t.past(-1) {
		if before, ok := e.Levels[l.key()]; !ok || !before.Known || before.Met {
			break
		}
		row++
	}
	return row
}

// of is a credit in the unit of the settlement.
func (t *settlement) of(o Owed) sla.Decimal {
	if t.out.InMoney {
		return o.Amount
	}
	return o.Percent
}

// paidInYear is what the periods of the twelve months that end with this one have cost.
func (t *settlement) paidInYear() sla.Decimal {
	first := t.End.In(t.Period.Location()).AddDate(-1, 0, 0)
	sum := zero
	for _, e := range t.Earlier {
		if !e.Start.Before(first) && e.Start.Before(t.Start) {
			sum = sum.Add(t.of(e.Net))
		}
	}
	return sum
}

// earnBack finds what the provider earns back in this period.
func (t *settlement) earnBack() {
	switch e := t.Policy.EarnBack; {
	case e == nil:
	case e.After > 0:
		t.earnBackAfter(e.After)
	default:
		t.earnBackByYear()
	}
}

// earnBackAfter gives back the credit of the period that is n before this one, if every
// level has met its target in all periods since.
func (t *settlement) earnBackAfter(n int) {
	past := t.past(n)
	if len(past) < n || !allMet(t.Levels) {
		return
	}
	for _, e := range past[:n-1] {
		if len(e.Levels) == 0 {
			return
		}
		for _, l := range e.Levels {
			if !l.Known || !l.Met {
				return
			}
		}
	}
	if back := t.of(past[n-1].Gross); back.Sign() > 0 {
		t.out.EarnedBack = back
		t.words = append(t.words, fmt.Sprintf("The %s of the period from %s are earned back: every target was met in the %s since",
			t.show(back), past[n-1].Start.In(t.Period.Location()).Format("2006-01-02"), number(n, "period")))
	}
}

func allMet(levels []Level) bool {
	return len(levels) > 0 && !slices.ContainsFunc(levels, func(l Level) bool { return !l.Known || !l.Met })
}

// earnBackByYear gives back all credits of a calendar year in its last period, if the
// mean of its periods reaches the target of every level. All of its periods must be
// known.
func (t *settlement) earnBackByYear() {
	zone := t.Period.Location()
	year := t.Start.In(zone).Year()
	if t.Period.Calendar == "" || t.End.In(zone).Year() == year {
		return
	}
	back, count := t.out.Gross, int64(1)
	mean := map[string]sla.Decimal{}
	for _, l := range t.Levels {
		mean[l.key()] = l.Achieved
		if !l.Known {
			return
		}
	}
	begun := t.Start
	for _, e := range t.past(-1) {
		if e.Start.In(zone).Year() != year {
			break
		}
		begun, back, count = e.Start, back.Add(t.of(e.Gross)), count+1
		for key := range mean {
			before, ok := e.Levels[key]
			if !ok || !before.Known {
				return
			}
			mean[key] = mean[key].Add(before.Achieved)
		}
	}
	if first, _ := (sla.Period{Calendar: sla.Year, Zone: t.Period.Zone}).Bounds(t.Start); begun.After(first) || back.Sign() == 0 {
		return // not all of the year is known, or it cost nothing
	}
	for _, l := range t.Levels {
		if mean[l.key()].Quo(sla.NewDecimal(count, 1)).Cmp(l.Level.TargetRatio()) < 0 {
			return
		}
	}
	t.out.EarnedBack = back
	t.words = append(t.words, fmt.Sprintf("%s of credits of %d are earned back: the mean of the year reaches every target", t.show(back), year))
}

// termination says why the customer may end the agreement.
func (t *settlement) termination() string {
	right := t.Termination
	if right == nil {
		return ""
	}
	breached := map[string]int{} // by level; "" is any
	for _, e := range t.past(right.OfPeriods - 1) {
		counted := false
		for key, l := range e.Levels {
			if l.Known && !l.Met {
				breached[key]++
				counted = true
			}
		}
		if counted {
			breached[""]++
		}
	}
	now := false
	for _, l := range t.Levels {
		if l.Known && !l.Met {
			breached[l.key()]++
			now = true
		}
	}
	if now {
		breached[""]++
	}
	if !right.SameLevel {
		if breached[""] >= right.Breached {
			return fmt.Sprintf("You may end the agreement: %d of the last %d periods were breached", breached[""], right.OfPeriods)
		}
		return ""
	}
	for _, l := range t.Levels {
		if n := breached[l.key()]; n >= right.Breached {
			return fmt.Sprintf("You may end the agreement: %s was breached in %d of the last %d periods", l.key(), n, right.OfPeriods)
		}
	}
	return ""
}
