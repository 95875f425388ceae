package emit

import (
	"maps"
	"slices"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// inhibition is one kind of news that makes another one superfluous while both
// are there.
type inhibition struct {
	source, target []string // matchers
	more           []string // labels that both share besides those of the level
}

// inhibitions are what holds what back; each entry says why.
var inhibitions = []func(agreements []*sla.Agreement, severities []severity) []inhibition{
	pageInhibitsTicket,
	lostInhibitsTicket,
	fasterInhibitsSlower,
}

// inhibitRules are the inhibitions among alerts of one level, and of one group
// of a level that has groups.
func inhibitRules(agreements []*sla.Agreement, severities []severity) []inhibitRule {
	labels := identityOf(agreements)
	var rules []inhibitRule
	for _, of := range inhibitions {
		for _, i := range of(agreements, severities) {
			rules = append(rules, inhibitRule{i.source, i.target, slices.Concat(labels, i.more)})
		}
	}
	return append(rules, compositesInhibit(agreements, severities)...)
}

// burning are the alerts of a budget that burns.
const burning = `alertname=~"` + rulegen.AlertBudgetBurn + `|` + rulegen.AlertBudgetForecast + `"`

// pageInhibitsTicket keeps one outage from being told twice: while a page tier
// of a level fires, the slower tiers and the forecast that it sets off too are
// held back. A spent budget and a lost measurement are other news.
func pageInhibitsTicket(_ []*sla.Agreement, severities []severity) []inhibition {
	pages, tickets := namesOf(severities, sla.Page), namesOf(severities, sla.Ticket)
	if len(pages) == 0 || len(tickets) == 0 {
		return nil
	}
	return []inhibition{{
		source: []string{equals("alertname", rulegen.AlertBudgetBurn), oneOf(metricnames.Severity, pages)},
		target: []string{burning, oneOf(metricnames.Severity, tickets)},
	}}
}

// lostInhibitsTicket holds back tickets that tell of a past which nobody
// measures any more: over their long windows they go on for hours. A page is
// not held back by anything that is no page.
func lostInhibitsTicket(_ []*sla.Agreement, severities []severity) []inhibition {
	tickets := namesOf(severities, sla.Ticket)
	if len(tickets) == 0 {
		return nil
	}
	return []inhibition{{
		source: []string{equals("alertname", rulegen.AlertMeasurementLost)},
		target: []string{burning, oneOf(metricnames.Severity, tickets)},
	}}
}

// fasterInhibitsSlower holds back a slower tier while a faster one of the same
// level and severity tells the same people; where any level has the two the
// other way round, tells other people of one of them, or gives them other
// labels, neither holds back the other.
func fasterInhibitsSlower(agreements []*sla.Agreement, _ []severity) []inhibition {
	pairs, fast := map[[2]string]bool{}, []string{}
	told := map[string]bool{}
	for _, a := range agreements {
		for _, l := range a.Levels {
			for _, s := range l.Escalation {
				for _, tier := range s.Tiers {
					told[tier] = true
				}
			}
			for i, t := range l.Alerting.Tiers {
				if !slices.Contains(fast, t.Name) {
					fast = append(fast, t.Name)
				}
				for _, slow := range l.Alerting.Tiers[i+1:] {
					if slow.Severity == t.Severity {
						pairs[[2]string{t.Name, slow.Name}] = true
						if !maps.Equal(t.Labels, slow.Labels) {
							pairs[[2]string{slow.Name, t.Name}] = true // as if it were the other way round too
						}
					}
				}
			}
		}
	}
	var all []inhibition
	for _, name := range fast {
		var slower []string
		for _, slow := range fast {
			if pairs[[2]string{name, slow}] && !pairs[[2]string{slow, name}] && !told[name] && !told[slow] {
				slower = append(slower, slow)
			}
		}
		if len(slower) > 0 {
			all = append(all, inhibition{
				source: []string{equals("alertname", rulegen.AlertBudgetBurn), equals(metricnames.Tier, name)},
				target: []string{equals("alertname", rulegen.AlertBudgetBurn), matchTier(slower, "=", "=~")},
				more:   []string{metricnames.Severity},
			})
		}
	}
	return all
}
