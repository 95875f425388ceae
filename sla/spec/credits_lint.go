package spec

import (
	"fmt"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// lintCredits warns of tiers that do not fit the target or each other. Contracts have
// such tiers.
func (d *decoder) lintCredits(l *sla.ServiceLevel) {
	if len(l.Credits.Tiers) == 0 {
		return
	}
	d.lintFirstTier(l)
	for i, t := range l.Credits.Tiers {
		if round := roundedEnd(t.Below, l.Target); round != "" && (i > 0 || round != l.Target.String()) {
			d.report(sla.Warning, t.Pos, "credit-tiers", fmt.Sprintf("%s looks like the rounded end of a range: between %s %% and %s %% the tier is not owed", t.Words(), t.Below, round),
				fmt.Sprintf("write below: %q if the contract has no gap there", round))
		}
		if i == 0 {
			continue
		}
		if before := l.Credits.Tiers[i-1]; t.Percent.Cmp(before.Percent) <= 0 {
			d.report(sla.Warning, t.Pos, "credit-tiers", fmt.Sprintf("%s level %q owes %s %%, which is no more than the %s %% %s", t.Words(), l.ID.SLO, t.Percent, before.Percent, before.Words()),
				"tiers are cumulative, the lowest decides: give the lower one the greater percentage, or leave it out")
		}
	}
}

// lintFirstTier warns if credit is owed although the target is met, or not owed although
// it is missed. A first tier below 100 % is an agreement about any failure at all, which
// has no target that alerts could follow.
func (d *decoder) lintFirstTier(l *sla.ServiceLevel) {
	first := l.Credits.Tiers[0]
	side := first.Below.Cmp(l.Target)
	switch {
	case first.Below.Cmp(sla.NewDecimal(100, 1)) == 0:
	case side > 0:
		d.report(sla.Warning, first.Pos, "credit-tiers", fmt.Sprintf("credit is owed %s, although the target of level %q is only %s %%", first.Words(), l.ID.SLO, l.Target),
			fmt.Sprintf("begin at the target: below: %q", l.Target.String()))
	case side == 0 && first.AtMost:
		d.report(sla.Warning, first.Pos, "credit-tiers", fmt.Sprintf("at exactly %s %% level %q meets its target and owes %s %%", first.Below, l.ID.SLO, first.Percent),
			fmt.Sprintf("write below: %q, or make sure that the contract means this", l.Target.String()))
	case side < 0:
		d.report(sla.Warning, first.Pos, "credit-tiers", fmt.Sprintf("from %s %% up to the target of %s %% level %q misses its target and owes nothing", first.Below, l.Target, l.ID.SLO),
			fmt.Sprintf("begin at the target, below: %q, if that is not meant", l.Target.String()))
	}
}

// roundedEnd returns the bound that is probably meant by a threshold like 98.99 or
// 99.89: the next value with as many places, if that is a whole percentage or the target.
// Ranges like "95.0 - 98.99" leave 98.995 uncovered. It is "" for other thresholds, and
// for those just below 100.
func roundedEnd(threshold, target sla.Decimal) string {
	_, places, _ := strings.Cut(threshold.String(), ".")
	if places == "" || threshold.Cmp(target) == 0 {
		return ""
	}
	next := threshold.Add(sla.MustDecimal("0." + strings.Repeat("0", len(places)-1) + "1"))
	if next.Cmp(sla.NewDecimal(100, 1)) == 0 {
		return ""
	}
	if _, den := next.Fraction(); den == "1" || len(places) > 1 && next.Cmp(target) == 0 {
		return next.String()
	}
	return ""
}
