package spec_test

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// TestCredits reads tiers in any order, and the alert about them.
func TestCredits(t *testing.T) {
	l := load(t, "testdata/valid/credits.yaml")["availability"]
	if got := l.Credits.CreditWords(); got != "10 % below 99.9 %, 30 % below 99 %, 100 % below 95 %" || l.CreditPeriod().Calendar != sla.Month {
		t.Errorf("%s, of %s", got, l.CreditPeriod())
	}
	f := l.Notice(sla.AlertCreditTier)
	if f == nil || f.For != 5*time.Minute || f.KeepFiringFor != 10*time.Minute || f.Within != 48*time.Hour || f.Over != time.Hour || f.Labels["channel"] != "sales" {
		t.Errorf("alert %+v", f)
	}
	l = load(t, "testdata/valid/credits.yaml")["any-failure"]
	if got := l.Credits.CreditWords(); got != "5 % below 100 %, 50 % at most 99.5 %" {
		t.Error(got)
	}
	if l := load(t, "testdata/valid/smallest.yaml")["availability"]; l.Notice(sla.AlertCreditTier) != nil {
		t.Error("a level without credits has an alert about them")
	}
}

// TestDefaults reads the smallest agreement and demands every default.
func TestDefaults(t *testing.T) {
	level := load(t, "testdata/valid/smallest.yaml")["availability"]
	probe := level.Indicator.(*sla.Probe)
	check := probe.Check.(*sla.HTTPCheck)
	for what, got := range map[string][2]any{
		"id":          {level.ID.String(), "shop:storefront/availability"},
		"aggregation": {level.Aggregation, sla.Time},
		"target":      {level.Target.String(), "99.9"},
		"objective":   {level.Objective.String(), "99.9"},
		"period":      {level.Period.String(), "30d"},
		"interval":    {probe.Interval, 15 * time.Second},
		"timeout":     {probe.Timeout, 5 * time.Second},
		"method":      {check.Method, "GET"},
		"status":      {fmt.Sprint(check.Status), "[{200 299}]"},
		"redirects":   {check.FollowRedirects, true},
		"tiers":       {reflect.DeepEqual(level.Alerting.Tiers, sla.DefaultTiers(level.Period)), true},
		"alerting":    {level.Alerting.Disabled, false},
	} {
		if got[0] != got[1] {
			t.Errorf("%s is %v, want %v", what, got[0], got[1])
		}
	}
}

