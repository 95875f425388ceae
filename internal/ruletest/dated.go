package ruletest

import (
	"fmt"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// Tests at single instants of the years that rules are made for. Tests begin with
// 1970, where of holidays and single windows nothing is to be seen. So the whole
// time until then is one step of the file.

// mostDated is how many instants of masks are tested.
const mostDated = 4

// dated are the files of tests of an agreement's masks at instants: at one in
// summer, within the first holiday, exception or window of each mask, and when
// its tables are about to end.
func (s *Suite) dated(ruleFiles, groups []string) []File {
	var all []File
	for _, at := range s.instants() {
		every := fmt.Sprintf("%ds", at.Unix())
		t := Test{Name: "at " + at.Format(time.RFC3339), Interval: every, Asked: s.masked(at, every)}
		for _, groups := range s.all {
			for _, l := range groups {
				if l.Masked() {
					input, asked := l.agreedAt(at, every)
					t.Input, t.Asked = append(t.Input, input...), append(t.Asked, asked...)
				}
			}
		}
		for _, of := range alertTests() {
			if of.dated != nil {
				t.Asked = append(t.Asked, of.dated(s.datedAlerts(of), s.opts.Now, at, every)...)
			}
		}
		all = append(all, File{
			RuleFiles: ruleFiles, EvaluationInterval: every, GroupEvalOrder: groups, Tests: []Test{t}, Name: at.Format("20060102T1504"),
			Notes: []string{"Of its calendars and masks at " + at.Format(time.RFC3339) + ": tests begin with 1970, so all time until then is one step."},
		})
	}
	return all
}

// datedAlerts are the rules of a kind of alert that the agreement has.
func (s *Suite) datedAlerts(of alertTest) []rulegen.Rule {
	var all []rulegen.Rule
	for _, groups := range s.all {
		for _, r := range groups[0].alert {
			if r.Alert == of.kind.Name {
				all = append(all, r)
			}
		}
	}
	return all
}

func (s *Suite) instants() []time.Time {
	dated := slices.ContainsFunc(alertTests(), func(of alertTest) bool { return of.dated != nil && len(s.datedAlerts(of)) > 0 })
	masked := slices.ContainsFunc(s.all, func(groups []*tested) bool { return groups[0].Masked() })
	if !masked && !dated {
		return nil
	}
	year := s.opts.Now.UTC().Year()
	all := []time.Time{time.Date(year, 7, 15, 12, 0, 0, 0, time.UTC)}
	for _, r := range s.masks.rules {
		for _, c := range r.Mask.Corrections().Within(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(year+2, 1, 1, 0, 0, 0, 0, time.UTC)) {
			if c.To.Sub(c.From) < 2*step {
				continue
			}
			at := c.From.Add(c.To.Sub(c.From) / 2).Truncate(time.Minute)
			if !slices.ContainsFunc(all, at.Equal) && len(all) < mostDated {
				all = append(all, at)
			}
			break
		}
	}
	if dated {
		all = append(all, tablesEnd(s.opts.Now))
	}
	return all
}

// masked asks for all masks at an instant, as the model has them.
func (s *Suite) masked(at time.Time, every string) []Asked {
	var all []Asked
	done := map[string]bool{}
	ask := func(r rulegen.Rule, holds bool) {
		m := promql.Metric(r.Labels).With(promql.Metric{nameLabel: r.Record})
		if done[m.String()] {
			return
		}
		done[m.String()] = true
		all = append(all, one(m, every, holds))
	}
	for _, groups := range s.all {
		l := groups[0]
		for _, r := range s.masks.rules {
			if c := l.ServiceHours; c != nil && r.Record == metricnames.ServiceHoursMask && r.Labels[metricnames.Calendar] == c.Name {
				ask(r, holdsAt(c.Service, at))
			}
			for _, e := range l.Exclusions {
				if r.Record == metricnames.ExclusionMask && r.Labels[metricnames.Exclusion] == e.Name {
					ask(r, holdsAt(e.Spans, at))
				}
			}
		}
	}
	return all
}

func holdsAt(spans func(from, to time.Time) sla.Spans, at time.Time) bool {
	return len(spans(at, at.Add(time.Second))) > 0
}

func one(m promql.Metric, at string, holds bool) Asked {
	a := Asked{Expr: m.String(), At: at, Samples: []Sample{{m.String(), 0}}, about: m}
	if holds {
		a.Samples[0].Value = 1
	}
	return a
}

// ofWhole is a recorded series of the level that its groups share.
func (l *tested) ofWhole(name string) promql.Metric {
	m := l.named(name)
	for label := range l.group {
		delete(m, label)
	}
	return m
}

// agreedAt feeds half of a period's agreed time, of which as much was bad as the
// target allows, and asks what is made of it, and whether alerts may fire.
func (l *tested) agreedAt(at time.Time, every string) ([]Input, []Asked) {
	var inputs []Input
	var asked []Asked
	if l.recorded[metricnames.AlertingMask] && l.first() {
		up := slices.ContainsFunc(l.Exclusions, func(e *sla.Exclusion) bool { return holdsAt(e.Spans, at) })
		asked = append(asked, one(l.ofWhole(metricnames.AlertingMask), every, holdsAt(l.Service, at) && !up))
	}
	if l.bound {
		return nil, asked
	}
	for _, p := range l.Periods() {
		from, to := p.Bounds(at.Add(-(sla.BaseWindow + rulegen.SecondTier(l.every)) / 2))
		agreed := l.Agreed(from, to).Total().Seconds()
		if agreed == 0 {
			continue
		}
		label := []string{metricnames.Period, p.String()}
		feed := func(name string, v float64) {
			inputs = append(inputs, input(l.named(name, label...), "_ "+number(v)))
		}
		feed(metricnames.TotalPeriod, agreed/2)
		feed(metricnames.BadPeriod, agreed/2*l.TargetBudget().Float64())
		if l.recorded[removed.Sum] {
			feed(removed.Sum, 0)
		}
		if !l.Aggregation.ByTime() {
			feed(metricnames.TallyOf("agreed", metricnames.AgreedMask).Sum, agreed/2)
		}
		near := func(name string, v, give float64) {
			a := between(l.named(name, label...), 0, v-give, v+give)
			a.At = every
			asked = append(asked, a)
		}
		near(metricnames.AgreedPeriod, agreed, 0.5)
		near(metricnames.CoveragePeriod, 0.5, 1e-6)
		near(metricnames.BudgetRemaining, 0.5, 1e-6)
	}
	return inputs, asked
}
