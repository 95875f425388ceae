package spec

import (
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// threeRevisions are a file with revisions 3, 1 and 2 of an agreement whose targets say
// which is which, and another agreement that refers to it.
const threeRevisions = `
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop, revision: 3, effectiveFrom: "2027-01-01"}
spec:
  timeZone: Europe/Berlin
  serviceLevels:
    - {name: up, target: "93", indicator: {probe: {http: "https://shop.example/3"}}}
    - {name: fast, target: "93", indicator: {latency: {probe: shop/up, threshold: 1s}}}
---
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop, revision: 1}
spec:
  serviceLevels:
    - {name: up, target: "91", indicator: {probe: {http: "https://shop.example/1"}}}
    - {name: fast, target: "91", indicator: {latency: {probe: shop/up, threshold: 1s}}}
---
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop, revision: 2, effectiveFrom: "2026-07-01"}
spec:
  serviceLevels:
    - {name: up, target: "92", indicator: {probe: {http: "https://shop.example/2"}}}
    - {name: fast, target: "92", indicator: {latency: {probe: shop/up, threshold: 1s}}}
---
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: all}
spec:
  serviceLevels:
    - {name: whole, target: "90", indicator: {composite: {all: ["shop:shop/up"]}}}
`

func loadAt(t *testing.T, now time.Time, text string) []*sla.Agreement {
	t.Helper()
	l := newLoader(Files{})
	l.now = now
	l.read("spec.yaml", []byte(text))
	agreements, findings := l.finish()
	for _, f := range findings {
		if f.Severity == sla.Error {
			t.Fatal(findings)
		}
	}
	return agreements
}

func TestTheRevisionInForceIsLoaded(t *testing.T) {
	for now, want := range map[string]string{
		"2026-06-30T23:59:59Z": "91", "2026-07-01T00:00:00Z": "92", "2026-12-31T22:59:59Z": "92", "2026-12-31T23:00:00Z": "93", // midnight in Berlin
	} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		all := loadAt(t, at, threeRevisions)
		if len(all) != 2 {
			t.Fatalf("%d agreements", len(all))
		}
		var shop, whole *sla.Agreement
		for _, a := range all {
			if a.Name == "shop" {
				shop = a
			} else {
				whole = a
			}
		}
		if got := shop.Levels[0].Target.String(); got != want || len(shop.Revisions) != 3 {
			t.Errorf("at %s the target is %s", now, got)
		}
		if got := whole.Levels[0].Indicator.(*sla.Composite).Tree.Leaves()[0].Level.Target.String(); got != want {
			t.Errorf("at %s the composite has a component with the target %s", now, got)
		}
		for _, r := range shop.Revisions {
			url := r.Levels[1].Indicator.(*sla.ProbeLatency).Probe.Check.(*sla.HTTPCheck).URL
			if !strings.HasSuffix(url, r.Levels[1].Target.String()[1:]) {
				t.Errorf("the latency of revision %d is of the probe %s", r.Terms.Revision, url)
			}
		}
	}
}

func TestTheFirstRevisionIsLoadedWhileNoneIsInForce(t *testing.T) {
	text := strings.Replace(threeRevisions, "revision: 1}", `revision: 1, effectiveFrom: "2026-01-01"}`, 1)
	if all := loadAt(t, time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), text); all[0].Terms.Revision != 1 {
		t.Errorf("revision %d", all[0].Terms.Revision)
	}
}

func TestAdjustmentsBelongToEveryRevision(t *testing.T) {
	text := threeRevisions + `---
apiVersion: upheld/v1
kind: Adjustment
metadata: {name: a, agreement: shop}
spec: {filed: "2026-11-03", by: provider, reason: x, cause: {party: unknown, what: y, levels: [up], from: "2026-10-04T01:00", to: "2026-10-04T05:00"}}
`
	for _, a := range loadAt(t, time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), text) {
		for _, r := range a.Revisions {
			if len(r.Adjustments) != 1 || r.Adjustments[0].Cause.Levels[0].SLO != "up" {
				t.Errorf("revision %d: %v", r.Terms.Revision, r.Adjustments)
			}
		}
	}
}
