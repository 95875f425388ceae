package spec_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// What is public is what the status page says, and an agreement without one shows nothing,
// whatever it inherits.
func TestOnlyWhatAStatusPageNamesIsPublic(t *testing.T) {
	const text = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  timeZone: Europe/Berlin
  statusPage: {title: The shop, levels: [{level: web, name: Shop}]}
  serviceLevels:
    - {name: web, target: "99.9", indicator: {condition: {expr: web_up == 1}}}
    - {name: replica, target: "99.9", indicator: {condition: {expr: replica_up == 1}}}
---
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: inside}
spec:
  inherits: shop
  serviceLevels:
    - {name: web, target: "99.9", indicator: {condition: {expr: web_up == 1}}}
`
	agreements, findings := spec.LoadText("shop.yaml", text)
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	for _, a := range agreements {
		var want *sla.StatusPage
		if a.Name == "shop" {
			want = &sla.StatusPage{Title: "The shop", Levels: []sla.PublicLevel{{Level: sla.ID{SLA: "shop", Service: "shop", SLO: "web"}, Name: "Shop"}}}
		}
		if d := cmp.Diff(want, a.StatusPage); d != "" || a.Zone != "Europe/Berlin" {
			t.Errorf("%s in %s: %s", a.Name, a.Zone, d)
		}
	}
}
