package rulegen_test

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla/spec"
)

// Routes match alerts by these names, so one that is not among them would reach
// nobody whom the agreement names.
func TestEveryAlertOfTheExamplesHasAKnownName(t *testing.T) {
	files, err := filepath.Glob("../examples/*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	agreements, findings := spec.Load(files...)
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	for _, a := range agreements {
		plan, findings := rulegen.Compile(a, rulegen.Options{Now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)})
		if findings.HasErrors() {
			t.Fatal(findings)
		}
		for _, l := range plan.Levels {
			has, names := map[string]bool{}, map[string]bool{}
			for _, g := range l.Groups {
				for _, r := range g.Rules {
					if r.Alert != "" && !slices.Contains(rulegen.AlertNames(), r.Alert) {
						t.Errorf("%s is not among AlertNames", r.Alert)
					}
					if r.Alert != "" && r.Labels["slo"] != "" {
						has[r.Alert] = true
					}
				}
			}
			for _, alert := range l.Level.Alerts() {
				names[alert.Kind.Name] = true
			}
			if !maps.Equal(has, names) {
				t.Errorf("the rules of %s have the alerts %v, and the model %v", l.Level.ID, has, names)
			}
		}
	}
}
