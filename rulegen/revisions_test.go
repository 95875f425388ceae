package rulegen_test

import (
	"fmt"
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

// revised are two revisions of an agreement, the second of which takes effect on a day.
func revised(day, before, after string) string {
	return "apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: shop, revision: 1}\nspec:\n" + before +
		"---\napiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: shop, revision: 2, effectiveFrom: \"" + day + "\"}\nspec:\n" + after
}

// compileRevised is the plan of a specification at a moment, and its rule file.
func compileRevised(t testing.TB, now time.Time, text string) (*rulegen.Plan, []byte) {
	t.Helper()
	agreements, findings := spec.LoadText("spec.yaml", text)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	plan, findings := rulegen.Compile(agreements[0], rulegen.Options{Now: now})
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	file, err := emit.Prometheus(plan)
	if err != nil {
		t.Fatal(err)
	}
	return plan, file
}

// weekFromSunday is a week that begins on the day on which the clocks change.
func weekFromSunday(zone string) string {
	return "  timeZone: " + zone + "\n  period: {calendar: week, weekStart: Sun}\n"
}

// edgeRates are the requests of each second that succeed, and fail by code.
var edgeRates = map[string]float64{"200": 9.2, "500": 0.5, "503": 0.3}

func edgeTarget(begin time.Time) enginetest.Target {
	return func(at time.Time) []enginetest.Sample {
		all := []enginetest.Sample{{Series: "up", Value: 1}}
		for code, rate := range edgeRates {
			all = append(all, enginetest.Sample{Series: fmt.Sprintf("requests_total{code=%q}", code), Value: rate * at.Sub(begin).Seconds()})
		}
		return all
	}
}

// Four levels that differ by name alone, so that they are evaluated at other moments,
// count by the text of each revision up to and from the edge, to the second: in zones
// whose clocks change on that day, one of them at midnight. In one world the server is
// away over the edge.
func TestEachRevisionCountsItsOwnTime(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		zone, day string
		edge      time.Time
		away      bool
	}{
		{"Europe/Berlin", "2026-03-29", time.Date(2026, 3, 28, 23, 0, 0, 0, time.UTC), false},
		{"America/Santiago", "2026-09-06", time.Date(2026, 9, 6, 4, 0, 0, 0, time.UTC), false}, // whose midnight is skipped
		{"Europe/Berlin", "2026-10-25", time.Date(2026, 10, 24, 22, 0, 0, 0, time.UTC), true},
	} {
		t.Run(test.zone+test.day, func(t *testing.T) {
			t.Parallel()
			levels := func(bad, target string) string {
				text := weekFromSunday(test.zone) + "  alerting: {enabled: false}\n  serviceLevels:\n"
				for i := range 4 {
					text += fmt.Sprintf("    - {name: l%d, service: api, target: \"%s\", indicator: {events: {bad: 'requests_total{code=~\"%s\"}', total: requests_total}}}\n", i, target, bad)
				}
				return text
			}
			begin := test.edge.Add(-time.Hour)
			plan, file := compileRevised(t, begin.AddDate(0, -1, 0), revised(test.day, levels("500", "90"), levels("5..", "95")))
			if !testsize.All() {
				keepFor(plan, "sla:total:sum_period", "sla:total:sum_period_previous", "sla:error:ratio_period", "sla:error:ratio_period_previous", "sla:burn_rate:ratio_period")
				var err error
				if file, err = emit.Prometheus(plan); err != nil {
					t.Fatal(err)
				}
			}
			w := enginetest.NewAt(t, begin.Add(3*time.Second), 15*time.Second, edgeTarget(begin))
			w.Load(file)
			w.Run(time.Hour - 3*time.Minute)
			if test.away {
				w.Restart(7 * time.Minute)
			}
			w.Run(test.edge.Add(time.Hour).Add(11*time.Minute + 3*time.Second).Sub(w.Now()))
			for i := range 4 {
				s := func(name string) float64 { return w.Value(series(name, fmt.Sprintf("l%d", i))) }
				// Steps of five minutes are counted, and of none a part. What came before the first
				// of all is counted by rates. A gap belongs to the step that ends it.
				before, steps := s("sla:total:sum_period_previous"), s("sla:total:sum_period")/3000
				if test.away {
					near(t, "requests", before+3000*steps, 10*7800, 0.08)
				} else {
					near(t, "requests before", before, 10*3600, 0.03)
					if steps < 12.999 || steps > 14.001 {
						t.Errorf("l%d: %v steps after the edge", i, steps)
					}
				}
				near(t, "whole steps after", steps, math.Round(steps), 1e-9)
				near(t, "bad share before", s("sla:error:ratio_period_previous"), 0.05, 1e-6)
				near(t, "bad share after", s("sla:error:ratio_period"), 0.08, 1e-6)
				near(t, "burn rate", s("sla:burn_rate:ratio_period"), 0.08/0.05, 1e-6)
			}
		})
	}
}

