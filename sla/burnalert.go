package sla

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// BurnAlert are tiers of a level that are one alert: people are told once of an
// outage, however many of its tiers see it, and once that it is over.
type BurnAlert struct {
	Severity      string
	Labels        map[string]string // added to the alert, the same of all its tiers
	Tiers         []Tier            // most urgent first, at least one
	For           time.Duration     // the same of all its tiers
	KeepFiringFor time.Duration     // the longest of its tiers

	// Tier is the label that tells the alert from others of its severity: the
	// name of its first tier if a step of the escalation names its tiers, or if
	// the level has several alerts of the severity; else "".
	Tier string

	steps string // by which steps
}

// BurnAlerts are the tiers of the level by alert, most urgent first. Tiers are
// one alert if they have the same severity, labels and For, and if the same
// steps of the escalation name them.
func (l *ServiceLevel) BurnAlerts() []BurnAlert {
	var all []BurnAlert
	for _, t := range l.Alerting.Tiers {
		named := l.stepsThatName(t)
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

// stepsThatName tells the steps of the level's escalation that name a tier from
// all others.
func (l *ServiceLevel) stepsThatName(t Tier) string {
	var named strings.Builder
	for i, s := range l.Escalation {
		if slices.Contains(s.Tiers, t.Name) {
			fmt.Fprint(&named, i, " ")
		}
	}
	return named.String()
}

// Has tells whether a tier is one of the alert's.
func (a BurnAlert) Has(tier string) bool {
	return slices.ContainsFunc(a.Tiers, func(t Tier) bool { return t.Name == tier })
}

// Names are those of the alert's tiers.
func (a BurnAlert) Names() []string {
	names := make([]string, 0, len(a.Tiers))
	for _, t := range a.Tiers {
		names = append(names, t.Name)
	}
	return names
}

// Pages tells whether the alert is to wake somebody.
func (a BurnAlert) Pages() bool {
	return slices.ContainsFunc(a.Tiers, func(t Tier) bool { return t.Urgency == Page })
}

// WithheldBy tells whether the alert does not begin while another of the level
// fires: a ticket because of a page; and any because of a more urgent one that
// the same people are told of.
func (a BurnAlert) WithheldBy(other BurnAlert) bool {
	if other.Pages() && !a.Pages() {
		return true
	}
	return a.Severity == other.Severity && a.steps+other.steps == "" && maps.Equal(a.Labels, other.Labels) &&
		a.Tiers[0].Factor.Cmp(other.Tiers[0].Factor) < 0
}

// TimeToDetect is that of the alert's quickest tier.
func (a BurnAlert) TimeToDetect(budget Decimal) time.Duration {
	return slices.Min(a.each(func(t Tier) time.Duration { return t.TimeToDetect(budget) }))
}

// TimeToResolve is how long after an outage the alert goes on at the most,
// without the delays of scraping and evaluation: until the short windows of all
// its tiers have forgotten it.
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
