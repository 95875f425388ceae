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
