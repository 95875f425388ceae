package spec_test

import (
	"fmt"

	"github.com/upheld-sla/upheld/sla/spec"
)

// Read a specification that is no file, and look at what it promises.
func ExampleLoadText() {
	agreements, findings := spec.LoadText("shop.yaml", `
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  serviceLevels:
    - name: availability
      service: checkout
      target: "99.9"
      indicator: {events: {bad: 'http_requests_total{code=~"5.."}', total: http_requests_total}}
`)
	if err := findings.Err(); err != nil {
		fmt.Println(err)
		return
	}
	for _, level := range agreements[0].Levels {
		fmt.Printf("%s: %s %% over %s\n", level.ID, level.Target, level.Period)
	}
	// Output: shop:checkout/availability: 99.9 % over 30d
}

// What is wrong has its place, and what to write instead.
func ExampleLoadText_mistake() {
	_, findings := spec.LoadText("shop.yaml", `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  serviceLevel: []
`)
	for _, f := range spec.WithSnippets(findings) {
		fmt.Println(f.Pos, f.Severity, f.Rule)
		fmt.Println(f.Message)
		fmt.Println(f.Remedy)
	}
	// Output:
	// shop.yaml:5:3 error unknown-key
	// unknown key "serviceLevel" in spec
	// did you mean "serviceLevels"?
}
