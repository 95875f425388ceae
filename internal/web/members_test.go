package web

import (
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/golden"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// composed returns a composite that fails, and the component that is the cause.
func composed(t *testing.T) fixed {
	t.Helper()
	web := level("web", "availability", "99.95", httpProbe())
	leaf := &sla.Node{Op: sla.OpLevel, Of: web.ID, Level: web}
	composite := &sla.Composite{Root: &sla.Node{Op: sla.OpAll, Members: []*sla.Node{leaf, leaf}}}
	whole := level("checkout", "availability", "99.5", composite)
	if findings := composite.Resolve(whole); len(findings) > 0 {
		t.Fatal(findings)
	}
	web.PartOf = []sla.PartOf{{Composite: whole.ID, Alerts: sla.AlertsLinked}}
	return fixed{levels: []LevelStatus{
		{Level: whole, State: sla.StateDown, Achieved: Known(0.996), Coverage: Known(1), BudgetRemaining: Known(0.2), Members: []Member{
			{Title: "all of", State: sla.StateDown},
			{Title: "web/availability", Depth: 1, Of: web.ID, State: sla.StateDown, Since: noon.Add(-4 * time.Minute), Alone: Known(0.75), WithOthers: Known(0.05)},
			{Name: "pay", Title: "any of", Depth: 1, State: sla.StateUp},
			{Title: "other:psp-a/availability", Depth: 2, Of: sla.ID{SLA: "other", Service: "psp-a", SLO: "availability"}, State: sla.StateUnknown},
		}},
		{Level: web, State: sla.StateDown},
	}}
}

// TestCompositePage: a composite's page lists its members, with links to their
// pages.
func TestCompositePage(t *testing.T) {
	source := composed(t)
	h := handlerFor(t, source)
	for name, path := range map[string]string{"overview-composite": "/", "level-composite": "/level/shop/checkout/availability", "level-component": "/level/shop/web/availability"} {
		w := get(t, h, path)
		if w.Code != 200 {
			t.Errorf("%s: status %d", path, w.Code)
		}
		golden.Equal(t, "testdata/"+name+".html", stable(h, w.Body.String()))
	}
}

// TestCauses: which components are down, and how much budget each has spent, the
// greatest share first.
func TestCauses(t *testing.T) {
	whole := level("checkout", "availability", "99.5", &sla.Composite{Root: &sla.Node{Op: sla.OpAll}}) // 3 h 36 min of 30 d
	member := func(name string, alone, withOthers float64) Member {
		m := Member{Title: name}
		if alone > 0 {
			m.Alone = Known(alone)
		}
		if withOthers > 0 {
			m.WithOthers = Known(withOthers)
		}
		return m
	}
	got := newCauses(whole, []Member{member("all of", 0, 0), member("web", 0.1, 0), member("a", 0.05, 0.25), member("b", 0, 0.1), member("c", 0, 0)}, atNoon)
	want := [][3]string{
		{"a", "60.0\u202f%", "1\u202fh\u00a04\u202fmin, 30.0\u202f% of the budget; 10\u202fmin\u00a048\u202fs of it alone, the rest together with others"},
		{"web", "20.0\u202f%", "21\u202fmin\u00a036\u202fs, 10.0\u202f% of the budget; all of it alone"},
		{"b", "20.0\u202f%", "21\u202fmin\u00a036\u202fs, 10.0\u202f% of the budget; always together with others"},
	}
	if len(got) != len(want) {
		t.Fatalf("got %+v", got)
	}
	for i, w := range want {
		if g := [3]string{got[i].Title, got[i].Share, got[i].Cost + "; " + got[i].How}; g != w {
			t.Errorf("got %q, want %q", g, w)
		}
	}
	down := Member{Title: "a", Since: noon.Add(-time.Minute)}
	if downs := newDownComponents([]Member{{Title: "all of"}, down, {Title: "b"}, down}, atNoon); len(downs) != 1 || downs[0].Title != "a" {
		t.Errorf("down are %+v", downs)
	}
}

// TestEveryAlertSaysWhen: the page says of every alert when it fires: of a tier
// by its threshold, of any other by a sentence.
func TestEveryAlertSaysWhen(t *testing.T) {
	agreements, findings := spec.Load("../../examples/*.yaml")
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	seen := map[string]bool{}
	for _, a := range agreements {
		plan, findings := rulegen.Compile(a, rulegen.Options{})
		if findings.HasErrors() {
			t.Fatal(findings)
		}
		for _, l := range plan.Levels {
			for _, g := range l.Groups {
				for _, r := range g.Rules {
					if r.Alert == "" || r.Alert == sla.AlertBudgetBurn.Name || r.Labels["tier"] != "" || r.Labels["slo"] == "" {
						continue
					}
					if seen[r.Alert] = true; alertWords(r.Alert) == "" {
						t.Errorf("%s does not say when it fires", r.Alert)
					}
				}
			}
		}
	}
	if len(seen) < 5 || alertWords(sla.AlertCreditTier.Name) == "" {
		t.Errorf("the examples have only %v", seen)
	}
}
