package rulegen_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// For twenty minutes nothing is measured, and for ten before it everything is
// bad. The twenty count by policy, for every way in which time is counted, within
// what masks leave; and that nobody knows is told whatever they count as.
func TestMissingDataCountsByPolicy(t *testing.T) {
	t.Parallel()
	kinds := map[string]string{
		"probe":   `indicator: {probe: {http: "https://shop.example/", interval: 5s}}`,
		"state":   `indicator: {condition: {expr: up_now == 1}}`,
		"minutes": `indicator: {events: {bad: bad_total, total: requests_total}}, aggregation: {method: bad_minute, errorThreshold: "5"}`,
		"slots":   `indicator: {events: {bad: bad_total, total: requests_total}}, aggregation: mean_slot_error_rate`,
		"hours":   `serviceHours: until-eleven, indicator: {condition: {expr: up_now == 1}}`,
	}
	kinds = testsize.Cases(t, kinds, "probe", "slots")
	text := `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  calendars: {until-eleven: {weekly: [{days: [Thu], from: "00:00", to: "11:00"}]}}
  period: 1d
  serviceLevels:
`
	for kind, indicator := range kinds {
		for _, policy := range []string{"excluded", "bad", "good"} {
			text += fmt.Sprintf("    - {name: %s-%s, target: \"85\", missingData: %s, %s}\n", kind, policy, policy, indicator)
		}
	}
	agreements, findings := spec.LoadText("spec.yaml", text)
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	begin, gap := enginetest.Start.Truncate(time.Hour), 50*time.Minute // from ten to eleven; the gap is from 10:50 to 11:10
	probes, requests, bad := map[string]float64{}, 0., 0.
	w := enginetest.NewAt(t, begin, 15*time.Second, func(at time.Time) []enginetest.Sample {
		after := at.Sub(begin)
		if after >= gap && after < gap+20*time.Minute {
			return []enginetest.Sample{{Series: `up{job="shop"}`, Value: 0}}
		}
		outcome, up := "good", 1.
		requests += 100
		if after >= gap-10*time.Minute && after < gap {
			outcome, up = "bad", 0
			bad += 100
		}
		samples := []enginetest.Sample{
			{Series: `up{job="shop"}`, Value: 1},
			{Series: `up_now{job="shop"}`, Value: up},
			{Series: `requests_total{job="shop"}`, Value: requests},
			{Series: `bad_total{job="shop"}`, Value: bad},
		}
		for _, policy := range []string{"excluded", "bad", "good"} {
			probes[policy+outcome] += 3
			for _, o := range []string{"good", "bad"} {
				samples = append(samples, enginetest.Sample{Value: probes[policy+o], Series: fmt.Sprintf(
					`upheld_probe_results_total{sla="shop",service="shop",slo="probe-%s",target="https://shop.example/",location="here",job="shop",outcome=%q}`, policy, o)})
			}
		}
		return samples
	})
	w.Load(generate(t, generated2026, agreements[0].Levels...))
	w.Run(35 * time.Minute)
	const sums = `{__name__=~"sla:(bad|missing):sum_period"}`
	before := map[string]float64{} // the minutes of a beginning of which nothing is known yet
	for _, s := range w.Query(sums) {
		before[s.Metric.Get("__name__")+s.Metric.Get("slo")] = s.F
	}
	w.Run(85 * time.Minute)
	for kind := range kinds {
		missing, edges := 20., 2.5
		if kind == "hours" {
			missing = 10
		}
		if kind == "slots" {
			edges = 8 // of five minutes each
		}
		for policy, want := range map[string]float64{"excluded": 10, "bad": 10 + missing, "good": 10} {
			slo := kind + "-" + policy
			sum := func(name string) float64 {
				return (w.Value(fmt.Sprintf(`%s{slo=%q,period="1d"}`, name, slo)) - before[name+slo]) / 60
			}
			if got := sum("sla:bad:sum_period"); math.Abs(got-want) > edges {
				t.Errorf("%s: %.1f bad minutes, want %v", slo, got, want)
			}
			if policy == "excluded" {
				continue
			}
			if got := sum("sla:missing:sum_period"); math.Abs(got-20) > edges {
				t.Errorf("%s: %.1f minutes were missing, want 20", slo, got)
			}
		}
	}
	told := map[string]bool{}
	for _, tr := range w.Transitions() {
		if tr.Name == sla.AlertMeasurementLost.Name {
			told[tr.Labels["slo"]] = true
		}
	}
	for kind := range kinds {
		for _, policy := range []string{"excluded", "bad", "good"} {
			if slo := kind + "-" + policy; !told[slo] && kind != "hours" { // which closed after ten minutes of it
				t.Errorf("nobody was told that %s was not measured", slo)
			}
		}
	}
	if bad := w.NaNs(2 * time.Hour); len(bad) > 0 {
		t.Error(strings.Join(bad, "\n"))
	}
}

// Probes that come a little early or late leave nothing missing, however seldom
// they come; when half of them are inconclusive, half of the time is.
func TestJitterIsNotMissing(t *testing.T) {
	t.Parallel()
	const seldom, often = 75, 15
	agreements, findings := spec.LoadText("spec.yaml", fmt.Sprintf(`apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  period: 1d
  serviceLevels:
    - {name: seldom, target: "70", missingData: bad, indicator: {probe: {http: "https://shop.example/", interval: %ds}}}
    - {name: often, target: "85", missingData: bad, indicator: {probe: {http: "https://shop.example/", interval: %ds}}}
    - {name: half, target: "85", missingData: bad, indicator: {probe: {http: "https://shop.example/", interval: %ds}}}
`, seldom, often, often))
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	r := rand.New(rand.NewPCG(1, 2))
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		n := at.Sub(enginetest.Start).Seconds() + 1e6 // they have run for long
		probes := func(interval float64) float64 { return math.Floor((n + 10*r.Float64()) / interval) }
		samples := []enginetest.Sample{{Series: "up", Value: 1}}
		for slo, good := range map[string]float64{"seldom": probes(seldom), "often": probes(often), "half": math.Floor(probes(often) / 2)} {
			owed := good
			if slo == "half" {
				owed = 2 * good
			}
			samples = append(samples, enginetest.Sample{Value: owed, Series: fmt.Sprintf(`upheld_probe_owed_total{sla="shop",service="shop",slo=%q,target="https://shop.example/",location="here"}`, slo)})
			for outcome, v := range map[string]float64{"good": good, "bad": 0} {
				samples = append(samples, enginetest.Sample{Value: v, Series: fmt.Sprintf(
					`upheld_probe_results_total{sla="shop",service="shop",slo=%q,target="https://shop.example/",location="here",outcome=%q}`, slo, outcome)})
			}
		}
		return samples
	})
	w.Load(generate(t, generated2026, agreements[0].Levels...))
	w.Run(10 * time.Minute)
	of := func(slo string) float64 {
		return w.Value(fmt.Sprintf(`sla:bad:sum_period{slo=%q,period="1d"}`, slo)) / 60
	}
	begin := map[string]float64{"seldom": of("seldom"), "often": of("often"), "half": of("half")}
	w.Run(100 * time.Minute)
	for slo, want := range map[string]float64{"seldom": 0, "often": 0, "half": 50} {
		if got := of(slo) - begin[slo]; math.Abs(got-want) > 0.05*want+0.01 {
			t.Errorf("%s: %.2f bad minutes of 100, want %v", slo, got, want)
		}
	}
}
