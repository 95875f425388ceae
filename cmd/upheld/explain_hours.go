package main

import (
	"fmt"
	"slices"
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
		hours = calendarWords(c)
	}
	line("Service hours", "%s", hours)
	for i, e := range l.Exclusions {
		line([]string{"Excluded", ""}[min(i, 1)], "%s", exclusionWords(l, e))
	}
	line("Agreed time", "%s %% of all time, %s of %s on the average", figure(l.AgreedShare(now).Mul(percent)),
		span(l.BudgetTime(sla.NewDecimal(1, 1), l.Period, now)), sla.FormatDuration(l.Period.Nominal()))
}

// explainClaims says which time adjustments can exclude afterwards.
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

// calendarWords are a calendar's hours: "prime: Mon to Fri 08:00 to 20:00
// (Europe/Berlin), without 3 holidays".
func calendarWords(c *sla.Calendar) string {
	var parts []string
	days := []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday, time.Sunday}
	for i := 0; i < len(days); {
		last := i
		for last+1 < len(days) && slices.Equal(c.Weekly[days[i]], c.Weekly[days[last+1]]) {
			last++
		}
		if hours := hoursWords(c.Weekly[days[i]]); hours != "" {
			name := days[i].String()[:3]
			if last > i {
				name += " to " + days[last].String()[:3]
			}
			parts = append(parts, name+" "+hours)
		}
		i = last + 1
	}
	words := strings.Join(parts, "; ")
	if c.Zone != "" {
		words += " (" + c.Zone + ")"
	}
	if n := len(c.Holidays); n > 0 {
		words += ", without " + plural(n, "holiday")
	}
	if n := len(c.Exceptions); n > 0 {
		words += ", and " + plural(n, "day") + " with hours of its own"
		if n > 1 {
			words = strings.TrimSuffix(words, "its own") + "their own"
		}
	}
	if c.Complement {
		words = "all but " + words
	}
	return c.Name + ": " + words
}

func hoursWords(hours []sla.Hours) string {
	clock := func(d time.Duration) string { return fmt.Sprintf("%02d:%02d", int(d.Hours()), int(d.Minutes())%60) }
	words := make([]string, len(hours))
	for i, h := range hours {
		to := clock(h.To)
		if h.To > 24*time.Hour {
			to = clock(h.To-24*time.Hour) + " of the next day"
		}
		words[i] = clock(h.From) + " to " + to
	}
	return strings.Join(words, " and ")
}

// exclusionWords say what an exclusion excuses, and how.
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

// capWords say how much is excused at most.
func capWords(l *sla.ServiceLevel, e *sla.Exclusion) string {
	c := e.Cap
	switch {
	case c == nil:
		return ""
	case c.WindowTime > 0:
		return fmt.Sprintf("; at most %s of windows a %s, the first ones", sla.FormatDuration(c.WindowTime), c.Per.Calendar)
	}
	told := "no alert"
	for _, a := range sla.AlertExclusionCap.Of(l) {
		if a.Exclusion == e {
			told = alertWords(*a.Notice)
		}
	}
	return fmt.Sprintf("; at most %s of downtime a %s, by the contract: figures and alerts go on excusing it, %s tells when it is used up", sla.FormatDuration(c.Downtime), c.Per.Calendar, told)
}
