package serve_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/internal/serve"
)

const ofParts = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  alerting: {enabled: false}
  serviceLevels:
    - {name: up, service: web, target: "50", indicator: {condition: {expr: "vector(1) > 0"}}}
    - {name: up, service: cart, target: "50", indicator: {condition: {expr: "vector(0) > 0"}}}
    - {name: up, service: psp, target: "50", indicator: {condition: {expr: "psp_up > 0"}}}
    - {name: whole, target: "50", indicator: {composite: {all: [web/up, {any: [cart/up]}, psp/up]}}}
`

// TestCompositePage: the page of a composite shows what of it is up, down since
// when, and unknown, and what the part that is down has spent.
func TestCompositePage(t *testing.T) {
	dir := t.TempDir()
	r := start(t, serve.Options{
		Specs: []string{write(t, filepath.Join(dir, "shop.yaml"), ofParts)}, StoragePath: filepath.Join(dir, "data"), Location: "here",
	})
	defer r.end()
	r.eventuallyValue(`sla:blame:budget_ratio_period{component="cart/up",how="alone"}`, func(v float64) bool { return v > 0 })
	_, page := r.get("/level/shop/shop/whole")
	_, tree, found := strings.Cut(page, `id="members"`)
	if !found {
		t.Fatalf("no parts on %s", page)
	}
	nodes := strings.Split(strings.Split(tree, "</section>")[0], "<li>")[1:]
	for i, want := range [][]string{{"all of", "Down"}, {"web/up", "Up", "/level/shop/web/up"}, {"any of", "Down"}, {"cart/up", "Down", "since"}, {"psp/up", "Unknown"}} {
		for _, words := range want {
			if i >= len(nodes) || !strings.Contains(nodes[i], words) {
				t.Errorf("node %d does not say %q: %v", i, words, nodes)
			}
		}
	}
	if _, page := r.get("/level/shop/web/up"); !strings.Contains(page, `Part of <a href="/level/shop/shop/whole">`) {
		t.Error("the component's page does not lead to the composite")
	}
}
