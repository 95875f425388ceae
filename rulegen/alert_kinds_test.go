package rulegen_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// Every kind that levels have is raised by a rule, in the order of names that
// routes match by.
func TestAlertNamesAreThoseOfTheKinds(t *testing.T) {
	names := rulegen.AlertNames()
	for _, k := range sla.AlertKinds {
		if i := slices.Index(names, k.Name); i < 0 || slices.Contains(names[i+1:], k.Name) {
			t.Errorf("%s is not once among %v", k.Name, names)
		}
	}
	if len(names) != len(sla.AlertKinds) {
		t.Errorf("%v", names)
	}
}

const heldBack = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  period: [7d, month]
  recovery: {objectives: [{metric: time_to_restore, le: 4h}, {metric: recovery_point, le: 1h, age: backup_age_seconds}]}
  exclusions: [{name: tests, effect: treat_as_up, condition: tests_running == 1, cap: {excludedDowntime: 20m, per: month}}]
  serviceLevels:
    - {name: up, service: web, target: "99", indicator: {condition: {expr: web_up > 0}}, credits: {tiers: [{below: "99", percent: "10"}]}}
    - {name: up, service: cart, target: "99", indicator: {condition: {expr: cart_up > 0}}}
    - {name: purchase, service: web, target: "99", indicator: {condition: {expr: purchase_up > 0}}}
    - {name: inner, target: "98", indicator: {composite: {all: [web/up, cart/up], endToEnd: web/purchase, componentAlerts: inhibited}}}
    - {name: outer, target: "97", indicator: {composite: {all: [shop/inner, cart/up], componentAlerts: inhibited}}}
`

// What composites hold back has a rule that reads their alerts, and the label that
// says so; nothing else has either.
func TestCompositesHoldBackTheKindsThatTheTableSays(t *testing.T) {
	agreements, findings := spec.LoadText("shop.yaml", heldBack)
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	plan, findings := rulegen.Compile(agreements[0], rulegen.Options{Now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)})
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	seen := map[string]bool{}
	for _, l := range plan.Levels {
		if len(l.Level.PartOf) == 0 {
			continue
		}
		composite := l.Level.PartOf[0].Composite.SLO
		for _, g := range l.Groups {
			for _, r := range g.Rules {
				i := slices.IndexFunc(sla.AlertKinds, func(k *sla.AlertKind) bool { return k.Name == r.Alert && k.OfLevels() })
				if i < 0 {
					continue
				}
				seen[r.Alert] = true
				reads := strings.Contains(r.Expr.String(), `slo="`+composite+`"`)
				if k := sla.AlertKinds[i]; reads != k.Withheld || (r.Labels["inhibited_by"] != "") != k.Withheld {
					t.Errorf("%s of %s: waits for the composite: %v, inhibited_by: %q, and in the table: %v", r.Alert, l.Level.ID, reads, r.Labels["inhibited_by"], k.Withheld)
				}
			}
		}
	}
	if want := len(sla.AlertKinds) - 5; len(seen) != want { // a component has no groups, and four kinds are no level's
		t.Errorf("components have %d kinds, want %d: %v", len(seen), want, seen)
	}
}
