package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/upheld-sla/upheld/sla"
)

// explainMinima says how many events alerts wait for.
func explainMinima(b *strings.Builder, a sla.Alerting) {
	var least []string
	if a.MinimumEvents > 0 {
		least = append(least, plural(a.MinimumEvents, "event"))
	}
	if a.MinimumBadEvents > 0 {
		least = append(least, plural(a.MinimumBadEvents, "bad event"))
	}
	if len(least) > 0 {
		fmt.Fprintf(b, "    ... and only with at least %s in the long window, so later where there is little traffic\n", strings.Join(least, " and "))
	}
}

// explainBurnAlerts says which tiers are told as one alert, and when it is over.
func explainBurnAlerts(b *strings.Builder, l *sla.ServiceLevel) {
	alerts := l.BurnAlerts()
	for _, a := range alerts {
		withheld := ""
		if slices.ContainsFunc(alerts, a.WithheldBy) {
			withheld = ", and not begun because of what a more urgent one tells"
		}
		fmt.Fprintf(b, "    told once as %s: %s; over at the latest %s after a repair%s\n", a.Severity, strings.Join(a.Names(), " and "), span(a.TimeToResolve()), withheld)
	}
}

// alertWords are what an alert is, with its severity if that has another name.
func alertWords(n sla.Notice) string {
	words := "a " + n.Urgency.String()
	if n.Severity != n.Urgency.String() {
		words += " (" + n.Severity + ")"
	}
	return words
}

// explainNotices says which alerts there are beside the tiers.
func explainNotices(b *strings.Builder, l *sla.ServiceLevel) {
	a := l.Alerting
	line := func(n sla.Notice, format string, args ...any) {
		hold := ""
		if n.For > 0 {
			hold = ", for " + sla.FormatDuration(n.For)
		}
		fmt.Fprintf(b, "    %s when %s%s\n", alertWords(n), fmt.Sprintf(format, args...), hold)
	}
	if a.BudgetExhausted != nil || a.BudgetForecast != nil || a.MeasurementLost != nil || a.GroupLimit != nil {
		b.WriteString("  Besides:\n")
	}
	for _, p := range l.Periods() {
		of := ""
		if len(l.MorePeriods) > 0 {
			of = " of " + p.Words()
		}
		if f := a.BudgetForecast; f != nil && f.Watches(p) {
			line(f.Notice, "the target's budget%s, burnt as over the last %s, ends within %s", of, sla.FormatDuration(f.Over), sla.FormatDuration(l.ForecastWithin(p)))
		}
		if n := a.BudgetExhausted; n != nil && n.Watches(p) {
			line(*n, "the target's budget of %s is spent", p.Words())
		}
	}
	if f := a.CreditTier; f != nil {
		line(f.Notice, "the next tier of credits, at the bad share of the last %s, is reached within %s", sla.FormatDuration(f.Over), sla.FormatDuration(f.Within))
	}
	if n := a.MeasurementLost; n != nil {
		fmt.Fprintf(b, "    %s when nobody knows how the service is, %s after the last sample, give or take a scrape and an evaluation\n", alertWords(*n), sla.FormatDuration(n.For))
	}
	if n := a.GroupLimit; n != nil {
		line(*n, "there are more than 80 %% of at most %d groups", l.GroupBy.Limit)
	}
}

// explainEscalation says who is told of the level's alerts, and when.
func explainEscalation(b *strings.Builder, l *sla.ServiceLevel) {
	if len(l.Escalation) == 0 {
		return
	}
	if len(l.Severities()) == 0 {
		return // of nothing
	}
	b.WriteString("  Told, of alerts with a severity or tier:\n")
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, s := range l.Escalation {
		// Without the severities of the agreement that the level has no alert of.
		of := slices.DeleteFunc(slices.Clone(s.Severities), func(severity string) bool { return !slices.Contains(l.Severities(), severity) })
		if of = append(of, s.Tiers...); len(of) == 0 {
			continue
		}
		when := "at once"
		if s.After > 0 {
			when = "after " + sla.FormatDuration(s.After)
		}
		if s.Hours != nil {
			when += ", within " + s.Hours.Name
		}
		fmt.Fprintf(w, "    %s\t%s\t%s\n", when, strings.Join(s.Notify, ", "), strings.Join(of, ", "))
	}
	_ = w.Flush() // into a strings.Builder, which cannot fail
}
