package emit_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla/spec"
)

// TestCompositesInhibit holds the inhibitions of a composite to the alerts that
// they are for: those of its components, and of no composite with a like name.
func TestCompositesInhibit(t *testing.T) {
	agreements, findings := spec.LoadText("shop.yaml", `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  serviceLevels:
    - {name: up, service: web, target: "99.9", indicator: {condition: {expr: "web_up > 0"}}}
    - {name: whole, target: "99", indicator: {composite: {all: [web/up], componentAlerts: inhibited}}}
    - {name: whole-2, target: "98", indicator: {composite: {all: [shop/whole]}}}
`)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	got, _, err := emit.Alertmanager(agreements)
	file := parseAlertmanager(t, must(t, got, err))
	rules := 0
	for _, r := range file.InhibitRules {
		pattern, ok := strings.CutPrefix(r.Target[0], `inhibited_by=~"`)
		if !ok {
			continue
		}
		rules++
		matches := regexp.MustCompile("^(?:" + strings.TrimSuffix(pattern, `"`) + ")$").MatchString
		for value, want := range map[string]bool{
			"shop:shop/whole": true, "a:b/c,shop:shop/whole": true, "shop:shop/whole,shop:shop/whole-2": true,
			"": false, "shop:shop/whole-2": false, "workshop:shop/whole": false,
		} {
			if matches(value) != want {
				t.Errorf("%s matches %q: %v, want %v", pattern, value, !want, want)
			}
		}
		source := strings.Join(r.Source, " ")
		if !strings.Contains(source, `slo="whole"`) || strings.Contains(source, `severity="page"`) == slices.Contains(r.Target, `severity="ticket"`) {
			t.Errorf("it is set off by %s, and holds back %v", source, r.Target)
		}
	}
	if rules != 2 {
		t.Errorf("%d inhibitions", rules)
	}
	if of := agreements[0].Levels[0].PartOf; len(of) != 2 {
		t.Errorf("web is part of %v", of)
	}
}
