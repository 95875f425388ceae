package sla_test

import (
	"slices"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

func TestRemindersComeWithTheirDays(t *testing.T) {
	day := func(year int, month time.Month, day int) sla.Date {
		return sla.Date{Year: year, Month: month, Day: day}
	}
	a := &sla.Agreement{Name: "shop", Zone: "Europe/Berlin", Terms: sla.Terms{
		Revision: 1, EffectiveFrom: day(2026, 1, 1), ReviewOn: day(2026, 10, 1),
		Obligations: []*sla.Obligation{{ID: "report", Party: sla.ByProvider, By: 5, Every: sla.Period{Calendar: sla.Month, Zone: "Europe/Berlin"}}},
	}, Recovery: &sla.Recovery{Methods: []sla.RecoveryMethod{{Scenario: "fire", Method: "restore", LastExercised: day(2026, 2, 1), ExerciseEvery: 212}}}} // by 1 September
	next := &sla.Agreement{Name: "shop", Zone: "Europe/Berlin", Terms: sla.Terms{Revision: 2, EffectiveFrom: day(2026, 11, 15)}}
	a.Revisions = []*sla.Agreement{a, next}
	deliver := func(due sla.Date) {
		a.Adjustments = append(a.Adjustments, &sla.Adjustment{Delivered: &sla.DeliveryRecord{ID: "report", Due: due, Done: at(t, "2026-01-02T00:00:00Z")}})
	}
	for m := time.Month(1); m <= 9; m++ {
		deliver(day(2026, m, 5))
	}
	for now, want := range map[string][]string{
		"2026-07-01T00:00:00Z": nil,
		"2026-08-01T22:00:00Z": {"exercise-due"}, // 2 August in Berlin
		"2026-09-01T12:00:00Z": {"review-due", "exercise-due"},
		"2026-09-01T22:00:00Z": {"review-due", "exercise-overdue"},
		"2026-10-02T00:00:00Z": {"review-overdue", "exercise-overdue"},
		"2026-10-05T22:00:00Z": {"review-overdue", "exercise-overdue"}, // the report is due just now
		"2026-10-05T22:00:01Z": {"review-overdue", "exercise-overdue", "obligation-late"},
		"2026-10-20T00:00:00Z": {"review-overdue", "revision-due", "exercise-overdue", "obligation-late"},
	} {
		var rules []string
		for _, f := range a.Reminders(at(t, now)) {
			rules = append(rules, f.Rule)
			if f.Severity != sla.Warning || f.Remedy == "" {
				t.Errorf("%+v", f)
			}
		}
		if !slices.Equal(rules, want) {
			t.Errorf("at %s: %q, want %q", now, rules, want)
		}
	}
}

// An agreement that counts components of another, which changes soon, is reminded once for each
// composite, and nobody of a composite's own agreement, whose rules have both revisions.
func TestCompositesAreRemindedOfRevisionsOfTheirComponents(t *testing.T) {
	revised := func(name string) *sla.Agreement {
		a := &sla.Agreement{Name: name, Terms: sla.Terms{Revision: 1}}
		a.Revisions = []*sla.Agreement{a, {Name: name, Terms: sla.Terms{Revision: 2, EffectiveFrom: sla.Date{Year: 2026, Month: 11, Day: 15}}}}
		return a
	}
	of := func(names ...string) *sla.ServiceLevel {
		c := &sla.Composite{}
		for _, name := range names {
			c.Component = append(c.Component, &sla.Component{Level: &sla.ServiceLevel{ID: sla.ID{SLA: name, Service: "web", SLO: "up"}}})
		}
		return &sla.ServiceLevel{ID: sla.ID{SLO: "whole"}, Indicator: c}
	}
	shop, all := revised("shop"), &sla.Agreement{Name: "all", Levels: []*sla.ServiceLevel{of("shop", "shop", "other")}}
	shop.Levels = []*sla.ServiceLevel{of("shop")}
	for now, want := range map[string]int{"2026-10-15T00:00:00Z": 0, "2026-10-16T00:00:00Z": 1, "2026-11-14T23:59:59Z": 1, "2026-11-15T00:00:00Z": 0} {
		if found := sla.ComponentReminders([]*sla.Agreement{shop, all, {Name: "other"}}, at(t, now)); len(found) != want {
			t.Errorf("at %s: %v", now, found)
		}
	}
}

// An alert that knows only its day fires exactly while check finds that something is
// late, or that the review is near.
func TestDatedRemindersAgreeWithReminders(t *testing.T) {
	day := func(year int, month time.Month, day int) sla.Date {
		return sla.Date{Year: year, Month: month, Day: day}
	}
	own := &sla.ServiceLevel{Recovery: &sla.Recovery{Methods: []sla.RecoveryMethod{
		{Scenario: "flood", Method: "move", LastExercised: day(2026, 5, 1), ExerciseEvery: 31},
		{Scenario: "flood", Method: "move", LastExercised: day(2026, 4, 1), ExerciseEvery: 31},
		{Scenario: "flood", Method: "wait"},
	}}}
	a := &sla.Agreement{Name: "shop", Zone: "Europe/Berlin", Levels: []*sla.ServiceLevel{own}, Terms: sla.Terms{
		EffectiveFrom: day(2026, 1, 1), ReviewOn: day(2026, 10, 1),
		Obligations: []*sla.Obligation{
			{ID: "report", Party: sla.ByProvider, By: 5, Every: sla.Period{Calendar: sla.Month, Zone: "Europe/Berlin"}},
			{ID: "list", Party: sla.ByCustomer, Before: 7, Dates: []sla.Date{day(2026, 12, 24)}},
		},
	}, Recovery: &sla.Recovery{Methods: []sla.RecoveryMethod{{Scenario: "fire", Method: "restore", LastExercised: day(2026, 2, 1), ExerciseEvery: 212}}}}
	for m := time.Month(1); m <= 8; m++ {
		if m != 3 { // which nobody wrote down, and later ones were
			a.Adjustments = append(a.Adjustments, &sla.Adjustment{Delivered: &sla.DeliveryRecord{ID: "report", Due: day(2026, m, 5), Done: at(t, "2026-01-02T00:00:00Z")}})
		}
	}
	begin, end := at(t, "2026-08-06T00:00:00Z"), at(t, "2027-01-20T00:00:00Z")
	dated := a.DatedReminders(begin, end.AddDate(1, 0, 0))
	if len(dated) != 5 {
		t.Fatalf("%+v", dated)
	}
	fired := map[*sla.AlertKind]bool{}
	for now := begin; now.Before(end); now = now.Add(time.Hour) {
		want := map[*sla.AlertKind]int{}
		for _, f := range a.Reminders(now.Add(time.Second)) {
			for rule, k := range map[string]*sla.AlertKind{"review-due": sla.AlertReviewDue, "review-overdue": sla.AlertReviewDue, "exercise-overdue": sla.AlertExerciseOverdue, "obligation-late": sla.AlertObligationLate} {
				if f.Rule == rule {
					want[k]++
				}
			}
		}
		got := map[*sla.AlertKind]int{}
		for _, d := range dated {
			if now.Add(time.Second).After(d.From) {
				got[d.Kind]++
				fired[d.Kind] = true
			}
		}
		want[sla.AlertExerciseOverdue] -= 1 // what is written twice is found twice
		for _, k := range []*sla.AlertKind{sla.AlertReviewDue, sla.AlertExerciseOverdue, sla.AlertObligationLate} {
			if got[k] != want[k] {
				t.Fatalf("at %s %s: %d alerts, and check finds %d", now, k.Name, got[k], want[k])
			}
		}
	}
	if len(fired) != 3 {
		t.Errorf("only %d kinds fired", len(fired))
	}
}
