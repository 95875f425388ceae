package verdict_test

import (
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

// assumed judges a day of June from whose noon on the agreement is in force; the time
// before counts as up. It is down from 08:00 to 09:00 and from 13:00 to 14:00.
func assumed(t *testing.T, more string) *verdict.Report {
	t.Helper()
	in := periodOf(load(t, "  period: month\n"+more)[0], utc(t, "2026-06-10"))
	in.Start, in.End = utc(t, "2026-06-10"), utc(t, "2026-06-11")
	in.InForce = sla.Spans{{From: utc(t, "2026-06-10T12:00"), To: in.End}}
	service := "shop"
	in.Evidence.Levels = []verdict.LevelEvidence{evidence(service, "up", flow{in.Start, in.End, []verdict.Stretch{
		down(utc(t, "2026-06-10T08:00"), utc(t, "2026-06-10T09:00")), down(utc(t, "2026-06-10T13:00"), utc(t, "2026-06-10T14:00")),
	}}.stretches())}
	return judge(t, in)
}

func TestOutagesBeforeTheAgreementIsInForceAreNotListed(t *testing.T) {
	r := assumed(t, `  serviceLevels:
    - {name: up, target: "90", partialPeriod: assume_up, indicator: {condition: {expr: 'up == 1'}}, recovery: {objectives: [{metric: outage_count, le: 1}]}}
`)
	l := r.Levels[0]
	if len(l.Outages) != 1 || l.Outages[0].Start != utc(t, "2026-06-10T13:00") {
		t.Errorf("outages %+v", l.Outages)
	}
	if len(l.Recovery) != 1 || l.Recovery[0].Verdict != verdict.Met {
		t.Errorf("recovery %+v", l.Recovery)
	}
	wantLevel(t, r, map[string]string{"bad": "3600", "exact": "23/24", "agreed": "86400"})
}

func TestEventsBeforeTheAgreementIsInForceAreAssumedToBeGood(t *testing.T) {
	r := assumed(t, `  serviceLevels:
    - {name: up, target: "90", partialPeriod: assume_up, indicator: {events: {bad: 'bad_total', total: 'all_total'}}}
`)
	wantLevel(t, r, map[string]string{"bad": "1", "agreed": "5"}) // of five stretches with an event each
}

// The hour of 12:00 has two failures of four events; the one before it is of the time
// before the agreement, in a slot that ends after it began.
func TestSlotsAreJudgedByTheEventsWhileTheAgreementIsInForce(t *testing.T) {
	in := periodOf(load(t, `  period: month
  serviceLevels:
    - {name: up, target: "90", partialPeriod: assume_up, aggregation: {method: mean_slot_error_rate, slot: 1h}, indicator: {events: {bad: 'bad_total', total: 'all_total'}}}
`)[0], utc(t, "2026-06-10"))
	noon := utc(t, "2026-06-10T12:00")
	in.Start, in.End = noon.Add(-time.Hour), noon.Add(2*time.Hour)
	in.InForce = sla.Spans{{From: noon.Add(30 * time.Minute), To: in.End}}
	half := func(from time.Time, bad float64) verdict.Stretch {
		return verdict.Stretch{From: from, To: from.Add(30 * time.Minute), State: verdict.Known, Total: 10, Bad: bad}
	}
	in.Evidence.Levels = []verdict.LevelEvidence{evidence("shop", "up", []verdict.Stretch{half(noon, 10), half(noon.Add(30*time.Minute), 2), half(noon.Add(time.Hour), 0)})}
	// Half of the slot is as bad as its own events: 0.5 x 0.2 of three slots.
	wantLevel(t, judge(t, in), map[string]string{"bad": "0.1", "agreed": "3"})
}

func TestCapsOnDowntimeAreNotUsedUpBeforeTheAgreementIsInForce(t *testing.T) {
	r := assumed(t, `  maintenance: {effect: treat_as_up, windows: [{from: "2026-06-10T00:00Z", to: "2026-06-11T00:00Z"}], cap: {excludedDowntime: 90m, per: month}}
  serviceLevels:
    - {name: up, target: "90", partialPeriod: assume_up, indicator: {condition: {expr: 'up == 1'}}}
`)
	wantLevel(t, r, map[string]string{"bad": "0", "excused": "3600"})
}

// The report is of June in UTC, and the level of June in New York, which ends four hours
// later.
func TestPeriodsInAZoneThatIsBehindAreJudgedToTheirEnd(t *testing.T) {
	in := periodOf(load(t, `  serviceLevels:
    - {name: up, target: "99.99", period: {calendar: month, timeZone: America/New_York}, indicator: {condition: {expr: 'up == 1'}}}
`)[0], utc(t, "2026-06-10"))
	end := at(t, "America/New_York", "2026-07-01")
	in.Period, in.Start, in.End, in.Now = sla.Period{Calendar: sla.Month, Zone: "UTC"}, utc(t, "2026-06-01"), utc(t, "2026-07-01"), utc(t, "2026-07-02")
	in.Evidence.Levels = []verdict.LevelEvidence{evidence("shop", "up", flow{in.Start, in.Now, []verdict.Stretch{down(end.Add(-time.Hour), end)}}.stretches())}
	wantLevel(t, judge(t, in), map[string]string{"standing": "final", "bad": "3600", "verdict": "breached"})
}

func TestCapsOnTheTimeOfWindowsHoldForWhatIsClaimed(t *testing.T) {
	in := periodOf(load(t, `  period: month
  exclusions: [{name: repairs, category: other, effect: treat_as_up, approval: provider, cap: {windowTime: 90m, per: month}}]
`+upLevel+`---
apiVersion: upheld/v1
kind: Adjustment
metadata: {name: first, agreement: shop}
spec:
  {filed: "2026-07-01", by: provider, reason: a reason, approvals: [{party: provider, name: P, on: "2026-07-01"}],
   exclusion: {exclusion: repairs, from: "2026-06-10T08:00", to: "2026-06-10T09:00"}}
---
apiVersion: upheld/v1
kind: Adjustment
metadata: {name: second, agreement: shop}
spec:
  {filed: "2026-07-01", by: provider, reason: a reason, approvals: [{party: provider, name: P, on: "2026-07-01"}],
   exclusion: {exclusion: repairs, from: "2026-06-12T08:00", to: "2026-06-12T09:00"}}
`)[0], utc(t, "2026-06-10"))
	in.Evidence.Levels = []verdict.LevelEvidence{evidence("shop", "up", flow{in.Start, in.End, []verdict.Stretch{
		down(utc(t, "2026-06-10T08:00"), utc(t, "2026-06-10T09:00")), down(utc(t, "2026-06-12T08:00"), utc(t, "2026-06-12T09:00")),
	}}.stretches())}
	wantLevel(t, judge(t, in), map[string]string{"excused": "5400", "bad": "1800"})
}
