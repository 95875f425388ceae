package sla

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// BurnAlert is one or several tiers of a level that share an alert: people are notified
// once of an outage and once of its end, no matter how many tiers fire.
type BurnAlert struct {
	Severity      string
	Labels        map[string]string // added to the alert; the same for all its tiers
	Tiers         []Tier            // most urgent first, at least one
	For           time.Duration     // the same for all its tiers
	KeepFiringFor time.Duration     // the longest of all its tiers

	// Tier is the label tier, which sets the alert apart from others of its severity:
	// the name of its first tier if an escalation step names its tiers, or if the level
	// has several alerts of the severity; otherwise "".
	Tier string

	steps string // the escalation steps that name its tiers
}

// BurnAlerts returns the tiers of the level by alert, most urgent first. Tiers share an
// alert if they have the same severity, labels and For, and if the same escalation steps
// name them.
func (l *ServiceLevel) BurnAlerts() []BurnAlert {
	var all []BurnAlert
	for _, t := range l.Alerting.Tiers {
		named := stepsThatName(l, t)
		i := slices.IndexFunc(all, func(a BurnAlert) bool {
			return a.Severity == t.Severity && a.For == t.For && a.steps == named && maps.Equal(a.Labels, t.Labels)
		})
		if i < 0 {
			i, all = len(all), append(all, BurnAlert{Severity: t.Severity, Labels: t.Labels, For: t.For, steps: named})
		}
		all[i].Tiers = append(all[i].Tiers, t)
		all[i].KeepFiringFor = max(all[i].KeepFiringFor, t.KeepFiringFor)
	}
	for i, a := range all {
		alike := func(other BurnAlert) bool { return other.Severity == a.Severity }
		if a.steps != "" || slices.ContainsFunc(all[:i], alike) || slices.ContainsFunc(all[i+1:], alike) {
			all[i].Tier = a.Tiers[0].Name
		}
	}
	return all
}

// stepsThatName identifies the escalation steps of the level that name a tier.
func stepsThatName(l *ServiceLevel, t Tier) string {
	var named strings.Builder
	for i, s := range l.Escalation {
		if slices.Contains(s.Tiers, t.Name) {
			fmt.Fprint(&named, i, " ")
		}
	}
	return named.String()
}

// Has returns whether a tier is one of the alert's.
func (a BurnAlert) Has(tier string) bool {
	return slices.ContainsFunc(a.Tiers, func(t Tier) bool { return t.Name == tier })
}

// Names returns the names of the alert's tiers.
func (a BurnAlert) Names() []string {
	names := make([]string, 0, len(a.Tiers))
	for _, t := range a.Tiers {
		names = append(names, t.Name)
	}
	return names
}

// Pages returns whether the alert is a page.
func (a BurnAlert) Pages() bool {
	return slices.ContainsFunc(a.Tiers, func(t Tier) bool { return t.Urgency == Page })
}

// WithheldBy returns whether the alert does not begin to fire while another alert of
// the level fires. This holds for a ticket while a page fires, and for any alert while
// a more urgent one to the same people fires.
func (a BurnAlert) WithheldBy(other BurnAlert) bool {
	if other.Pages() && !a.Pages() {
		return true
	}
	return a.Severity == other.Severity && a.steps+other.steps == "" && maps.Equal(a.Labels, other.Labels) &&
		a.Tiers[0].Factor.Cmp(other.Tiers[0].Factor) < 0
}

// TimeToDetect is that of the alert's fastest tier.
func (a BurnAlert) TimeToDetect(budget Decimal) time.Duration {
	return slices.Min(a.each(func(t Tier) time.Duration { return t.TimeToDetect(budget) }))
}

// TimeToResolve is how long the alert may go on after an outage, without the delays of
// scraping and evaluation: until the outage has left the short windows of all its tiers.
func (a BurnAlert) TimeToResolve() time.Duration {
	return slices.Max(a.each(func(t Tier) time.Duration { return t.Short })) + BaseWindow + a.KeepFiringFor
}

func (a BurnAlert) each(of func(Tier) time.Duration) []time.Duration {
	var all []time.Duration
	for _, t := range a.Tiers {
		all = append(all, of(t))
	}
	return all
}
