package main

import (
	"fmt"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// explainCredits says what a level owes, of which fee, and which parts the live rules
// follow.
func explainCredits(l *sla.ServiceLevel, policy sla.CreditPolicy, line func(name, format string, args ...any)) {
	c := l.Credits
	if !c.Any() {
		return
	}
	line("Credits", "%s, of %s", c.CreditWords(), l.CreditPeriod().Words())
	if c.Fee != nil {
		line("", "per cent of %s", c.Fee.Words())
	} else if policy.Fee == nil {
		line("", "per cent of %s", policy.BasisOf(l))
	}
	var more []string
	if c.Allowance > 0 {
		more = append(more, "the first "+sla.FormatDuration(c.Allowance)+" of bad time are free")
	}
	if c.Cap != nil {
		more = append(more, c.Cap.Words())
	}
	if c.NonStacking != "" {
		more = append(more, "only the greatest credit of "+c.NonStacking+" is paid")
	}
	if c.AsTime {
		more = append(more, "the term is extended in place of money")
	}
	for _, words := range more {
		line("", "%s", words)
	}
	switch {
	case len(c.Tiers) == 0:
		line("", "verdict only: live rules record nothing of it")
	case len(c.Schemes) > 0 || len(more) > 0:
		line("", "live rules follow the tiers alone; the rest is for verdicts")
	}
}

// explainPolicy says how the credits of all levels become the amount paid. Only
// verdicts follow it.
func explainPolicy(b *strings.Builder, a *sla.Agreement) {
	var lines []string
	p := a.CreditPolicy
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	if p.Fee != nil {
		add("per cent of %s", p.Fee.Words())
	}
	if p.Combine != "" && p.Combine != sla.CombineSum {
		add("of several credits %s is paid", p.Combine.Doc())
	}
	if p.OneCause {
		add("of levels that failed for the same cause, only the greatest credit is paid")
	}
	if len(p.BreachCount) > 0 {
		add("besides, %s", sla.StepWords(p.BreachCount, "missed target"))
	}
	if p.AtRisk.Sign() > 0 {
		add("at risk: %s %% of the fee", p.AtRisk)
	}
	for _, c := range p.Caps {
		add("%s", c.Words())
	}
	if p.Minimum != nil {
		add("%s", p.Minimum.Words())
	}
	if p.EarnBack != nil {
		add("%s", p.EarnBack.Words())
	}
	if p.Claim != nil {
		add("%s", p.Claim.Words())
	}
	if a.Termination != nil {
		add("the customer may end the agreement %s", a.Termination.Words())
	}
	if len(lines) == 0 {
		return
	}
	b.WriteString("\nCredits of the agreement, which only verdicts follow:\n")
	for _, words := range lines {
		b.WriteString("  " + words + "\n")
	}
}
