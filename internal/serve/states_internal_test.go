package serve

import (
	"math"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/web"
	"github.com/upheld-sla/upheld/sla"
)

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// minutely are samples a minute, the last at noon.
func minutely(codes ...float64) []point {
	var all []point
	for i, c := range codes {
		all = append(all, point{noon.Add(time.Duration(i-len(codes)+1) * time.Minute), c})
	}
	return all
}

// An outage is one although the server was started again in it: what nobody recorded, and what
// rules do not know at first, is no end of it.
func TestAnOutageSurvivesARestart(t *testing.T) {
	before := minutely(0, 0, 5, 5, 4)
	for i := range before {
		before[i].at = before[i].at.Add(-2 * time.Hour)
	}
	runs := runsOf(append(before, minutely(3, 3, 4, 5)...), 5*time.Minute)
	outages := outagesOf(runs)
	if len(outages) != 1 || !outages[0].Start.Equal(noon.Add(-2*time.Hour-2*time.Minute)) || !outages[0].End.IsZero() || outages[0].Worst != sla.StateDown {
		t.Errorf("outages %+v of %+v", outages, runs)
	}
	// Much longer without knowledge, it is not known to have gone on.
	runs = runsOf(append(before, minutely(3, 3, 3, 3, 3, 3, 3, 3, 4)...), 5*time.Minute)
	if outages := outagesOf(runs); len(outages) != 2 || !outages[0].End.IsZero() || outages[1].End.IsZero() {
		t.Errorf("outages %+v", outages)
	}
}

func TestSinceIsOfTheStateThatGoesOn(t *testing.T) {
	runs := runsOf(minutely(0, 4, 5, 5, 5), time.Minute)
	if got := since(runs, sla.StateDown, noon.Add(-24*time.Hour)); !got.Equal(noon.Add(-2 * time.Minute)) {
		t.Errorf("down since %v", got)
	}
	if got := since(runs, sla.StateUp, noon.Add(-24*time.Hour)); !got.IsZero() {
		t.Errorf("up since %v, and it is down", got)
	}
	if got := since(runsOf(minutely(5, 5, 5), time.Minute), sla.StateDown, noon.Add(-2*time.Minute)); !got.IsZero() {
		t.Errorf("since %v, where it may have begun before what was read", got)
	}
	down := []web.Member{{Since: noon.Add(-90 * time.Second)}, {Since: noon.Add(-40 * time.Second)}, {Since: noon.Add(-time.Hour)}, {}}
	if got := lastStraw(noon, down); !got.Equal(noon.Add(-40 * time.Second)) {
		t.Errorf("a composite is down since %v", got)
	}
	if got := lastStraw(noon, down[2:]); !got.Equal(noon) {
		t.Errorf("a composite is down since %v, an hour before anything changed", got)
	}
}

func TestWorstOfGroups(t *testing.T) {
	a, b := minutely(0, 0, 5, 0), minutely(4, 0)
	got := worstOf(a, b)
	for i, want := range []float64{0, 0, 5, 0} {
		if got[i].v != want {
			t.Errorf("at %d the worst is %v, want %v", i, got[i].v, want)
		}
	}
}

// After 200 s of total outage of which the sums know nothing, all of it is missing. What the
// rates over five minutes have brought into a sum is not counted twice: added up by hand,
// second for second.
func TestMissingDowntime(t *testing.T) {
	for _, c := range []struct{ begun, ended, recorded time.Duration }{
		{200 * time.Second, 0, 250 * time.Second},
		{200 * time.Second, 0, 60 * time.Second},
		{20 * time.Minute, 0, 4 * time.Minute},
		{10 * time.Minute, 7 * time.Minute, 3 * time.Minute},
		{10 * time.Minute, 8 * time.Minute, 0},
		{30 * time.Second, 0, 10 * time.Second},
	} {
		from, to, recorded := noon.Add(-c.begun), noon.Add(-c.ended), noon.Add(-c.recorded)
		down := func(at time.Time) float64 { return min(max(0, at.Sub(from).Seconds()), to.Sub(from).Seconds()) }
		inSum := 0.0
		for at := from; !at.After(recorded); at = at.Add(time.Second) {
			inSum += (down(at) - down(at.Add(-sla.BaseWindow))) / sla.BaseWindow.Seconds()
		}
		want := down(noon) - inSum
		runs := []run{{sla.StateUp, noon.Add(-time.Hour), from}, {sla.StateDown, from, to}}
		if c.ended > 0 {
			runs = append(runs, run{sla.StateUp, to, noon})
		}
		if got := missingDowntime(runs, recorded, noon).Seconds(); math.Abs(got-want) > 1.5 {
			t.Errorf("%v to %v ago, recorded %v ago: %.1f s are missing, want %.1f", c.begun, c.ended, c.recorded, got, want)
		}
	}
}

