package verdict_test

import (
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

func TestRecoveryOfOutages(t *testing.T) {
	a := load(t, "  period: 1d\n"+upLevel)[0]
	objective := func(m sla.RecoveryMetric, s sla.Statistic, limit time.Duration) sla.RecoveryObjective {
		return sla.RecoveryObjective{Metric: m, Statistic: s, Limit: limit, Percent: sla.MustDecimal("75"), Count: 3}
	}
	a.Levels[0].Recovery = &sla.Recovery{Objectives: []sla.RecoveryObjective{
		objective(sla.TimeToRestore, sla.EachOutage, 2*time.Hour),
		objective(sla.TimeToRestore, sla.EachOutage, 2*time.Hour-time.Second),
		objective(sla.TimeToRestore, sla.MeanOfOutages, 50*time.Minute),
		objective(sla.TimeToRestore, sla.ShareOfOutages, time.Hour),
		objective(sla.OutageCount, "", 0),
		objective(sla.LongestOutage, "", 2*time.Hour),
		objective(sla.TimeBetweenFailures, "", 6*time.Hour),
		objective(sla.RecoveryPoint, "", time.Hour),
	}}
	in := dayOf(a)
	// The first began an hour before the day, so that it took two hours; the last goes on.
	in.Evidence.Levels = []verdict.LevelEvidence{evidence("shop", "up", flow{day.Add(-2 * time.Hour), day.Add(26 * time.Hour), []verdict.Stretch{
		down(day.Add(-time.Hour), day.Add(time.Hour)),
		down(day.Add(3*time.Hour), day.Add(3*time.Hour+20*time.Minute)), down(day.Add(5*time.Hour), day.Add(5*time.Hour+20*time.Minute)),
		down(day.Add(7*time.Hour), day.Add(7*time.Hour+40*time.Minute)), down(day.Add(23*time.Hour), day.Add(25*time.Hour)),
	}}.stretches())}
	r := judge(t, in)
	want := []struct {
		value string
		is    verdict.Verdict
	}{{"7200", verdict.Met}, {"7200", verdict.Breached}, {"3000", verdict.Met}, {"75", verdict.Met}, {"4", verdict.Breached}, {"7200", verdict.Met}, {"18600", verdict.Breached}, {"", verdict.Insufficient}}
	for i, got := range r.Levels[0].Recovery {
		if got.Value != want[i].value || got.Verdict != want[i].is {
			t.Errorf("%s: %q is %s, want %q and %s", got.Objective, got.Value, got.Verdict, want[i].value, want[i].is)
		}
	}
	in.Evidence.Levels = []verdict.LevelEvidence{evidence("shop", "up", flow{day, day.Add(24 * time.Hour), nil}.stretches())}
	r = judge(t, in)
	for i, got := range r.Levels[0].Recovery[:7] {
		if got.Verdict != verdict.Met || got.Value != "" && i != 4 {
			t.Errorf("without outages %s is %s with the value %q", got.Objective, got.Verdict, got.Value)
		}
	}
	if r.Levels[0].Verdict != verdict.Met || r.Verdict != verdict.Insufficient {
		t.Errorf("the level is %s, and the agreement, whose recovery point nobody measured, is %s", r.Levels[0].Verdict, r.Verdict)
	}
}

func TestRecoveryByAnAge(t *testing.T) {
	a := load(t, "  period: 1d\n"+upLevel)[0]
	a.Levels[0].Recovery = &sla.Recovery{Objectives: []sla.RecoveryObjective{{Metric: sla.RecoveryPoint, Limit: time.Hour, Age: sla.Query{Text: "age"}}}}
	in := dayOf(a)
	for name, c := range map[string]struct {
		age  verdict.Age
		want verdict.Verdict
	}{
		"exactly the limit":       {verdict.Age{Query: "age", Measured: true, Greatest: sla.NewDecimal(3600, 1), Possible: sla.NewDecimal(3600, 1)}, verdict.Met},
		"over the limit":          {verdict.Age{Query: "age", Measured: true, Greatest: sla.NewDecimal(3601, 1), Possible: sla.NewDecimal(9000, 1)}, verdict.Breached},
		"perhaps over the limit":  {verdict.Age{Query: "age", Measured: true, Greatest: sla.NewDecimal(60, 1), Possible: sla.NewDecimal(3601, 1)}, verdict.Insufficient},
		"unknown at the start":    {verdict.Age{Query: "age", Measured: true, Late: true, Greatest: sla.NewDecimal(60, 1), Possible: sla.NewDecimal(60, 1)}, verdict.Insufficient},
		"never measured":          {verdict.Age{Query: "age"}, verdict.Insufficient},
		"another query was asked": {verdict.Age{Query: "other", Measured: true}, verdict.Insufficient},
	} {
		t.Run(name, func(t *testing.T) {
			of := evidence("shop", "up", flow{day, day.Add(24 * time.Hour), nil}.stretches())
			of.Ages = []verdict.Age{c.age}
			in.Evidence.Levels = []verdict.LevelEvidence{of}
			if got := judge(t, in).Levels[0].Recovery[0]; got.Verdict != c.want || got.Words == "" {
				t.Errorf("%s: %s, want %s", got.Verdict, got.Words, c.want)
			}
		})
	}
}

// An outage that begins within hours and ends outside of them counts where it ends, also
// if its hours were before the period. One that is outside of hours as a whole does not.
func TestAnOutageThatBeganWithinHoursBeforeThePeriodCounts(t *testing.T) {
	a := load(t, `  period: 1d
  calendars: {office: {weekly: [{days: [Mon, Tue, Wed, Thu, Fri, Sat, Sun], from: "08:00", to: "18:00"}]}}
  serviceHours: office
`+upLevel)[0]
	a.Levels[0].Recovery = &sla.Recovery{Objectives: []sla.RecoveryObjective{
		{Metric: sla.TimeToRestore, Statistic: sla.EachOutage, Limit: time.Hour}, {Metric: sla.OutageCount, Count: 1},
	}}
	in := dayOf(a)
	in.Evidence.Levels = []verdict.LevelEvidence{evidence("shop", "up", flow{day.Add(-12 * time.Hour), day.Add(26 * time.Hour), []verdict.Stretch{
		down(day.Add(-7*time.Hour), day.Add(3*time.Hour)), down(day.Add(5*time.Hour), day.Add(6*time.Hour)),
	}}.stretches())}
	restored := judge(t, in).Levels[0].Recovery
	if restored[0].Value != "36000" || restored[0].Verdict != verdict.Breached || restored[1].Value != "1" {
		t.Errorf("of outages from 17:00 to 03:00 and from 05:00 to 06:00 with hours from 08:00 to 18:00: %+v", restored)
	}
}

// Of a level that counts events, minutes in which most of them failed are down.
func TestTimeBetweenFailuresOfEvents(t *testing.T) {
	a := load(t, `  period: 1d
  serviceLevels:
    - {name: up, target: "99.5", indicator: {events: {bad: errors_total, total: requests_total}}}
`)[0]
	a.Levels[0].Recovery = &sla.Recovery{Objectives: []sla.RecoveryObjective{{Metric: sla.TimeBetweenFailures, Limit: 11 * time.Hour}}}
	in := dayOf(a)
	var minutes []verdict.Stretch
	for at := day.Add(-time.Hour); at.Before(day.Add(25 * time.Hour)); at = at.Add(time.Minute) {
		s := verdict.Stretch{From: at, To: at.Add(time.Minute), State: verdict.Known, Total: 10}
		if hour := at.Sub(day); hour >= 6*time.Hour && hour < 8*time.Hour || hour >= 12*time.Hour && hour < 14*time.Hour {
			s.Bad = 6
		}
		minutes = append(minutes, s)
	}
	in.Evidence.Levels = []verdict.LevelEvidence{evidence("shop", "up", minutes)}
	// 24 hours without twice two hours, by two outages.
	if got := judge(t, in).Levels[0].Recovery[0]; got.Value != "36000" || got.Verdict != verdict.Breached {
		t.Errorf("the time between failures is %s, %s", got.Value, got.Verdict)
	}
}

// A place that the server stopped seeing counts that time as the level does.
func TestAPlaceCountsWhatWasNotSeen(t *testing.T) {
	a := load(t, `  period: 1d
  serviceLevels:
    - name: up
      target: "99.5"
      missingData: {notSeen: bad}
      indicator: {probe: {tcp: "127.0.0.1:9", interval: 1m}}
`)[0]
	in := dayOf(a)
	of := evidence("shop", "up", flow{day.Add(time.Hour), day.Add(20 * time.Hour), nil}.stretches())
	of.Groups[0].Places[0].Labels = map[string]string{"location": "a"}
	in.Evidence.Levels = []verdict.LevelEvidence{of}
	l := judge(t, in).Levels[0]
	if l.Bad != "18000" || len(l.Places) != 1 || l.Places[0].Bad != l.Bad || l.Places[0].Achieved != l.Achieved {
		t.Errorf("%s s are bad, %s %% good; of the only place: %+v", l.Bad, l.Achieved, l.Places)
	}
}
