package emit_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// FuzzRules demands of any text that it becomes rules that Prometheus loads, or
// findings that say where and what to do.
func FuzzRules(f *testing.F) {
	for _, pattern := range []string{"../../examples/*.yaml", "../../sla/spec/testdata/valid/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("nothing in %s (%v)", pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(text))
		}
	}
	f.Fuzz(func(t *testing.T, text string) { rulesOrFindings(t, text) })
}

// FuzzSpecifications makes specifications of the schema, which is made of the
// reader's tables: each byte is a choice, of a key, a form or a value.
func FuzzSpecifications(f *testing.F) {
	for seed := range 64 {
		choices := make([]byte, 600)
		for i := range choices {
			choices[i] = byte((i*(seed*2+1)*31 + seed*17) >> 2)
		}
		f.Add(choices)
	}
	schema := newSchemaText()
	f.Fuzz(func(t *testing.T, choices []byte) {
		text, err := yaml.Marshal(schema.document(choices))
		if err != nil {
			t.Fatal(err)
		}
		rulesOrFindings(t, string(text))
	})
}

// rulesOrFindings is true if there were rules.
func rulesOrFindings(t *testing.T, text string) bool {
	t.Helper()
	agreements, findings := spec.LoadText("spec.yaml", text)
	if findings.HasErrors() || len(agreements) == 0 {
		findingsHelp(t, text, findings)
		return false
	}
	made := false
	for _, a := range agreements {
		plan, found := rulegen.Compile(a, rulegen.Options{})
		findingsHelp(t, text, found)
		if found.HasErrors() {
			continue
		}
		content, err := emit.Prometheus(plan)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		rulesLoad(t, text, content)
		made = true
	}
	if _, _, err := emit.Alertmanager(agreements); err != nil {
		t.Errorf("routes: %v\n%s", err, text)
	}
	return made
}

// findingsHelp demands a place and a remedy, and that the fault is the text's.
func findingsHelp(t *testing.T, text string, findings sla.Findings) {
	t.Helper()
	if len(findings) == 0 {
		return
	}
	lines := strings.Count(text, "\n") + 2
	for _, f := range findings {
		if f.Message == "" || f.Severity == sla.Error && (f.Remedy == "" && f.Rule != "not-a-condition" || f.Pos.File == "") || f.Pos.Line > lines {
			t.Errorf("%+v\n%s", f, text)
		}
	}
}

// rulesLoad reads rules as Prometheus does, and looks for two that make the
// same series, as promtool's lint does.
func rulesLoad(t *testing.T, text string, content []byte) {
	t.Helper()
	groups, errs := rulefmt.Parse(content, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		t.Fatalf("%v\nin rules of\n%s", errs, text)
	}
	seen := map[string]bool{}
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			key := r.Record + r.Alert + labels.FromMap(r.Labels).String()
			if seen[key] {
				t.Errorf("two rules are %s\nin rules of\n%s", key, text)
			}
			seen[key] = true
		}
	}
	if bytes.Contains(content, []byte("NaN")) && !strings.Contains(text, "NaN") {
		t.Errorf("NaN in the rules of\n%s", text)
	}
}
