package ruletest_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla/spec"
)

const recoveryContract = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop, effectiveFrom: "2026-01-01", reviewOn: "2026-12-01"}
spec:
  parties: {provider: {name: Example Hosting}}
  obligations: {provider: [{id: report, deliver: "service {{review}}", dueBy: business_day_5, every: month}]}
  alerting:
    tiers: {page-fast: {enabled: false}, page-slow: {enabled: false}, ticket-fast: {enabled: false}, ticket-slow: {enabled: false}}
    obligationLate: {for: 1d}
    restoreTimeNear: {share: "60"}
  calendars: {prime: {weekly: [{days: [Mon, Tue, Wed, Thu, Fri], from: "08:00", to: "20:00"}]}}
  period: 7d
  recovery:
    objectives:
      - {metric: time_to_restore, le: 1h}
      - {metric: time_to_restore, statistic: share, percent: "90", le: 30m}
      - {metric: recovery_point, le: 1h, age: time() - backup_timestamp_seconds}
      - {metric: recovery_point, le: 1h, age: time() - replica_timestamp_seconds}
    methods:
      - {scenario: site_loss, method: restore_from_backup, lastExercised: "2026-03-01", exerciseEvery: 180d}
      - {scenario: fire, method: hope, exerciseEvery: 30d}
  serviceLevels:
    - {name: requests, indicator: {events: {bad: 'b{job="x"}', total: 't{job="x"}'}}, target: "99"}
    - {name: runs, indicator: {events: {bad: 'e{job="y"}', total: 'f{job="y"}'}}, target: "99", aggregation: {method: qualified_run, errorThreshold: "5", minRun: 15m}}
    - {name: up, indicator: {probe: {http: "https://shop.example/", interval: 1m}}, target: "99", period: month, alerting: {restoreTimeExceeded: {enabled: false}}}
    - {name: hours, serviceHours: prime, indicator: {probe: {http: "https://hours.example/", interval: 15s}}, target: "99", recovery: {objectives: [{metric: longest_outage, le: 2h}], methods: [{scenario: flood, method: move, exerciseEvery: 60d}]}}
    - {name: tenants, indicator: {events: {bad: 'p{job="x"}', total: 'q{job="x"}'}}, target: "99", groupBy: [tenant]}
`

// Everything that is recorded of recovery is asked for.
func TestRecoveryIsAskedFor(t *testing.T) {
	t.Parallel()
	agreements, findings := spec.LoadText("shop.yaml", recoveryContract)
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	_, omissions := suiteOf(t, agreements[0])
	for _, o := range omissions {
		for _, name := range o.Names {
			covered := []string{"sla:outage:", "sla:recovery:", "SLARe", "SLAOb"}
			if slices.ContainsFunc(covered, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
				t.Errorf("%s: nothing is asked of %s", o.Level, name)
			}
		}
	}
}

// In a run that repeats every case, each promtool finds the same.
func TestRulesOfRecoveryPassTheirTests(t *testing.T) {
	t.Parallel()
	testsize.Skip(t, "the tests of the rules of recovery; the rules of contracts are always tried")
	rules, files := tests(t, recoveryContract, rulegen.Options{Now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)})
	if failure := failureOf(t, rules, files); failure != "" {
		t.Error(failure)
	}
	if testsize.Every() {
		askPromtools(t, map[bool][]byte{false: rules}, files)
	}
}
