package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// explainBriefly summarizes what an agreement promises, for the people who answer for a
// service.
func explainBriefly(b *strings.Builder, a *sla.Agreement, now time.Time) {
	s := summaryOf(a, now)
	fmt.Fprintf(b, "Agreement %s", s.Agreement)
	if s.Description != "" {
		fmt.Fprintf(b, ": %s", s.Description)
	}
	b.WriteString("\n")
	if s.Provider != "" {
		fmt.Fprintf(b, "  Between  %s and %s\n", providerWords(a.Terms.Provider), customerWords(s.Customers))
	}
	for i, l := range s.Levels {
		fmt.Fprintf(b, "\n%s/%s", l.Service, l.Level)
		if l.Description != "" {
			fmt.Fprintf(b, ": %s", l.Description)
		}
		b.WriteString("\n")
		w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
		line := func(name, words string) {
			if words != "" {
				fmt.Fprintf(w, "  %s\t%s\n", name, words)
			}
		}
		line("Measured", l.Measured)
		line("Promised", promisedWords(l))
		line("Hours", l.Hours)
		line("Not counted", strings.Join(l.Excluded, "; "))
		line("Restored", strings.Join(l.Recovery, "; "))
		line("Credits", l.Credits)
		line("Alerted", alertedWords(a.Levels[i], l))
		_ = w.Flush() // a strings.Builder never fails
	}
}

// promisedWords prints the target share and what it allows to be bad.
func promisedWords(l levelSummary) string {
	var budgets []string
	for _, b := range l.Budgets {
		budgets = append(budgets, b.Words)
	}
	words := l.Target + " % good: " + strings.Join(budgets, ", ")
	if len(l.GroupBy) > 0 {
		words += "; for each " + strings.Join(l.GroupBy, " and ")
	}
	return words
}

// alertedWords says who is notified of a total outage, and after how long.
func alertedWords(level *sla.ServiceLevel, l levelSummary) string {
	first := map[string]float64{}
	var severities []string
	for _, t := range l.Tiers {
		if before, known := first[t.Severity]; !known {
			severities = append(severities, t.Severity)
			first[t.Severity] = t.Detects
		} else {
			first[t.Severity] = min(before, t.Detects)
		}
	}
	if len(severities) == 0 {
		if len(level.Severities()) == 0 {
			return "nobody"
		}
		return "not of outages; of other things by " + strings.Join(level.Severities(), " and ")
	}
	var words []string
	for _, severity := range severities {
		words = append(words, fmt.Sprintf("%s after %s", severity, span(time.Duration(first[severity]*float64(time.Second)))))
	}
	text := []string{"of a total outage: " + strings.Join(words, ", ")}
	for _, s := range l.Notified {
		when := "at once"
		if s.After > 0 {
			when = span(time.Duration(s.After*float64(time.Second))) + " later"
		}
		if s.Hours != "" {
			when += " within " + s.Hours
		}
		text = append(text, fmt.Sprintf("%s (%s) %s", strings.Join(s.Notify, ", "), strings.Join(s.Of, ", "), when))
	}
	return strings.Join(text, "; ")
}
