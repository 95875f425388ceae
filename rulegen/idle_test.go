package rulegen_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// For three hours a fifth of ten requests a second fails, then nobody asks for
// twelve hours. What is spent of each budget is what was spent when traffic
// ended: of a young level the share of its period's expected events, of one that
// is older than its period the bad share of all that it counted. Forecasts, of a
// budget and of a credit, end with the burning and stay silent.
func TestBudgetKeepsItsValueWithoutTraffic(t *testing.T) {
	t.Parallel()
	testsize.Skip(t, "that budgets keep their value for half a day without traffic")
	agreements, findings := spec.LoadText("spec.yaml", `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  serviceLevels:
    - {name: young, service: api, target: "99", period: [30d, month], indicator: &i {events: {bad: 'requests_total{code="500"}', total: requests_total}}}
    - {name: old, service: api, target: "75", period: 2h, indicator: *i}
    - {name: near, service: api, target: "75", period: 1d, indicator: *i}
    - name: credits
      service: api
      target: "99"
      period: month
      indicator: *i
      credits: {tiers: [{below: "99.8", percent: "10"}]}
`)
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	const busy, perSecond, share = 3 * time.Hour, 10., 0.2
	w := enginetest.New(t, 30*time.Second, func(at time.Time) []enginetest.Sample {
		n := min(at.Sub(enginetest.Start), busy).Seconds() * perSecond
		return []enginetest.Sample{{Series: `requests_total{code="200"}`, Value: n * (1 - share)}, {Series: `requests_total{code="500"}`, Value: n * share}}
	})
	w.Load(generate(t, generated2026, agreements[0].Levels...))
	w.Run(busy)
	want := map[string]float64{
		`{slo="young",period="30d"}`:   1 - share/0.01*busy.Hours()/720,
		`{slo="young",period="month"}`: 1 - share/0.01*busy.Hours()/744,
		`{slo="old",period="2h"}`:      1 - share/0.25,
		`{slo="near",period="1d"}`:     1 - share/0.25*busy.Hours()/24,
	}
	check := func(when string, tolerance float64) {
		t.Helper()
		for of, value := range want {
			if got := w.Value("sla:budget_remaining:ratio_period" + of); got < value-tolerance || got > value+tolerance {
				t.Errorf("%s %s of the budget is left, want %v: %v", when, of, value, got)
			}
		}
	}
	check("at the end of traffic", 0.01)
	w.Run(15 * time.Minute) // by then all is counted
	for of := range want {
		want[of] = w.Value("sla:budget_remaining:ratio_period" + of)
	}
	w.Run(75 * time.Minute)
	check("after an hour and a half", 1e-9)
	for _, window := range []time.Duration{4 * time.Hour, 6*time.Hour + 30*time.Minute} {
		delete(want, `{slo="old",period="2h"}`) // all that it counted is past
		w.Run(window)
		check(fmt.Sprint("after ", w.Now().Sub(enginetest.Start)-busy), 1e-9)
	}
	if left := w.Query(`sla:budget_remaining:ratio_period{slo="old"}`); len(left) > 0 {
		t.Errorf("a period without events has a budget: %v", left)
	}
	for _, tr := range w.Transitions() {
		forecast := tr.Name == sla.AlertBudgetForecast.Name || tr.Name == sla.AlertCreditTier.Name
		if after := tr.At.Sub(enginetest.Start) - busy; forecast && after > time.Hour+10*time.Minute || forecast && tr.Firing && after > 5*time.Minute {
			t.Errorf("%s after the end of traffic: %v", after, tr)
		}
	}
	if nans := w.NaNs(15 * time.Hour); len(nans) > 0 {
		t.Error(nans)
	}
}

// Two hours of traffic, a night, and traffic again: the pause belongs to the
// traffic of the period then, as all that is measured does.
func TestPauseCountsWhenTrafficReturns(t *testing.T) {
	t.Parallel()
	agreements, findings := spec.LoadText("spec.yaml", `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  serviceLevels:
    - {name: young, service: api, target: "99", period: [30d, month], alerting: {enabled: false}, indicator: {events: {bad: 'requests_total{code="500"}', total: requests_total}}}
`)
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	const pause, resumed = 10 * time.Hour, 12 * time.Hour
	w := enginetest.New(t, 30*time.Second, func(at time.Time) []enginetest.Sample {
		after := at.Sub(enginetest.Start)
		n := (min(after, resumed-pause) + max(0, after-resumed)).Seconds() * 10
		return []enginetest.Sample{{Series: `requests_total{code="200"}`, Value: n * 0.8}, {Series: `requests_total{code="500"}`, Value: n * 0.2}}
	})
	w.Load(generate(t, generated2026, agreements[0].Levels...))
	w.Run(resumed + 2*time.Hour)
	for period, hours := range map[string]float64{"30d": 720, "month": 744} {
		left := w.Value(fmt.Sprintf(`sla:budget_remaining:ratio_period{slo="young",period=%q}`, period))
		near(t, "spent of "+period, 1-left, 20*14/hours, 0.02)
	}
}
