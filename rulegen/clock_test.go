package rulegen_test

import (
	"maps"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// clockLevels are levels of each way to count.
const clockLevels = `
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  timeZone: UTC
  period: [2d, {calendar: month}]
  serviceLevels:
    - {name: events, target: "99.9", indicator: &events {events: {bad: bad_total, total: requests_total}}}
    - {name: minutes, missingData: bad, target: "99.9", indicator: *events, aggregation: {method: bad_minute, errorThreshold: "5"}}
    - {name: slots, missingData: bad, target: "99.9", indicator: *events, aggregation: mean_slot_error_rate}
    - {name: probe, missingData: bad, target: "99.9", indicator: {probe: {http: "https://shop.example/", interval: 15s}}}
    - {name: state, missingData: bad, target: "99.9", indicator: {condition: {expr: "queue_age_seconds < 60"}}}
    - {name: whole, target: "99", indicator: {composite: {all: [shop/probe, shop/state], unknown: bad}}}
`

// clockOutage is when the service fails every request, after the start; it never
// does where both are 0.
type clockOutage struct{ from, to time.Duration }

// clockService is a service of 20 requests a second, of which one of 2,000 fails:
// half of what 99.9 % allows. Its exporter probes it every 15 s.
func clockService(outage clockOutage) enginetest.Target {
	const job = `job="exporter",instance="a:9799"`
	return func(at time.Time) []enginetest.Sample {
		since := at.Sub(enginetest.Start)
		n := math.Floor(since.Seconds()) + 1e6
		down := math.Floor(max(0, min(since, outage.to)-outage.from).Seconds())
		total, bad := 20*n, math.Floor(n/100)+20*down
		age := 5.
		if since >= outage.from && since < outage.to {
			age = 100
		}
		of := `{sla="shop",service="shop",slo="probe",target="https://shop.example/",location="here",` + job
		return []enginetest.Sample{
			{Series: "up{" + job + "}", Value: 1},
			{Series: "requests_total{" + job + "}", Value: total},
			{Series: "bad_total{" + job + "}", Value: bad},
			{Series: "queue_age_seconds{" + job + "}", Value: age},
			{Series: "upheld_probe_results_total" + of + `,outcome="good"}`, Value: math.Floor(n/15) - math.Floor(down/15)},
			{Series: "upheld_probe_results_total" + of + `,outcome="bad"}`, Value: math.Floor(down / 15)},
			{Series: "upheld_probe_owed_total" + of + `}`, Value: math.Floor(n / 15)},
		}
	}
}

// clockBefore is how long the world runs until something happens.
const clockBefore = 90 * time.Minute

// clockWorld is that service once it has run for clockBefore.
func clockWorld(t *testing.T, outage clockOutage, drift float64) *enginetest.World {
	t.Helper()
	agreements, findings := spec.LoadText("spec.yaml", clockLevels)
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	plan, findings := rulegen.Compile(agreements[0], generated2026)
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	file, err := emit.Prometheus(plan)
	if err != nil {
		t.Fatal(err)
	}
	w := enginetest.NewAt(t, enginetest.Start.Add(3*time.Second), 15*time.Second, clockService(outage))
	w.Behave(enginetest.Timing{ScrapeTakes: func(time.Time) time.Duration { return 4 * time.Second }, Drift: drift})
	w.Load(file)
	w.Run(clockBefore)
	return w
}

// clockFigures are the sums and the budget of each level's period.
func clockFigures(w *enginetest.World) map[string]float64 {
	all := map[string]float64{}
	for _, name := range []string{"total:sum", "bad:sum", "missing:sum", "budget_remaining:ratio"} {
		// A clock that was set by no multiple of five minutes may leave the newest ten minutes old.
		for _, s := range w.Query(`last_over_time(sla:` + name + `_period{period="2d"}[15m])`) {
			all[s.Metric.Get("slo")+" "+name] = s.F
		}
	}
	return all
}

// clockSteps are what happens to the server's clock or process. So many minutes
// around it may be in neither sum. Events of the time that it takes until a clock
// that was set back is where it was count afterwards.
var clockSteps = []struct {
	name   string
	do     func(w *enginetest.World)
	drift  float64
	back   time.Duration
	unseen float64
	asleep float64 // minutes in which nothing ran, and which are counted afterwards
	// fresh is set if the level is younger than six hours and the server was away for
	// more than two: its sums are those since then, until the third layer has them.
	fresh   bool
	sampled bool // tried in a short run, too
}{
	{name: "an hour forward", do: setClock(time.Hour), unseen: 8},
	{name: "a day forward", do: setClock(24 * time.Hour), unseen: 8, fresh: true},
	{name: "37m13s forward", do: setClock(37*time.Minute + 13*time.Second), unseen: 8},
	{name: "ten seconds forward", do: setClock(10 * time.Second), unseen: 1},
	{name: "an hour back", do: setClock(-time.Hour), back: time.Hour},
	{name: "37m13s back", do: setClock(-37*time.Minute - 13*time.Second), back: 37*time.Minute + 13*time.Second, unseen: 1},
	{name: "ten seconds back", do: setClock(-10 * time.Second), unseen: 1},
	{name: "slewed to run faster", do: func(*enginetest.World) {}, drift: 0.0005},
	{name: "slewed to run slower", do: func(*enginetest.World) {}, drift: -0.0005},
	{name: "suspended for 20 s", do: suspend(20 * time.Second), unseen: 1},
	{name: "suspended for a minute", do: suspend(time.Minute), unseen: 1},
	{name: "suspended for 20 minutes", do: suspend(20 * time.Minute), unseen: 8, asleep: 20, sampled: true},
}

func setClock(by time.Duration) func(*enginetest.World) {
	return func(w *enginetest.World) { w.Step(by) }
}

func suspend(d time.Duration) func(*enginetest.World) {
	return func(w *enginetest.World) { w.Suspend(d) }
}

// Whatever happens to the server's clock, nobody is told anything, no budget
// moves by more than it does anyway, nothing is bad or missing that was not, and
// the sums are within what docs/rules.md says.
func TestStepsOfTheClockBlameNobody(t *testing.T) {
	t.Parallel()
	for _, step := range clockSteps {
		t.Run(step.name, func(t *testing.T) {
			if !step.sampled {
				testsize.Skip(t, "this step of the clock")
			}
			t.Parallel()
			w := clockWorld(t, clockOutage{}, step.drift)
			before := clockFigures(w)
			step.do(w)
			after := maps.Clone(before)
			for end := w.Now().Add(step.back + time.Hour); w.Now().Before(end); {
				w.Run(5 * time.Minute)
				for name, v := range clockFigures(w) {
					if moved := math.Abs(v - after[name]); strings.HasSuffix(name, "ratio") && moved > 0.01 && step.back == 0 && !step.fresh {
						t.Errorf("%s moves by %.4f within five minutes", name, moved)
					}
					after[name] = v
				}
			}
			compareClock(t, before, after, step.unseen, step.back.Minutes()+step.asleep)
			for _, tr := range w.Transitions() {
				t.Errorf("%s of %s at %s: %v", tr.Name, tr.Labels["slo"], tr.At.Sub(enginetest.Start), tr.Firing)
			}
			if nans := w.NaNs(28 * time.Hour); len(nans) > 0 {
				t.Error(nans)
			}
		})
	}
}

// compareClock compares the figures of an hour with what happened in it, and in
// the minutes before it in which a clock that had been set back was behind, or nothing ran.
func compareClock(t *testing.T, before, after map[string]float64, unseen, behind float64) {
	t.Helper()
	const anyway = 5 // minutes between two evaluations of the figures
	for _, slo := range []string{"events", "minutes", "slots", "probe", "state", "whole"} {
		a, b, within := 60., 0., 0.05
		least, most := 60-unseen-anyway, 60.+anyway
		switch slo {
		case "events":
			a, b = 1200, 1200/2000.
			least, most = least+0.75*behind, most+1.1*behind
		case "slots":
			b, within = 60/2000., 0.12 // a slot that was seen in part has fewer bad events
		}
		total, bad := after[slo+" total:sum"]-before[slo+" total:sum"], after[slo+" bad:sum"]-before[slo+" bad:sum"]
		if total < least*a || total > most*a {
			t.Errorf("%s: %.2f minutes are counted, want %v to %v", slo, total/a, least, most)
		}
		near(t, slo+": bad", bad, total/a*b, within)
		if missing := after[slo+" missing:sum"]; missing != 0 {
			t.Errorf("%s: %v s are missing", slo, missing)
		}
		budget := after[slo+" budget_remaining:ratio"]
		near(t, slo+": budget", budget, before[slo+" budget_remaining:ratio"], 0.03)
	}
}

// A clock that is set back by more than the server has seen: its rules find
// nothing, and nothing is recorded until the clock is where it was. That is a lost
// measurement, and nothing else is told.
func TestClockBeforeTheFirstSampleIsALostMeasurement(t *testing.T) {
	t.Parallel()
	testsize.Skip(t, "a clock that is set back to before the first sample")
	w := clockWorld(t, clockOutage{}, 0)
	before := clockFigures(w)
	w.Step(-24 * time.Hour)
	w.Run(time.Hour)
	lost := map[string]bool{}
	for _, tr := range w.Transitions() {
		lost[tr.Labels["slo"]] = true
		if tr.Name != sla.AlertMeasurementLost.Name {
			t.Errorf("%s of %s", tr.Name, tr.Labels["slo"])
		}
	}
	if len(lost) != 6 {
		t.Errorf("the measurement of %v is lost, want that of every level", lost)
	}
	w.Step(24 * time.Hour) // somebody sees it
	w.Run(time.Hour)
	compareClock(t, before, clockFigures(w), 8, 60)
}

// Rules of a server whose clock is set back by an hour read that hour again: who
// was paged in it is paged once more. docs/rules.md says so.
func TestClockSetBackTellsTheHourAgain(t *testing.T) {
	t.Parallel()
	testsize.Skip(t, "a clock that is set back over a page")
	w := clockWorld(t, clockOutage{clockBefore - 50*time.Minute, clockBefore - 40*time.Minute}, 0)
	pages := func() int {
		n := 0
		for _, tr := range w.Transitions() {
			if tr.Firing && tr.Name == sla.AlertBudgetBurn.Name && tr.Labels["severity"] == "page" && tr.Labels["slo"] == "events" {
				n++
			}
		}
		return n
	}
	if got := pages(); got != 1 {
		t.Fatalf("%d pages of the outage, want 1", got)
	}
	before := clockFigures(w)["events bad:sum"]
	w.Step(-time.Hour)
	w.Run(90 * time.Minute)
	if got := pages(); got != 2 {
		t.Errorf("%d pages, want the same one again", got)
	}
	if after := clockFigures(w)["events bad:sum"]; after > before+200 {
		t.Errorf("the outage counts %v events, %v before", after, before)
	}
}
