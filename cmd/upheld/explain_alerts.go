package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/upheld-sla/upheld/sla"
)

// explainMinima says how many events alerts need at least.
func explainMinima(b *strings.Builder, a sla.Alerting) {
	var least []string
	if a.MinimumEvents > 0 {
		least = append(least, plural(a.MinimumEvents, "event"))
	}
	if a.MinimumBadEvents > 0 {
		least = append(least, plural(a.MinimumBadEvents, "bad event"))
	}
	if len(least) > 0 {
		fmt.Fprintf(b, "    Each needs at least %s in the long window, so it comes later where there is little traffic\n", strings.Join(least, " and "))
	}
}

// explainBurnAlerts says which tiers are one alert, and when it ends.
func explainBurnAlerts(b *strings.Builder, l *sla.ServiceLevel) {
	alerts := l.BurnAlerts()
	for _, a := range alerts {
		withheld := ""
		if slices.ContainsFunc(alerts, a.WithheldBy) {
			withheld = "; does not begin for an outage that a more urgent alert reports"
		}
		fmt.Fprintf(b, "    one %s for %s; ends at the latest %s after a repair%s\n", a.Severity, strings.Join(a.Names(), " and "), span(a.TimeToResolve()), withheld)
	}
}

// alertWords describes an alert, with its severity if that has another name.
func alertWords(n sla.Notice) string {
	words := "a " + n.Urgency.String()
	if n.Severity != n.Urgency.String() {
		words += " (" + n.Severity + ")"
	}
	return words
}

// explainNotices says which alerts there are besides the tiers.
func explainNotices(b *strings.Builder, l *sla.ServiceLevel) {
	heading := "  Besides:\n"
	for _, a := range l.Alerts() {
		for _, words := range a.Words(l) {
			fmt.Fprintf(b, "%s    %s when %s\n", heading, alertWords(*a.Notice), words)
			heading = ""
		}
	}
}

// explainEscalation says who is notified of the level's alerts, and when.
func explainEscalation(b *strings.Builder, l *sla.ServiceLevel) {
	if len(l.Escalation) == 0 {
		return
	}
	if len(l.Severities()) == 0 {
		return // without severities there is nothing to escalate
	}
	b.WriteString("  Notified, of alerts with a severity or tier:\n")
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, s := range l.Escalation {
		// Leave out severities of the agreement for which the level has no alert.
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
	_ = w.Flush() // a strings.Builder never fails
}
