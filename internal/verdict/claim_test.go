package verdict_test

import (
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

// winter is January 2026 in Berlin, judged in July: an hour was down on the 14th.
func winter(t *testing.T, adjustments ...*sla.Adjustment) verdict.Input {
	t.Helper()
	a := load(t, `  timeZone: Europe/Berlin
  period: month
  calendars: {office: {weekly: [{days: [Mon, Tue, Wed, Thu, Fri], from: "08:00", to: "18:00"}]}}
  serviceHours: office
  serviceLevels:
    - {name: up, target: "99.8", indicator: {condition: {expr: 'up == 1'}}}
`)[0]
	a.Adjustments = adjustments
	in := periodOf(a, at(t, "Europe/Berlin", "2026-01-14"))
	in.Now = at(t, "Europe/Berlin", "2026-07-15")
	in.Evidence.Levels = []verdict.LevelEvidence{evidence("shop", "up", flow{
		in.Start, in.End,
		[]verdict.Stretch{down(utc(t, "2026-01-14T07:30"), utc(t, "2026-01-14T08:30"))},
	}.stretches())}
	return in
}

func during(t *testing.T, from, to string) sla.Reach {
	return sla.Reach{Span: sla.Span{From: at(t, "Europe/Berlin", from), To: at(t, "Europe/Berlin", to)}}
}

func claim(t *testing.T, approved ...sla.Party) *sla.Adjustment {
	a := &sla.Adjustment{Name: "link", By: sla.ByProvider, Excluded: &sla.ExcludedTime{
		Reach: during(t, "2026-01-14T08:00", "2026-01-14T09:15"), Category: "customer_caused", Effect: sla.TreatAsUp,
	}}
	for _, p := range approved {
		a.Approvals = append(a.Approvals, sla.PartyApproval{Party: p})
	}
	return a
}

func TestAdjustmentsOfJanuaryInJuly(t *testing.T) {
	both := []sla.Party{sla.ByProvider, sla.ByCustomer}
	disputed := claim(t, both...)
	dispute := &sla.Adjustment{Name: "no", By: sla.ByCustomer, Disputed: &sla.Dispute{Of: "link", OfAdjustment: disputed}}
	accepted := claim(t, both...)
	agreed := &sla.Adjustment{Name: "no", By: sla.ByCustomer, Disputed: &sla.Dispute{Of: "link", OfAdjustment: accepted}}
	for _, p := range both {
		agreed.Approvals = append(agreed.Approvals, sla.PartyApproval{Party: p})
	}
	withdrawn := claim(t, both...)
	withdrawn.Withdrawn = sla.Date{Year: 2026, Month: time.July, Day: 1}
	corrected := func(state sla.Observed, approved ...sla.Party) *sla.Adjustment {
		a := claim(t, approved...)
		a.Corrected, a.Excluded = &sla.Correction{Reach: a.Excluded.Reach, State: state}, nil
		return a
	}
	for _, c := range []struct {
		does        string
		adjustments []*sla.Adjustment
		want        map[string]string
	}{
		// The office opens at 07:00 UTC in January; the hour is 08:30 to 09:30 there.
		{"nothing was agreed", nil, map[string]string{"verdict": "breached", "bad": "3600", "agreed": "792000"}},
		{"both approved", []*sla.Adjustment{claim(t, both...)}, map[string]string{"verdict": "met", "bad": "900", "excused": "2700", "exclusions": "treat_as_up"}},
		{"one has not approved what decides", []*sla.Adjustment{claim(t, sla.ByProvider)}, map[string]string{"verdict": "disputed", "bad": "3600", "excused": "0"}},
		{"it is disputed", []*sla.Adjustment{disputed, dispute}, map[string]string{"verdict": "disputed", "bad": "3600"}},
		{"both approved the dispute", []*sla.Adjustment{accepted, agreed}, map[string]string{"verdict": "breached", "bad": "3600"}},
		{"it was withdrawn", []*sla.Adjustment{withdrawn}, map[string]string{"verdict": "breached", "bad": "3600"}},
		{"a correction", []*sla.Adjustment{corrected(sla.WasGood, both...)}, map[string]string{"verdict": "met", "bad": "900", "excused": "0"}},
		{"a correction of what is unknown", []*sla.Adjustment{corrected(sla.WasUnknown, both...)}, map[string]string{"bad": "900", "unknown": "4500"}},
		{"a correction that one has not approved", []*sla.Adjustment{corrected(sla.WasGood, sla.ByProvider)}, map[string]string{"verdict": "breached", "bad": "3600"}},
	} {
		t.Run(c.does, func(t *testing.T) { wantLevel(t, judge(t, winter(t, c.adjustments...)), c.want) })
	}
}

func TestDisputeThatDecidesNothing(t *testing.T) {
	in := winter(t, claim(t, sla.ByProvider))
	in.Agreement.Levels[0].Target = sla.MustDecimal("99")
	wantLevel(t, judge(t, in), map[string]string{"verdict": "met"})
}

func TestContestedExclusionOfTheAgreement(t *testing.T) {
	in := winter(t, &sla.Adjustment{Name: "no", By: sla.ByCustomer, Disputed: &sla.Dispute{Of: "maintenance", Reach: during(t, "2026-01-14T00:00", "2026-01-15T00:00")}})
	in.Agreement.Levels[0].Exclusions = []*sla.Exclusion{{Name: "maintenance", Effect: sla.TreatAsUp, Windows: []*sla.Window{
		{Once: sla.Span{From: at(t, "Europe/Berlin", "2026-01-14T08:00"), To: at(t, "Europe/Berlin", "2026-01-14T10:00")}},
	}}}
	r := judge(t, in)
	wantLevel(t, r, map[string]string{"verdict": "disputed", "bad": "0"})
	if why := r.Levels[0].Why; !strings.Contains(why, "the customer disputes it") || r.Verdict != verdict.Disputed {
		t.Errorf("%s: %s", r.Verdict, why)
	}
}

func TestDisputeOfAnExclusionThatBothApproved(t *testing.T) {
	in := winter(t, &sla.Adjustment{
		Name: "no", By: sla.ByCustomer, Approvals: []sla.PartyApproval{{Party: sla.ByProvider}, {Party: sla.ByCustomer}},
		Disputed: &sla.Dispute{Of: "maintenance", Reach: during(t, "2026-01-14T00:00", "2026-01-15T00:00")},
	})
	in.Agreement.Levels[0].Exclusions = []*sla.Exclusion{{Name: "maintenance", Effect: sla.TreatAsUp, Windows: []*sla.Window{
		{Once: sla.Span{From: at(t, "Europe/Berlin", "2026-01-14T08:00"), To: at(t, "Europe/Berlin", "2026-01-14T10:00")}},
	}}}
	wantLevel(t, judge(t, in), map[string]string{"verdict": "breached", "bad": "3600", "excused": "0"})
}

func TestCausesThatWereWrittenDown(t *testing.T) {
	in := winter(t, &sla.Adjustment{Name: "why", Cause: &sla.Cause{Reach: during(t, "2026-01-14T08:00", "2026-01-14T09:00"), By: "third_party", What: "the carrier's fibre was cut"}})
	if got := judge(t, in).Levels[0].Outages; len(got) != 1 || got[0].Cause != "third_party: the carrier's fibre was cut" {
		t.Errorf("%+v", got)
	}
}

func TestMetBut(t *testing.T) {
	a := load(t, `  period: month
  serviceLevels:
    - {name: up, target: "99", indicator: {probe: {http: "https://shop.example/health"}}}
  maintenance: {effect: remove_from_agreed_time, windows: [{from: "2026-06-01T00:00Z", to: "2026-06-04T00:00Z"}]}
`)[0]
	in := periodOf(a, utc(t, "2026-06-10"))
	flapping := flow{in.Start, utc(t, "2026-06-29"), nil}
	for i := range 12 {
		from := utc(t, "2026-06-10T10:00").Add(time.Duration(i) * 5 * time.Minute)
		flapping.changes = append(flapping.changes, down(from, from.Add(4*time.Minute)))
	}
	flapping.changes = append(flapping.changes, down(utc(t, "2026-06-20"), utc(t, "2026-06-20T10:00")))
	in.Evidence.Levels = []verdict.LevelEvidence{{Level: a.Levels[0].ID, Groups: []verdict.GroupEvidence{{Places: []verdict.Place{
		{Labels: map[string]string{"location": "fra"}, Stretches: flapping.stretches()},
		{Labels: map[string]string{"location": "ams"}, Stretches: flow{in.Start, utc(t, "2026-06-29"), nil}.stretches()},
	}}}}}
	l := judge(t, in).Levels[0]
	var checks []string
	for _, b := range l.But {
		checks = append(checks, b.Check)
	}
	if got := strings.Join(checks, " "); l.Verdict != verdict.Met || got != "worst_hour one_place many_outages thin_data excluded_share" {
		t.Errorf("%s but %s: %+v", l.Verdict, got, l.But)
	}
}

// Ten minutes are missing and count as bad; a correction of the hour around them does not
// make them time that nobody looked at.
func TestCorrectionsLeaveMissingMinutesMissing(t *testing.T) {
	in := periodOf(load(t, `  period: month
  serviceLevels:
    - {name: up, target: "99", missingData: bad, indicator: {events: {bad: 'bad_total', total: 'all_total'}}, aggregation: {method: bad_minute, errorThreshold: "5"}}
---
apiVersion: upheld/v1
kind: Adjustment
metadata: {name: wrong, agreement: shop}
spec:
  {filed: "2026-07-01", by: provider, reason: a reason, approvals: [{party: provider, name: P, on: "2026-07-01"}, {party: customer, name: C, on: "2026-07-01"}],
   correction: {state: good, from: "2026-06-10T08:00", to: "2026-06-10T09:00"}}
`)[0], utc(t, "2026-06-10"))
	in.Evidence.Levels = []verdict.LevelEvidence{evidence("shop", "up", flow{in.Start, in.End, []verdict.Stretch{
		down(utc(t, "2026-06-10T08:00"), utc(t, "2026-06-10T08:20")), missing(utc(t, "2026-06-10T08:30"), utc(t, "2026-06-10T08:40")),
	}}.stretches())}
	wantLevel(t, judge(t, in), map[string]string{"bad": "10", "unknown": "0", "coverage": "99.97685185"})
}

// What a correction leaves of a stretch is bad by the share that was measured, and not by
// one that was rounded on the way.
func TestCorrectionsLeaveTheShareOfTheRestAsItIs(t *testing.T) {
	in := periodOf(load(t, `  period: month
`+upLevel+`---
apiVersion: upheld/v1
kind: Adjustment
metadata: {name: wrong, agreement: shop}
spec:
  {filed: "2026-07-01", by: provider, reason: a reason, approvals: [{party: provider, name: P, on: "2026-07-01"}, {party: customer, name: C, on: "2026-07-01"}],
   correction: {state: good, from: "2026-06-01T00:00", to: "2026-06-01T07:07"}}
`)[0], utc(t, "2026-06-10"))
	in.Evidence.Levels = []verdict.LevelEvidence{evidence("shop", "up", []verdict.Stretch{{From: in.Start, To: utc(t, "2026-06-11"), State: verdict.Known, Total: 7, Bad: 1}})}
	in.End = utc(t, "2026-06-11")
	// Of 14,400 minutes 427 are good, and one seventh of the other 13,973 is bad.
	wantLevel(t, judge(t, in), map[string]string{"exact": "86827/100800"})
}

func TestCorrectionsHoldWhereNothingWasMeasured(t *testing.T) {
	in := periodOf(load(t, `  period: month
`+upLevel+`---
apiVersion: upheld/v1
kind: Adjustment
metadata: {name: unseen, agreement: shop}
spec:
  {filed: "2026-07-01", by: provider, reason: a reason, approvals: [{party: provider, name: P, on: "2026-07-01"}, {party: customer, name: C, on: "2026-07-01"}],
   correction: {state: good, from: "2026-06-01T00:00", to: "2026-06-16T00:00"}}
`)[0], utc(t, "2026-06-10"))
	wantLevel(t, judge(t, in), map[string]string{"verdict": "met", "coverage": "50"})
}