// Three minutes and twenty seconds of outage are in the figures at once.
func TestFiguresAreUpToDate(t *testing.T) {
	l := &sla.ServiceLevel{Indicator: &sla.Probe{}, Aggregation: sla.Time, Target: sla.MustDecimal("99.9"), Objective: sla.MustDecimal("99.9"), Period: sla.Period{Rolling: 30 * 24 * time.Hour}}
	status := web.LevelStatus{Level: l, State: sla.StateDown, Achieved: web.Known(1), Bad: web.Known(0), Total: web.Known(30 * 86400), BudgetRemaining: web.Known(1), Coverage: web.Known(1)}
	f := series{}
	recorded := noon.Add(-4 * time.Minute)
	s := f[seriesKey{"sla:bad:sum_period", "30d", ""}]
	s.T = recorded.UnixMilli()
	f[seriesKey{"sla:bad:sum_period", "30d", ""}] = s
	r := recent{bad: minutely(0, 0, 0.1, 0.3, 0.5), total: minutely(1, 1, 1, 1, 1)}
	for at := noon.Add(-10 * time.Minute); !at.After(noon); at = at.Add(10 * time.Second) {
		code := 0.0
		if noon.Sub(at) <= 200*time.Second {
			code = 5
		}
		r.states = append(r.states, point{at, code})
	}
	src := newSource(&server{Options: Options{RulesInterval: time.Minute}})
	src.bringUpToDate(&status, f, r, noon)
	if status.Bad.Value != 200 || !status.AsOf.Equal(noon) {
		t.Errorf("%v s are bad as of %v", status.Bad.Value, status.AsOf)
	}
	if want := 1 - 200/2592.0; math.Abs(status.BudgetRemaining.Value-want) > 1e-9 || status.Achieved.Value >= 1 {
		t.Errorf("budget left %v, want %v; achieved %v", status.BudgetRemaining.Value, want, status.Achieved.Value)
	}
	// Where nothing is measured now, the figures are those of the last evaluation, and say so.
	status.Bad, r.bad = web.Known(0), nil
	src.bringUpToDate(&status, f, r, noon)
	if status.Bad.Value != 0 || !status.AsOf.Equal(recorded) {
		t.Errorf("%v s are bad as of %v", status.Bad.Value, status.AsOf)
	}
}

// A counter that begins again counts from nothing.
func TestIncrease(t *testing.T) {
	if got := increase(minutely(3, 5, 5, 1, 2)); got != 4 {
		t.Errorf("a counter that began again grew by %v, want 4", got)
	}
}

// Where no states were recorded, bad shares of five minutes say when an outage was: an outage of
// ten minutes is bad for fifteen.
func TestOutagesBeforeStatesWereRecorded(t *testing.T) {
	l := &sla.ServiceLevel{Objective: sla.MustDecimal("99")}
	var shares []point
	for m := -60; m <= 0; m++ {
		at := noon.Add(time.Duration(m) * time.Minute)
		down := func(at time.Time) float64 { return min(max(0, at.Sub(noon.Add(-40*time.Minute)).Minutes()), 10) }
		shares = append(shares, point{at, (down(at) - down(at.Add(-5*time.Minute))) / 5})
	}
	outages := outagesOf(runsOf(statesOfShares(l, shares), 0))
	if len(outages) != 1 || outages[0].Worst != sla.StateDown {
		t.Fatalf("outages %+v", outages)
	}
	if o := outages[0]; !o.Start.Equal(noon.Add(-39*time.Minute)) || !o.End.Equal(noon.Add(-30*time.Minute)) {
		t.Errorf("from %v to %v", o.Start, o.End)
	}
	one := []point{{noon.Add(-10 * time.Minute), 0}, {noon.Add(-5 * time.Minute), 0.3}, {noon, 0}}
	if outages := outagesOf(runsOf(statesOfShares(l, one), 0)); len(outages) != 1 || outages[0].Worst != sla.StateDegraded || !outages[0].End.After(outages[0].Start) {
		t.Errorf("of samples every five minutes: %+v", outages)
	}
}
