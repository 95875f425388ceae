package spec_test

import (
	"slices"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// TestPeriods reads every way to write a period.
func TestPeriods(t *testing.T) {
	levels := load(t, "testdata/valid/periods.yaml")
	for name, want := range map[string]sla.Period{
		"monthly": {Calendar: sla.Month, Zone: "Europe/Berlin"},
		"weekly":  {Calendar: sla.Week, WeekStart: time.Sunday, Zone: "America/Los_Angeles"},
		"fiscal":  {Calendar: sla.Quarter, FiscalOffset: 1, Zone: "Europe/Berlin"},
		"yearly":  {Calendar: sla.Year, Zone: "UTC"},
		"rolling": {Rolling: 90 * 24 * time.Hour},
	} {
		if got := levels[name].Period; got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	several := sla.ServiceLevel{Period: sla.Period{Rolling: 30 * 24 * time.Hour}, MorePeriods: []sla.Period{
		{Calendar: sla.Month, Zone: "Europe/Berlin"}, {Calendar: sla.Week, WeekStart: time.Monday, Zone: "UTC"}, {Rolling: 6 * time.Hour},
	}}
	if got := levels["several"].Periods(); !slices.Equal(got, several.Periods()) {
		t.Errorf("several: %+v", got)
	}
	if a := levels["several"].Alerting.Notices; !slices.Equal(a[sla.AlertBudgetExhausted].Periods, []string{"month"}) || !slices.Equal(a[sla.AlertBudgetForecast].Periods, []string{"month", "week"}) {
		t.Errorf("alerts about budgets: %+v, %+v", a[sla.AlertBudgetExhausted], a[sla.AlertBudgetForecast])
	}
	if tiers := levels["hour"].Alerting.Tiers; len(tiers) != 2 || tiers[1].Long != 15*time.Minute || tiers[1].Factor.String() != "1" {
		t.Errorf("tiers of an hour: %v", tierWords(tiers))
	}
	if tiers := levels["yearly"].Alerting.Tiers; tiers[0].Factor.String() != "175.2" { // 14.4 × 365 / 30
		t.Errorf("tiers of a year: %v", tierWords(tiers))
	}
}

// What was not said of a calendar period is among the defaults.
func TestCalendarDefaults(t *testing.T) {
	agreements, findings := spec.LoadText("spec.yaml", `
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  serviceLevels:
    - {name: a, target: "99.5", period: week, indicator: {probe: {http: "https://a.example/"}}}
    - {name: b, target: "99.5", period: {calendar: year, timeZone: UTC}, indicator: {probe: {http: "https://a.example/"}}}
`)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	for i, want := range []sla.Default{{Key: "period.weekStart", Value: "Mon"}, {Key: "period.fiscalOffset", Value: "0"}} {
		l := agreements[0].Levels[i]
		if !slices.Contains(l.Defaults, want) {
			t.Errorf("%s: %v has no %v", l.ID, l.Defaults, want)
		}
		if zone := slices.Contains(l.Defaults, sla.Default{Key: "period.timeZone", Value: "UTC"}); zone != (i == 0) {
			t.Errorf("%s: %v", l.ID, l.Defaults)
		}
	}
	if p := agreements[0].Levels[0].Period; p != (sla.Period{Calendar: sla.Week, WeekStart: time.Monday}) {
		t.Errorf("a week is %+v", p)
	}
}
