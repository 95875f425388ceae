package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// explainTerms says what the agreement contains besides its levels, if anything.
func explainTerms(b *strings.Builder, a *sla.Agreement, now time.Time) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	lines := func(name string, all []string) {
		for i, text := range all {
			line([]string{name, ""}[min(i, 1)], "%s", text)
		}
	}
	t := a.Terms
	explainRevision(t, line)
	if t.Structure != "" {
		line("Structure", "%s", t.Structure)
	}
	if t.Provider.Name != "" {
		line("Provider", "%s", providerWords(t.Provider))
		line("Customers", "%s", customerWords(t.Customers))
	}
	if len(t.ScopePer) > 0 {
		line("Scope", "each %s by itself", strings.Join(t.ScopePer, ", "))
	}
	for _, i := range a.Inherited {
		line("Inherited", "%s (%s)", i.Words(), i.Pos)
	}
	lines("Not included", t.NotIncluded)
	lines("Cost options", costWords(a))
	lines("Obligations", obligationWords(a))
	if a.Recovery != nil {
		lines("Recovery", methodWords(a.Recovery, t.EffectiveFrom))
	}
	lines("Reminders", reminderWords(a, now))
	_ = w.Flush() // a strings.Builder never fails
}

// reminderWords lists the alerts of the agreement, and the day from which each fires.
func reminderWords(a *sla.Agreement, now time.Time) []string {
	var all []string
	for _, d := range rulegen.Reminders(a, rulegen.Options{Now: now}) {
		alert, _ := a.Alert(d.Kind)
		what := d.Kind.When
		switch {
		case d.Method != nil:
			what += ": " + d.Method.Method + " for " + d.Method.Scenario
		case d.Obligation != nil:
			what += ": " + d.Obligation.ID
		}
		from := "at once"
		if !d.From.IsZero() {
			from = "from " + d.From.In(a.Location()).Format("2006-01-02 15:04") + " on"
		}
		all = append(all, fmt.Sprintf("%s (%s), %s: %s", d.Kind.Name, alert.Severity, from, what))
	}
	return all
}

// explainRevision says which revision this is, since when it is in force and who agreed
// to it.
func explainRevision(t sla.Terms, line func(name, format string, args ...any)) {
	if t.Revision > 0 || !t.EffectiveFrom.IsZero() {
		var words []string
		if t.Revision > 0 {
			words = append(words, fmt.Sprint(t.Revision))
		}
		if !t.EffectiveFrom.IsZero() {
			words = append(words, "in force from "+t.EffectiveFrom.String())
		}
		if t.Supersedes != "" {
			words = append(words, "instead of "+t.Supersedes)
		}
		line("Revision", "%s", strings.Join(words, ", "))
	}
	if !t.ReviewOn.IsZero() {
		line("Review", "on %s", t.ReviewOn)
	}
	if t.SplitPeriods {
		line("Split periods", "a period in which another revision takes effect is judged in parts, each by its own revision")
	}
	if a := t.Approval; a != nil {
		line("Approval", "%s", approvalWords(a))
		for i, s := range a.Signatories {
			line([]string{"Signed", ""}[min(i, 1)], "%s", signatoryWords(s))
		}
	}
}

func approvalWords(a *sla.Approval) string {
	words := "service level meeting of " + a.Held.String()
	if a.Chair != "" {
		words += ", chair " + a.Chair
	}
	if a.Minutes != "" {
		words += ", minutes in " + a.Minutes
	}
	if !a.Signed() {
		words += "; a draft, since nobody signed for one of the parties"
	}
	return words
}

func signatoryWords(s sla.Signatory) string {
	words := s.Name
	if s.Role != "" {
		words += ", " + s.Role
	}
	words += ", for the " + string(s.Party)
	if !s.On.IsZero() {
		words += ", on " + s.On.String()
	}
	return words
}

func providerWords(p sla.Provider) string {
	words := p.Name
	if p.ServiceOwner != "" {
		words += "; " + p.ServiceOwner + " owns the services"
	}
	if p.Contact != "" {
		words += "; " + p.Contact
	}
	return words
}

func customerWords(customers []string) string {
	if len(customers) == 1 && customers[0] == sla.AllCustomers {
		return "every customer, each measured separately"
	}
	return strings.Join(customers, ", ")
}

// costWords lists the options with their budgets and prices. Each budget is for the
// period of the price, at its nominal length.
func costWords(a *sla.Agreement) []string {
	var all []string
	for _, o := range a.Terms.CostOptions {
		per := sla.Period{Calendar: o.Per}
		words := fmt.Sprintf("%s: %s %%, %s bad in %s", o.Name, o.Target, span(o.Budget(per.Nominal())), budgetPeriod(per))
		if o.Currency != "" {
			words += fmt.Sprintf(", for %s %s a %s", o.Price, o.Currency, o.Per)
		}
		if o.Chosen {
			words += " (chosen)"
		}
		if o.Description != "" {
			words += "; " + o.Description
		}
		all = append(all, words)
	}
	return all
}

// obligationWords lists what each party owes, and when.
func obligationWords(a *sla.Agreement) []string {
	var all []string
	for _, o := range a.Terms.Obligations {
		words := fmt.Sprintf("%s, the %s owes: %s, %s", o.ID, o.Party, o.Deliver, o.Words())
		if len(o.Excuses) > 0 {
			levels := make([]string, len(o.Excuses))
			for i, id := range o.Excuses {
				levels[i] = id.Service + "/" + id.SLO
			}
			words += "; while it is late, downtime of " + strings.Join(levels, ", ") + " is excused"
		}
		all = append(all, words)
	}
	return all
}

// methodWords says how the service is restored, and when each method must be exercised.
func methodWords(r *sla.Recovery, effective sla.Date) []string {
	var all []string
	for _, m := range r.Methods {
		words := m.Scenario + ": " + m.Method
		if m.RTO > 0 {
			words += ", back within " + sla.FormatDuration(m.RTO)
		}
		switch {
		case m.RPO > 0:
			words += ", losing at most " + sla.FormatDuration(m.RPO)
		case m.HasRPO:
			words += ", losing nothing"
		}
		if !m.LastExercised.IsZero() {
			words += "; last exercised on " + m.LastExercised.String()
		}
		if by, due := m.ExerciseDue(effective); due {
			if m.LastExercised.IsZero() {
				words += "; never exercised"
			}
			if !by.IsZero() {
				words += ", due by " + by.String()
			}
		}
		all = append(all, words)
	}
	return all
}

// explainRecovery says what the level promises about its outages.
func explainRecovery(a *sla.Agreement, l *sla.ServiceLevel, line func(name, format string, args ...any)) {
	if l.Recovery == nil {
		return
	}
	n := 0
	for _, o := range l.Recovery.Objectives {
		words := o.Words()
		if o.Age.Text != "" {
			words += ": " + o.Age.Text
		}
		line([]string{"Recovery", ""}[min(n, 1)], "%s", words)
		n++
	}
	if l.Recovery == a.Recovery {
		return // the methods are above all levels
	}
	for _, words := range methodWords(l.Recovery, a.Terms.EffectiveFrom) {
		line([]string{"Recovery", ""}[min(n, 1)], "%s", words)
		n++
	}
}
