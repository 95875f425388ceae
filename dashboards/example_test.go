package dashboards_test

import (
	"fmt"

	"github.com/upheld-sla/upheld/dashboards"
	"github.com/upheld-sla/upheld/sla/spec"
)

// The Grafana dashboards of an agreement.
func ExampleOptions_OfAgreement() {
	agreements, findings := spec.Load("../examples/smallest.yaml")
	if err := findings.Err(); err != nil {
		fmt.Println(err)
		return
	}
	boards, err := dashboards.Options{PagesURL: "https://upheld.example"}.OfAgreement(agreements[0])
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, b := range boards {
		fmt.Println(b.File)
	}
	// Output:
	// smallest.json
	// smallest_level.json
	// smallest_probes.json
}