// At every evaluation around the edge each series is there exactly once, and what alerts and pages read changes at one moment.
func TestNoSeriesIsRecordedTwiceOrLost(t *testing.T) {
	t.Parallel()
	edge := time.Date(2026, 3, 28, 23, 0, 0, 0, time.UTC)
	level := func(target string) string {
		return weekFromSunday("Europe/Berlin") + "  serviceLevels:\n    - {name: l, service: api, target: \"" + target +
			"\", indicator: {events: {bad: 'requests_total{code=~\"5..\"}', total: requests_total}}}\n"
	}
	begin := edge.Add(-30 * time.Minute)
	_, file := compileRevised(t, begin, revised("2026-03-29", level("90"), level("99")))
	w := enginetest.NewAt(t, begin, 15*time.Second, edgeTarget(begin))
	w.Load(file)
	w.Run(10 * time.Minute)
	offset := w.Offset("upheld:shop:api:l")
	w.Foresee(edge.Add(20 * time.Minute).Sub(w.Now()))
	for w.Now().Before(edge.Add(20 * time.Minute)) {
		w.Run(time.Minute)
		last := w.Now().Add(-time.Second).Add(-offset).Truncate(time.Minute).Add(offset)
		target, objective, label := 0.9, 0.9, "90"
		if !last.Before(edge.Add(5 * time.Minute)) {
			target, label = 0.99, "99"
		}
		if !last.Before(edge.Add(150 * time.Second)) {
			objective = 0.99
		}
		for series, want := range map[string]float64{"sla:target:ratio": target, "sla:objective:ratio": objective} {
			if got := w.Value(series); got != want {
				t.Errorf("%s at %s, evaluated at %s: %v, want %v", series, w.Now(), last, got, want)
			}
		}
		if infos := w.Query("sla_service_level_info"); len(infos) != 1 || infos[0].Metric.Get("target") != label {
			t.Errorf("at %s: %v, want the target %s", last, infos, label)
		}
	}
	for _, name := range []string{"sla:total:rate5m", "sla:target:ratio", "sla:objective:ratio"} {
		if n := w.Value("count_over_time(" + name + "[40m])"); n != 40 {
			t.Errorf("%s was recorded %v times in 40 evaluations", name, n)
		}
	}
	if n := w.Value("sum(count_over_time(sla_service_level_info[40m]))"); n != 40 {
		t.Errorf("the description was recorded %v times in 40 evaluations", n)
	}
}

