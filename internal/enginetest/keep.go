package enginetest

import (
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"gopkg.in/yaml.v3"
)

// Keep leaves only the rules of a file that record these series or fire these alerts,
// and those that they read. Their results are the same without the others, so a test
// that reads a few series through a long history need not evaluate all.
func Keep(t testing.TB, file []byte, names ...string) []byte {
	t.Helper()
	var all struct {
		Groups []map[string]any `yaml:"groups"`
	}
	if err := yaml.Unmarshal(file, &all); err != nil {
		t.Fatal(err)
	}
	byName := map[string][]map[string]any{}
	for _, g := range all.Groups {
		for _, r := range rulesOf(g) {
			byName[nameOf(r)] = append(byName[nameOf(r)], r)
		}
	}
	for _, name := range names {
		if byName[name] == nil {
			t.Fatalf("no rule is named %s", name)
		}
	}
	wanted := map[string]bool{}
	for len(names) > 0 {
		name := names[0]
		names = names[1:]
		if wanted[name] {
			continue
		}
		wanted[name] = true
		for _, r := range byName[name] {
			names = append(names, readBy(t, r)...)
		}
	}
	var kept []map[string]any
	for _, g := range all.Groups {
		var rules []any
		for _, r := range rulesOf(g) {
			if wanted[nameOf(r)] {
				rules = append(rules, r)
			}
		}
		if g["rules"] = rules; len(rules) > 0 {
			kept = append(kept, g)
		}
	}
	text, err := yaml.Marshal(map[string]any{"groups": kept})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func rulesOf(group map[string]any) []map[string]any {
	var all []map[string]any
	rules, _ := group["rules"].([]any)
	for _, r := range rules {
		if r, ok := r.(map[string]any); ok {
			all = append(all, r)
		}
	}
	return all
}

func nameOf(rule map[string]any) string {
	name, ok := rule["record"].(string)
	if !ok {
		name, _ = rule["alert"].(string)
	}
	return name
}

// readBy returns the names of the series that a rule's expression selects.
func readBy(t testing.TB, rule map[string]any) []string {
	t.Helper()
	text, _ := rule["expr"].(string)
	expr, err := language.ParseExpr(text)
	if err != nil {
		t.Fatalf("%s: %v", nameOf(rule), err)
	}
	var all []string
	for _, selectors := range parser.ExtractSelectors(expr) {
		for _, m := range selectors {
			if m.Name != labels.MetricName {
				continue
			}
			if m.Type != labels.MatchEqual {
				t.Fatalf("%s reads series by %s, so it cannot be known which rules record them", nameOf(rule), m)
			}
			all = append(all, m.Value)
		}
	}
	return all
}
