package ruletest_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/rulegen"
)

const revisedContract = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop, revision: 1, reviewOn: "2026-06-01"}
spec:
  timeZone: Europe/Berlin
  period: week
  alerting: {enabled: false}
  calendars: {prime: {weekly: [{days: [Mon, Tue, Wed, Thu, Fri], from: "08:00", to: "20:00"}]}}
  maintenance: {effect: treat_as_up, windows: [{from: "2026-04-12T02:00", to: "2026-04-12T04:00"}]}
  serviceLevels:
    - {name: requests, indicator: {events: {bad: 'b{job="x"}', total: 't{job="x"}'}}, target: "99"}
    - {name: hours, serviceHours: prime, indicator: {probe: {http: "https://hours.example/", interval: 15s}}, target: "99"}
    - {name: gone, indicator: {events: {bad: 'e{job="y"}', total: 'f{job="y"}'}}, target: "99"}
---
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop, revision: 2, effectiveFrom: "2026-10-05", reviewOn: "2027-06-01"}
spec:
  timeZone: Europe/Berlin
  period: week
  alerting: {enabled: false}
  calendars: {prime: {weekly: [{days: [Mon, Tue, Wed, Thu, Fri], from: "06:00", to: "22:00"}]}}
  serviceLevels:
    - {name: requests, indicator: {events: {bad: 'b{job="z"}', total: 't{job="z"}'}}, target: "99.5"}
    - {name: hours, serviceHours: prime, indicator: {probe: {http: "https://hours.example/", interval: 15s}}, target: "99.5"}
    - {name: fresh, indicator: {events: {bad: 'g{job="y"}', total: 'h{job="y"}'}}, target: "99"}
`

// The tests are of the first revision, and fail if time does not choose it. In a run that
// repeats every case, each promtool finds the same.
func TestRulesOfRevisionsPassTheirTests(t *testing.T) {
	t.Parallel()
	testsize.Skip(t, "the tests of the rules of two revisions; the rules of contracts are always tried")
	rules, files := tests(t, revisedContract, rulegen.Options{Now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)})
	if failure := failureOf(t, rules, files); failure != "" {
		t.Error(failure)
	}
	swapped := bytes.ReplaceAll(bytes.ReplaceAll(bytes.ReplaceAll(rules, []byte("(vector(time()) < "), []byte("(vector(time()) <> ")),
		[]byte("(vector(time()) >= "), []byte("(vector(time()) < ")), []byte("(vector(time()) <> "), []byte("(vector(time()) >= "))
	if failureOf(t, swapped, files[:1]) == "" {
		t.Error("the tests pass although the second revision is in force")
	}
	if testsize.Every() {
		askPromtools(t, map[bool][]byte{false: rules, true: swapped}, files)
	}
}