// TestFull reads every key and demands what it means.
func TestFull(t *testing.T) {
	levels := load(t, "testdata/valid/full.yaml")
	availability := levels["availability"]
	probe := availability.Indicator.(*sla.Probe)
	wantCheck := &sla.HTTPCheck{
		URL: "https://shop.example/health", Method: "POST", Headers: map[string]string{"Accept": "application/json", "Host": "shop.example"},
		Body: `{"deep": true}`, Status: []sla.StatusRange{{From: 200, To: 299}, {From: 301, To: 301}, {From: 400, To: 499}},
		BodyMatches: `"ok"\s*:\s*true`, FollowRedirects: false, InsecureSkipVerify: true,
	}
	if !reflect.DeepEqual(probe.Check, wantCheck) || probe.Interval != 10*time.Second || probe.Timeout != 3*time.Second {
		t.Errorf("probe: %+v of %+v", probe, probe.Check)
	}
	if availability.Aggregation != sla.RequestRatio || availability.Period.String() != "28d" || availability.Objective.String() != "99.95" {
		t.Errorf("level: %+v", availability)
	}
	if want := map[string]string{"team": "shop", "contract": "platinum", "region": "eu"}; !maps.Equal(availability.Labels, want) {
		t.Errorf("labels: %v", availability.Labels)
	}
	a := availability.Alerting
	if a.Labels["channel"] != "front" || a.Annotations["dashboard"] == "" || a.Runbook != "https://runbooks.example/shop" {
		t.Errorf("alerting: %+v", a)
	}
	if e, f, m := a.Notices[sla.AlertBudgetExhausted], a.Notices[sla.AlertBudgetForecast], a.Notices[sla.AlertMeasurementLost]; e.Severity != "page" || e.For != 5*time.Minute || e.KeepFiringFor != time.Hour ||
		f.Over != 12*time.Hour || f.Within != 48*time.Hour || f.Labels["channel"] != "managers" || m.For != 20*time.Minute || a.Tiers[0].Labels["channel"] != "night" {
		t.Errorf("alerts beside the tiers: %+v %+v %+v", e, f, m)
	}
	if f := levels["deliveries"].Alerting; f.Notices[sla.AlertBudgetForecast] != nil || f.Notices[sla.AlertBudgetExhausted] == nil || f.MinimumEvents != 0 || f.MinimumBadEvents != 5 {
		t.Errorf("a forecast that is off: %+v", f)
	}
	want := []string{
		"page-fast critical 2h/10m 10 for 2m keep 15m", "page-slow page 12h/1h 5.6 for 0s keep 0s",
		"ticket-fast ticket 1d/2h 2.8 for 0s keep 0s", "drip ticket 5d/10h 1 for 0s keep 0s",
	}
	if got := tierWords(a.Tiers); !slices.Equal(got, want) {
		t.Errorf("tiers:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := levels["database"]; !got.Alerting.Disabled || len(got.Alerting.Tiers) > 0 {
		t.Errorf("alerting that is off: %+v", got.Alerting)
	}
	if got, want := levels["database"].Indicator.(*sla.Probe).Check, (&sla.TCPCheck{Address: "db.example:5432", TLS: true, TLSOptions: sla.TLSOptions{ServerName: "db.internal"}}); !reflect.DeepEqual(got, want) {
		t.Errorf("tcp: %+v", got)
	}
	if got := levels["errors"].ID.Service; got != "shop" {
		t.Errorf("a level without a service belongs to %q", got)
	}
	fast := levels["fast"].Indicator.(*sla.ProbeLatency)
	if fast.Probe != probe || fast.Of != availability.ID || levels["fast"].Aggregation != sla.Time {
		t.Errorf("the reference is %+v", fast)
	}
	if got := levels["deliveries"].Indicator.(*sla.Events); got.Good.Text != "mails_delivered_total" || got.Bad.Text != "" {
		t.Errorf("good events: %+v", got)
	}
}

// TestTimeoutFollowsInterval holds the default of a probe faster than 5s.
func TestTimeoutFollowsInterval(t *testing.T) {
	text, err := os.ReadFile("testdata/valid/smallest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	agreements, findings := spec.LoadText("spec.yaml", strings.Replace(string(text), "interval: 15s", "interval: 2s", 1))
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	if got := agreements[0].Levels[0].Indicator.(*sla.Probe).Timeout; got != 2*time.Second {
		t.Errorf("timeout %s", got)
	}
}

// What could be read of a broken level is there, so that its queries can still be
// checked.
func TestBrokenLevelsKeepTheirQueries(t *testing.T) {
	agreements, findings := spec.LoadText("spec.yaml", "apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: Shop}\nspec:\n  serviceLevels:\n"+
		"    - {name: a, target: 99, indicator: {events: {bad: b, foo: 1}}}\n    - {name: b, indicator: {latency: {histogram: h}}}\n")
	if !findings.HasErrors() || len(agreements) != 1 || len(agreements[0].Levels) > 0 || len(agreements[0].Broken) != 2 {
		t.Fatalf("%d agreements, %v", len(agreements), findings)
	}
	for i, want := range []string{"b", "h"} {
		level := agreements[0].Broken[i]
		if level.Indicator == nil || level.Indicator.Queries()[0].Text != want || level.Period.Rolling == 0 {
			t.Errorf("level %d: %+v", i, level)
		}
	}
}

// TestMergedKeys reads anchors, aliases and merge keys.
func TestMergedKeys(t *testing.T) {
	agreements, findings := spec.LoadText("spec.yaml", `
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  period: &period 7d
  serviceLevels:
    - &base
      name: a
      indicator: {probe: &probe {http: "https://a.example/", interval: 10s}}
      target: "99.5"
      period: *period
    - {<<: *base, name: b, indicator: {probe: {<<: *probe, http: "https://b.example/"}}}
`)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	b := agreements[0].Levels[1]
	probe := b.Indicator.(*sla.Probe)
	if b.ID.SLO != "b" || b.Target.String() != "99.5" || b.Period.String() != "7d" || probe.Interval != 10*time.Second || probe.Check.Target() != "https://b.example/" {
		t.Errorf("merged: %+v, %+v", b, probe)
	}
}

func tierWords(tiers []sla.Tier) []string {
	var words []string
	for _, t := range tiers {
		words = append(words, fmt.Sprintf("%s %s %s/%s %s for %s keep %s", t.Name, t.Severity, sla.FormatDuration(t.Long),
			sla.FormatDuration(t.Short), t.Factor, sla.FormatDuration(t.For), sla.FormatDuration(t.KeepFiringFor)))
	}
	return words
}

// load is the levels of a file without findings, by name.
func load(t *testing.T, file string) map[string]*sla.ServiceLevel {
	t.Helper()
	agreements, findings := spec.Load(file)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	levels := map[string]*sla.ServiceLevel{}
	for _, a := range agreements {
		for _, l := range a.Levels {
			levels[l.ID.SLO] = l
		}
	}
	return levels
}
