package ruletest

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// Tests at single instants of the years for which rules are made. promtool starts in
// 1970, where there are no holidays and no single maintenance windows. So one step of
// the test goes from 1970 to the instant.

// mostDated is the largest number of instants at which masks are tested.
const mostDated = 4

// dated returns the files for single instants: one in summer time, one within the first
// holiday, exception or maintenance window of each mask, and one shortly before the
// tables in the rules end.
func (s *Suite) dated(ruleFiles, groups []string) []File {
	var all []File
	for _, at := range s.instants() {
		every := fmt.Sprintf("%ds", at.Unix())
		t := Test{Name: "at " + at.Format(time.RFC3339), Interval: every}
		if !s.revised(at) {
			t.Expect = s.masked(at, every)
		}
		for _, groups := range s.all {
			for _, l := range groups {
				if l.Masked() && !s.revised(at) {
					input, expected := l.agreedAt(at, every)
					t.Input, t.Expect = append(t.Input, input...), append(t.Expect, expected...)
				}
			}
		}
		for _, of := range alertTests() {
			if of.dated != nil {
				t.Expect = append(t.Expect, of.dated(s, s.datedAlerts(of, at), at, every)...)
			}
		}
		all = append(all, File{
			RuleFiles: ruleFiles, EvaluationInterval: every, GroupEvalOrder: groups, Tests: []Test{t}, Name: at.Format("20060102T1504"),
			Notes: []string{"Of its calendars and masks at " + at.Format(time.RFC3339) + ": tests begin with 1970, so all time until then is one step."},
		})
	}
	return all
}

// revised returns whether a revision other than the first is in force at an instant.
func (s *Suite) revised(at time.Time) bool { return !s.edge.IsZero() && !at.Before(s.edge) }

// datedAlerts returns the first revision's rules of a kind of alert. At an instant with
// another revision in force, it returns only the rules that no revision changes.
func (s *Suite) datedAlerts(of alertTest, at time.Time) []rulegen.Rule {
	var all []rulegen.Rule
	for _, groups := range s.all {
		for _, r := range groups[0].alert {
			unchanged := func(m rulegen.Rule) bool { return m.Expr.String() == r.Expr.String() && maps.Equal(m.Labels, r.Labels) }
			if r.Alert == of.kind.Name && (!s.revised(at) || slices.ContainsFunc(s.merged[r.Alert], unchanged)) {
				all = append(all, r)
			}
		}
	}
	return all
}

// isDated returns whether alerts are tested at an instant.
func (s *Suite) isDated(at time.Time) bool {
	return slices.ContainsFunc(alertTests(), func(of alertTest) bool { return of.dated != nil && len(s.datedAlerts(of, at)) > 0 })
}

func (s *Suite) instants() []time.Time {
	dated := s.isDated(time.Time{})
	masked := slices.ContainsFunc(s.all, func(groups []*levelUnderTest) bool { return groups[0].Masked() })
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
		all = append(append(all, s.reminderTimes()...), tablesEnd(s.opts.Now))
	}
	all = slices.DeleteFunc(all, func(at time.Time) bool { return s.revised(at) && !s.isDated(at) })
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

