package sla_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Tiers with the same recipients are one alert. Where a severity has several alerts, the
// label tier distinguishes them, and escalation steps match it.
func TestBurnAlerts(t *testing.T) {
	for name, c := range map[string]struct {
		alter func(*sla.ServiceLevel)
		want  string // severity, label: tiers; ...
	}{
		"by severity": {func(*sla.ServiceLevel) {}, "page : page-fast page-slow; ticket : ticket-fast ticket-slow"},
		"by labels": {
			func(l *sla.ServiceLevel) { l.Alerting.Tiers[0].Labels = map[string]string{"channel": "night"} },
			"page page-fast: page-fast; page page-slow: page-slow; ticket : ticket-fast ticket-slow",
		},
		"by how long they wait": {
			func(l *sla.ServiceLevel) { l.Alerting.Tiers[1].For = time.Minute },
			"page page-fast: page-fast; page page-slow: page-slow; ticket : ticket-fast ticket-slow",
		},
		"one by a step of its own": {func(l *sla.ServiceLevel) {
			l.Escalation = []sla.EscalationStep{{Severities: []string{"page"}}, {Tiers: []string{"ticket-slow"}}}
		}, "page : page-fast page-slow; ticket ticket-fast: ticket-fast; ticket ticket-slow: ticket-slow"},
		"two by one step": {func(l *sla.ServiceLevel) {
			l.Escalation = []sla.EscalationStep{{Tiers: []string{"page-slow", "page-fast"}}}
		}, "page page-fast: page-fast page-slow; ticket : ticket-fast ticket-slow"},
		"none": {func(l *sla.ServiceLevel) { l.Alerting.Tiers = nil }, ""},
	} {
		period := sla.Period{Rolling: 30 * 24 * time.Hour}
		l := &sla.ServiceLevel{Period: period, Alerting: (&sla.ServiceLevel{Period: period}).DefaultAlerting()}
		c.alter(l)
		var got []string
		for _, a := range l.BurnAlerts() {
			got = append(got, fmt.Sprintf("%s %s: %s", a.Severity, a.Tier, strings.Join(a.Names(), " ")))
		}
		if got := strings.Join(got, "; "); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// A ticket waits for a page, and never a page for a ticket, however urgent the
// tiers of either are by their factors.
func TestPagesAreNeverWithheldByTickets(t *testing.T) {
	period := sla.Period{Rolling: 30 * 24 * time.Hour}
	l := &sla.ServiceLevel{Period: period, Alerting: (&sla.ServiceLevel{Period: period}).DefaultAlerting()}
	l.Alerting.Tiers = append(l.Alerting.Tiers, sla.Tier{Name: "mine", Severity: "info", Factor: sla.MustDecimal("20"), Long: time.Hour, Short: sla.BaseWindow})
	alerts := l.BurnAlerts()
	for _, a := range alerts {
		withheld := slices.ContainsFunc(alerts, a.WithheldBy)
		if withheld == a.Pages() {
			t.Errorf("%s of %v is withheld: %t", a.Severity, a.Names(), withheld)
		}
	}
	if page, ticket := alerts[0].TimeToResolve(), alerts[1].TimeToResolve(); page != 35*time.Minute || ticket != 6*time.Hour+5*time.Minute {
		t.Errorf("over %s and %s after a repair", page, ticket)
	}
}
