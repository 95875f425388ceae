package rulegen_test

import (
	"testing"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla/spec"
)

// A condition may read no series; there are rules for it also where missing data
// counts, alone and in a composite.
func TestConstantsAreNeverMissing(t *testing.T) {
	agreements, findings := spec.LoadText("shop.yaml", `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  serviceLevels:
    - {name: up, service: web, target: "50", missingData: bad, indicator: {condition: {expr: "vector(1) > 0"}}}
    - {name: minutes, service: web, target: "50", missingData: bad, aggregation: {method: bad_minute, errorThreshold: "5"}, indicator: {ratio: {bad: "vector(0)"}}}
    - {name: whole, target: "50", indicator: {composite: {all: [web/up], unknown: bad}}}
`)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	plan, findings := rulegen.Compile(agreements[0], rulegen.Options{})
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := emit.Prometheus(plan); err != nil {
		t.Fatal(err)
	}
}
