package credit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// causes are the causes of the level's outages, or the level itself if they are
// unknown.
func (l Level) causes() []string {
	var all []string
	unknown := len(l.Outages) == 0
	for _, o := range l.Outages {
		if o.Counted.Sign() > 0 {
			all, unknown = append(all, o.Causes...), unknown || len(o.Causes) == 0
		}
	}
	if unknown {
		all = append(all, l.key())
	}
	return all
}

// combine combines what the levels owe.
func (t *settlement) combine(owed []claim) {
	owed = t.distinct(owed, func(a, b claim) bool { return a.group != "" && a.group == b.group }, "does not add up with it, and")
	if t.Policy.OneCause {
		owed = t.distinct(owed, claim.sharesCause, "failed for the same cause, and")
	}
	if len(owed) > 1 {
		switch t.Policy.Combine {
		case sla.CombineMax:
			slices.SortStableFunc(owed, func(a, b claim) int { return b.value.Cmp(a.value) })
			owed = t.only(owed)
		case sla.CombineFirst:
			owed = t.only(owed)
		}
	}
	for _, c := range owed {
		t.value = t.value.Add(c.value)
		if c.index >= 0 {
			t.out.Levels[c.index].Paid = true
		}
	}
	if len(owed) > 1 {
		t.words = append(t.words, fmt.Sprintf("The sum of %d credits is %s", len(owed), t.show(t.value)))
	}
}

// distinct drops claims that clash with a greater one. Of equal ones the first in the
// specification stays. It keeps their order.
func (t *settlement) distinct(owed []claim, clash func(a, b claim) bool, why string) []claim {
	byValue := slices.Clone(owed)
	slices.SortStableFunc(byValue, func(a, b claim) int { return b.value.Cmp(a.value) })
	var kept []claim
	for _, c := range byValue {
		i := slices.IndexFunc(kept, func(k claim) bool { return clash(k, c) })
		if i < 0 {
			kept = append(kept, c)
			continue
		}
		t.leaveOut(c, fmt.Sprintf("%s %s owes no less", kept[i].name, why))
	}
	return slices.DeleteFunc(owed, func(c claim) bool {
		return !slices.ContainsFunc(kept, func(k claim) bool { return k.index == c.index })
	})
}

func (a claim) sharesCause(b claim) bool {
	return slices.ContainsFunc(a.causes, func(cause string) bool { return slices.Contains(b.causes, cause) })
}

// only keeps the first claim.
func (t *settlement) only(owed []claim) []claim {
	for _, c := range owed[1:] {
		t.leaveOut(c, "of several credits "+t.Policy.Combine.Doc()+" is paid")
	}
	return owed[:1]
}

// leaveOut says why a level's claim is not paid.
func (t *settlement) leaveOut(c claim, why string) {
	if c.index >= 0 {
		of := &t.out.Levels[c.index]
		of.Words = strings.TrimSuffix(of.Words, ".") + "; not paid: " + why + "."
	}
}

// limit applies the agreement's caps, the minimum and the rounding.
func (t *settlement) limit() {
	if t.Policy.AtRisk.Sign() > 0 {
		t.capAt(t.Policy.AtRisk.Mul(t.base).Quo(hundred), fmt.Sprintf("%s %% of the fee are at risk", t.Policy.AtRisk))
	}
	for _, c := range t.Policy.Caps {
		most := percentOf(c, t.base).Mul(t.base).Quo(hundred)
		switch c.Per {
		case sla.CapPeriod:
			t.capAt(most, c.Words())
		case sla.CapYear:
			most = most.Sub(t.paidInYear())
			if most.Sign() < 0 {
				most = zero
			}
			t.capAt(most, c.Words())
		}
	}
	if m := t.Policy.Minimum; m != nil && t.value.Sign() > 0 && t.out.InMoney {
		if side := t.value.Cmp(m.Amount); side < 0 || side == 0 && !m.OrEqual {
			t.words = append(t.words, t.show(t.value)+" is not paid: credits are "+m.Words())
			t.value = zero
		}
	}
	t.out.CappedBy = strings.Join(t.capped, " and ")
	t.out.Gross = t.value
	if t.out.InMoney {
		t.out.Gross = sla.Money{Amount: t.value, Currency: t.out.Currency}.Round().Amount
	}
}

// capAt limits the amount owed.
func (t *settlement) capAt(most sla.Decimal, words string) {
	if t.value.Cmp(most) <= 0 {
		return
	}
	t.value = most
	t.capped = append(t.capped, words)
	t.words = append(t.words, fmt.Sprintf("%s: %s", capital(words), t.show(most)))
}

// finish fills in what follows from the amount owed.
func (t *settlement) finish() {
	t.out.Net = t.out.Gross.Sub(t.out.EarnedBack)
	if t.base.Sign() > 0 {
		t.out.Percent = t.out.Net.Mul(hundred).Quo(t.base)
	}
	if c := t.Policy.Claim; c != nil && t.out.Gross.Sign() > 0 {
		t.out.ClaimBy, t.out.Evidence = c.Deadline(t.Period, t.End), c.Evidence
	}
	t.out.Termination = t.termination()
	t.out.Words = t.sentences()
}

// sentences say what is owed and how it was computed.
func (t *settlement) sentences() string {
	first := "Nothing is owed"
	switch {
	case t.out.Gross.Sign() > 0:
		first = t.show(t.out.Gross) + " is owed"
	case t.out.ExtendedBy.Sign() > 0:
		first = "The term is extended by " + days(t.out.ExtendedBy)
	}
	all := append([]string{first}, t.words...)
	if t.out.EarnedBack.Sign() > 0 {
		all = append(all, "Net "+t.show(t.out.Net))
	}
	if !t.out.ClaimBy.IsZero() {
		claim := "Claim it by " + t.out.ClaimBy.Format("2006-01-02")
		if len(t.out.Evidence) > 0 {
			claim += ", with " + strings.Join(t.out.Evidence, ", ")
		}
		all = append(all, claim)
	}
	if t.out.Termination != "" {
		all = append(all, t.out.Termination)
	}
	return strings.Join(all, ". ") + "."
}