// A budget that is tightened begins to alert at the edge and not before, one that is
// relaxed ceases, and an alert that both raise goes on.
func TestAlertsAreThoseOfTheRevisionInForce(t *testing.T) {
	t.Parallel()
	edge := time.Date(2026, 3, 28, 23, 0, 0, 0, time.UTC)
	levels := func(tightened, relaxed string) string {
		return weekFromSunday("Europe/Berlin") + fmt.Sprintf(`  serviceLevels:
    - {name: tightened, service: api, target: %q, indicator: {events: {bad: 'requests_total{code=~"5.."}', total: requests_total}}}
    - {name: relaxed, service: api, target: %q, indicator: {events: {bad: 'requests_total{code=~"5.."}', total: requests_total}}}
    - {name: both, service: api, target: "99.9", indicator: {events: {bad: 'requests_total{code=~"5.."}', total: requests_total}}}
    - {name: stricter, service: api, target: %q, indicator: {events: {bad: 'requests_total{code=~"5.."}', total: requests_total}}}
`, tightened, relaxed, map[string]string{"90": "99.8", "99.9": "99.9"}[tightened])
	}
	begin := edge.Add(testsize.Of(-time.Hour, -3*time.Hour))
	_, file := compileRevised(t, begin, revised("2026-03-29", levels("90", "99.9"), levels("99.9", "90")))
	w := enginetest.NewAt(t, begin, 15*time.Second, edgeTarget(begin))
	w.Load(file)
	w.Run(edge.Add(testsize.Of(18*time.Minute, time.Hour)).Sub(begin))
	w.KeepAnnotations()
	w.Load(file)
	w.Run(2 * time.Minute)
	got := map[string][]enginetest.Transition{}
	for _, tr := range w.Transitions() {
		if tr.Name == sla.AlertBudgetBurn.Name && tr.Labels["severity"] == "page" {
			got[tr.Labels["slo"]] = append(got[tr.Labels["slo"]], tr)
		}
	}
	within := func(slo string, firing ...bool) {
		t.Helper()
		if len(got[slo]) != len(firing) {
			t.Fatalf("%s: %v", slo, got[slo])
		}
		for i, f := range firing {
			if got[slo][i].Firing != f {
				t.Errorf("%s: %v", slo, got[slo])
			}
		}
	}
	within("tightened", true)
	if at := got["tightened"][0].At; at.Before(edge.Add(150*time.Second)) || at.After(edge.Add(5*time.Minute)) {
		t.Errorf("the tightened level's alert fires at %s", at)
	}
	within("relaxed", true, false)
	if at := got["relaxed"][1].At; at.Before(edge.Add(150*time.Second)) || at.After(edge.Add(5*time.Minute)) {
		t.Errorf("the relaxed level's alert ends at %s", at)
	}
	within("both", true)
	within("stricter", true)
	for _, a := range w.Alerts() {
		if a.Labels["slo"] == "stricter" && a.Labels["severity"] == "page" && a.Labels["alertname"] == sla.AlertBudgetBurn.Name &&
			(!strings.Contains(a.Annotations["description"], "99.9%") || strings.Contains(a.Annotations["description"], "99.8%")) {
			t.Errorf("after the edge the alert says %q", a.Annotations["description"])
		}
	}
}

// A level whose groups change follows the revision before until rules are generated
// again, with the service hours of that; others follow the new one.
func TestLevelsWithOtherGroupsStayAsTheyAre(t *testing.T) {
	t.Parallel()
	edge := time.Date(2026, 3, 28, 23, 0, 0, 0, time.UTC)
	levels := func(target, hours, more string) string {
		return weekFromSunday("Europe/Berlin") + fmt.Sprintf(`  alerting: {enabled: false}
  calendars:
    %[2]s: {weekly: [{days: [Sat, Sun], from: "00:00", to: "24:00"}]}
  serviceLevels:
    - {name: grouped, service: api, target: %[1]q, serviceHours: %[2]s, indicator: {events: {bad: 'requests_total{code=~"5.."}', total: requests_total}}%[3]s}
    - {name: plain, service: api, target: %[1]q, serviceHours: %[2]s, indicator: {events: {bad: 'requests_total{code=~"5.."}', total: requests_total}}}
`, target, hours, more)
	}
	begin := edge.Add(-15 * time.Minute)
	text := revised("2026-03-29", levels("90", "prime", ""), levels("95", "other", ", groupBy: [code]"))
	_, file := compileRevised(t, begin, text)
	w := enginetest.NewAt(t, begin, 15*time.Second, edgeTarget(begin))
	w.Load(file)
	w.Run(45 * time.Minute)
	for slo, target := range map[string]float64{"grouped": 0.9, "plain": 0.95} {
		near(t, slo+" target", w.Value(series("sla:target:ratio", slo)), target, 1e-9)
		near(t, slo+" bad share", w.Value(series("sla:error:ratio_rate5m", slo)), 0.08, 1e-6)
		near(t, slo+" bad share of the period", w.Value(series("sla:error:ratio_period", slo)), 0.08, 0.02)
	}
	_, file = compileRevised(t, edge.Add(time.Hour), text) // generated again
	w.Load(file)
	w.Run(15 * time.Minute)
	if got := w.Query(`sla:target:ratio{slo="grouped",code!=""} == 0.95`); len(got) != len(edgeRates) {
		t.Errorf("generated again there are %v", got)
	}
}
