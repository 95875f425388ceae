package sla_test

import (
	"testing"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

func at(t *testing.T, text string) time.Time {
	t.Helper()
	got, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func office(holidays ...sla.Date) *sla.Calendar {
	c := &sla.Calendar{Name: "office", Zone: "Europe/Berlin", Weekly: map[time.Weekday][]sla.Hours{}, Holidays: map[sla.Date]bool{}}
	for d := time.Monday; d <= time.Friday; d++ {
		c.Weekly[d] = []sla.Hours{{From: 9 * time.Hour, To: 17 * time.Hour}}
	}
	for _, h := range holidays {
		c.Holidays[h] = true
	}
	return c
}

func TestBusinessDaysSkipDaysWithoutHours(t *testing.T) {
	first := at(t, "2026-12-31T23:00:00Z") // midnight in Berlin
	for _, c := range []struct {
		n        sla.BusinessDay
		calendar *sla.Calendar
		want     string
	}{
		{1, nil, "2027-01-01T23:00:00Z"},
		{1, office(), "2027-01-01T23:00:00Z"},                                               // a Friday
		{1, office(sla.Date{Month: 1, Day: 1}), "2027-01-04T23:00:00Z"},                     // the Monday after
		{5, office(sla.Date{Month: 1, Day: 1}), "2027-01-08T23:00:00Z"},                     // the Friday
		{2, &sla.Calendar{Complement: true, Zone: "Europe/Berlin"}, "2027-01-02T23:00:00Z"}, // always
		{62, office(sla.Date{Year: 2027, Month: 1, Day: 1}), "2027-03-30T22:00:00Z"},        // in summer time
	} {
		got, ok := c.n.Due(c.calendar, "Europe/Berlin", first)
		if want := at(t, c.want); !ok || !got.Equal(want) {
			t.Errorf("%s: %v %v, want %v", c.n, got, ok, want)
		}
	}
	if got, ok := sla.BusinessDay(1).Due(&sla.Calendar{}, "UTC", first); ok {
		t.Errorf("a calendar without hours has a business day, %v", got)
	}
}

func TestBusinessDayTexts(t *testing.T) {
	for _, text := range []string{"", "5", "business_day_", "business_day_0", "business_day_05", "business_day_-1", "business_day_+1", "business_day_251"} {
		if got, err := sla.ParseBusinessDay(text); err == nil {
			t.Errorf("%q is %s", text, got)
		}
	}
	if got, err := sla.ParseBusinessDay("business_day_250"); err != nil || got.String() != "business_day_250" {
		t.Errorf("%s, %v", got, err)
	}
}

func revisions(split bool) []*sla.Agreement {
	one := &sla.Agreement{Name: "shop", Terms: sla.Terms{Revision: 1}}
	two := &sla.Agreement{Name: "shop", Zone: "Europe/Berlin", Terms: sla.Terms{Revision: 2, EffectiveFrom: sla.Date{Year: 2026, Month: 10, Day: 15}}}
	for _, a := range []*sla.Agreement{one, two} {
		a.Revisions, a.Terms.SplitPeriods = []*sla.Agreement{one, two}, split
	}
	return one.Revisions
}

func TestRevisionTakesEffectAtMidnightOfItsZone(t *testing.T) {
	all := revisions(false)
	for text, want := range map[string]int{"2026-10-14T21:59:59Z": 1, "2026-10-14T22:00:00Z": 2, "2026-12-01T00:00:00Z": 2} {
		if got := sla.InForce(all, at(t, text)); got.Terms.Revision != want {
			t.Errorf("at %s revision %d is in force", text, got.Terms.Revision)
		}
	}
	if got := sla.InForce(all[1:], at(t, "2026-10-14T21:59:59Z")); got != nil {
		t.Errorf("%s is in force before it takes effect", got.Edition())
	}
	if next := all[0].Next(at(t, "2026-10-01T00:00:00Z")); next != all[1] || all[0].Next(at(t, "2026-10-14T22:00:00Z")) != nil {
		t.Errorf("next is %v", next)
	}
}

func TestPeriodIsJudgedByTheRevisionAtItsStart(t *testing.T) {
	from, to, edge := at(t, "2026-09-30T22:00:00Z"), at(t, "2026-10-31T23:00:00Z"), at(t, "2026-10-14T22:00:00Z")
	whole := sla.Parts(revisions(false), from, to)
	if len(whole) != 1 || whole[0].Agreement.Terms.Revision != 1 || !whole[0].From.Equal(from) || !whole[0].To.Equal(to) {
		t.Errorf("whole: %v", whole)
	}
	parts := sla.Parts(revisions(true), from, to)
	if len(parts) != 2 || parts[1].Agreement.Terms.Revision != 2 || !parts[0].To.Equal(edge) || !parts[1].From.Equal(edge) || !parts[1].To.Equal(to) {
		t.Errorf("split: %v", parts)
	}
	late := sla.Parts(revisions(false)[1:], from, to)
	if len(late) != 2 || late[0].Agreement != nil || late[1].Agreement.Terms.Revision != 2 || !late[0].To.Equal(edge) {
		t.Errorf("before the first revision: %v", late)
	}
}

func TestObligationsAreDueAfterEachPeriod(t *testing.T) {
	report := &sla.Obligation{ID: "report", By: 5, Every: sla.Period{Calendar: sla.Month, Zone: "Europe/Berlin"}, Calendar: office()}
	due := report.Due(at(t, "2026-10-01T00:00:00Z"), at(t, "2026-12-31T00:00:00Z"), "Europe/Berlin")
	want := []string{"2026-10-07T22:00:00Z", "2026-11-06T23:00:00Z", "2026-12-07T23:00:00Z"}
	if len(due) != len(want) {
		t.Fatalf("due %v", due)
	}
	for i := range want {
		if !due[i].Equal(at(t, want[i])) {
			t.Errorf("due %v, want %s", due[i], want[i])
		}
	}
	cert := &sla.Obligation{ID: "cert", Before: 14, Dates: []sla.Date{{Year: 2027, Month: 1, Day: 15}}}
	if due := cert.Due(at(t, "2027-01-01T00:00:00Z"), at(t, "2027-02-01T00:00:00Z"), "UTC"); len(due) != 1 || !due[0].Equal(at(t, "2027-01-02T00:00:00Z")) {
		t.Errorf("due %v", due)
	}
}

func TestDeliveriesAreRecordedByAdjustments(t *testing.T) {
	cert := &sla.Obligation{ID: "cert", Party: sla.ByCustomer, Before: 1, Dates: []sla.Date{{Year: 2026, Month: 10, Day: 11}, {Year: 2026, Month: 10, Day: 21}}}
	done := at(t, "2026-10-12T00:00:00Z")
	recorded := &sla.Adjustment{Name: "late", Delivered: &sla.DeliveryRecord{ID: "cert", Due: sla.Date{Year: 2026, Month: 10, Day: 10}, Done: done}}
	a := &sla.Agreement{Terms: sla.Terms{Obligations: []*sla.Obligation{cert}}, Adjustments: []*sla.Adjustment{recorded}}
	from, to := at(t, "2026-10-01T00:00:00Z"), at(t, "2026-11-01T00:00:00Z")
	all := a.Deliveries(from, to)
	if len(all) != 2 || all[0].Recorded != recorded || all[1].Recorded != nil {
		t.Fatalf("%+v", all)
	}
	if end, late := all[0].LateUntil(to); !late || !end.Equal(done) {
		t.Errorf("late until %v, %v", end, late)
	}
	if end, late := all[1].LateUntil(to); !late || !end.Equal(to) {
		t.Errorf("late until %v, %v", end, late)
	}
	recorded.Withdrawn = sla.Date{Year: 2026, Month: 11, Day: 1}
	if all := a.Deliveries(from, to); len(all) != 2 || all[0].Recorded != nil {
		t.Errorf("a withdrawn record counts: %+v", all)
	}
}

func TestApprovalRulesNameWhoMustApprove(t *testing.T) {
	provider := []sla.PartyApproval{{Party: sla.ByProvider}}
	for rule, lacking := range map[sla.ApprovalRule]int{sla.BothApprove: 1, sla.ProviderAlone: 0, sla.CustomerAlone: 1} {
		if got := rule.Lacking(provider); len(got) != lacking {
			t.Errorf("%s lacks %v", rule, got)
		}
	}
	if got := sla.BothApprove.Lacking(nil); len(got) != 2 {
		t.Errorf("both lacks %v", got)
	}
}

func TestDisputesCountUntilTheirDeadline(t *testing.T) {
	claim := &sla.Adjustment{Name: "storm", Filed: sla.Date{Year: 2026, Month: 10, Day: 1}, Excluded: &sla.ExcludedTime{Claim: sla.Claim{DisputeBy: 10}}}
	dispute := &sla.Adjustment{Name: "no", Filed: sla.Date{Year: 2026, Month: 10, Day: 11}, Disputed: &sla.Dispute{Of: "storm", OfAdjustment: claim}}
	all := []*sla.Adjustment{claim, dispute}
	if got := claim.DisputedBy(all); len(got) != 1 {
		t.Errorf("on the last day: %v", got)
	}
	dispute.Filed.Day = 12
	if got := claim.DisputedBy(all); len(got) != 0 {
		t.Errorf("a day late: %v", got)
	}
	claim.Excluded.Claim.DisputeBy = 0
	if got := claim.DisputedBy(all); len(got) != 1 {
		t.Errorf("without a deadline: %v", got)
	}
}

func TestExercisesAreDueFromTheLastOne(t *testing.T) {
	m := sla.RecoveryMethod{ExerciseEvery: 180, LastExercised: sla.Date{Year: 2026, Month: 8, Day: 20}}
	if by, due := m.ExerciseDue(sla.Date{}); !due || by.String() != "2027-02-16" {
		t.Errorf("due by %v, %v", by, due)
	}
	m.LastExercised = sla.Date{}
	if by, due := m.ExerciseDue(sla.Date{Year: 2026, Month: 1, Day: 1}); !due || by.String() != "2026-06-30" {
		t.Errorf("never exercised: due by %v, %v", by, due)
	}
	if by, due := m.ExerciseDue(sla.Date{}); !due || !by.IsZero() {
		t.Errorf("never exercised, in force always: due by %v, %v", by, due)
	}
	m.ExerciseEvery = 0
	if _, due := m.ExerciseDue(sla.Date{}); due {
		t.Error("an exercise that nobody asks for is due")
	}
}
