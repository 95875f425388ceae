package examples_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla/spec"
)

// Every series that the examples' rules record is in docs/series.md,
// by its name or by the pattern of sums.
func TestSheetNamesEverySeries(t *testing.T) {
	sheet, err := os.ReadFile(filepath.Join("..", "docs", "series.md"))
	if err != nil {
		t.Fatal(err)
	}
	listed := func(name string) bool { return strings.Contains(string(sheet), "`"+name+"`") }
	_, summed, _ := strings.Cut(string(sheet), "\nWhere `*` is ")
	summed, _, _ = strings.Cut(summed, "\n")
	window := regexp.MustCompile(`^(.*:(?:ratio_rate|sum_))\d+[smhdw]$`)
	sum := regexp.MustCompile(`^sla:(\w+):(increase|sum_period|increase_period|sum_period_by_start|sum_period_previous|sum_period_to_hour|sum_period_since_hour)$`)
	agreements, findings := spec.Load("*.yaml", "*/*.yaml")
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	recorded := map[string]bool{}
	for _, a := range agreements {
		plan, findings := rulegen.Compile(a, rulegen.Options{})
		if findings.HasErrors() {
			t.Fatal(findings)
		}
		for _, l := range plan.Levels {
			for _, g := range l.Groups {
				for _, r := range g.Rules {
					recorded[r.Record] = true
				}
			}
		}
	}
	delete(recorded, "") // alerts
	if len(recorded) < 100 {
		t.Errorf("the examples record only %d series", len(recorded))
	}
	for name := range recorded {
		if parts := sum.FindStringSubmatch(name); parts != nil && strings.Contains(summed, "`"+parts[1]+"`") && listed("sla:*:"+parts[2]) {
			continue
		}
		if !listed(window.ReplaceAllString(name, "$1<window>")) {
			t.Errorf("docs/series.md does not name %s", name)
		}
	}
}
