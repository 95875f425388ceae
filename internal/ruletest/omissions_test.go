package ruletest_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/ruletest"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// suiteOf are the files of tests of an agreement, and what they leave out.
func suiteOf(t *testing.T, a *sla.Agreement) ([]ruletest.File, []ruletest.Omission) {
	t.Helper()
	opts := rulegen.Options{Now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
	suite := ruletest.New(opts)
	if findings, err := rulegen.Each(a, opts, func(l rulegen.LevelPlan) error {
		suite.Add(l)
		return nil
	}); err != nil || findings.HasErrors() {
		t.Fatal(findings, err)
	}
	return suite.Files([]string{"rules.yaml"}, nil), suite.Omissions()
}

// Every example has tests of each of its levels: its budget is compared, and its
// alerts are seen quiet and firing.
func TestEveryExampleYieldsTests(t *testing.T) {
	paths, err := filepath.Glob("../../examples/*.yaml")
	if err != nil || len(paths) < 10 {
		t.Fatal(paths, err)
	}
	agreements, findings := spec.Load(paths...)
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	for _, a := range agreements {
		t.Run(a.Name, func(t *testing.T) {
			files, omissions := suiteOf(t, a)
			for _, l := range a.Levels {
				of := `service="` + l.ID.Service + `", sla="` + l.ID.SLA + `", slo="` + l.ID.SLO + `"`
				for _, about := range []string{"sla:budget_remaining:ratio_period", "ALERTS"} {
					if !asks(files, about, of) {
						t.Errorf("nothing is asked of %s of %s/%s", about, l.ID.Service, l.ID.SLO)
					}
				}
			}
			for _, o := range omissions {
				if strings.Contains(o.What, "it is not tested") {
					t.Error(o)
				}
				for _, name := range o.Names {
					if strings.HasPrefix(name, "SLA") {
						t.Errorf("%s: nothing is asked of the alert %s", o.Level, name)
					}
				}
			}
		})
	}
}

// asks reports whether a question is about a series whose labels contain a text.
func asks(files []ruletest.File, name, of string) bool {
	return slices.ContainsFunc(files, func(f ruletest.File) bool {
		return slices.ContainsFunc(f.Tests, func(test ruletest.Test) bool {
			return slices.ContainsFunc(test.Expect, func(a ruletest.Expectation) bool {
				return strings.Contains(a.Expr, name+"{") && strings.Contains(a.Expr, of)
			})
		})
	})
}

const contract = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  alerting: {tiers: {page-slow: {enabled: false}, ticket-fast: {enabled: false}, ticket-slow: {enabled: false}}}
  calendars: {prime: {weekly: [{days: [Mon, Tue, Wed, Thu, Fri], from: "08:00", to: "20:00"}]}}
  exclusions: [{name: tests, effect: treat_as_up, condition: tests_running == 1, cap: {excludedDowntime: 20m, per: month}}]
  serviceLevels:
    - {name: credits, exclusions: [], indicator: {probe: {http: "https://shop.example/"}}, target: "99", period: 7d, credits: {tiers: [{below: "99", percent: "10"}, {atMost: "90", percent: "50"}]}}
    - {name: of-the-month, exclusions: [], indicator: {events: {bad: 'b{job="x"}', total: 't{job="x"}'}}, target: "99", period: month, credits: {tiers: [{below: "100", percent: "5"}, {below: "99", percent: "10"}, {atMost: "90", percent: "50"}]}}
    - {name: missing, exclusions: [], indicator: {probe: {tcp: "shop.example:1"}}, target: "99", period: 7d, missingData: bad}
    - {name: minutes, exclusions: [], indicator: {events: {bad: 'c{job="y"}', total: 'd{job="y"}'}}, target: "99", period: 7d, missingData: good, aggregation: {method: bad_minute, errorThreshold: "5"}}
    - {name: capped, serviceHours: prime, indicator: {condition: {expr: queue_age < 60}}, target: "95", period: month}
    - {name: always, indicator: {condition: {expr: queue_length < 60}}, target: "95", period: 7d}
`

// A level with credits, a cap or missing data that counts is tested like any other.
func TestWhatContractsSayIsTested(t *testing.T) {
	agreements, findings := spec.LoadText("shop.yaml", contract)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	files, omissions := suiteOf(t, agreements[0])
	if len(files[0].Tests) == 0 {
		t.Error("there are no tests")
	}
	for _, o := range omissions {
		if strings.Contains(o.What, "it is not tested") {
			t.Error(o)
		}
	}
	for level, series := range map[string][]string{
		"credits":      {"sla:credit:percent_period", "sla:credit_tier:minutes_period"},
		"of-the-month": {"sla:credit:percent_period", "sla:credit:percent_period_previous"},
		"missing":      {"sla:missing:rate5m"},
		"minutes":      {"sla:missing:rate5m"},
		"capped":       {"sla:exclusion_cap:used_ratio_period"},
	} {
		for _, name := range series {
			if of := `slo="` + level + `"`; !asks(files, name, of) {
				t.Errorf("nothing is asked of %s of %s", name, level)
			}
		}
	}
}

// Also of levels whose agreed time follows no hours, in a short run of some. In a run
// that tries every case, the oldest promtool tests those, and in one that repeats every
// case each promtool all.
func TestRulesOfContractsPassTheirTests(t *testing.T) {
	t.Parallel()
	opts, some := rulegen.Options{Now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}, only(contract, "credits", "minutes", "capped")
	rules, files := tests(t, testsize.Of(some, contract), opts)
	if failure := failureOf(t, rules, files); failure != "" {
		t.Error(failure)
	}
	if !testsize.All() {
		return
	}
	tools := promtools(t)
	if !testsize.Every() {
		tools = tools[:1]
		rules, files = tests(t, some, opts)
	}
	for _, tool := range tools {
		if passed, output := judge(t, tool, rules, files); !passed {
			t.Errorf("%s: %.2000s", tool, output)
		}
	}
}

// What tests leave out is found by what they ask, and not by a list.
func TestOmissions(t *testing.T) {
	agreements, findings := spec.LoadText("shop.yaml", `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  serviceLevels:
    - {name: up, indicator: {probe: {http: "https://shop.example/"}}, target: "99"}
    - {name: present, indicator: {condition: {expr: "(count(broken) or vector(0)) == 0"}}, target: "99"}
    - {name: orders, indicator: {events: {good: 'good_total{job="y"}', total: 'all_total{job="y"}'}}, target: "99"}
`)
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	_, omissions := suiteOf(t, agreements[0])
	var got []string
	for _, o := range omissions {
		got = append(got, o.String())
	}
	want := []string{
		"shop/present: it is not tested: its expression may have a value without any input.",
		"shop/orders: no test covers sla:excess:ratio.",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
