package rulegen_test

import (
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
			for _, g := range l.Groups {
				for _, r := range g.Rules {
					if r.Alert != "" && !slices.Contains(rulegen.AlertNames, r.Alert) {
						t.Errorf("%s is not among AlertNames", r.Alert)
					}
				}
			}
		}
		for _, l := range a.Levels {
			named := rulegen.Notices(l)
			for _, of := range l.Notices() {
				if !slices.ContainsFunc(named, func(n rulegen.Notice) bool { return n.Notice == of }) || len(named) != len(l.Notices()) {
					t.Errorf("%s has the notices %v, and by name %v", l.ID, l.Notices(), named)
				}
			}
		}
	}
}
