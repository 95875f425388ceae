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
