package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// explainHours says when the level is promised, and what does not count.
func explainHours(l *sla.ServiceLevel, now time.Time, line func(name, format string, args ...any)) {
	explainClaims(l, line)
	if !l.Masked() {
		return
	}
	hours := "around the clock"
	if c := l.ServiceHours; c != nil {
		hours = c.Words()
	}
	line("Service hours", "%s", hours)
	for i, e := range l.Exclusions {
		line([]string{"Excluded", ""}[min(i, 1)], "%s", exclusionWords(l, e))
	}
	line("Agreed time", "%s %% of all time, %s of %s on the average", figure(l.AgreedShare(now).Mul(percent)),
		span(l.BudgetTime(sla.NewDecimal(1, 1), l.Period, now)), sla.FormatDuration(l.Period.Nominal()))
}

// explainClaims says which time adjustments may exclude afterwards.
func explainClaims(l *sla.ServiceLevel, line func(name, format string, args ...any)) {
	for i, e := range l.OnClaim {
		words := fmt.Sprintf("%s, %s: %s", e.Name, e.Effect.Words(), e.Claim.Approval.Doc())
		if e.Claim.Evidence {
			words += ", on evidence"
		}
		if e.Claim.DisputeBy > 0 {
			words += ", disputed at the latest " + plural(e.Claim.DisputeBy, "day") + " after it was filed"
		}
		line([]string{"On claim", ""}[min(i, 1)], "%s", words)
	}
}

// exclusionWords says what an exclusion excuses, and how.
func exclusionWords(l *sla.ServiceLevel, e *sla.Exclusion) string {
	words := e.Name
	if e.Category != e.Name && e.Category != "other" {
		words += " (" + strings.ReplaceAll(e.Category, "_", " ") + ")"
	}
	words += ", " + e.Effect.Words() + ": "
	if e.OnCondition() {
		return words + "while " + e.Condition.Text + capWords(l, e)
	}
	once, recurring := 0, []string{}
	for _, w := range e.Windows {
		if w.Recurs == nil {
			once++
		} else {
			recurring = append(recurring, fmt.Sprintf("%s from %s on, each for %s", w.Recurs.Rule, w.Recurs.Start.Format("2006-01-02 15:04"), sla.FormatDuration(w.Recurs.Length)))
		}
	}
	if once > 0 {
		recurring = append(recurring, plural(once, "single window"))
	}
	words += strings.Join(recurring, "; ")
	if e.Notice > 0 {
		words += ", announced " + sla.FormatDuration(e.Notice) + " before"
	}
	return words + capWords(l, e)
}

// capWords says how much an exclusion excuses at most.
func capWords(l *sla.ServiceLevel, e *sla.Exclusion) string {
	c := e.Cap
	switch {
	case c == nil:
		return ""
	case c.WindowTime > 0:
		return fmt.Sprintf("; at most %s of windows a %s, the first ones", sla.FormatDuration(c.WindowTime), c.Per.Calendar)
	}
	notice := "no alert"
	for _, a := range sla.AlertExclusionCap.Of(l) {
		if a.Exclusion == e {
			notice = alertWords(*a.Notice)
		}
	}
	return fmt.Sprintf("; at most %s of downtime a %s, by the contract: figures and alerts go on excusing it, %s fires when it is used up", sla.FormatDuration(c.Downtime), c.Per.Calendar, notice)
}
