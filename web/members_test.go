package web

import (
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/golden"
	"github.com/upheld-sla/upheld/sla"
)

// TestCompositePage shows the parts of a composite, and where a component leads.
func TestCompositePage(t *testing.T) {
	web := level("web", "availability", "99.95", httpProbe())
	leaf := &sla.Node{Op: sla.OpLevel, Of: web.ID, Level: web}
	composite := &sla.Composite{Root: &sla.Node{Op: sla.OpAll, Members: []*sla.Node{leaf, leaf}}}
	whole := level("checkout", "availability", "99.5", composite)
	if findings := composite.Resolve(whole); len(findings) > 0 {
		t.Fatal(findings)
	}
	web.PartOf = []sla.PartOf{{Composite: whole.ID, Alerts: sla.AlertsLinked}}
	source := fixed{levels: []LevelStatus{
		{Level: whole, State: Failing, Achieved: Known(0.996), Coverage: Known(1), BudgetRemaining: Known(0.2), Members: []Member{
			{Title: "all of", State: Failing},
			{Title: "web/availability", Depth: 1, Of: web.ID, State: Failing, Since: noon.Add(-4 * time.Minute), Alone: Known(0.75), WithOthers: Known(0.05)},
			{Name: "pay", Title: "any of", Depth: 1, State: OK},
			{Title: "other:psp-a/availability", Depth: 2, Of: sla.ID{SLA: "other", Service: "psp-a", SLO: "availability"}, State: Unknown},
		}},
		{Level: web, State: Failing},
	}}
	h := handlerFor(t, source)
	for name, path := range map[string]string{"level-composite": "/level/shop/checkout/availability", "level-component": "/level/shop/web/availability"} {
		w := get(t, h, path)
		if w.Code != 200 {
			t.Errorf("%s: status %d", path, w.Code)
		}
		golden.Equal(t, "testdata/"+name+".html", stable(h, w.Body.String()))
	}
}