// masked compares all masks at an instant with the model.
func (s *Suite) masked(at time.Time, every string) []Expectation {
	var all []Expectation
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

func one(m promql.Metric, at string, holds bool) Expectation {
	a := Expectation{Expr: m.String(), At: at, Samples: []Sample{{m.String(), 0}}, about: m}
	if holds {
		a.Samples[0].Value = 1
	}
	return a
}

// ofWhole is a series of the level that all its groups share.
func (l *levelUnderTest) ofWhole(name string) promql.Metric {
	m := l.named(name)
	for label := range l.group {
		delete(m, label)
	}
	return m
}

// agreedAt sets half of a period's agreed time as measured, with as much of it bad
// as the target allows. It compares the figures that follow, and whether alerts may
// fire.
func (l *levelUnderTest) agreedAt(at time.Time, every string) ([]Input, []Expectation) {
	var inputs []Input
	var expected []Expectation
	if l.recorded[metricnames.AlertingMask] && l.first() {
		up := slices.ContainsFunc(l.Exclusions, func(e *sla.Exclusion) bool { return holdsAt(e.Spans, at) })
		expected = append(expected, one(l.ofWhole(metricnames.AlertingMask), every, holdsAt(l.Service, at) && !up))
	}
	if l.bound {
		return nil, expected
	}
	for _, p := range l.Periods() {
		from, to := p.Bounds(at.Add(-(sla.BaseWindow + rulegen.SecondLayer(l.every)) / 2))
		agreed := l.Agreed(from, to).Total().Seconds()
		if agreed == 0 {
			continue
		}
		label := []string{metricnames.Period, p.String()}
		give := func(name string, v float64) {
			inputs = append(inputs, input(l.named(name, label...), "_ "+number(v)))
		}
		give(metricnames.TotalPeriod, agreed/2)
		give(metricnames.BadPeriod, agreed/2*l.TargetBudget().Float64())
		if l.recorded[removed.Sum] {
			give(removed.Sum, 0)
		}
		if !l.Aggregation.ByTime() {
			give(metricnames.TallyOf("agreed", metricnames.AgreedMask).Sum, agreed/2)
		}
		near := func(name string, v, give float64) {
			a := between(l.named(name, label...), 0, v-give, v+give)
			a.At = every
			expected = append(expected, a)
		}
		near(metricnames.AgreedPeriod, agreed, 0.5)
		near(metricnames.CoveragePeriod, 0.5, 1e-6)
		near(metricnames.BudgetRemaining, 0.5, 1e-6)
	}
	return inputs, expected
}

// tablesEnd is an instant shortly before the tables end in rules that were generated at
// made: in December three years later.
func tablesEnd(made time.Time) time.Time {
	return time.Date(made.UTC().Year()+3, time.December, 15, 12, 0, 0, 0, time.UTC)
}

// calendarEnds expects SLACalendarEnds, but only when the tables end soon.
func calendarEnds(s *Suite, rules []rulegen.Rule, at time.Time, every string) []Expectation {
	var all []Expectation
	for _, r := range rules {
		all = append(all, datedAlert(r, every, !at.Before(tablesEnd(s.opts.Now))))
	}
	return all
}

// datedAlert expects an alert at an instant, or that it is quiet. There is only one
// evaluation, so an alert with `for` is pending.
func datedAlert(r rulegen.Rule, every string, fires bool) Expectation {
	state := isFiring
	if r.For > 0 {
		state = "pending"
	}
	m := promql.Metric(r.Labels).With(promql.Metric{nameLabel: alerts, "alertname": r.Alert, "alertstate": state})
	expected := Expectation{Expr: m.String(), At: every, Samples: []Sample{}, about: m}
	if fires {
		expected.Samples = append(expected.Samples, Sample{m.String(), 1})
	}
	return expected
}

// reminded expects each reminder from its day on. Its rules are in the order of the
// agreement's reminders.
func reminded(s *Suite, rules []rulegen.Rule, at time.Time, every string) []Expectation {
	var all []Expectation
	for _, r := range rules {
		n := 0 // of this kind
		for _, other := range rules[:len(all)] {
			if other.Alert == r.Alert {
				n++
			}
		}
		for _, d := range s.reminders() {
			if d.Kind.Name != r.Alert {
				continue
			}
			if n == 0 {
				all = append(all, datedAlert(r, every, at.After(d.From)))
				break
			}
			n--
		}
	}
	return all
}

// reminders are the agreement's reminders that are not turned off.
func (s *Suite) reminders() []sla.DatedReminder {
	if s.agreement == nil {
		return nil
	}
	return rulegen.Reminders(s.agreement, s.opts)
}

// reminderTimes are an instant before the first reminder with a day, and one after the
// last.
func (s *Suite) reminderTimes() []time.Time {
	var first, last time.Time
	for _, d := range s.reminders() {
		if first.IsZero() || d.From.Before(first) {
			first = d.From
		}
		if d.From.After(last) {
			last = d.From
		}
	}
	var all []time.Time
	if !first.IsZero() {
		all = append(all, first.Add(-time.Hour))
	}
	if len(s.reminders()) > 0 && !last.IsZero() {
		all = append(all, last.Add(time.Hour))
	}
	return all
}
