package serve

import (
	"bytes"
	"testing"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla/spec"
)

// Alerts link to the pages where it is known under which address others reach them.
func TestAlertsLinkToPages(t *testing.T) {
	agreements, findings := spec.Load("../../examples/demo/shop.yaml")
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	for external, want := range map[string]bool{"": false, "https://sla.example/": true} {
		d := &desired{agreements: agreements, ruleFiles: map[string][]byte{}}
		if _, err := d.makeRules(rulegen.Options{Links: rulegen.Links{Pages: external}}); err != nil {
			t.Fatal(err)
		}
		rules := d.ruleFiles["demo-shop"]
		if got := bytes.Contains(rules, []byte("page_url: https://sla.example/level/demo-shop/checkout/paying")); got != want {
			t.Errorf("with %q: alerts link to pages: %v", external, got)
		}
		if !want && bytes.Contains(rules, []byte("page_url")) {
			t.Error("alerts link to pages of nobody")
		}
	}
}
